/** `RaftLog` beside the plainest log there is: an array of entries, one at a time, as in Figure 2. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type EntryId,
  type EntryRun,
  entryKinds,
  type LogRun,
  lastIndexOf,
  type Membership,
  membershipRun,
  RaftLog,
} from '../../src/raft/index.js'
import { commandAt, entriesOf, type LoggedEntry, runOf } from '../../src/testing/index.js'
import { votersOf } from './support/bench.js'

class ArrayLog {
  entries: LoggedEntry[] = []
  baseIndex = 0
  baseTerm = 0
  commitIndex = 0
  /** The configuration as of each entry that holds one, and in front the one that no entry holds. */
  configurations: { index: number; membership: Membership }[] = [{ index: 0, membership: votersOf(1) }]

  get lastIndex(): number {
    return this.baseIndex + this.entries.length
  }

  at(index: number): LoggedEntry | undefined {
    return this.entries[index - this.baseIndex - 1]
  }

  termAt(index: number): number | undefined {
    return index === this.baseIndex ? this.baseTerm : this.at(index)?.term
  }

  membershipAt(index: number): Membership | undefined {
    return this.configurations.findLast((each) => each.index <= index)?.membership
  }

  append(entries: readonly LoggedEntry[], isConfiguration: (entry: EntryId) => boolean): void {
    for (const entry of entries) {
      if (entry.index <= this.baseIndex) continue
      const own = this.at(entry.index)
      if (own !== undefined && own.term !== entry.term) this.#truncate(entry.index)
      if (entry.index !== this.lastIndex + 1) continue
      this.entries.push(entry)
      if (isConfiguration(entry))
        this.configurations.push({ index: entry.index, membership: membershipOf(entry) })
    }
  }

  #truncate(from: number): void {
    this.entries.length = from - this.baseIndex - 1
    this.configurations = this.configurations.filter(({ index }) => index < from)
  }

  install({ index, term }: EntryId, membership: Membership): void {
    this.entries = []
    this.configurations = [{ index, membership }]
    this.baseIndex = index
    this.baseTerm = term
    this.commitIndex = index
  }

  cut(index: number): void {
    this.baseTerm = this.termAt(index) ?? 0
    this.entries = this.entries.slice(index - this.baseIndex)
    this.baseIndex = index
  }
}

/** The configuration that the entry with this id would hold: others hold others. */
function membershipOf({ index, term }: EntryId): Membership {
  return { ...votersOf(1, 2), learners: [10 + index, 100 + term] }
}

/** One message: from where (as a part of what may be overwritten), and the lengths and terms of its runs. */
const appendArbitrary = fc.record({
  type: fc.constant('append' as const),
  from: fc.nat(20),
  runs: fc.array(fc.record({ count: fc.integer({ min: 0, max: 4 }), step: fc.nat(2) }), {
    minLength: 1,
    maxLength: 4,
  }),
  repeats: fc.boolean(),
})
const commitArbitrary = fc.record({ type: fc.constant('commit' as const), part: fc.nat(20) })
const cutArbitrary = fc.record({ type: fc.constant('cut' as const), part: fc.nat(20) })
const installArbitrary = fc.record({ type: fc.constant('install' as const), part: fc.nat(20) })
/** Each run of the log weighs some hundred bytes. */
const leaveArbitrary = fc.record({ type: fc.constant('leave' as const), bytesMax: fc.nat(4000) })
const operations = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: appendArbitrary },
    { weight: 2, arbitrary: commitArbitrary },
    { weight: 2, arbitrary: cutArbitrary },
    { weight: 2, arbitrary: leaveArbitrary },
    installArbitrary,
  ),
  { minLength: 10, maxLength: 30, size: 'max' },
)

/**
 * Runs whose terms go on from `term`, one command an entry, named by place so that equal ids are equal entries. A run of
 * no commands is a configuration.
 */
