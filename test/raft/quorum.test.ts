import { describe, expect, test } from 'vitest'
import {
  isVoter,
  majorityOf,
  membersOf,
  quorumIndex,
  tallyVotes,
  type Verdict,
} from '../../src/raft/index.js'
import { votersOf } from './support/bench.js'

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, position) => from + position)

describe('majorities of one set of voters', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
    [8, 5],
    [9, 5],
  ])('[EL6] of %d voters, %d are a majority', (voterCount, majority) => {
    expect(majorityOf(voterCount)).toBe(majority)
    expect(majority * 2).toBeGreaterThan(voterCount)
    expect((majority - 1) * 2).toBeLessThanOrEqual(voterCount)
  })

  test.each(ids(9))('[EL6] with %d voters, every count of yes and no has its verdict', (voterCount) => {
    const membership = votersOf(...ids(voterCount))
    for (let granted = 0; granted <= voterCount; granted++) {
      for (let refused = 0; granted + refused <= voterCount; refused++) {
        const verdict = tallyVotes(membership, (id) =>
          id <= granted ? true : id <= granted + refused ? false : undefined,
        )
        const silent = voterCount - granted - refused
        const expected: Verdict =
          granted * 2 > voterCount ? 'won' : (granted + silent) * 2 > voterCount ? 'pending' : 'lost'
        expect(verdict, `${granted} yes, ${refused} no`).toBe(expected)
      }
    }
  })

  test.each(ids(9))(
    '[CM1] with %d voters, every pattern of matchIndexes has the index that a majority reached',
    (voterCount) => {
      const membership = votersOf(...ids(voterCount))
      for (let pattern = 0; pattern < 3 ** Math.min(voterCount, 6); pattern++) {
        const matchIndexOf = (id: number) => Math.floor(pattern / 3 ** (id - 1)) % 3
        const reached = (index: number) => ids(voterCount).filter((id) => matchIndexOf(id) >= index).length
        const expected = [2, 1, 0].find((index) => reached(index) * 2 > voterCount)
        expect(quorumIndex(membership, matchIndexOf), `pattern ${pattern}`).toBe(expected)
      }
    },
  )

  test.each([
    [[1], 1],
    [[1, 5], 1],
    [[5, 1, 3], 3],
    [[3, 3, 3], 3],
    [[0, 0, 9], 0],
    [[4, 2, 9, 7], 4],
    [[9, 1, 5, 3, 7], 5],
    [[10, 10, 2, 2, 9, 9], 9],
  ])('[CM1] of matchIndexes %j, a majority reached %d', (indexes, expected) => {
    expect(quorumIndex(votersOf(...ids(indexes.length)), (id) => indexes[id - 1] ?? 0)).toBe(expected)
  })
})

describe('both halves of a joint configuration (§6)', () => {
  const joint = { voters: [1, 2, 3], votersOutgoing: [3, 4, 5], learners: [6] }

  test.each<[string, number[], number[], Verdict]>([
    ['a majority of both', [1, 3, 4], [], 'won'],
    ['the shared voter and one of each', [2, 3, 5], [], 'won'],
    ['a majority of the union, and of the new half only', [1, 2, 3], [], 'pending'],
    ['a majority of the old half only', [3, 4, 5], [], 'pending'],
    ['the new half, while the old half refuses', [1, 2, 3], [4, 5], 'lost'],
    ['the old half, while the new half refuses', [3, 4, 5], [1, 2], 'lost'],
    ['both halves refuse', [], [1, 3, 5], 'lost'],
    ['nobody answered', [], [], 'pending'],
    ['a learner grants instead', [1, 3, 6], [], 'pending'],
  ])('[EL6][CM9] votes: %s', (_, granted, refused, verdict) => {
    const voteOf = (id: number) => (granted.includes(id) ? true : refused.includes(id) ? false : undefined)
    expect(tallyVotes(joint, voteOf)).toBe(verdict)
  })

  test.each([
    [[9, 9, 9, 0, 0], 0],
    [[0, 0, 9, 9, 9], 0],
    [[9, 0, 9, 9, 0], 9],
    [[7, 8, 9, 3, 2], 3],
    [[1, 2, 3, 9, 9], 2],
    [[5, 5, 5, 5, 5], 5],
  ])('[CM9] matchIndexes %j: both halves reached %d', (indexes, expected) => {
    expect(quorumIndex(joint, (id) => indexes[id - 1] ?? 100)).toBe(expected)
  })

  test('[CM10][EL14] a learner is a member and no voter; everyone is counted once', () => {
    expect(membersOf(joint)).toEqual([1, 2, 3, 4, 5, 6])
    expect([1, 5, 6, 7].map((id) => isVoter(joint, id))).toEqual([true, true, false, false])
  })

  test('[EL6] without voters nothing is won and nothing is reached', () => {
    expect(tallyVotes(votersOf(), () => true)).toBe('lost')
    expect(quorumIndex(votersOf(), () => 9)).toBe(0)
  })
})
