import { describe, expect, test } from 'vitest'
import { type Membership, membershipRun, type NodeId } from '../../src/raft/index.js'
import { runOf } from '../../src/testing/index.js'
import {
  accepted,
  addLearner,
  appendEntries,
  Bench,
  demote,
  heartbeat,
  installSnapshot,
  jointLeader,
  preVote,
  promote,
  refused,
  remove,
  requestVote,
  votersOf,
} from './support/bench.js'

const leaderOf = (voterCount: number, membership: Partial<Membership> = {}) =>
  new Bench({}, voterCount, membership).lead()

/** The nodes that a leader sends to at a heartbeat. */
function heard(bench: Bench): NodeId[] {
  bench.sent()
  bench.node.tick(2)
  return bench.heartbeats().map(({ to }) => to)
}

describe('a configuration in the log', () => {
  const learning = { ...votersOf(1, 2, 3), learners: [4] }

  test('[CF1] counts from its entry on, before it is committed: at the leader', () => {
    const bench = leaderOf(3)
    expect(bench.node.changeMembership(addLearner(4))).toEqual({ first: { index: 2, term: 1 } })
    expect(bench.state.log.commitIndex).toBe(1)
    expect(bench.state.membership).toEqual(learning)
    expect(bench.replications().at(-1)).toMatchObject({ to: 4, prevLogIndex: 2 })
  })

  test('[CF1] and at a follower: whose votes it needs is what its log says', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(appendEntries({ entries: [membershipRun(1, 1, votersOf(1, 4, 5))] }))
    expect(bench.state.membership).toEqual(votersOf(1, 4, 5))
    bench.node.campaign()
    expect(bench.sentOf('preVote').map(({ to }) => to)).toEqual([4, 5])
  })

  test('[CF2] goes with its entry, and the one before it counts again', () => {
    const bench = new Bench({ term: 2 })
    const [first, second] = [votersOf(1, 2), votersOf(1)]
    bench.receive(
      appendEntries({ term: 2, entries: [membershipRun(1, 1, first), runOf({ index: 2, term: 1 }, 'x')] }),
    )
    bench.receive(
      appendEntries({ term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: [membershipRun(3, 2, second)] }),
    )
    expect(bench.state.membership).toEqual(second)
    const place = { term: 3, from: 3, prevLogIndex: 2, prevLogTerm: 1 }
    bench.receive(appendEntries({ ...place, entries: [runOf({ index: 3, term: 3 }, 'y')] }))
    expect(bench.state.membership).toEqual(first)
    expect(bench.state.membershipIndex).toBe(1)
    bench.receive(appendEntries({ term: 4, entries: [runOf({ index: 1, term: 4 }, 'z')] }))
    expect(bench.state.membership).toEqual(votersOf(1, 2, 3))
  })

  test('[CF2] what was taken back does not come back with a restart', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(appendEntries({ entries: [membershipRun(1, 1, votersOf(1))] }))
    bench.receive(appendEntries({ term: 2, from: 3, entries: [runOf({ index: 1, term: 2 }, 'x')] }))
    bench.node.crash()
    bench.node.restart()
    expect(bench.state.membership).toEqual(votersOf(1, 2, 3))
  })

  test('[CF1] a node that starts again goes by the latest configuration on its disk', () => {
    const bench = new Bench({ term: 1 })
    const entries = [membershipRun(1, 1, learning), membershipRun(2, 1, votersOf(1, 2, 3, 4))]
    bench.receive(appendEntries({ entries }))
    bench.node.crash()
    bench.node.restart()
    expect(bench.state).toMatchObject({ membership: votersOf(1, 2, 3, 4), membershipIndex: 2 })
  })

  test('[CF17] is told in an event, and again once it is known to be committed', () => {
    const bench = leaderOf(3)
    const told = () => bench.node.events.filter(({ type }) => type === 'membership')
    bench.node.changeMembership(addLearner(4))
    const event = { type: 'membership', index: 2, membership: learning }
    expect(told()).toEqual([{ ...event, isCommitted: false }])
    bench.acknowledge(2)
    bench.node.propose('x')
    bench.acknowledge(2)
    expect(told()).toEqual([
      { ...event, isCommitted: false },
      { ...event, isCommitted: true },
    ])
  })
})

