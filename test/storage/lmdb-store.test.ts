import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type LogStore, openLmdbStore } from '../../src/storage/index.js'
import { newestTransaction } from '../../src/storage/one-flush/pages.js'
import { readSettled } from '../../src/storage/one-flush/unsettled.js'
import { pieceBytesMax } from '../../src/storage/shelf.js'
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
import { flushes, lmdbDisk, newFolder, noteSettled } from './disks.js'
import { nodeId } from './node-id.js'
import { type Call, callsIn } from './system-calls.js'

const writer = fileURLToPath(new URL('./lmdb-writer.js', import.meta.url))
const timeout = 55_000

function append(index: number, size: number) {
  return { type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, size)] }) } as const
}

/** The last entry that the program was told of. */
function flushedIn(output: string): number {
  return Number([...output.matchAll(/^flushed (\d+)$/gm)].at(-1)?.[1] ?? 0)
}

async function lastIndexIn(dir: string): Promise<number> {
  const { recovered, store } = lmdbDisk(dir).open()
  const last = stateOf({ recovered, store }).entries.at(-1)?.index ?? 0
  await store.close()
  expect(recovered.hardState.currentTerm, '[DU6] the term is of the same write as the last entry').toBe(last)
  return last
}

test('[ST11] a directory of another node is refused and left alone', async () => {
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
  expect(stateOf({ recovered, store: reopened }).entries.at(-1)?.index).toBe(index - 2)
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

test('[ST2] a snapshot is never waited for: the log’s next write takes it along, and it hears of it in a later turn', async () => {
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

test('[ST2] a snapshot that finds no write to go along with goes alone', async () => {
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
    expect(stateOf({ recovered, store: reopened }).entries.map(({ index }) => index)).toEqual([
      11, 12, 13, 14, 15, 16, 17,
    ])
    await reopened.close()
  },
)

test('the pieces of a snapshot fill their pages', async () => {
  const { dir, open } = lmdbDisk()
  const { store } = open()
  const snapshot = snapshotOf(1, 1, 100 * pieceBytesMax)
  await stepStore(store, { type: 'chunk', ...chunkOf(snapshot, 0, snapshot.size) })
  await store.close()
  // 16 for each piece; the others are for all that leads to them.
  expect(readFileSync(join(dir, 'data.mdb')).length / 4096).toBeLessThan(100 * 16 + 50)
})

test('[ST10] writes that were given before it are flushed by close', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  const flushed = [1, 2, 3].map((index) => stepStore(store, append(index, 600_000)))
  await store.close()
  await Promise.all(flushed)
  const { recovered, store: reopened } = disk.open()
  expect(stateOf({ recovered, store: reopened }).entries).toHaveLength(3)
  await reopened.close()
})

const versions = Object.entries(flushes).map(([name, { lmdb }]) => [name, lmdb] as const)

test.each(versions)(
  '[DU1] killed between two instructions, a program with %s loses nothing that it was told of',
  async (_, version) => {
    for (const at of [5, 40, 90]) {
      const dir = newFolder()
      const child = spawn(process.execPath, [writer, dir, '3000', '100000', version])
      const flushed = flushedIn(await outputUntilKilled(child, (text) => flushedIn(text) >= at))
      expect(flushed).toBeGreaterThanOrEqual(at)
      expect(await lastIndexIn(dir)).toBeGreaterThanOrEqual(flushed)
    }
  },
)

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
  return spawnSync(command, args, { stdio: 'ignore', timeout }).status === 0
}

/** The system refuses to let the file grow beyond 1 MiB, as a failing disk would: LMDB's own write fails. */
const withFileLimit = "trap '' XFSZ; ulimit -f 2048; exec"

test.skipIf(process.platform === 'win32' || !canRun('sh', '-c', `${withFileLimit} true`)).each(versions)(
  '[DU2] after LMDB failed to write with %s, no other write is tried, and a restart finds what was acknowledged',
  async (_, version) => {
    const dir = newFolder()
    const command = `${withFileLimit} "$0" "$1" "$2" 100000 1000 "$3"`
    const writing = ['-c', command, process.execPath, writer, dir, version]
    const { stdout } = spawnSync('sh', writing, { encoding: 'utf8', timeout })
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
    const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8', timeout })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(flushedIn(stdout)).toBeGreaterThan(3)
    expect(stdout).toMatch(/^failed \d+: disk full: the log cannot be written$/m)
    expect(stdout).toMatch(/^again: disk full/m)
  },
)

const canTrace = canRun('strace', '-f', '-e', 'inject=fdatasync:delay_enter=1', 'true')

/** The calls of a run of the writer, in the order in which they returned. `slow` makes the disk one that nobody waits for. */
function trace(names: string, slow: readonly string[], ...args: string[]): Call[] {
  const options = ['-f', '-y', '-e', `trace=${names}`, ...slow]
  const { stderr } = spawnSync('strace', [...options, process.execPath, writer, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout,
  })
  return callsIn(stderr.split('\n'))
    .filter(({ ended }) => Number.isFinite(ended))
    .sort((one, other) => one.ended - other.ended)
}

function positionOf(calls: readonly Call[], said: string): number {
  return calls.findIndex(({ name, rest }) => name === 'write' && rest.includes(`"${said}\\n"`))
}

test.skipIf(!canTrace)('[DU1] what an earlier program left is flushed before it is gone on from', () => {
  const dir = newFolder()
  const flushedBefore = () => {
    const calls = trace('write,fsync,fdatasync', [], dir, '200', '1')
    const before = calls.slice(0, positionOf(calls, 'writing 1'))
    return before.filter(({ name }) => name !== 'write').map(({ path }) => relative(dir, path))
  }
  const log = ['data.mdb', '', '..']
  // Killed in its first write, the program before may have made new names as well.
  expect(flushedBefore()).toEqual(['unsettled.new', '', ...log, 'data.mdb', 'unsettled'])
  expect(flushedBefore(), 'it was not closed, and all was noted').toEqual([...log, 'unsettled'])
  noteSettled(dir, newestTransaction(join(dir, 'data.mdb')) - 1)
  const redone = ['redo.new', '', ...log, 'data.mdb', 'unsettled', '']
  expect(flushedBefore(), 'the last write is done again').toEqual([...redone, 'unsettled'])
})

const disks = [
  ['slow', ['-e', 'inject=fdatasync:delay_enter=20000'], 5],
  ['quick', [], 40],
] as const

/** Between the two lines about an entry: the calls on the log's file. */
function callsFor(index: number, calls: readonly Call[], file: string): string[] {
  const from = positionOf(calls, `writing ${index}`)
  const told = positionOf(calls, `flushed ${index}`)
  expect(from).toBeGreaterThan(0)
  const between = calls.slice(from, told).filter(({ path }) => path === file)
  return between.map(({ name }) => (name.includes('write') ? 'write' : name))
}

const writeCalls = 'write,writev,pwrite64,pwritev,fdatasync'

test.skipIf(!canTrace).each(disks)(
  '[DU1] on a %s disk the one flush is over before anyone is told of it',
  (_, slow, writes) => {
    const dir = newFolder()
    const calls = trace(writeCalls, slow, dir, '200', String(writes))
    const file = join(dir, 'data.mdb')
    for (let index = 1; index <= writes; index++) {
      // Pages, the page that makes them count, the flush.
      expect(callsFor(index, calls, file).join(' ')).toMatch(/^(write ){2,}fdatasync$/)
    }
    expect(readSettled(dir), 'and then it is noted').toBe(newestTransaction(file))
  },
)

test.skipIf(!canTrace).each(disks)(
  '[DU1] on a %s disk both flushes of LMDB are over before anyone is told of them',
  (_, slow, writes) => {
    const dir = newFolder()
    const version = flushes['two flushes'].lmdb
    const calls = trace(`openat,${writeCalls}`, slow, dir, '200', String(writes), version)
    const file = join(dir, 'data.mdb')
    for (let index = 1; index <= writes; index++) {
      // Pages, their flush, the page that makes them count.
      expect(callsFor(index, calls, file).join(' ')).toMatch(/^(write )+fdatasync write$/)
    }
    const opened = calls.filter(({ name, rest }) => name === 'openat' && rest.includes(`"${file}"`))
    expect(opened.map(({ rest }) => rest).join(' '), 'which is flushed as it is written').toContain('O_DSYNC')
  },
)
