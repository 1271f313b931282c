/** Steps for a store, and what is expected of it afterwards. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { type EntryRun, type Persist, sliceRun, storedRunOf } from '../raft/index.js'
import type { LogStore, OpenStore } from '../storage/index.js'
import {
  emptyState,
  entriesOf,
  persistOf,
  type StoreState,
  type StoreStep,
  snapshotBytes,
  snapshotOf,
  stateOf,
  stepModel,
  stepStore,
} from './store-model.js'

/** A disk that a store lies on. */
export interface TestDisk {
  /** Opens the store, with `testMembership` if the disk is new. Called again only after the store was closed. */
  open(): OpenStore
  /** Another disk, holding what a power loss at this very moment would leave on this one. */
  copy(): TestDisk
}

/** A title, and a case on an empty disk; `newDisk` makes more of them. */
export type StoreTest = readonly [
  title: string,
  run: (disk: TestDisk, newDisk: () => TestDisk) => Promise<unknown>,
]

/** Whoever opens a store in a case closes it, also when the case fails. */
export async function using<T>(disk: TestDisk, use: (opened: OpenStore) => T | Promise<T>): Promise<T> {
  const opened = disk.open()
  try {
    return await use(opened)
  } finally {
    await opened.store.close()
  }
}

export const write = (parts: Partial<Persist>): StoreStep => ({ type: 'write', persist: persistOf(parts) })

export const chunk = (
  index: number,
  term: number,
  size: number,
  offset: number,
  length: number,
): StoreStep => {
  const snapshot = snapshotOf(index, term, size)
  return { type: 'chunk', snapshot, offset, data: snapshotBytes(snapshot, offset, length) }
}

/** Runs the steps one by one, restarts, and expects what the model says. */
export async function expectSteps(disk: TestDisk, steps: readonly StoreStep[]): Promise<StoreState> {
  let state = emptyState
  await using(disk, async ({ store }) => {
    for (const step of steps) {
      await stepStore(store, step)
      state = stepModel(state, step)
    }
  })
  await using(disk, ({ recovered, store }) => {
    assert.deepEqual(stateOf({ recovered, store }), state)
    expectSnapshot(store, state)
  })
  return state
}

/** The entries `from` to `to` of a run that was written are read back as they were. */
export function expectEntries(store: LogStore, run: EntryRun, from: number, to: number): void {
  const found = store.readEntries(sliceRun(storedRunOf(run), from, to))
  assert.ok(found !== undefined, 'what was flushed and not cut off is there')
  assert.deepEqual(entriesOf(found), entriesOf(sliceRun(run, from, to)))
  assert.deepEqual([found.index, found.count], [from, to - from + 1])
}

/** The newest snapshot reads back from anywhere, however it was cut when it was written. */
export function expectSnapshot(store: LogStore, { snapshot }: StoreState): void {
  if (snapshot === undefined) return
  const { index, size } = snapshot
  for (const [offset, length] of [
    [0, size],
    [1, 65_480],
    [Math.floor(size / 3), 70_001],
    [size - 1, 9],
    [size, 1],
  ]) {
    if (offset === undefined || length === undefined || offset < 0) continue
    const found = store.readSnapshot(index, offset, length)
    assert.ok(found !== undefined, 'the newest snapshot is served')
    assert.equal(Buffer.compare(found, snapshotBytes(snapshot, offset, length)), 0)
  }
}

/** A restart from a copy finds the state after `from` steps, or after a few more, up to `to`. */
export function expectCopy(
  disk: TestDisk,
  states: readonly StoreState[],
  from: number,
  to: number,
): Promise<void> {
  return using(disk.copy(), ({ recovered, store }) => {
    const found = stateOf({ recovered, store })
    const after = states.findIndex(
      (state, done) => done >= from && done <= to && isDeepStrictEqual(state, found),
    )
    if (after < 0) assert.deepEqual(found, states[from], 'no state since the last flush is like this')
    expectSnapshot(store, states[Math.max(after, from)] ?? emptyState)
  })
}
