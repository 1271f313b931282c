/** The log of a command: its file, its level, and what is told when it cannot be written. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { program, run, start, temporaryFolder } from './raftbox.js'

const sandbox = ['sandbox', '--nodes', '1', '--page', 'off']

interface LineTold {
  readonly level: string
  readonly event: string
  readonly node?: number
}

function linesIn(text: string): LineTold[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LineTold)
}

test('each run adds its lines to the file, down to the last one', async () => {
  const file = join(temporaryFolder(), 'cluster.log')
  const runs: LineTold[][] = []
  for (const input of ['put a 1\nkill 1\n', 'stop 1\n']) {
    expect(await run([...sandbox, '--log', file], input)).toMatchObject({ code: 0, stderr: '' })
    runs.push(linesIn(readFileSync(file, 'utf8')).slice(runs.flat().length))
  }
  expect(runs.map((lines) => lines.map(({ event }) => event))).toEqual([
    expect.arrayContaining(['started', 'role', 'faultBegan', 'killed']),
    expect.arrayContaining(['started', 'role', 'killed']),
  ])
  expect(runs.flat().some(({ level }) => level === 'debug')).toBe(false)
})

test('a line that the run before did not write to its end runs into no other', async () => {
  const file = join(temporaryFolder(), 'cluster.log')
  const torn = '{"level":"info","event":"sta'
  writeFileSync(file, torn)
  expect(await run([...sandbox, '--log', file], 'put a 1\n')).toMatchObject({ code: 0, stderr: '' })
  const [first, ...lines] = readFileSync(file, 'utf8').split('\n')
  expect(first).toBe(torn)
  expect(linesIn(lines.join('\n')).map(({ event }) => event)).toContain('started')
})

test('a signal loses no line', async () => {
  const file = join(temporaryFolder(), 'cluster.log')
  const { child, said, ended } = start([...sandbox, '--json', '--log', file], null)
  await said(/"ready":true/)
  child.stdin?.write('kill 1\n')
  await said(/"nodeIds":\[1\]/)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 143, stderr: '' })
  const lines = linesIn(readFileSync(file, 'utf8'))
  expect(lines.at(-1)).toMatchObject({ level: 'warn', event: 'killed', node: 1 })
})

test('with - the lines go to standard error, as JSON where it is no terminal, and those below the level do not', async () => {
  const flags = ['--json', '--log', '-', '--log-level', 'warn']
  const { code, stdout, stderr } = await run([...sandbox, ...flags], 'kill 1\n')
  expect([code, stdout.includes('"event"')]).toEqual([0, false])
  const lines = linesIn(stderr)
  expect(lines.map(({ event }) => event)).toContain('killed')
  expect(lines.filter(({ level }) => level !== 'warn' && level !== 'error')).toEqual([])
})

test('a scenario on threads has a log, and one in virtual time has none', async () => {
  const file = join(temporaryFolder(), 'scenario.log')
  const { code } = await run(['scenario', 'leader-kill', '--log', file])
  expect(code).toBe(0)
  const events = linesIn(readFileSync(file, 'utf8')).map(({ event }) => event)
  expect(events).toEqual(expect.arrayContaining(['started', 'role', 'killed']))
  const simulated = ['scenario', 'leader-kill', '--host', 'simulated', '--log', join(temporaryFolder(), 'x')]
  expect(await run(simulated)).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: 'raftbox: --log: in virtual time there is no log; add --host threads\n',
  })
})

test('a pipe that is read to no end is not waited for, and the lines that it did not take are told', async () => {
  const pipe = join(temporaryFolder(), 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = spawn('sh', ['-c', `exec 3<'${pipe}'; echo open; exec sleep 600`])
  onTestFinished(() => void reader.kill('SIGKILL'))
  const { child, said, ended } = start([...sandbox, '--json', '--log', pipe, '--log-level', 'debug'], null)
  await once(reader.stdout, 'data')
  await said(/"ready":true/)
  // Of each turn and its undo there are some lines: far more than a pipe holds.
  for (let n = 0; n < 300; n++) child.stdin?.write('delay 1-clients 1ms\nheal\n')
  child.stdin?.end()
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(stderr).toMatch(/^raftbox: warning: the log ends here: .* takes no more$/m)
  expect(stderr).toMatch(/^raftbox: warning: [\d,]+ lines of the log could not be written$/m)
})

test('a file that cannot be written is told in one line, and nothing has begun', async () => {
  const folder = temporaryFolder()
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const dir = join(folder, 'cluster')
  for (const [file, why] of [
    [folder, 'EISDIR: illegal operation on a directory'],
    [join(folder, 'not-there', 'x.log'), 'ENOENT: no such file or directory'],
    [pipe, 'it is a pipe that nobody reads'],
  ] as const) {
    const { code, stdout, stderr } = await run([...sandbox, '--dir', dir, '--log', file])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(new RegExp(`^raftbox: --log: ${file} cannot be written: ${why}.*\\n$`))
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  }
  expect(existsSync(dir)).toBe(false)
})

test.each([
  [['--log-level', 'debug'], '--log-level: there is no log; name its file with --log'],
  [['--log', 'x', '--log-level', 'loud'], "--log-level: give debug, info, warn or error, not 'loud'"],
  [['--log', ''], '--log: give the path of a file, not an empty text'],
])('%j is refused in one line', async (flags, line) => {
  expect(await run([...sandbox, ...flags])).toEqual({
    code: 2,
    stdout: '',
    stderr: `raftbox: ${line}\n`,
    left: [],
  })
})

const terminal = '/usr/bin/script'

test.skipIf(!existsSync(terminal))(
  'on a terminal the lines are words above the prompt, and nothing is told twice',
  async () => {
    const command = [process.execPath, program, ...sandbox, '--log', '-'].join(' ')
    const env = { ...process.env, NO_COLOR: '1', TMPDIR: temporaryFolder() }
    const child = spawn(terminal, ['-qec', command, '/dev/null'], { env })
    onTestFinished(() => void child.kill('SIGKILL'))
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
    const says = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) await once(child.stdout, 'data')
    }
    await says(/raftbox> /)
    child.stdin.write('kill 1\n')
    await says(/killed node 1/)
    await says(/node 1 was killed/)
    child.stdin.write('quit\n')
    await once(child, 'close')
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: node 1 was killed \(#\d+, after #\d+\)\r$/m)
    expect(text.match(/node 1 was killed/g)).toHaveLength(1)
  },
)