function runsFrom(
  index: number,
  term: number,
  shape: readonly { count: number; step: number }[],
): EntryRun[] {
  const runs: EntryRun[] = []
  for (const { count, step } of shape) {
    const first = {
      index: index + runs.reduce((sum, run) => sum + run.count, 0),
      term: (runs.at(-1)?.term ?? term) + step,
    }
    if (count === 0) {
      runs.push(membershipRun(first.index, first.term, membershipOf(first)))
      continue
    }
    const commands = Array.from({ length: count }, (_, at) => `${first.index + at}@${first.term}`)
    runs.push(runOf(first, ...commands))
  }
  return runs
}

/** What the store would give back is known by its place. */
function heldIn(runs: readonly LogRun[]): LoggedEntry[] {
  return runs.flatMap((run) => {
    if (run.bytes !== undefined) return entriesOf([run])
    if (run.kind === entryKinds.membership)
      return entriesOf([membershipRun(run.index, run.term, membershipOf(run))])
    const ids = Array.from({ length: run.count }, (_, at) => ({ index: run.index + at, term: run.term }))
    return ids.map((id) => ({ ...id, command: commandAt(id) }))
  })
}

function expectSame(log: RaftLog, model: ArrayLog): void {
  const held = log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)
  expect(heldIn(held)).toEqual(model.entries)
  expect([log.lastIndex, log.base.index, log.base.term]).toEqual([
    model.lastIndex,
    model.baseIndex,
    model.baseTerm,
  ])
  for (let index = model.baseIndex - 1; index <= model.lastIndex + 1; index++) {
    expect(log.termAt(index)).toBe(model.termAt(index))
  }
  for (let from = log.firstIndex; from <= log.lastIndex; from += 3) {
    const to = Math.min(log.lastIndex, from + 4)
    expect(heldIn(log.slice(from, to, Number.POSITIVE_INFINITY))).toEqual(
      model.entries.slice(from - model.baseIndex - 1, to - model.baseIndex),
    )
  }
  expectSameTerms(log, model)
  expect(log.membership).toEqual(model.membershipAt(model.lastIndex))
  for (let index = log.snapshot?.index ?? 0; index <= model.lastIndex; index++)
    expect(log.membershipAt(index)).toEqual(model.membershipAt(index))
}

function expectSameTerms(log: RaftLog, model: ArrayLog): void {
  for (const { index, term } of model.entries) {
    expect(log.firstIndexOfTermAt(index)).toBe(model.entries.find((entry) => entry.term === term)?.index)
    const last = model.entries.findLast((entry) => entry.term <= term)?.index
    expect(log.lastIndexOfTermUpTo(term)).toBe(last)
  }
}

type Operation = Parameters<Parameters<typeof operations.map>[0]>[0][number]

/** Both logs, through the same operations; and how often those did what they are for. */
class Pair {
  readonly log = new RaftLog({ index: 0, term: 0 }, undefined, [], votersOf(1))
  readonly model = new ArrayLog()
  conflicts = 0
  cuts = 0
  leaves = 0
  installs = 0
  /** Configurations that were cut off. */
  takenBack = 0
  #sequence = 0

  step(operation: Operation): void {
    if (operation.type === 'append') this.#append(operation)
    else if (operation.type === 'commit') this.#commit(operation.part)
    else if (operation.type === 'cut') this.#cut(operation.part)
    else if (operation.type === 'install') this.#install(operation.part)
    else this.#leave(operation.bytesMax)
  }

