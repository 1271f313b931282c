import { expect, test } from 'vitest'
import { limitsOf } from '../../src/node/open-store.js'
import { defaultLimits, type Snapshot } from '../../src/raft/index.js'
import { type LogStore, openVolatileStore } from '../../src/storage/index.js'
import {
  chunkOf,
  emptyState,
  persistOf,
  runOf,
  snapshotBytes,
  snapshotOf,
  stateOf,
  stepStore,
  testMembership,
} from '../../src/testing/store-model.js'
import { nextTurn } from './disks.js'

const newStore = (): LogStore => openVolatileStore(testMembership, nextTurn).store

/** Puts a snapshot of our own aside, in chunks of so many bytes, and makes it the newest. */
async function keepOwn(store: LogStore, snapshot: Snapshot, chunkBytes = 1000): Promise<void> {
  for (let offset = 0; offset < snapshot.size; offset += chunkBytes) {
    const data = snapshotBytes(snapshot, offset, chunkBytes)
    await stepStore(store, { type: 'chunk', snapshot, offset, data })
  }
  await stepStore(store, { type: 'compact', snapshot, base: snapshot })
}

function expectWhole(store: LogStore, snapshot: Snapshot): void {
  for (const [offset, length] of [
    [0, snapshot.size],
    [0, 1],
    [999, 2],
    [1000, 1000],
    [1500, 10_000],
    [snapshot.size, 10],
  ] as const) {
    expect(store.readSnapshot(snapshot.index, offset, length)).toEqual(
      snapshotBytes(snapshot, offset, length),
    )
  }
}

test('begins with an empty log and the membership that it is given', () => {
  const opened = openVolatileStore(testMembership, nextTurn)
  expect(stateOf(opened)).toEqual(emptyState)
  expect(opened.recovered.membership).toEqual(testMembership)
})

test('[ST1][ST2] a write counts as flushed when it returns, a piece of our own snapshot in a later turn, in order', async () => {
  const store = newStore()
  const flushed: string[] = []
  const snapshot = snapshotOf(5, 1, 10)
  store.writeSnapshotChunk(snapshot, 0, snapshotBytes(snapshot), () => flushed.push('chunk'))
  store.compact({ snapshot, base: snapshot }, () => flushed.push('compact'))
  const hardState = { currentTerm: 1, votedFor: 2 }
  store.write(persistOf({ hardState, entries: [runOf(6, 1, 3)] }), () => flushed.push('write'))
  expect(flushed).toEqual(['write'])
  await store.close()
  expect(flushed).toEqual(['write', 'chunk', 'compact'])
})

test('[ST7] a snapshot of our own is read from anywhere', async () => {
  const store = newStore()
  const snapshot = snapshotOf(5, 1, 3456)
  await keepOwn(store, snapshot)
  expectWhole(store, snapshot)
})

test('[ST9] a snapshot that a leader sent is read from anywhere, once it is installed', () => {
  const store = newStore()
  const snapshot = snapshotOf(5, 1, 3456)
  const write = (parts: Parameters<typeof persistOf>[0]) => store.write(persistOf(parts), () => undefined)
  write({ snapshotChunks: [chunkOf(snapshot, 0, 1000), chunkOf(snapshot, 1000, 2000)] })
  expect(store.readSnapshot(5, 0, 10)).toBeUndefined()
  write({ snapshotChunks: [chunkOf(snapshot, 3000, 456)], install: snapshot })
  expectWhole(store, snapshot)
})

test('[ST6] one that is begun anew has nothing of the attempt before', async () => {
  const store = newStore()
  const given = snapshotOf(4, 1, 2000)
  await stepStore(store, { type: 'chunk', snapshot: given, offset: 0, data: snapshotBytes(given, 0, 1000) })
  const snapshot = snapshotOf(5, 1, 3456)
  await keepOwn(store, snapshot)
  expectWhole(store, snapshot)
  expect(store.readSnapshot(4, 0, 10)).toBeUndefined()
})

test('[ST7] an older snapshot is there as long as it is retained, and the newest always', async () => {
  const store = newStore()
  const [first, second, third] = [snapshotOf(5, 1, 1200), snapshotOf(6, 1, 1300), snapshotOf(7, 2, 1400)]
  await keepOwn(store, first)
  store.retainSnapshots(new Set([5]))
  await keepOwn(store, second)
  expectWhole(store, first)
  await keepOwn(store, third)
  expect([5, 6, 7].map((index) => store.readSnapshot(index, 0, 1) !== undefined)).toEqual([true, false, true])
  store.retainSnapshots(new Set())
  expect(store.readSnapshot(5, 0, 1)).toBeUndefined()
  expectWhole(store, third)
})

test('the bytes of a piece are its giver’s again once it counts as flushed', async () => {
  const store = newStore()
  const snapshot = snapshotOf(5, 1, 1000)
  // A machine may give a `Buffer`, whose slices share its memory.
  const data = Buffer.from(snapshotBytes(snapshot))
  await stepStore(store, { type: 'chunk', snapshot, offset: 0, data })
  data.fill(0)
  await stepStore(store, { type: 'compact', snapshot, base: snapshot })
  expectWhole(store, snapshot)
})

const put = (store: LogStore, snapshot: Snapshot, offset: number): void =>
  store.writeSnapshotChunk(snapshot, offset, new Uint8Array(5), () => undefined)

test.each<[string, (store: LogStore, snapshot: Snapshot) => void, string]>([
  ['that was never begun', (store, s) => put(store, s, 10), 'begun before it is continued'],
  ['with a gap', (store, s) => [0, 10].forEach((offset) => void put(store, s, offset)), 'follow each other'],
  ['that is not whole', (store, s) => store.compact({ snapshot: s, base: s }, () => undefined), 'is whole'],
])('a snapshot %s is a broken invariant', (_, act, why) => {
  expect(() => act(newStore(), snapshotOf(5, 1, 20))).toThrow(why)
})

test('the log of its node never leaves memory, where alone it is', () => {
  const limits = defaultLimits
  expect(limitsOf({ durability: 'none', limits }).logMemoryBytesMax).toBe(Number.MAX_SAFE_INTEGER)
  expect(limitsOf({ durability: 'flush', limits })).toEqual(limits)
})
