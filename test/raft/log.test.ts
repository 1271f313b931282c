import { describe, expect, test } from 'vitest'
import { type EntryId, RaftLog, type Snapshot, wholeRuns } from '../../src/raft/index.js'
import { entriesOf, type LogSpec, runOf, runsOf, termsOf } from '../../src/testing/index.js'
import { votersOf } from './support/bench.js'

const logOf = (spec: LogSpec, base: EntryId = { index: 0, term: 0 }) =>
  new RaftLog(base, base.index === 0 ? undefined : snapshotAt(base), runsOf(spec, base), votersOf(1))
const snapshotAt = ({ index, term }: EntryId): Snapshot => ({ index, term, membership: votersOf(1), size: 1 })
const all = (log: RaftLog) => log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)

describe('comparing logs (§5.4.1)', () => {
  test.each([
    [[1, 2], { index: 3, term: 2 }, true],
    [[1, 2], { index: 2, term: 2 }, true],
    [[1, 2], { index: 1, term: 2 }, false],
    [[1, 2], { index: 1, term: 3 }, true],
    [[1, 2], { index: 9, term: 1 }, false],
    [[1, 1, 1], { index: 1, term: 2 }, true],
    [[], { index: 0, term: 0 }, true],
    [[1], { index: 0, term: 0 }, false],
  ])('[EL11] against %j, %j is at least as up to date: %s', (spec, last, expected) => {
    expect(logOf(spec).isUpToDate(last)).toBe(expected)
  })

  test('[SN15] after a cut at its very end, the base is the last entry', () => {
    const log = logOf([], { index: 7, term: 3 })
    expect(log.last).toEqual({ index: 7, term: 3 })
    expect(log.isUpToDate({ index: 6, term: 3 })).toBe(false)
    expect(log.isUpToDate({ index: 7, term: 3 })).toBe(true)
  })
})

describe('asking for entries', () => {
  const log = logOf([1, { term: 2, commands: ['a', 'b', 'c'] }, 2, 4], { index: 10, term: 1 })

  test('[LR4] the term of each index, base included, and of none beyond', () => {
    expect([9, 10, 11, 12, 13, 14, 15, 16, 17].map((index) => log.termAt(index))).toEqual([
      undefined,
      1,
      1,
      2,
      2,
      2,
      2,
      4,
      undefined,
    ])
    expect(log.has({ index: 14, term: 2 })).toBe(true)
    expect(log.has({ index: 14, term: 3 })).toBe(false)
    expect(log.has({ index: 17, term: 4 })).toBe(false)
  })

  test.each([
    [11, 11],
    [12, 12],
    [13, 12],
    [14, 12],
    [15, 12],
    [16, 16],
  ])('[LR10] the term of entry %d begins at %d, over all its runs', (index, first) => {
    expect(log.firstIndexOfTermAt(index)).toBe(first)
  })

  test.each([
    [0, 10],
    [1, 11],
    [2, 15],
    [3, 15],
    [4, 16],
    [9, 16],
  ])('[LR10] the last entry of term %d or before is %d', (term, last) => {
    expect(log.lastIndexOfTermUpTo(term)).toBe(last)
  })

  test('[LR10] of a log in which every run is of a term of its own', () => {
    const stairs = logOf([1, 2, 3, 5, 6])
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((term) => stairs.lastIndexOfTermUpTo(term))).toEqual([
      0, 1, 2, 3, 3, 4, 5, 5,
    ])
    expect([1, 2, 3, 4, 5].map((index) => stairs.firstIndexOfTermAt(index))).toEqual([1, 2, 3, 4, 5])
  })

  test('[FC4] a slice ends before it grows too large, and always holds one run', () => {
    const sizes = (maxBytes: number) => log.slice(11, 16, maxBytes).map(({ count }) => count)
    expect(sizes(1)).toEqual([1])
    expect(sizes(100)).toEqual([1, 3])
    expect(sizes(Number.POSITIVE_INFINITY)).toEqual([1, 3, 1, 1])
    expect(log.slice(13, 14, 999).map(({ index, count }) => [index, count])).toEqual([[13, 2]])
    expect(log.slice(12, 11, 999)).toEqual([])
    expect(() => log.slice(10, 12, 999)).toThrow('within the log')
    expect(() => log.slice(11, 17, 999)).toThrow('within the log')
  })
})

