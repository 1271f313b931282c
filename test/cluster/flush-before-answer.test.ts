/** The order of the flush of an entry and its acknowledgement, read from the system calls of a cluster. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Call, callsIn } from '../storage/system-calls.js'
import { temporaryFolder } from './support.js'

const timeout = 240_000

/** False where the program is not there, or nobody may trace here. */
const canTrace = spawnSync('strace', ['-f', 'true'], { stdio: 'ignore' }).status === 0

/** The logs on which an entry with the text was written and then flushed, both before the line. */
function logsWith(text: string, calls: readonly Call[], before: number): Set<string> {
  const isFlush = ({ name }: Call): boolean => ['fdatasync', 'fsync'].includes(name)
  const written = calls.filter(
    (call) => !isFlush(call) && call.path.endsWith('data.mdb') && call.rest.includes(text),
  )
  const isFlushed = (write: Call): boolean =>
    calls.some(
      (call) => isFlush(call) && call.path === write.path && call.began > write.ended && call.ended < before,
    )
  return new Set(written.filter(isFlushed).map(({ path }) => path))
}

function traced(commands: number): Call[] {
  const folder = temporaryFolder()
  const trace = join(folder, 'trace')
  const names = 'trace=write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync'
  // An entry may lie anywhere in the pages of a write, so all of their bytes are shown.
  const options = ['-f', '-ttt', '-y', '-s', '1000000', '-e', names, '-o', trace]
  const writer = new URL('./traced-writer.js', import.meta.url).pathname
  const args = [...options, process.execPath, writer, join(folder, 'cluster'), String(commands)]
  const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8', timeout })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return callsIn(readFileSync(trace, 'utf8').split('\n'))
}

test.skipIf(!canTrace)(
  '[DU1] an entry is written and flushed on a majority of the disks before its client is told that it is applied',
  { timeout },
  () => {
    const commands = 30
    const calls = traced(commands)
    for (let n = 1; n <= commands; n++) {
      const told = calls.find(({ name, rest }) => name === 'write' && rest.includes(`"applied ${n}\\n"`))
      expect(told, `command ${n}`).toBeDefined()
      const logs = logsWith(`traced value ${n};`, calls, told!.began)
      expect(logs.size, `command ${n}`).toBeGreaterThanOrEqual(2)
    }
  },
)

test('a flush counts that began after the write returned, and ended before the client is told', () => {
  const log = '7</log/data.mdb>'
  const write = `1 0.1 pwrite64(${log}, "a value;", 8, 0) = 8`
  const flush = `2 0.2 fdatasync(${log}) = 0`
  const logs = (...lines: string[]): number => logsWith('a value;', callsIn(lines), lines.length).size
  expect(logs(write, flush)).toBe(1)
  expect(logs(write)).toBe(0)
  expect(logs(flush, write)).toBe(0)
  expect(logs(write, `2 0.2 fdatasync(8</log/unsettled>) = 0`)).toBe(0)
  const [began, ended] = [`2 0.2 fdatasync(${log} <unfinished ...>`, '2 0.3 <... fdatasync resumed>) = 0']
  expect(logs(write, began)).toBe(0)
  expect(logs(began, write, ended)).toBe(0)
  expect(logs(write, began, ended)).toBe(1)
})
