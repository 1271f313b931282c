import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { expect, test, vi } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { openLmdbStore } from '../../src/storage/index.js'
import { logKey, manifestKey, noteKeys } from '../../src/storage/keys.js'
import { type LmdbPages, newestTransaction, withPages } from '../../src/storage/one-flush/pages.js'
import { findRedo } from '../../src/storage/one-flush/redo.js'
import { readSettled, Unsettled } from '../../src/storage/one-flush/unsettled.js'
import {
  chunkOf,
  persistOf,
  runOf,
  snapshotOf,
  stateOf,
  stepStore,
  testMembership,
} from '../../src/testing/store-model.js'
import { lmdbDisk, newFolder, noteSettled } from './disks.js'
import { nodeId } from './node-id.js'

const pageBytes = 4096

const append = (index: number, size = 12) =>
  ({ type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, size)] }) }) as const

/** A log of entries, as a run leaves it that was not closed in order and noted nothing. */
async function newLog(sizes: readonly number[]): Promise<{ dir: string; file: string; newest: number }> {
  const disk = lmdbDisk()
  const { store } = disk.open()
  for (const [at, size] of sizes.entries()) await stepStore(store, append(at + 1, size))
  const { dir } = disk.copy() as typeof disk
  await store.close()
  const file = join(dir, 'data.mdb')
  return { dir, file, newest: newestTransaction(file) }
}

async function lastIndexIn(dir: string): Promise<number> {
  const opened = lmdbDisk(dir).open()
  const last = stateOf(opened).entries.at(-1)?.index ?? 0
  await opened.store.close()
  return last
}

/** What the tree of a meta page has under a key. */
function valueIn(file: string, key: Uint8Array, which: 'newest' | 'older'): Buffer {
  return withPages(file, (pages) => Buffer.from(pages?.get(pages[which], key) ?? []))
}

/** Spoils a value wherever it lies in a file. */
function spoil(file: string, value: Buffer): void {
  const bytes = readFileSync(file)
  expect(value.length).toBeGreaterThan(0)
  expect(bytes.indexOf(value)).toBeGreaterThan(0)
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at)) bytes[at + 5]! ^= 1
  writeFileSync(file, bytes)
}

test.each([12, 3000, 100_000])(
  '[DU1] [DU3] a last write of %i bytes that is not whole is undone, unless it was noted as flushed',
  async (size) => {
    for (const noted of [0, 1]) {
      const { dir, file, newest } = await newLog([12, size])
      spoil(file, valueIn(file, logKey(2), 'newest'))
      noteSettled(dir, newest - 1 + noted)
      if (noted === 0) expect(await lastIndexIn(dir)).toBe(1)
      else expect(() => lmdbDisk(dir).open()).toThrow('the record of entry 2 is damaged')
    }
  },
)

test('[DU3] damage is not undone when the write before the last one is damaged as well', async () => {
  const { dir, file, newest } = await newLog([12, 12, 12])
  for (const which of ['newest', 'older'] as const) spoil(file, valueIn(file, manifestKey, which))
  noteSettled(dir, 0)
  const message = `the log in ${dir} cannot be opened: the manifest of transaction ${newest - 1} is missing or damaged`
  const before = readFileSync(file)
  expect(() => lmdbDisk(dir).open()).toThrow(message)
  expect(readFileSync(file).equals(before)).toBe(true)
})

test('[DU3] a last transaction that is gone, and was noted as flushed, is an error', async () => {
  const { dir, newest } = await newLog([12])
  noteSettled(dir, newest + 1)
  const message = `the log in ${dir} cannot be opened: transaction ${newest + 1} was flushed, and the last one there is ${newest}`
  expect(() => lmdbDisk(dir).open()).toThrow(message)
  rmSync(join(dir, 'data.mdb'))
  expect(() => lmdbDisk(dir).open()).toThrow('and the last one there is 0')
})

test('a start that failed while it was mending something mends it at the next one', async () => {
  const { dir, file, newest } = await newLog([12, 12])
  noteSettled(dir, newest - 1)
  findRedo(dir, file)
  // From now on it is nowhere else.
  spoil(file, valueIn(file, logKey(2), 'newest'))
  // As long as something has the log open, LMDB does not go back.
  const other = open({ path: dir, noSubdir: false })
  expect(() => lmdbDisk(dir).open()).toThrow('cannot be opened')
  await other.close()
  // A start that lets go of the log after an error may take this for settled.
  rmSync(join(dir, 'unsettled'), { force: true })
  expect(await lastIndexIn(dir)).toBe(2)
})

