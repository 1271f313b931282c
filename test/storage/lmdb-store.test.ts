import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type LogStore, openLmdbStore } from '../../src/storage/index.js'
import {
  chunkOf,
  persistOf,
  runOf,
  snapshotBytes,
  snapshotOf,
  stateOf,
  stepStore,
  testMembership,
} from '../../src/testing/store-model.js'
import { lmdbDisk, newFolder } from './disks.js'
import { nodeId } from './node-id.js'

const writer = fileURLToPath(new URL('./lmdb-writer.js', import.meta.url))

function append(index: number, size: number) {
  return { type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, size)] }) } as const
}

/** The last entry that the program was told of. */
function flushedIn(output: string): number {
  return Number([...output.matchAll(/^flushed (\d+)$/gm)].at(-1)?.[1] ?? 0)
}

async function lastIndexIn(dir: string): Promise<number> {
  const { recovered, store } = lmdbDisk(dir).open()
  await store.close()
  const last = stateOf(recovered).entries.at(-1)?.index ?? 0
  expect(recovered.hardState.currentTerm, '[DU6] the term is of the same write as the last entry').toBe(last)
  return last
}

test('a directory of another node is refused and left alone', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  await stepStore(store, append(1, 10))
  await store.close()
  const before = readFileSync(join(disk.dir, 'data.mdb'))
  const other = { dir: disk.dir, nodeId: 2, membership: testMembership }
  expect(() => openLmdbStore(other)).toThrow(/it is the log of node 7, and it was opened for node 2/)
  expect(readFileSync(join(disk.dir, 'data.mdb')).equals(before)).toBe(true)
})

test('who takes part is what the directory says, once it is not new', async () => {
  const { dir, open } = lmdbDisk()
  await open().store.close()
  const { recovered, store } = openLmdbStore({ dir, nodeId, membership: { ...testMembership, voters: [8] } })
  await store.close()
  expect(recovered.membership).toEqual(testMembership)
})

test('[DU2] a store that used up its room takes no more writes, and says that the disk is full', async () => {
  const dir = newFolder()
  const { store } = openLmdbStore({ dir, nodeId, membership: testMembership, bytesMax: 500_000 })
  let index = 1
  let failure: unknown
  for (; failure === undefined; index++) {
    await stepStore(store, append(index, 50_000)).catch((error: unknown) => {
      failure = error
    })
  }
  expect(failure).toEqual(new Error('disk full: the log cannot be written'))
  await expect(stepStore(store, append(index, 1))).rejects.toThrow('disk full')
  await store.close()
  const { recovered, store: reopened } = lmdbDisk(dir).open()
  expect(stateOf(recovered).entries.at(-1)?.index).toBe(index - 2)
  await reopened.close()
})

/** Appends, and tells whether the disk was waited for. */
async function isWaitedFor(store: LogStore, index: number): Promise<boolean> {
  let isFlushed = false
  let told: () => void = () => undefined
  const flushed = new Promise<void>((done) => {
    told = done
  })
  store.write(append(index, 10).persist, () => {
    isFlushed = true
    told()
  })
  const wasWaitedFor = isFlushed
  await flushed
  return wasWaitedFor
}

test('the log waits for its disk once it was quick sixteen times in a row, and as long as it is', async () => {
  let nowMs = 0
  let flushMs = 1
  const now = () => {
    nowMs += flushMs
    return nowMs
  }
  const { store } = openLmdbStore({ dir: newFolder(), nodeId, membership: testMembership, now })
  let index = 1
  const waits = async (count: number) => {
    const seen: boolean[] = []
    while (seen.length < count) seen.push(await isWaitedFor(store, index++))
    return seen
  }
  const trial = new Array<boolean>(16).fill(false)
  expect(await waits(18)).toEqual([...trial, true, true])
  flushMs = 6
  // The one that shows that the disk is slow was still waited for.
  expect(await waits(20)).toEqual([true, ...new Array<boolean>(19).fill(false)])
  flushMs = 1
  expect(await waits(17)).toEqual([...trial, true])
  await store.close()
})

