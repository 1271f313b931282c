/** The sandbox keeps its input as it is or refuses it, and its output never commands the terminal. */
import { expect, test } from 'vitest'
import { startCluster } from '../../src/cluster/index.js'
import { run, start, temporaryFolder } from './raftbox.js'

/** Runs a script on one node. The answers are the last lines that it printed. */
async function script(lines: readonly (string | Buffer)[], dir?: string) {
  const input = Buffer.concat(
    ['events off', ...lines].map((line) => Buffer.concat([Buffer.from(line), newline])),
  )
  const args = ['sandbox', ...(dir === undefined ? ['--nodes', '1'] : ['--dir', dir])]
  return run(args, input)
}

const newline = Buffer.from('\n')

/** No control character but the line breaks of the sandbox itself. */
const plain = /^[^\p{Cc}\p{Bidi_Control}]*$/u

test('keys, values and the path of the directory are printed without what a terminal would obey', async () => {
  const dir = `${temporaryFolder()}/a\x1bb`
  const cluster = await startCluster({ dir, host: 'inline', nodes: 1 })
  await cluster.put('k\x1b[2J', 'v\n2 killed\x9b\u202e')
  await cluster.put(Buffer.of(0x6b, 0xf6), Buffer.of(0xff, 0x07))
  await cluster.close()
  const { code, stdout } = await script(['range', 'get k\x1b[2J', 'get a\x07', 'delete a\x07', 'do\x1b'], dir)
  expect(code).toBe(2)
  expect(stdout).toContain('/a\\u001bb')
  const answers = stdout.trimEnd().split('\n').slice(-7)
  expect(answers).toEqual([
    'k\\u001b[2J v\\n2 killed\\u009b\\u202e',
    'k\\xf6 \\xff\\u0007',
    '2 keys',
    expect.stringMatching(/^v\\n2 killed\\u009b\\u202e \(version 1, /),
    'there is no key a\\u0007',
    'there is no key a\\u0007',
    "there is no verb 'do\\u001b'; help lists all",
  ])
  for (const line of stdout.split('\n')) expect(line).toMatch(plain)
})

test('a line that is not UTF-8 is refused with its place, and the script goes on', async () => {
  const { code, stdout } = await script([Buffer.from('put K\xf6ln 1', 'latin1'), 'put a 1', 'range'])
  expect(code).toBe(2)
  expect(stdout).toContain(
    'line 2, column 6: byte 0xf6 is not UTF-8; give the line in UTF-8\napplied at index',
  )
  expect(stdout).toMatch(/\na 1\n1 key\n$/)
})

test('spaces at the end of a value, and spaces other than those between words, are kept', async () => {
  const { code, stdout } = await script([
    '  put \t a\u00a0b\ufeff   x  ',
    'range',
    'put k  ',
    'put crlf 1\r',
    'range crlf',
  ])
  expect(code).toBe(2)
  expect(stdout).toContain("\na\u00a0b\ufeff   x  \n1 key\nput k: after 'put k' a value is expected\n")
  expect(stdout).toMatch(/\ncrlf 1\n1 key\n$/)
})

test('a line of a script has a bound, which is named, and the cluster is closed', async () => {
  const { code, stderr, left } = await script(['put a 1', 'x'.repeat((1 << 20) + 1)])
  expect([code, left]).toEqual([2, []])
  expect(stderr).toBe('raftbox: line 3: the line has more than 1048576 bytes; put less on a line\n')
})

test('the last line needs no line break', async () => {
  const { code, stdout } = await run(['sandbox', '--nodes', '1'], 'events off\nput a 1\nget a')
  expect(code).toBe(0)
  expect(stdout).toMatch(/\n1 \(version 1, [^\n]*\)\n$/)
})

test('quit ends it while standard input stays open', async () => {
  const { child, ended } = start(['sandbox', '--nodes', '1'], null)
  child.stdin?.write('quit\n')
  expect(await ended).toMatchObject({ code: 0, stderr: '', left: [] })
})