test('[DU3] a note that is damaged is an error: it says from where on damage is none', async () => {
  const { dir, newest } = await newLog([12])
  noteSettled(dir, newest)
  const note = readFileSync(join(dir, 'unsettled'))
  note[note.length - 1]! ^= 1
  writeFileSync(join(dir, 'unsettled'), note)
  expect(() => lmdbDisk(dir).open()).toThrow('the file unsettled beside it is damaged')
})

test('a log whose very first write is not whole begins anew', async () => {
  const { dir, file } = await newLog([])
  spoil(file, valueIn(file, noteKeys.hardState, 'newest'))
  noteSettled(dir, 0)
  expect(await lastIndexIn(dir)).toBe(0)
  expect(newestTransaction(file)).toBe(1)
})

test('what a write removed is removed when it is done again', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  for (const index of [1, 2, 3]) await stepStore(store, append(index))
  const settled = newestTransaction(join(disk.dir, 'data.mdb'))
  const conflict = persistOf({ truncateFrom: 2, entries: [runOf(2, 2, 2), runOf(4, 2, 1)] })
  await stepStore(store, { type: 'write', persist: conflict })
  const { dir } = disk.copy() as typeof disk
  await store.close()
  noteSettled(dir, settled)
  const { recovered, store: reopened } = lmdbDisk(dir).open()
  expect(stateOf({ recovered, store: reopened }).entries.map(({ index, term }) => [index, term])).toEqual([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 2],
  ])
  await reopened.close()
})

test('several writes in one transaction are done again together', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  const settled = newestTransaction(join(disk.dir, 'data.mdb'))
  const snapshot = snapshotOf(2, 1, 1000)
  // The first goes alone; those that follow wait for it, and their pointers are written several times.
  const steps = [1, 2, 3, 4].map((index) => stepStore(store, append(index)))
  await Promise.all([...steps, stepStore(store, { type: 'chunk', ...chunkOf(snapshot, 0, 1000) })])
  await stepStore(store, { type: 'compact', snapshot, base: { index: 2, term: 1 } })
  const { dir } = disk.copy() as typeof disk
  await store.close()
  expect(newestTransaction(join(dir, 'data.mdb'))).toBe(settled + 3)
  noteSettled(dir, settled)
  const { recovered, store: reopened } = lmdbDisk(dir).open()
  expect(recovered.snapshot).toEqual(snapshot)
  expect(stateOf({ recovered, store: reopened }).entries.map(({ index }) => index)).toEqual([3, 4])
  await reopened.close()
})

test('a log that was closed in order leaves nothing beside LMDB’s files, also one that could not be opened', async () => {
  const disk = lmdbDisk()
  const { store } = disk.open()
  expect(readSettled(disk.dir)).toBe(1)
  await stepStore(store, append(1))
  await store.close()
  expect(readSettled(disk.dir)).toBeUndefined()
  const file = join(disk.dir, 'data.mdb')
  spoil(file, valueIn(file, logKey(1), 'newest'))
  expect(() => disk.open()).toThrow('the record of entry 1 is damaged')
  for (const name of ['unsettled', 'redo']) expect(existsSync(join(disk.dir, name))).toBe(false)
})

test('[DU2] a log whose last write failed is not said to be settled when it is closed', async () => {
  const dir = newFolder()
  const { store } = openLmdbStore({ dir, nodeId, membership: testMembership, bytesMax: 100_000 })
  await expect(
    stepStore(store, append(1, 50_000)).then(() => stepStore(store, append(2, 90_000))),
  ).resolves.toBe(undefined)
  await expect(stepStore(store, append(3, 10))).rejects.toThrow('disk full')
  await store.close()
  expect(readSettled(dir)).toBeGreaterThan(0)
  expect(await lastIndexIn(dir)).toBe(2)
})

test('[DU2] a log whose very first write failed is not said to be settled either', () => {
  const dir = newFolder()
  const open = () => openLmdbStore({ dir, nodeId, membership: testMembership, bytesMax: 1 })
  expect(open).toThrow('disk full')
  expect(readSettled(dir)).toBe(0)
})

test('what was flushed is noted a little later, once for all that came meanwhile', async () => {
  const dir = newFolder()
  const disk = lmdbDisk(dir)
  await disk.open().store.close()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const unsettled = new Unsettled(dir, 1)
    unsettled.noteSoon(2)
    unsettled.noteSoon(3)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(100)
    unsettled.noteSoon(4)
    expect(vi.getTimerCount(), 'one note at a time').toBe(0)
    while (vi.getTimerCount() === 0) await new Promise(setImmediate)
    expect(readSettled(dir)).toBe(3)
    vi.advanceTimersByTime(100)
    await unsettled.close(false)
    expect(readSettled(dir)).toBe(4)
  } finally {
    vi.useRealTimers()
  }
})