/** A store whose log waits for the disk, with the entries 1 to 16. */
async function openQuickStore(dir = newFolder()): Promise<LogStore> {
  const { store } = openLmdbStore({ dir, nodeId, membership: testMembership, now: () => 0 })
  for (let index = 1; index <= 16; index++) await stepStore(store, append(index, 10))
  return store
}

test('a snapshot is never waited for: the log’s next write takes it along, and it hears of it in a later turn', async () => {
  const store = await openQuickStore()
  const order: string[] = []
  const chunk = new Promise<void>((done) =>
    store.writeSnapshotChunk({ index: 1, term: 1 }, 0, Buffer.alloc(1000), () => {
      order.push('chunk')
      done()
    }),
  )
  store.write(append(17, 10).persist, () => void order.push('entry'))
  expect(order).toEqual(['entry'])
  await chunk
  expect(order).toEqual(['entry', 'chunk'])
  expect(await isWaitedFor(store, 18)).toBe(true)
  await store.close()
})

test('a snapshot that finds no write to go along with goes alone', async () => {
  const store = await openQuickStore()
  const snapshot = snapshotOf(16, 1, 1000)
  await stepStore(store, { type: 'chunk', ...chunkOf(snapshot, 0, 1000) })
  await stepStore(store, { type: 'compact', snapshot, base: { index: 16, term: 1 } })
  expect(store.readSnapshot(16, 0, 1000)).toEqual(snapshotBytes(snapshot))
  await store.close()
})

test.each([1000, 4_000_000])(
  'the log is written behind what was given before it, %i bytes of it, also in one transaction',
  async (size) => {
    const dir = newFolder()
    const store = await openQuickStore(dir)
    const snapshot = snapshotOf(16, 1, size)
    const half = size / 2
    await stepStore(store, { type: 'chunk', ...chunkOf(snapshot, 0, half) })
    // None of these waits for the one before it.
    const chunk = stepStore(store, { type: 'chunk', ...chunkOf(snapshot, half, half) })
    const cut = stepStore(store, { type: 'compact', snapshot, base: { index: 10, term: 1 } })
    await Promise.all([chunk, cut, stepStore(store, append(17, 10))])
    await store.close()
    const { recovered, store: reopened } = lmdbDisk(dir).open()
    expect(recovered.base.index).toBe(10)
    expect(recovered.snapshot).toEqual(snapshot)
    expect(stateOf(recovered).entries.map(({ index }) => index)).toEqual([11, 12, 13, 14, 15, 16, 17])
    await reopened.close()
  },
)

test('writes that were given before it are flushed by close', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  const flushed = [1, 2, 3].map((index) => stepStore(store, append(index, 600_000)))
  await store.close()
  await Promise.all(flushed)
  const { recovered, store: reopened } = disk.open()
  expect(stateOf(recovered).entries).toHaveLength(3)
  await reopened.close()
})

test('[DU1] killed between two instructions, a program loses nothing that it was told of', async () => {
  for (const at of [5, 40, 90]) {
    const dir = newFolder()
    const child = spawn(process.execPath, [writer, dir, '3000', '100000'])
    const flushed = flushedIn(await outputUntilKilled(child, (text) => flushedIn(text) >= at))
    expect(flushed).toBeGreaterThanOrEqual(at)
    expect(await lastIndexIn(dir)).toBeGreaterThanOrEqual(flushed)
  }
})

/** All that a program prints; it is killed once that is enough. */
function outputUntilKilled(child: ChildProcess, isEnough: (text: string) => boolean): Promise<string> {
  let text = ''
  return new Promise((done) => {
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString()
      if (isEnough(text)) child.kill('SIGKILL')
    })
    child.on('close', () => done(text))
  })
}