describe('a snapshot', () => {
  const later = { ...votersOf(1, 2, 3), learners: [4] }

  /** A follower with entry 1 applied, and a configuration behind it that is not committed. */
  function follower(): Bench {
    const bench = new Bench({ term: 1 })
    const entries = [runOf({ index: 1, term: 1 }, 'x'), membershipRun(2, 1, later)]
    bench.receive(appendEntries({ entries, leaderCommit: 1 }))
    return bench
  }

  test('[CF3] carries the configuration as of its last entry, and not a later one of the log', () => {
    const { raft } = follower().node
    const due = raft.snapshotDue({ logBytesMax: 1, trailingBytes: 1 })
    expect(due).toEqual({ index: 1, term: 1, membership: votersOf(1, 2, 3) })
  })

  test('[CF3] that carries another one is refused by an assertion', () => {
    const { raft } = follower().node
    const snapshot = { index: 1, term: 1, membership: later, size: 1 }
    expect(() => raft.step({ type: 'compacted', snapshot, base: { index: 1, term: 1 } })).toThrow(
      'a snapshot carries the configuration as of its last entry',
    )
  })

  test('[CF3] and the log give a node its configuration when it starts', () => {
    const bench = follower()
    bench.node.compact()
    expect(bench.state.membership).toEqual(later)
    bench.node.crash()
    bench.node.restart()
    expect(bench.state).toMatchObject({ membership: later, membershipIndex: 2 })
    bench.receive(
      appendEntries({
        term: 2,
        from: 3,
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: [runOf({ index: 2, term: 2 }, 'y')],
      }),
    )
    expect(bench.state.membership).toEqual(votersOf(1, 2, 3))
  })

  test('[CF3] covers the configurations that the log still holds before its last entry', () => {
    const bench = new Bench({ term: 1 })
    const entries = [
      membershipRun(1, 1, later),
      membershipRun(2, 1, votersOf(1, 2)),
      runOf({ index: 3, term: 1 }, 'x'),
    ]
    bench.receive(appendEntries({ entries, leaderCommit: 3 }))
    expect(bench.node.compact(3).membership).toEqual(votersOf(1, 2))
    bench.node.crash()
    bench.node.restart()
    expect(bench.state.log.base.index).toBe(0)
    expect(bench.state).toMatchObject({ membership: votersOf(1, 2), membershipIndex: 3 })
  })

  const joint = { voters: [1, 2, 4], votersOutgoing: [1, 3, 5], learners: [] }
  const snapshot = { index: 5, term: 1, membership: joint, size: 2 }

  test('[CF3][SN7] that replaces the log replaces its configurations, joint ones included', () => {
    const bench = follower()
    bench.receive(installSnapshot(snapshot, new TextEncoder().encode('[]')))
    expect(bench.state).toMatchObject({ membership: joint, membershipIndex: 5 })
  })

  test('[CF3][SN6] whose last entry the log holds changes no configuration', () => {
    const bench = follower()
    const covered = { index: 1, term: 1, membership: votersOf(1, 2, 3), size: 2 }
    bench.receive(installSnapshot(covered, new TextEncoder().encode('[]')))
    expect(bench.state.membership).toEqual(later)
  })

  test('[CF5][CF3] a leader that finds a joint configuration in its snapshot leaves it', () => {
    const applied = [1, 1]
    const bench = new Bench({ term: 1, snapshot: { applied, membership: joint } }).become('leader')
    bench.acknowledge(2)
    expect(bench.state.membership).toEqual(joint)
    bench.acknowledge(3)
    expect(bench.state.membership).toEqual(votersOf(1, 2, 4))
  })
})

