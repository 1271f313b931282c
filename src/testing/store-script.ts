/**
 * A long life of one store as a list of steps, drawn from a seed: appends, conflicts, votes, snapshots of its
 * own and received ones, given up halfway or finished. The same seed gives the same life.
 */
import type { EntryId } from '../raft/index.js'
import {
  chunkOf,
  emptyState,
  persistOf,
  runOf,
  type StoreState,
  type StoreStep,
  snapshotBytes,
  snapshotOf,
  stepModel,
} from './store-model.js'

export interface Life {
  readonly steps: readonly StoreStep[]
  /** `states[n]` is what the store holds once n steps are done. */
  readonly states: readonly StoreState[]
}

export function drawLife(seed: number, stepCount: number): Life {
  const steps: StoreStep[] = []
  const states: StoreState[] = [emptyState]
  const draw = drawFrom(seed)
  while (steps.length < stepCount) {
    for (const step of nextSteps(states.at(-1) ?? emptyState, draw)) {
      steps.push(step)
      states.push(stepModel(states.at(-1) ?? emptyState, step))
    }
  }
  return { steps, states }
}

/** A whole number from 0 up to, and without, `end`. */
type Draw = (end: number) => number

function drawFrom(seed: number): Draw {
  let state = seed
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * end)
  }
}

function nextSteps(state: StoreState, draw: Draw): StoreStep[] {
  const last = lastOf(state)
  const term = Math.max(state.hardState.currentTerm, last.term, 1)
  const kind = draw(20)
  if (kind < 9) return [append(state, term, draw)]
  if (kind < 11) {
    const hardState = { currentTerm: term + 1, votedFor: draw(2) === 0 ? undefined : 1 + draw(3) }
    return [{ type: 'write', persist: persistOf({ hardState }) }]
  }
  if (kind < 14) return [overwrite(state, term + 1, draw)]
  if (kind < 18) return ownSnapshot(state, draw)
  return receivedSnapshot(state, term + 1, draw)
}

function append(state: StoreState, term: number, draw: Draw): StoreStep {
  const entries = []
  let index = lastOf(state).index + 1
  for (let runs = 1 + draw(3); runs > 0; runs--) {
    const count = 1 + draw(6)
    entries.push(runOf(index, term, count, draw(4) === 0 ? 3000 : 12))
    index += count
  }
  return { type: 'write', persist: persistOf({ entries }) }
}

/** A conflict: a new leader's entries in place of our own, anywhere after what a snapshot covers. */
function overwrite(state: StoreState, term: number, draw: Draw): StoreStep {
  const floor = Math.max(state.base.index, state.snapshot?.index ?? 0)
  const from = floor + 1 + draw(Math.max(1, lastOf(state).index - floor))
  const truncateFrom = Math.min(from, lastOf(state).index + 1)
  const entries = draw(4) === 0 ? [] : [runOf(truncateFrom, term, 1 + draw(4))]
  const hardState = { currentTerm: term, votedFor: undefined }
  return { type: 'write', persist: persistOf({ hardState, truncateFrom, entries }) }
}

function ownSnapshot(state: StoreState, draw: Draw): StoreStep[] {
  const candidates = state.entries.filter((entry) => entry.index > (state.snapshot?.index ?? 0))
  const last = candidates[draw(candidates.length)]
  if (last === undefined) return []
  const snapshot = snapshotOf(last.index, last.term, draw(5) === 0 ? 0 : 1 + draw(150_000))
  const steps: StoreStep[] = []
  const chunkBytes = 20_000 + draw(90_000)
  for (let offset = 0; offset === 0 || offset < snapshot.size; offset += chunkBytes) {
    steps.push({ type: 'chunk', snapshot, offset, data: snapshotBytes(snapshot, offset, chunkBytes) })
  }
  // Every fourth one is given up: it stays half-written.
  if (draw(4) === 0) return steps.slice(0, Math.max(1, steps.length - 1))
  const kept: EntryId[] = [state.base, ...state.entries.filter((entry) => entry.index <= last.index)]
  const { index, term } = kept[draw(kept.length)] ?? state.base
  return [...steps, { type: 'compact', snapshot, base: { index, term } }]
}

function receivedSnapshot(state: StoreState, term: number, draw: Draw): StoreStep[] {
  const ahead = draw(2) === 0 ? draw(40) : -draw(8)
  const index = Math.max(lastOf(state).index + ahead, (state.snapshot?.index ?? 0) + 1, state.base.index + 1)
  const snapshot = snapshotOf(index, term, 1 + draw(120_000))
  const half = Math.floor(snapshot.size / 2)
  const hardState = { currentTerm: term, votedFor: undefined }
  const first = persistOf({ hardState, snapshotChunks: [chunkOf(snapshot, 0, half)] })
  if (draw(4) === 0) return [{ type: 'write', persist: first }]
  const entries = draw(2) === 0 ? [] : [runOf(index + 1, term, 1 + draw(5))]
  const snapshotChunks = [chunkOf(snapshot, half, snapshot.size)]
  return [
    { type: 'write', persist: first },
    { type: 'write', persist: persistOf({ snapshotChunks, install: snapshot, entries }) },
  ]
}

function lastOf(state: StoreState): EntryId {
  return state.entries.at(-1) ?? state.base
}
