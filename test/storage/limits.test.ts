/** What the system refuses a store: each of these would end the process inside LMDB. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { addressSpaceLeft, descriptorsLeft } from '../../src/storage/index.js'
import { stateOf } from '../../src/testing/store-model.js'
import { lmdbDisk, newFolder } from './disks.js'

const writer = fileURLToPath(new URL('./lmdb-writer.js', import.meta.url))
const timeout = 55_000

/** True when such a command can be run here. */
function canRun(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout }).status === 0
}

const isLinux = process.platform === 'linux'

test.skipIf(!isLinux)(
  'address space and descriptors left follow the limit, and are Infinity without one',
  () => {
    const ask = `import { addressSpaceLeft, descriptorsLeft } from ${JSON.stringify(new URL('../../src/storage/index.js', import.meta.url))}
    console.log(addressSpaceLeft(), descriptorsLeft())`
    const leftBelow = (limits: string): number[] => {
      const args = ['-c', `${limits}; exec "$0" --input-type=module -e "$1"`, process.execPath, ask]
      return spawnSync('sh', args, { encoding: 'utf8', timeout }).stdout.trim().split(' ').map(Number)
    }
    const [space = 0, descriptors = 0] = leftBelow('ulimit -v 4000000; ulimit -n 100')
    expect(space).toBeGreaterThan(1e9)
    expect(space).toBeLessThan(4e9)
    expect(descriptors).toBeGreaterThan(50)
    expect(descriptors).toBeLessThan(100)
    expect(leftBelow('true')[0]).toBe(addressSpaceLeft())
    expect(descriptorsLeft()).toBeGreaterThan(0)
  },
)

test.skipIf(!isLinux || !canRun('prlimit', '--version'))(
  '[DU2] a log that outgrows its address space takes no more writes, and says how to get more',
  async () => {
    const dir = newFolder()
    // A limit that came into force while the program ran could come between a look at what is left and the use of it.
    const tellsPeak = `import { readFileSync } from 'node:fs'
      const peak = () => /VmPeak:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
      process.on('exit', () => console.log('peak', peak()))`
    const preload = `data:text/javascript,${encodeURIComponent(tellsPeak)}`
    const shortArgs = ['--import', preload, writer, newFolder(), '200000', '10']
    const short = spawnSync(process.execPath, shortArgs, { timeout })
    const peak = Number(/^peak (\d+)$/m.exec(String(short.stdout))?.[1])
    // More than is left to the heaps, and no map more.
    const limit = peak * 1024 + 300 * 2 ** 20
    const command = [`--as=${limit}`, process.execPath, writer, dir, '200000', '5000']
    const { status, signal, stdout: output } = spawnSync('prlimit', command, { encoding: 'utf8', timeout })
    expect([status, signal]).toEqual([0, null])
    const why = 'address space full: the log cannot be mapped, [0-9]+ MiB are needed, and [0-9]+ MiB are left'
    expect(output).toMatch(new RegExp(`^failed \\d+: ${why}; raise the limit \\(ulimit -v\\)`, 'm'))
    expect(output).toMatch(/^again: address space full/m)
    const flushed = [...output.matchAll(/^flushed (\d+)$/gm)].length
    const { recovered, store } = lmdbDisk(dir).open()
    expect(stateOf({ recovered, store }).entries).toHaveLength(flushed)
    await store.close()
  },
)

test.skipIf(!isLinux)('a log that is larger than the address space is refused and left alone', async () => {
  const disk = lmdbDisk()
  await disk.open().store.close()
  truncateSync(join(disk.dir, 'data.mdb'), 2 ** 40)
  const args = ['-c', 'ulimit -v 4000000; exec "$@"', 'sh', process.execPath, writer, disk.dir, '100', '1']
  const { stderr, status } = spawnSync('sh', args, { encoding: 'utf8', timeout })
  expect(status).toBe(1)
  expect(stderr).toMatch(/cannot be opened: address space full: .*, 10488\d\d MiB are needed/)
  await disk.open().store.close()
})

/** A file system of so few bytes in a namespace of its own, where no special right is needed to make one; then a larger one. */
const onSmallDisk = `mount -t tmpfs -o size=$1 tmpfs "$0" && shift
  "$@"; echo "first $?"
  mount -o remount,size=8m "$0"
  "$@"; echo "then $?"`

test
  .skipIf(!isLinux || !canRun('unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'))
  .each(['4k', '8k', '12k', '16k', '24k', '64k'])(
  '[DU2] on a disk of %s, the first start says that it is full and how much it needs, and a later one finds room',
  (size) => {
    const dir = newFolder()
    mkdirSync(dir)
    const command = [process.execPath, writer, join(dir, 'log'), '100', '3']
    const args = ['-Urm', 'sh', '-c', onSmallDisk, dir, size, ...command]
    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout })
    expect(stderr).toMatch(
      /cannot be opened: disk full: the log cannot be written, 4194304 bytes are needed, and \d+ are free; make room/,
    )
    expect(stdout).toMatch(/^first 1$/m)
    expect(stdout).toMatch(/^flushed 3\nthen 0$/m)
  },
)

test.each(['lock.mdb', 'data.mdb'])('a %s that cannot be opened is an error', async (name) => {
  const disk = lmdbDisk()
  await disk.open().store.close()
  rmSync(join(disk.dir, name))
  mkdirSync(join(disk.dir, name))
  expect(() => disk.open()).toThrow(/cannot be opened: EISDIR/)
})

test('the file that LMDB locks has all its room before LMDB writes to it', async () => {
  const disk = lmdbDisk()
  await disk.open().store.close()
  const path = join(disk.dir, 'lock.mdb')
  expect(readFileSync(path)).toHaveLength(16 * 1024)
  // Left by a start that was interrupted.
  writeFileSync(path, '')
  await disk.open().store.close()
  expect(existsSync(path)).toBe(true)
})