/** True when such a command can be run here. */
function canRun(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** The system refuses to let the file grow beyond 1 MiB, as a failing disk would: LMDB's own write fails. */
const withFileLimit = "trap '' XFSZ; ulimit -f 2048; exec"

test.skipIf(process.platform === 'win32' || !canRun('sh', '-c', `${withFileLimit} true`))(
  '[DU2] after LMDB failed to write, no other write is tried, and a restart finds what was acknowledged',
  async () => {
    const dir = newFolder()
    const command = `${withFileLimit} "$0" "$1" "$2" 100000 1000`
    const { stdout } = spawnSync('sh', ['-c', command, process.execPath, writer, dir], { encoding: 'utf8' })
    expect(flushedIn(stdout)).toBeGreaterThan(3)
    expect(stdout).toMatch(/^failed \d+: the flush failed: Input\/output error$/m)
    expect(stdout).toMatch(/^again: the flush failed: Input\/output error$/m)
    expect(await lastIndexIn(dir)).toBe(flushedIn(stdout))
  },
)

/** A file system of 8 MiB in a namespace of its own, where no special right is needed to make one. */
const inSmallDisk = ['-Urm', 'sh', '-c', 'mount -t tmpfs -o size=8m tmpfs "$0" && "$@"']

test.skipIf(process.platform !== 'linux' || !canRun('unshare', ...inSmallDisk, '/mnt', 'true'))(
  '[DU2] a disk that is really full ends the store, and says so',
  () => {
    const dir = newFolder()
    mkdirSync(dir)
    const args = [...inSmallDisk, dir, process.execPath, writer, join(dir, 'log'), '100000', '1000']
    const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8' })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(flushedIn(stdout)).toBeGreaterThan(3)
    expect(stdout).toMatch(/^failed \d+: disk full: the log cannot be written$/m)
    expect(stdout).toMatch(/^again: disk full/m)
  },
)

const canTrace = canRun('strace', '-f', '-e', 'inject=fdatasync:delay_enter=1', 'true')

test.skipIf(!canTrace)('[DU1] what an earlier program left is flushed before it is gone on from', () => {
  const dir = newFolder()
  // With the path of each descriptor.
  const args = ['-f', '-y', '-e', 'trace=write,fsync', process.execPath, writer, dir, '200', '1']
  // Killed in its first write, the program before may have made new names as well.
  for (const _start of ['new', 'again']) {
    const { stderr } = spawnSync('strace', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
    const before = stderr.slice(0, stderr.indexOf('"writing 1'))
    const flushed = [...before.matchAll(/fsync\(\d+<([^>]*)>/g)]
    expect(flushed.map(([, path]) => path)).toEqual([join(dir, 'data.mdb'), dir, dirname(dir)])
  }
})

test.skipIf(!canTrace)('[DU1] the flush is over before anyone is told of it', () => {
  const calls = 'trace=openat,write,writev,pwrite64,pwritev,fdatasync'
  // A slow disk, so that whoever tells too early is seen to.
  const slow = 'inject=fdatasync:delay_enter=20000'
  const args = ['-f', '-e', calls, '-e', slow, process.execPath, writer, newFolder(), '200', '5']
  const { stderr } = spawnSync('strace', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  // The descriptor through which LMDB writes the page that makes a transaction count.
  const metaDescriptor = /openat\(.*data\.mdb".*O_DSYNC.*\) = (\d+)/.exec(stderr)?.[1]
  expect(metaDescriptor).toBeDefined()
  for (const index of [1, 2, 3, 4, 5]) {
    const from = stderr.indexOf(`"writing ${index}\\n"`)
    const told = stderr.indexOf(`"flushed ${index}\\n"`)
    const between = stderr.slice(from, told)
    const synced = between.search(/fdatasync\(\d+\)\s+= 0|fdatasync resumed>\)\s+= 0/)
    const counted = between.search(new RegExp(`pwrite64\\(${metaDescriptor},`))
    expect(from).toBeGreaterThan(0)
    expect(synced, 'the pages are flushed').toBeGreaterThan(0)
    expect(counted, 'and then the page that makes them count').toBeGreaterThan(synced)
  }
})
