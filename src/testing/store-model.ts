/**
 * What a store should hold, said in the plainest way: a list of entries and a few values. The conformance
 * suite gives each step to a store and to this model, and compares what a restart finds.
 */
import assert from 'node:assert/strict'
import {
  type EntryId,
  type EntryRun,
  entryKinds,
  forEachCommand,
  type HardState,
  lastIndexOf,
  logOrigin,
  type Membership,
  type Persist,
  packCommands,
  type Snapshot,
  type SnapshotChunk,
  stampRun,
} from '../raft/index.js'
import type { LogStore, OpenStore } from '../storage/index.js'

/** One call of a store that ends with a flush. */
export type StoreStep =
  | { readonly type: 'write'; readonly persist: Persist }
  | { readonly type: 'chunk'; readonly snapshot: EntryId; readonly offset: number; readonly data: Uint8Array }
  | { readonly type: 'compact'; readonly snapshot: Snapshot; readonly base: EntryId }

export interface StoreState {
  readonly hardState: HardState
  readonly base: EntryId
  readonly entries: readonly { readonly index: number; readonly term: number; readonly command: string }[]
  readonly snapshot: Snapshot | undefined
}

export const testMembership: Membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [4] }

export const emptyState: StoreState = {
  hardState: { currentTerm: 0, votedFor: undefined },
  base: logOrigin,
  entries: [],
  snapshot: undefined,
}

/** A write of the given parts and nothing else. */
export function persistOf(parts: Partial<Persist>): Persist {
  return {
    sequence: 1,
    hardState: undefined,
    snapshotChunks: [],
    install: undefined,
    truncateFrom: undefined,
    entries: [],
    messages: [],
    ...parts,
  }
}

/** A run of `count` entries with commands of about `size` bytes, each different from every other. */
export function runOf(index: number, term: number, count: number, size = 12): EntryRun {
  const commands = Array.from({ length: count }, (_, position) => {
    return new TextEncoder().encode(`${index + position}@${term} `.padEnd(size, '.'))
  })
  return stampRun(packCommands(commands), index, term, entryKinds.commands)
}

export function snapshotOf(index: number, term: number, size: number): Snapshot {
  return { index, term, size, membership: testMembership }
}

/** Bytes `offset` to `offset + length` of the one content that a test snapshot has. */
export function snapshotBytes(snapshot: Snapshot, offset = 0, length = snapshot.size): Uint8Array {
  const end = Math.min(offset + length, snapshot.size)
  const bytes = new Uint8Array(Math.max(0, end - offset))
  for (let at = 0; at < bytes.byteLength; at++) {
    bytes[at] = (offset + at) * 31 + snapshot.index * 7 + ((offset + at) >> 8)
  }
  return bytes
}

export function chunkOf(snapshot: Snapshot, offset: number, length: number): SnapshotChunk {
  return { snapshot, offset, data: snapshotBytes(snapshot, offset, length) }
}

/** The state after a step. */
export function stepModel(state: StoreState, step: StoreStep): StoreState {
  if (step.type === 'chunk') return state
  if (step.type === 'compact') {
    const entries = state.entries.filter((entry) => entry.index > step.base.index)
    return { ...state, snapshot: step.snapshot, base: step.base, entries }
  }
  const { hardState, install, truncateFrom, entries } = step.persist
  let { base, snapshot, entries: kept } = state
  if (install !== undefined) {
    snapshot = install
    base = { index: install.index, term: install.term }
    kept = []
  }
  if (truncateFrom !== undefined) kept = kept.filter((entry) => entry.index < truncateFrom)
  kept = [...kept, ...entries.flatMap(entriesOf)]
  return { hardState: hardState ?? state.hardState, base, snapshot, entries: kept }
}

/** What a restart found, in the words of the model. Also checks that the runs follow each other. */
export function stateOf({ recovered, store }: OpenStore): StoreState {
  const { hardState, base, snapshot } = recovered
  let last = base.index
  const entries = recovered.entries.flatMap((known) => {
    const run = store.readEntries(known)
    assert.ok(run !== undefined, 'what was recovered can be read')
    assert.deepEqual([run.index, run.term, run.count], [known.index, known.term, known.count])
    assert.equal(run.index, last + 1, 'the runs that a store recovers follow each other without a gap')
    last = lastIndexOf(run)
    return entriesOf(run)
  })
  return { hardState, base, snapshot, entries }
}

/** Gives a step to a store; resolves when it is flushed, rejects when its flush failed. */
export function stepStore(store: LogStore, step: StoreStep): Promise<void> {
  return new Promise((done, reject) => {
    const flushed = (error: Error | undefined) => (error === undefined ? done() : reject(error))
    if (step.type === 'write') store.write(step.persist, flushed)
    else if (step.type === 'chunk') store.writeSnapshotChunk(step.snapshot, step.offset, step.data, flushed)
    else store.compact(step, flushed)
  })
}

/** The entries of a run, in the words of the model. */
export function entriesOf(run: EntryRun): StoreState['entries'] {
  const entries: { index: number; term: number; command: string }[] = []
  forEachCommand(run, (start, end, position) => {
    const command = new TextDecoder().decode(run.bytes.subarray(start, end))
    entries.push({ index: run.index + position, term: run.term, command })
  })
  return entries
}