  /** From behind the committed part up to the end: where a message of a leader may begin. */
  #append({ from, runs: shape, repeats }: Extract<Operation, { type: 'append' }>): void {
    const { log, model } = this
    const index = model.commitIndex + 1 + (from % (model.lastIndex - model.commitIndex + 1))
    const runs = runsFrom(index, Math.max(1, model.termAt(index - 1) ?? 1), shape)
    const entries = entriesOf(runs)
    if (entries.some((entry) => (model.at(entry.index)?.term ?? entry.term) !== entry.term)) this.conflicts++
    const places = new Set(runs.filter(({ kind }) => kind === entryKinds.membership).map((run) => run.index))
    const before = model.configurations
    for (let times = repeats ? 2 : 1; times > 0; times--) {
      log.append(runs)
      model.append(entries, (entry) => places.has(entry.index))
    }
    if (before.some((configuration) => !model.configurations.includes(configuration))) this.takenBack++
    log.submit(++this.#sequence)
    log.flush(this.#sequence)
    expect(log.flushedIndex).toBe(model.lastIndex)
  }

  #commit(part: number): void {
    const { log, model } = this
    model.commitIndex += part % (model.lastIndex - model.commitIndex + 1)
    log.commitIndex = model.commitIndex
    log.lastApplied = model.commitIndex
  }

  /** A leader's snapshot, of what is committed and more. */
  #install(part: number): void {
    const { log, model } = this
    this.installs++
    const id = { index: model.commitIndex + 1 + part, term: model.termAt(model.lastIndex) ?? 0 }
    const membership = membershipOf(id)
    log.reset({ ...id, membership, size: 0 })
    log.lastApplied = id.index
    model.install(id, membership)
  }

  /** The oldest go, as few as will do, and none that is not flushed and committed. */
  #leave(bytesMax: number): void {
    const { log } = this
    const leftTo = Math.min(log.flushedIndex, log.commitIndex)
    const before = log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)
    log.leaveToStore(bytesMax)
    const runs = log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)
    const kept = runs.findIndex(({ bytes }) => bytes !== undefined)
    const left = kept < 0 ? runs.length : kept
    for (const [at, run] of runs.entries()) {
      expect(run.bytes !== undefined).toBe(at >= left)
      if (run.bytes === undefined) expect(lastIndexOf(run)).toBeLessThanOrEqual(leftTo)
      if (run.bytes === undefined && before[at]?.bytes !== undefined) {
        expect(log.weightAfter(run.index - 1)).toBeGreaterThan(bytesMax)
        this.leaves++
      }
    }
    const first = runs[left]
    if (first !== undefined && lastIndexOf(first) <= leftTo)
      expect(log.weightAfter(first.index - 1)).toBeLessThanOrEqual(bytesMax)
  }

  #cut(part: number): void {
    const { log, model } = this
    if (model.commitIndex === model.baseIndex) return
    this.cuts++
    const index = model.baseIndex + (part % (model.commitIndex - model.baseIndex + 1))
    const snapshot = { index: model.commitIndex, term: model.termAt(model.commitIndex) ?? 0 }
    const membership = model.membershipAt(snapshot.index) ?? votersOf()
    log.cut({ index, term: model.termAt(index) ?? 0 }, { ...snapshot, membership, size: 0 })
    model.cut(index)
  }
}

test('[CF1][CF2][CF3][FC8][LR5][LR6][LR14][SN14] any appends, truncations, cuts, snapshots and runs left to the store make the log that an array of entries has', () => {
  let conflicts = 0
  let cuts = 0
  let leaves = 0
  let installs = 0
  let takenBack = 0
  fc.assert(
    fc.property(operations, (steps) => {
      const pair = new Pair()
      for (const step of steps) {
        pair.step(step)
        expectSame(pair.log, pair.model)
      }
      conflicts += pair.conflicts
      cuts += pair.cuts
      leaves += pair.leaves
      installs += pair.installs
      takenBack += pair.takenBack
    }),
    { seed: 21, numRuns: 150 },
  )
  // The steps must have done something.
  expect(conflicts).toBeGreaterThan(100)
  expect(cuts).toBeGreaterThan(100)
  expect(leaves).toBeGreaterThan(100)
  expect(installs).toBeGreaterThan(100)
  expect(takenBack).toBeGreaterThan(100)
})