describe('a change of the members', () => {
  test('[CF4] of one voter goes straight to the new configuration', () => {
    const bench = leaderOf(3)
    bench.node.changeMembership(remove(3))
    expect(bench.state.membership).toEqual(votersOf(1, 2))
    bench.acknowledge(2)
    expect(bench.state.log).toMatchObject({ commitIndex: 2, lastIndex: 2 })
  })

  test('[CF4][CM9] of several voters is committed by majorities of both halves', () => {
    const bench = jointLeader([1, 2, 3], [1, 4, 5])
    expect(bench.state.membership).toEqual({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3], learners: [] })
    bench.acknowledge(4, 5)
    expect(bench.state.log.commitIndex).toBe(1)
    bench.acknowledge(2)
    expect(bench.state.log.commitIndex).toBe(2)
  })

  test('[CF5] is left by one entry once the joint configuration is committed, and the new half commits that', () => {
    const bench = jointLeader([1, 2, 3], [1, 4, 5])
    bench.acknowledge(2, 4)
    expect(bench.state.log).toMatchObject({ commitIndex: 2, lastIndex: 3 })
    expect(bench.state.membership).toEqual(votersOf(1, 4, 5))
    bench.acknowledge(5)
    expect(bench.state.log).toMatchObject({ commitIndex: 3, lastIndex: 3 })
    bench.node.propose('x')
    bench.acknowledge(4, 5)
    expect(bench.state.log).toMatchObject({ commitIndex: 4, lastIndex: 4 })
  })

  test('[CF5][CF12] the commit of an entry before it neither leaves a joint configuration nor ends a leadership', () => {
    const joint = leaderOf(3, { learners: [4, 5] })
    joint.node.propose('x')
    joint.node.changeMembership(promote(4), promote(5))
    joint.receive(accepted(2, { from: 2 }), accepted(2, { from: 4 }))
    expect(joint.state.log).toMatchObject({ commitIndex: 2, lastIndex: 3 })
    const removed = leaderOf(3)
    removed.node.propose('x')
    removed.node.changeMembership(remove(1))
    removed.receive(accepted(2, { from: 2 }), accepted(2, { from: 3 }))
    expect(removed.state).toMatchObject({ role: 'leader', log: { commitIndex: 2 } })
    expect(removed.state.leadership?.transfer).toBe(undefined)
  })

  test('[CF5] a joint configuration of an earlier leader is left by the next one, not before it commits an entry of its term', () => {
    const joint = { voters: [1, 4, 5], votersOutgoing: [1, 2, 3], learners: [] }
    const bench = new Bench({ term: 1 })
    bench.receive(appendEntries({ entries: [membershipRun(1, 1, joint)] }))
    bench.node.campaign()
    for (const from of [2, 4]) bench.receive(bench.preVoteResponse({ from, term: 1 }))
    for (const from of [2, 4])
      bench.receive({ type: 'requestVoteResponse', from, to: 1, term: 2, electionTerm: 2, voteGranted: true })
    expect(bench.state.role).toBe('leader')
    bench.receive(accepted(1, { from: 2, term: 2 }), accepted(1, { from: 4, term: 2 }))
    expect(bench.state.membership).toEqual(joint)
    bench.acknowledge(2, 4)
    expect(bench.state.membership).toEqual(votersOf(1, 4, 5))
  })

  test('[CF4] that demotes a voter keeps its vote until the joint configuration is left', () => {
    const bench = leaderOf(3)
    bench.node.changeMembership(demote(2), demote(3))
    expect(bench.state.membership).toEqual({ voters: [1], votersOutgoing: [1, 2, 3], learners: [2, 3] })
    expect(bench.state.log.commitIndex).toBe(1)
    bench.acknowledge(3)
    expect(bench.state.membership).toEqual({ ...votersOf(1), learners: [2, 3] })
    expect(bench.state.log.commitIndex).toBe(3)
  })

  test('[CF8][LR8] a node that is added is sent the log from where it lacks it, and a removed one nothing more', () => {
    const bench = leaderOf(3)
    bench.node.changeMembership(addLearner(4))
    bench.sent()
    expect(bench.receive(refused(2, { from: 4, conflictIndex: 1 }))).toMatchObject([
      { to: 4, prevLogIndex: 0, entries: [{ index: 1 }, { index: 2 }] },
    ])
    bench.acknowledge(2)
    expect(heard(bench)).toEqual([2, 3, 4])
    bench.node.changeMembership(remove(3))
    expect(heard(bench)).toEqual([2, 4])
  })

  test('[CF8] in a joint configuration the members of both halves are sent to, and then those of the new one', () => {
    const bench = jointLeader([1, 2, 3], [1, 4, 5])
    expect(heard(bench)).toEqual([2, 3, 4, 5])
    bench.acknowledge(2, 4)
    expect(heard(bench)).toEqual([4, 5])
  })

  test('[CF8] a snapshot that is on its way to a node that is removed disturbs nobody', () => {
    const bench = leaderOf(3, { learners: [4] })
    for (const command of ['a', 'b']) bench.node.propose(command)
    bench.acknowledge(2)
    bench.node.compact()
    bench.node.propose('c')
    bench.receive(accepted(1, { from: 4, round: 0 }), refused(3, { from: 4, conflictIndex: 2 }))
    bench.node.changeMembership(remove(4))
    bench.receive({
      type: 'installSnapshotResponse',
      from: 4,
      to: 1,
      term: 1,
      lastIncludedIndex: 3,
      chunkOffset: 0,
      offset: 1,
      done: false,
    })
    bench.node.step({ type: 'snapshotMissing', to: 4, index: 3 })
    expect(bench.state.role).toBe('leader')
    expect(heard(bench)).toEqual([2, 3])
  })

  test('[CF8][TM5] an answer that a removed node gave before moves nothing', () => {
    const bench = leaderOf(3)
    bench.node.changeMembership(remove(3))
    bench.receive(accepted(2, { from: 3 }), accepted(2, { from: 3, term: 9 }))
    expect(bench.state).toMatchObject({ currentTerm: 1, log: { commitIndex: 1 } })
  })

  test('[CF12] that removes the leader may be committed by an answer to a heartbeat, and ends its leadership', () => {
    const bench = leaderOf(3)
    bench.node.tick(2)
    for (const from of [2, 3]) bench.receive(accepted(1, { from, round: 1 }))
    bench.node.changeMembership(remove(1))
    bench.node.tick(2)
    bench.receive(accepted(2, { from: 2 }), accepted(2, { from: 3, round: 2 }))
    expect(bench.state).toMatchObject({ role: 'follower', log: { commitIndex: 2 } })
  })

  test('[CF16] a node follows a leader, and votes for a candidate, that it does not know as members', () => {
    const bench = new Bench({ term: 1 })
    expect(bench.receive(preVote({ from: 8 }))).toMatchObject([{ to: 8, voteGranted: true }])
    expect(bench.receive(requestVote({ from: 8, term: 2 }))).toMatchObject([{ to: 8, voteGranted: true }])
    expect(bench.receive(heartbeat({ from: 8, term: 2 }))).toMatchObject([{ to: 8, success: true }])
    expect(bench.state.leaderId).toBe(8)
  })

  test('[CF16] a learner that is asked for its vote votes', () => {
    const bench = new Bench({ membership: { voters: [2, 3], votersOutgoing: [], learners: [1] } })
    expect(bench.receive(requestVote({ from: 2 }))).toMatchObject([{ to: 2, voteGranted: true }])
  })
})

test('[CF1] what a leader makes of its members does not reach its fork', () => {
  const bench = leaderOf(3, { learners: [4] })
  const fork = bench.node.raft.fork()
  const before = fork.dump()
  bench.node.changeMembership(remove(4))
  bench.acknowledge(2)
  bench.node.changeMembership(remove(3))
  expect(fork.dump()).toEqual(before)
  expect(fork.step({ type: 'changeMembership', changes: [addLearner(5)] })).toMatchObject({
    first: { index: 2 },
  })
  expect(bench.state.membership).toEqual(votersOf(1, 2))
})
