/** The sandbox for programs: one line of JSON when all is ready, and one for each line of the input. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from '../../src/verbs/index.js'
import { run, start, temporaryFolder } from './raftbox.js'

const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('each line is answered by one line, and the end of the input closes it cleanly', async () => {
  const dir = `${temporaryFolder()}/kept`
  const lines = [
    'put a 1',
    'get a',
    '',
    'pot',
    'kill 9',
    'kill leader',
    'put b 2',
    'get c',
    'delete a',
    'range',
  ]
  const { code, stdout, stderr, left } = await run(
    ['sandbox', '--json', '--dir', dir, '--page', 'off'],
    `${lines.join('\n')}\n`,
  )
  expect([code, stderr, left]).toEqual([0, '', []])
  const [ready, ...answers] = linesOf(stdout)
  expect(ready).toEqual({ ready: true, page: null, api: null, etcd: [], dir, token: null })
  const index = expect.any(Number)
  const nodeIds = [expect.any(Number)]
  expect(answers).toEqual([
    { ok: true, index, revision: 1 },
    { ok: true, value: '1', version: 1, modRevision: 1 },
    { ok: true },
    { ok: false, code: 'BAD_INPUT', message: expect.stringMatching(/^there is no verb 'pot'/) },
    { ok: false, code: 'INVALID_FAULT', message: expect.stringMatching(/^target 9: there are the nodes/) },
    { ok: true, nodeIds, fault: expect.objectContaining({ id: 1, type: 'kill', untilMs: null }) },
    { ok: true, index, revision: 2 },
    { ok: true, value: null },
    { ok: true, index, deleted: true },
    { ok: true, entries: [{ key: 'b', value: '2' }], hasMore: false },
  ])
})

test('a program reads each answer before it writes the next line', async () => {
  const { child, ended, said } = start(['sandbox', '--json', '--nodes', '1'], null)
  await said(/"ready":true.*\n/)
  child.stdin?.write('put a one two\n')
  await said(/"revision":1}\n/)
  child.stdin?.write('get a\n')
  await said(/"value":"one two"/)
  child.stdin?.write('quit\n')
  expect(await ended).toMatchObject({ code: 0, stderr: '', left: [] })
})

test('bytes that are not UTF-8 are refused or told in base64, and the input goes on', async () => {
  const input = Buffer.concat([Buffer.from('put a \xff\n', 'latin1'), Buffer.from('put a 1\nget a')])
  const { code, stdout } = await run(['sandbox', '--json', '--nodes', '1'], input)
  expect(code).toBe(0)
  expect(linesOf(stdout).slice(1)).toEqual([
    { ok: false, code: 'BAD_INPUT', message: expect.stringContaining('line 1, column 7: byte 0xff') },
    { ok: true, index: expect.any(Number), revision: 1 },
    { ok: true, value: '1', version: 1, modRevision: 1 },
  ])
})

test('of foreign lines each is answered as bad input, and none ends it', async () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('put', 'cut', '1->2', '10%', 'for', '-', '|'),
  )
  const line = fc
    .array(word, { minLength: 1, maxLength: 6 })
    .map((words) => words.join(' ').replace(/[\n\r]/g, ''))
  const lines = fc.sample(line.filter(isRefused), { seed: 4, numRuns: 300 })
  const { code, stdout, stderr } = await run(
    ['sandbox', '--json', '--nodes', '1'],
    `${lines.join('\n')}\nget a\n`,
  )
  expect([code, stderr]).toEqual([0, ''])
  const answers = linesOf(stdout).slice(1)
  expect(answers.map((answer) => answer['code'])).toEqual([...lines.map(() => 'BAD_INPUT'), undefined])
  for (const { message } of answers.slice(0, -1)) expect(message).toMatch(/^.{1,500}$/u)
})

function isRefused(line: string): boolean {
  try {
    parse(line)
    return false
  } catch {
    return true
  }
}

test('a line that is too long is answered, and ends it as bad input', async () => {
  const { code, stdout, left } = await run(['sandbox', '--json', '--nodes', '1'], 'x'.repeat((1 << 20) + 1))
  expect([code, left]).toEqual([2, []])
  expect(linesOf(stdout).at(-1)).toMatchObject({ ok: false, code: 'BAD_INPUT' })
})

test.skipIf(process.platform === 'win32').each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s closes it cleanly, also while a line waits for its answer', async (signal, code) => {
  const { child, ended, said } = start(['sandbox', '--json'], 'kill 1\nkill 2\nput a 1\n')
  await said(/nodeIds.*\n.*nodeIds/)
  child.kill(signal)
  expect(await ended).toMatchObject({ code, stderr: '', left: [] })
})
