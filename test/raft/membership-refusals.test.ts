import { describe, expect, test } from 'vitest'
import type { MembershipChange } from '../../src/raft/index.js'
import {
  accepted,
  addLearner,
  Bench,
  demote,
  heartbeat,
  jointLeader,
  promote,
  remove,
} from './support/bench.js'

const leaderOf = (voterCount: number, membership = {}) => new Bench({}, voterCount, membership).lead()

describe('a leader that is asked for a change refuses it', () => {
  const invalid: readonly [MembershipChange[], string][] = [
    [[], 'at least one node is added, promoted, demoted or removed'],
    [[remove(2), remove(2)], 'node 2 is named twice'],
    [[addLearner(5), promote(5)], 'node 5 is named twice'],
    [[addLearner(2)], 'node 2 is a member already'],
    [[addLearner(4)], 'node 4 is a member already'],
    [[addLearner(0)], 'a node’s id is a whole number above 0, not 0'],
    [[addLearner(1.5)], 'a node’s id is a whole number above 0, not 1.5'],
    [[promote(9)], 'there is no member 9 (members: 1, 2, 3, 4)'],
    [[remove(9)], 'there is no member 9 (members: 1, 2, 3, 4)'],
    [[promote(2)], 'node 2 is a voter already'],
    [[demote(4)], 'node 4 is a learner already'],
    [[remove(1), remove(2), demote(3)], 'a cluster keeps at least one voter'],
  ]

  /** The request is refused, and the node is as it was. */
  function expectRefused(
    bench: Bench,
    changes: readonly MembershipChange[],
    code: string,
    why: string,
  ): void {
    bench.sent()
    const before = bench.node.raft.dump()
    const refusal = bench.node.changeMembership(...changes)
    const leaderId = code === 'notLeader' ? bench.state.leaderId : 1
    expect(refusal).toEqual({ code, leaderId, why: why.replace('’', "'") })
    expect(bench.node.raft.dump()).toEqual(before)
    expect(bench.sent()).toEqual([])
  }

  test.each(invalid)('[CF11][PR2] that is none: %j', (changes, why) => {
    expectRefused(leaderOf(3, { learners: [4] }), changes, 'invalid', why)
  })

  test('[CF11] and so does a node that does not lead', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(heartbeat({ from: 3 }))
    expectRefused(bench, [remove(2)], 'notLeader', 'this node does not lead')
  })

  test('[CF6] while an earlier one is not committed', () => {
    const bench = leaderOf(3)
    bench.node.changeMembership(addLearner(4))
    const why = 'an earlier change of the members has not ended yet'
    expectRefused(bench, [addLearner(5)], 'changeInProgress', why)
    bench.acknowledge(2)
    expect(bench.node.changeMembership(addLearner(5))).toEqual({ first: { index: 3, term: 1 } })
  })

  test('[CF6] while an earlier one is joint, also once the joint configuration is committed', () => {
    const bench = jointLeader([1, 2, 3], [1, 4, 5])
    const why = 'an earlier change of the members has not ended yet'
    expectRefused(bench, [addLearner(6)], 'changeInProgress', why)
    bench.acknowledge(2, 4)
    expectRefused(bench, [addLearner(6)], 'changeInProgress', why)
    bench.acknowledge(4)
    expect(bench.node.changeMembership(addLearner(6))).toEqual({ first: { index: 4, term: 1 } })
  })

  test('[CF7] before it has committed an entry of its term', () => {
    const bench = new Bench({ log: [1, 1], term: 1 }).become('leader')
    const why = 'the leader has not committed an entry of its term yet'
    expectRefused(bench, [remove(3)], 'changeInProgress', why)
    bench.receive(accepted(2, { from: 2, term: 2 }), accepted(2, { from: 3, term: 2 }))
    expectRefused(bench, [remove(3)], 'changeInProgress', why)
    bench.acknowledge(2)
    expect(bench.node.changeMembership(remove(3))).toEqual({ first: { index: 4, term: 2 } })
  })

  test('[CF7] and calls none invalid before then: a node that its log does not name may have been added', () => {
    const bench = new Bench({ log: [1, 1], term: 1 }).become('leader')
    const why = 'the leader has not committed an entry of its term yet'
    expectRefused(bench, [remove(4)], 'changeInProgress', why)
    bench.acknowledge(2)
    expectRefused(bench, [remove(4)], 'invalid', 'there is no member 4 (members: 1, 2, 3)')
  })

  test('[CF9] that promotes a learner before its log is close to the leader’s', () => {
    const limits = { appendBytesMax: 1000 }
    const bench = new Bench({ limits }, 3).lead()
    bench.node.changeMembership(addLearner(4))
    bench.acknowledge(2)
    const why = 'node 4 has not caught up with the leader’s log yet'
    expectRefused(bench, [promote(4)], 'notCaughtUp', why)
    bench.receive(accepted(2, { from: 4 }))
    for (const command of ['a', 'b', 'c', 'd']) bench.node.propose(command)
    expectRefused(bench, [promote(4)], 'notCaughtUp', why)
    bench.receive(accepted(4, { from: 4 }))
    expect(bench.node.changeMembership(promote(4))).toEqual({ first: { index: 7, term: 1 } })
  })

  test('[CF10] that leaves voters of which too few answer', () => {
    const bench = leaderOf(3)
    for (let ticks = 0; ticks < 40; ticks += 2) {
      bench.node.tick(2)
      bench.receive(accepted(1, { from: 2, round: bench.state.leadership?.heartbeatRound ?? 0 }))
    }
    const why = 'of the voters that would be left no majority answers (silent: 3)'
    expectRefused(bench, [remove(2)], 'notCaughtUp', why)
    expect(bench.node.changeMembership(remove(3))).toMatchObject({ first: { term: 1 } })
  })

  test('[CF10] that leaves voters which have not answered it yet', () => {
    const bench = new Bench().become('leader')
    bench.acknowledge(2)
    const why = 'of the voters that would be left no majority answers (silent: 3)'
    expectRefused(bench, [remove(2)], 'notCaughtUp', why)
  })

  test('[CF15] that adds a node again which it removed itself', () => {
    const bench = leaderOf(3, { learners: [4] })
    bench.node.changeMembership(remove(4))
    bench.acknowledge(2)
    const why = 'node 4 was removed: a node that is added again has a new id'
    expectRefused(bench, [addLearner(4)], 'invalid', why)
    expect(bench.node.changeMembership(addLearner(5))).toMatchObject({ first: { index: 3 } })
  })

  test('[CF15] an answer of a removed node does not count for one that comes in its place', () => {
    const bench = jointLeader([1, 2, 3], [1, 2, 4])
    bench.acknowledge(2, 4)
    bench.acknowledge(2, 4)
    bench.node.changeMembership(addLearner(3))
    bench.receive(accepted(3, { from: 3 }))
    expect(bench.state.leadership?.progress.has(3)).toBe(false)
  })
})