test.each([
  ['is not marked as one', 18, 0],
  ['has no sign of LMDB', 24, 0],
  ['is of another version', 28, 3],
  ['has pages of another size', 48, 1],
])('a log whose first or second page %s is refused before LMDB sees it', async (_, offset, byte) => {
  for (const page of [0, 1]) {
    const { dir, file } = await newLog([12])
    const bytes = readFileSync(file)
    bytes[page * pageBytes + offset] = byte
    writeFileSync(file, bytes)
    expect(() => lmdbDisk(dir).open()).toThrow('its first pages are damaged')
  }
})

test('the pages of a file can be anything', async () => {
  const { file } = await newLog([12, 3000, 100_000, 12])
  const whole = readFileSync(file)
  const random = new Random(1)
  const keys = [manifestKey, noteKeys.pointers, logKey(1), logKey(2), logKey(3), logKey(9)]
  const found = (pages: LmdbPages) => keys.map((key) => pages.get(pages.newest, key)?.length)
  const lengths = withPages(file, (pages) => found(pages!))
  expect(lengths.at(-1)).toBeUndefined()
  let misled = 0
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole)
    for (let changed = 0; changed < 400; changed++) {
      // Behind the meta pages; most often where a page's header and its list of nodes are.
      const page = 2 + random.below(bytes.length / 4096 - 2)
      bytes[page * 4096 + random.below(random.chance(0.8) ? 64 : 4096)] = random.below(256)
    }
    writeFileSync(file, bytes)
    if (withPages(file, (pages) => found(pages!)).join() !== lengths.join()) misled++
  }
  expect(misled).toBeGreaterThan(100)
})

/** Where the number of the first node's place lies. */
const firstPlace = 24

/** A node for the manifest at the very end of a page: nothing of a value is behind its key. */
function nodeAtEnd(page: Buffer, length: number, flags: number): void {
  const node = Buffer.alloc(8 + manifestKey.length)
  node.writeUInt16LE(length, 0)
  node.writeUInt16LE(flags, 4)
  node.writeUInt16LE(manifestKey.length, 6)
  node.set(manifestKey, 8)
  node.copy(page, page.length - node.length)
  for (let place = 0; place < page.readUInt16LE(20) / 2; place++) {
    page.writeUInt16LE(page.length - node.length - firstPlace, firstPlace + 2 * place)
  }
}

/** Where the node of the manifest begins. */
function manifestNode(page: Buffer): number {
  return page.indexOf(manifestKey, firstPlace + page.readUInt16LE(20)) - 8
}

test.each<[string, (page: Buffer) => void]>([
  [
    'has a value that is longer than the file',
    (page) => {
      const node = manifestNode(page)
      page.writeUInt32LE(0xffffffff, node)
      page.writeUInt16LE(1, node + 4)
      page.writeBigUInt64LE(2n, node + 8 + manifestKey.length)
    },
  ],
  ['says that it is another one', (page) => page.writeBigUInt64LE(99n, 0)],
  ['has a value that goes on behind it', (page) => nodeAtEnd(page, 100, 0)],
  ['ends before it says where a value is', (page) => nodeAtEnd(page, 100, 1)],
  [
    'leads to itself',
    (page) => {
      const node = firstPlace + page.readUInt16LE(firstPlace)
      page.writeUInt16LE(1, 18)
      page.writeUInt16LE(2, 20)
      page.writeUInt32LE(Number(page.readBigUInt64LE(0)), node)
    },
  ],
  [
    'leads to a page that the file does not have',
    (page) => {
      page.writeUInt16LE(1, 18)
      page.writeUInt32LE(0xffffffff, firstPlace + page.readUInt16LE(firstPlace))
    },
  ],
])('nothing is found in a page that %s', async (_, spoilPage) => {
  const { file } = await newLog([12])
  const root = withPages(file, (pages) => pages!.newest.root!)
  const bytes = readFileSync(file)
  spoilPage(bytes.subarray(root * pageBytes, (root + 1) * pageBytes))
  writeFileSync(file, bytes)
  expect(withPages(file, (pages) => pages!.get(pages!.newest, manifestKey))).toBeUndefined()
})
