/** Every command ends cleanly: at a signal, whatever it waits for, and when nobody reads what it says. */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { interruptible } from '../../src/terminal/interrupt.js'
import { lastLine, type Started, start, temporaryFile, temporaryFolder } from './raftbox.js'

const record = '{"key":"a","value":"1"}\n'

function pipe(): string {
  const path = join(temporaryFolder(), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

/** Writes into a pipe that has a reader, and keeps it open until the test ends. */
function writeInto(path: string, content: string | Buffer): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  onTestFinished(() => closeSync(fd))
  writeSync(fd, Buffer.from(content))
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The command holds the file open: it waits for what comes from it. */
function holds({ child }: Started, path: string): boolean {
  const folder = `/proc/${child.pid}/fd`
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(join(folder, fd)) === path
    } catch {
      // Closed since the folder was listed.
      return false
    }
  })
}

/** The folder of a cluster is there from its start on. */
function hasCluster({ folder }: Started): boolean {
  return readdirSync(folder).length > 0
}

afterEach(() => vi.unstubAllEnvs())

describe.skipIf(process.platform !== 'linux').each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('after %s', (signal, code) => {
  const nothingSaid = { code, stdout: '', stderr: '', left: [] }

  test.each([
    ['load', (path: string) => ['load', path]],
    ['report', (path: string) => ['report', path]],
  ])('%s ends while it waits for a pipe that nobody writes to', async (_, argsOf) => {
    const path = pipe()
    const started = start(argsOf(path))
    await until(() => holds(started, path))
    started.child.kill(signal)
    expect(await started.ended).toEqual(nothingSaid)
  })

  test.each([
    ['before its first record', '{"key":'],
    ['in the middle of its records', record.repeat(100)],
  ])('load ends %s, with the writer still there', async (_, text) => {
    const path = pipe()
    const started = start(['load', path, '--nodes', '1'])
    await until(() => holds(started, path))
    writeInto(path, text)
    if (text !== '{"key":') await until(() => hasCluster(started))
    started.child.kill(signal)
    expect(await started.ended).toEqual(nothingSaid)
  })

  test('the sandbox ends while it waits for standard input', async () => {
    const { child, ended, said } = start(['sandbox', '--nodes', '1'], null)
    await said(/leads term/)
    child.kill(signal)
    expect(await ended).toMatchObject({ code, stderr: '', left: [] })
  })

  test('sim ends, and tells of the seeds that it has run', async () => {
    // Progress is shown to a terminal only. A line of it tells that seeds were run, and so that the handlers are there.
    vi.stubEnv('NODE_OPTIONS', '--import=data:text/javascript,process.stderr.isTTY=true')
    const started = start(['sim', '--seeds', '100000', '--json'])
    await started.said(/[1-9]\d* of 100000 seeds/)
    started.child.kill(signal)
    const { code: ended, stdout, stderr, left } = await started.ended
    expect([ended, left]).toEqual([code, []])
    const lines = stderr.split('\r\x1b[2K')
    for (const line of lines) expect(line).toMatch(/^(\d+ of 100000 seeds, 0 violations)?$/)
    expect(lines.at(-1)).toBe('')
    expect(lastLine(stdout)['seeds']).toBeGreaterThan(0)
    expect(lastLine(stdout)['seeds']).toBeLessThan(100_000)
  })

  test('sim --seed ends in the middle of its run', async () => {
    const started = start(['sim', '--seed', '1', '--trace'])
    await started.said(/node 1/)
    started.child.kill(signal)
    const { code: ended, stdout, stderr, left } = await started.ended
    expect([ended, stderr, left]).toEqual([code, '', []])
    expect(stdout).not.toContain('virtual seconds')
  })
})

test.skipIf(process.platform !== 'linux').each([
  ['of zip', Buffer.from('PK\x03\x04\x14\x00')],
  ['of damaged gzip data', gzipSync(record).fill(0, 12)],
  ['of no JSON', Buffer.from(`${record}}\n`)],
  ['that is no UTF-8', Buffer.from('{"key":"\xff"}\n', 'latin1')],
])('a pipe %s is refused, although its writer does not close it', async (_, bytes) => {
  const path = pipe()
  const started = start(['load', path, '--nodes', '1'])
  await until(() => holds(started, path))
  writeInto(path, bytes)
  expect(await started.ended).toMatchObject({ code: 2, stdout: '', left: [] })
})

describe('when nobody reads', () => {
  const file = (): string => temporaryFile('some.jsonl', record)

  test.each([
    ['sandbox', () => ['sandbox', '--nodes', '1'], 'put a 1\nget a\n'],
    ['sim', () => ['sim', '--seed', '1', '--trace'], ''],
    ['load', () => ['load', file(), '--nodes', '1'], ''],
    ['bench', () => ['bench', '--seconds', '0.1', '--clients', '1'], ''],
  ])('standard output, %s closes its cluster and ends', async (_, argsOf, input) => {
    const { child, ended } = start(argsOf(), input)
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 141, stderr: '', left: [] })
  })

  test.each([
    ['a warning', ['sandbox', '--nodes', '2'], 141],
    ['progress', ['bench', '--seconds', '2', '--clients', '1', '--nodes', '1', '--progress'], 141],
    ['that a word is wrong', ['nonsense'], 2],
    ['that a flag is wrong', ['bench', '--nodes', '0'], 2],
  ])('standard error, a command that tells it %s ends, and leaves nothing', async (_, args, code) => {
    const { child, ended } = start(args, null)
    child.stderr?.destroy()
    expect(await ended).toMatchObject({ code, left: [] })
  })
})

describe('an interrupted command', () => {
  afterEach(() => vi.restoreAllMocks())

  test('is closed however often an output fails, and ends at once at a second signal', async () => {
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
    const now = vi.spyOn(performance, 'now').mockReturnValue(0)
    const closed = { code: 'EPIPE' }
    const exitCalls: number[] = []
    const exitCode = await interruptible(async () => {
      process.stderr.emit('error', closed)
      now.mockReturnValue(5000)
      process.stderr.emit('error', closed)
      process.stdout.emit('error', closed)
      exitCalls.push(exit.mock.calls.length)
      process.emit('SIGINT')
      exitCalls.push(exit.mock.calls.length)
      return 0
    })
    expect(exitCalls).toEqual([0, 1])
    expect(exit).toHaveBeenCalledWith(141)
    expect(exitCode).toBe(141)
  })
})
