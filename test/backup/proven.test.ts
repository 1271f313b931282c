import { describe, expect, test } from 'vitest'
import { type Disk, provenBy, provenIn } from '../../src/backup/proven.js'
import { emptyRun, logOrigin, type Membership, RaftLog, type Snapshot } from '../../src/raft/index.js'

interface Given {
  readonly membership?: Partial<Membership>
  readonly votesFromTerm?: number
  /** The entries up to this one are in a snapshot, and no longer in the log. */
  readonly snapshotIndex?: number
}

/** Disks of the nodes 1, 2, 3, …: the terms of their entries, one digit each; `undefined` is a lost disk. */
function disksOf(logs: readonly (string | undefined)[], given: Readonly<Record<number, Given>> = {}): Disk[] {
  const all = { voters: logs.map((_, at) => at + 1), votersOutgoing: [], learners: [] }
  return logs.flatMap((terms, at) => {
    if (terms === undefined) return []
    const { membership, votesFromTerm = 0, snapshotIndex = 0 } = given[at + 1] ?? {}
    const ids = [logOrigin, ...[...terms].map((term, before) => ({ index: before + 1, term: Number(term) }))]
    const known = { ...all, ...membership }
    const base = ids[snapshotIndex] ?? logOrigin
    const snapshot: Snapshot | undefined =
      snapshotIndex === 0 ? undefined : { ...base, membership: known, size: 0 }
    const runs = ids.slice(snapshotIndex + 1).map(({ index, term }) => emptyRun(index, term))
    return [{ nodeId: at + 1, log: new RaftLog(base, snapshot, runs, known), votesFromTerm }]
  })
}

function indexProven(logs: readonly (string | undefined)[], given?: Readonly<Record<number, Given>>) {
  return provenBy(disksOf(logs, given))?.last.index
}

test('one log holds of what is proven what it shares with the others, or what its snapshot covers', () => {
  const indexIn = (logs: readonly string[], given?: Readonly<Record<number, Given>>): number => {
    const disks = disksOf(logs, given)
    return provenIn(disks.at(-1)!.log, provenBy(disks)).index
  }
  expect(indexIn(['112', '112', '11'])).toBe(2)
  expect(indexIn(['1133', '1133', '1122'])).toBe(2)
  // The log of the last disk ends where the others are cut off, and may go its own way there.
  const isCut = { 1: { snapshotIndex: 3 }, 2: { snapshotIndex: 3 } }
  expect(indexIn(['1133', '1133', '11'], isCut)).toBe(0)
  expect(indexIn(['1133', '1133', '112'], isCut)).toBe(0)
  expect(indexIn(['1133', '1133', '113'], isCut)).toBe(3)
  expect(indexIn(['1133', '1133', '112'], { ...isCut, 3: { snapshotIndex: 1 } })).toBe(1)
  expect(provenIn(disksOf(['112'], { 1: { snapshotIndex: 2 } })[0]!.log, undefined).index).toBe(2)
})

describe('disks prove', () => {
  test.each([
    ['all that all hold', ['112', '112', '112'], 3],
    ['an entry that a majority holds', ['112', '112', '11'], 3],
    ['no entry that one node alone holds, though that node can lead', ['112', '11', '11'], 2],
    ['all that is in the logs of two nodes that are left', ['112', '112', undefined], 3],
    ['no entry that one of two nodes that are left holds', ['112', '11', undefined], 3],
    ['what one node alone has', ['1123'], 4],
    [
      'no entry of an earlier term that a later leader may replace (Figure 8, c)',
      ['12', '12', '12', '1', '13'],
      1,
    ],
    ['an earlier term under an entry of a later one (Figure 8, e)', ['124', '124', '124', '1', '13'], 3],
    ['nothing where each log goes its own way', ['2', '3', '4'], 0],
  ])('%s', (_, logs, index) => {
    expect(indexProven(logs)).toBe(index)
  })

  test.each([
    ['one of three disks is left', ['112', undefined, undefined]],
    ['two of five disks are left', ['112', '112', undefined, undefined, undefined]],
  ])('nothing when %s', (_, logs) => {
    expect(indexProven(logs)).toBeUndefined()
  })

  test('only with the votes of nodes that may vote', () => {
    // Node 3 lost its disk, and votes for nobody before it has caught up.
    expect(indexProven(['11', undefined, '1'], { 3: { votesFromTerm: 2 } })).toBeUndefined()
    expect(indexProven(['12', undefined, '12'], { 3: { votesFromTerm: 2 } })).toBe(2)
  })

  test('by both halves of a joint configuration', () => {
    const membership = { voters: [1, 2, 3], votersOutgoing: [4, 5, 6], learners: [] }
    const given = Object.fromEntries([1, 2, 3, 4, 5, 6].map((nodeId) => [nodeId, { membership }]))
    expect(indexProven(['112', '112', '112', '112', '112', '11'], given)).toBe(3)
    expect(indexProven(['112', '11', '11', '112', '11', '11'], given)).toBe(2)
    // No leader without the third entry has the votes of the first half.
    expect(indexProven(['112', '112', '11', '11', '11', '11'], given)).toBe(3)
    expect(indexProven(['112', '112', '112', '112', undefined, undefined], given)).toBeUndefined()
  })

  test('with a log that is cut off behind its snapshot', () => {
    expect(indexProven(['1122', '1122', '1122'], { 1: { snapshotIndex: 3 }, 2: { snapshotIndex: 4 } })).toBe(
      4,
    )
    expect(indexProven(['1122', '112', '11'], { 1: { snapshotIndex: 2 } })).toBe(3)
  })

  test('nothing when a snapshot holds more than the others could go on with', () => {
    const given = { 1: { snapshotIndex: 3 } }
    expect(() => indexProven(['112', '11', '11'], given)).toThrow(
      'holds disks that contradict each other: entry 3 is committed, as node 1 knows, and others could lead without it',
    )
  })
})