describe('cutting', () => {
  test('[SN14] at the border of a run, inside a run, and everything', () => {
    for (const index of [1, 2, 3, 4, 5]) {
      const log = logOf([1, { term: 2, commands: ['a', 'b', 'c'] }, 3])
      log.commitIndex = 5
      log.lastApplied = 5
      const term = log.termAt(index) ?? 0
      const expected = entriesOf(wholeRuns(all(log))).slice(index)
      log.cut({ index, term }, snapshotAt({ index: 5, term: 3 }))
      expect(entriesOf(wholeRuns(all(log)))).toEqual(expected)
      expect(log).toMatchObject({ base: { index, term }, firstIndex: index + 1, lastIndex: 5 })
      expect(log.termAt(index)).toBe(term)
      log.push(runOf({ index: 6, term: 3 }, 'x'))
      expect(log.lastIndex).toBe(6)
    }
  })

  test('[SN13] not beyond the snapshot, not at an entry of another term, and never backwards', () => {
    const log = logOf([1, 2, 3])
    log.commitIndex = 3
    log.lastApplied = 3
    expect(() => log.cut({ index: 3, term: 3 }, snapshotAt({ index: 2, term: 2 }))).toThrow(
      'behind its snapshot',
    )
    expect(() => log.cut({ index: 2, term: 1 }, snapshotAt({ index: 2, term: 2 }))).toThrow(
      'an entry of its own',
    )
    log.cut({ index: 2, term: 2 }, snapshotAt({ index: 2, term: 2 }))
    log.cut({ index: 1, term: 1 }, snapshotAt({ index: 3, term: 3 }))
    expect(log).toMatchObject({ base: { index: 2 }, snapshot: { index: 3 } })
  })

  test('[SN13] a margin is the last entry behind which at most so many bytes remain', () => {
    const log = logOf([1, 1, 1, 1])
    const each = log.weight / 4
    expect([0, 1, 2, 3, 4].map((runs) => log.entryBeforeMargin(runs * each).index)).toEqual([4, 3, 2, 1, 0])
    expect(log.entryBeforeMargin(2 * each + 1).index).toBe(2)
    expect(logOf([], { index: 5, term: 2 }).entryBeforeMargin(0)).toEqual({ index: 5, term: 2 })
  })
})

describe('weight', () => {
  test('[FC5] is that of the entries behind an index: of none behind the end, of all before the first', () => {
    const log = logOf([1, 1, 1], { index: 4, term: 1 })
    const each = log.weight / 3
    expect(each).toBeGreaterThan(32)
    expect([0, 4, 5, 6, 7, 8].map((index) => log.weightAfter(index) / each)).toEqual([3, 3, 2, 1, 0, 0])
  })

  test('[FC5] returns to where it was after truncation, and to nothing after a cut or a snapshot', () => {
    const log = logOf([1, { term: 1, commands: ['a', 'b', 'c'] }, 1])
    const before = log.weightAfter(1)
    log.append([runOf({ index: 3, term: 2 }, 'x')])
    log.append([runOf({ index: 2, term: 3 }, 'a', 'b', 'c'), runOf({ index: 5, term: 3 }, '5@1')])
    expect(log.weightAfter(1)).toBe(before)
    expect(termsOf(all(log))).toEqual([1, 3, 3, 3, 3])
    log.reset(snapshotAt({ index: 9, term: 4 }))
    expect(log.weightAfter(9)).toBe(0)
    expect(log.weightAfter(0)).toBe(0)
    log.push(runOf({ index: 10, term: 4 }, 'y'))
    expect(log.weightAfter(0)).toBe(log.weightAfter(9))
  })
})

describe('what is flushed', () => {
  test('[DU12] moves up with each write, and back with a truncation, also for writes on their way', () => {
    const log = new RaftLog({ index: 0, term: 0 }, undefined, [], votersOf(1))
    log.append(runsOf([1, 1, 1]))
    log.submit(1)
    log.append(runsOf([1, 1], { index: 3, term: 1 }))
    log.submit(2)
    log.flush(1)
    expect(log).toMatchObject({ submittedIndex: 5, flushedIndex: 3, truncatedFrom: undefined })
    log.append([runOf({ index: 2, term: 2 }, 'x'), runOf({ index: 3, term: 2 }, 'y')])
    expect(log).toMatchObject({ submittedIndex: 1, flushedIndex: 1, truncatedFrom: 2, lastIndex: 3 })
    log.append([runOf({ index: 3, term: 3 }, 'z')])
    expect(log.truncatedFrom).toBe(2)
    log.append([runOf({ index: 1, term: 3 }, 'v'), runOf({ index: 2, term: 3 }, 'x', 'y')])
    expect(log).toMatchObject({ truncatedFrom: 1, submittedIndex: 0, flushedIndex: 0 })
    log.flush(2)
    expect(log.flushedIndex).toBe(0)
    log.submit(3)
    log.append([runOf({ index: 3, term: 4 }, 'w')])
    log.flush(3)
    expect(log).toMatchObject({ flushedIndex: 2, submittedIndex: 2, truncatedFrom: 3 })
  })

  test('[SN7] a snapshot takes the place of all, and counts as flushed once its own write is', () => {
    const log = logOf([1, 1])
    log.append([runOf({ index: 1, term: 2 }, 'x')])
    expect(log.truncatedFrom).toBe(1)
    log.reset(snapshotAt({ index: 9, term: 3 }))
    expect(log.truncatedFrom).toBe(undefined)
    expect(log).toMatchObject({ commitIndex: 9, lastIndex: 9, flushedIndex: 0, base: { index: 9, term: 3 } })
    log.submit(1)
    log.flush(1)
    expect(log).toMatchObject({ flushedIndex: 9, submittedIndex: 9 })
    expect(() => log.reset(snapshotAt({ index: 9, term: 3 }))).toThrow('never takes back')
  })
})

test('[FC8] what is committed is left to the store, applied or not; what may still be cut off stays in memory', () => {
  const log = logOf([1, 1, 1, 1])
  log.commitIndex = 2
  log.leaveToStore(0)
  expect([log.lastApplied, log.flushedIndex]).toEqual([0, 4])
  expect(all(log).map(({ bytes }) => bytes === undefined)).toEqual([true, true, false, false])
})
