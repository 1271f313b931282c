/**
 * Statements of the paper as the tests of etcd's raft make them, sentence by sentence, where no other test here states
 * them in full. The table in docs/proof.md names ours for each of theirs.
 */
import { describe, expect, test } from 'vitest'
import type { Role } from '../../src/raft/index.js'
import { RaftNetwork, runsOf } from '../../src/testing/index.js'
import { appendEntries, Bench, heartbeat, requestVote, requestVoteResponse } from './support/bench.js'

const timeout = 20

describe('elections (§5.2)', () => {
  test.each<[number, readonly (readonly [number, boolean])[], Role]>([
    [
      3,
      [
        [2, true],
        [3, true],
      ],
      'leader',
    ],
    [3, [[2, true]], 'leader'],
    [
      5,
      [
        [2, true],
        [3, true],
        [4, true],
        [5, true],
      ],
      'leader',
    ],
    [
      5,
      [
        [2, true],
        [3, true],
        [4, true],
      ],
      'leader',
    ],
    [
      5,
      [
        [2, true],
        [3, true],
      ],
      'leader',
    ],
    [
      3,
      [
        [2, false],
        [3, false],
      ],
      'follower',
    ],
    [
      5,
      [
        [2, false],
        [3, false],
        [4, false],
        [5, false],
      ],
      'follower',
    ],
    [
      5,
      [
        [2, true],
        [3, false],
        [4, false],
        [5, false],
      ],
      'follower',
    ],
    [3, [], 'candidate'],
    [5, [[2, true]], 'candidate'],
    [
      5,
      [
        [2, false],
        [3, false],
      ],
      'candidate',
    ],
    [5, [], 'candidate'],
  ])('[EL6][EL15] of %d nodes, the answers %j to a candidate make it a %s', (voterCount, votes, role) => {
    const bench = new Bench({}, voterCount).become('candidate')
    for (const [from, voteGranted] of votes) bench.receive(requestVoteResponse({ from, voteGranted }))
    expect(bench.state).toMatchObject({ role, currentTerm: 1 })
  })

  test.each([
    [undefined, 2, true],
    [undefined, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
    [1, 2, false],
  ])(
    '[EL1] a node that voted for %s in this term, and is asked by %d, answers %s',
    (votedFor, from, voteGranted) => {
      const bench = new Bench({ term: 1, ...(votedFor !== undefined && { votedFor }) })
      expect(bench.receive(requestVote({ from, term: 1 }))).toMatchObject([
        { type: 'requestVoteResponse', to: from, term: 1, voteGranted },
      ])
    },
  )

  const everyTick = Array.from({ length: timeout }, (_, at) => timeout + 1 + at)

  /** Ticks until a node asks for votes again. */
  function ticksOf(bench: Bench): number {
    bench.sent()
    for (let ticks = 1; ticks <= 2 * timeout; ticks++) {
      const { campaign } = bench.state
      bench.node.tick(1)
      if (bench.state.campaign > campaign) return ticks
    }
    throw new Error('nobody asked for votes')
  }

  test('[EL10] a follower that hears its leader no longer waits for any number of ticks up to twice the timeout', () => {
    const bench = new Bench()
    const waited = new Set<number>()
    for (let term = 1; term <= 500; term++) {
      bench.receive(heartbeat({ term: bench.state.currentTerm + 1 }))
      waited.add(ticksOf(bench))
    }
    expect([...waited].sort((a, b) => a - b)).toEqual(everyTick)
  })

  test('[EL10] a candidate that is not elected waits for any number of ticks up to twice the timeout', () => {
    const bench = new Bench()
    const waited = new Set<number>()
    for (let round = 0; round < 500; round++) {
      bench.become('candidate')
      waited.add(ticksOf(bench))
    }
    expect([...waited].sort((a, b) => a - b)).toEqual(everyTick)
  })

  test('[EL10] five candidates of one split vote rarely time out in the same tick', () => {
    const benches = [1, 2, 3, 4, 5].map((seed) => new Bench({ seed }))
    let ties = 0
    for (let round = 0; round < 200; round++) {
      const waited = benches.map((bench) => ticksOf(bench.become('candidate')))
      const first = Math.min(...waited)
      if (waited.filter((ticks) => ticks === first).length > 1) ties++
    }
    // The share that etcd allows.
    expect(ties).toBeLessThan(0.4 * 200)
  })
})

describe('log replication (§5.3)', () => {
  test('[LR1][DU15] a command is on the leader’s disk and on its way, behind the entry before it, and is not committed yet', () => {
    const bench = new Bench().lead()
    const { lastIndex, commitIndex } = bench.state.log
    bench.node.propose('some data')
    expect(bench.state.log).toMatchObject({ lastIndex: lastIndex + 1, commitIndex })
    const message = { term: 1, prevLogIndex: lastIndex, prevLogTerm: 1, leaderCommit: commitIndex }
    expect(bench.replications()).toMatchObject([2, 3].map((to) => ({ ...message, to })))
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.entries.at(-1)).toEqual({ index: lastIndex + 1, term: 1, command: 'some data' })
  })

  test('[CM1][CM4] what a majority holds is applied by the leader, and its next AppendEntries tell the followers', () => {
    const bench = new Bench().lead()
    bench.node.propose('some data')
    const { lastIndex } = bench.state.log
    bench.acknowledge(2)
    expect(bench.node.applied.at(-1)).toEqual({ index: lastIndex, term: 1, command: 'some data' })
    bench.acknowledge(3)
    bench.node.propose('more')
    expect(bench.replications()).toMatchObject([2, 3].map((to) => ({ to, leaderCommit: lastIndex })))
  })

  test.each([[[]], [[2]], [[1, 2]], [[1]]])(
    '[CM3][CM6] a leader of term 3 with the log %j applies all of it, in order, with its first own entry',
    (log) => {
      const bench = new Bench({ log, term: 2 }).become('leader')
      expect(bench.node.applied).toEqual([])
      bench.node.propose('some data')
      bench.acknowledge(2)
      const applied = bench.node.applied.map(({ index, term }) => [index, term])
      expect(applied).toEqual([...log, 3, 3].map((term, at) => [at + 1, term]))
      expect(bench.node.applied.at(-1)?.command).toBe('some data')
    },
  )

  test.each([
    ['the beginning of every log', 0, 0],
    ['an entry that is committed', 1, 1],
    ['an entry that is not committed', 2, 2],
  ])('[LR4] entries behind %s are accepted', (_, prevLogIndex, prevLogTerm) => {
    const bench = new Bench({ log: [1, 2], term: 2 })
    bench.receive(appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 }))
    expect(bench.state.log.commitIndex).toBe(1)
    const [answer] = bench.receive(appendEntries({ term: 2, prevLogIndex, prevLogTerm, leaderCommit: 1 }))
    expect(answer).toMatchObject({ success: true, prevLogIndex })
    expect(bench.node.terms).toEqual([1, 2])
  })
})

test.each([
  [[1], 2],
  [[1, 2], 3],
])(
  '[EL5][EL11] a candidate that followed a leader with the log %j asks for votes of term %d, and names its last entry',
  (log, term) => {
    const bench = new Bench()
    bench.receive(appendEntries({ term: term - 1, entries: runsOf(log, { index: 0, term: 0 }) }))
    bench.node.tick(2 * timeout)
    bench.sent()
    const asked = bench.receive(bench.preVoteResponse({ from: 2, term: term - 1 }))
    const lastEntry = { lastLogIndex: log.length, lastLogTerm: log.at(-1) }
    expect(asked).toMatchObject([2, 3].map((to) => ({ type: 'requestVote', to, term, ...lastEntry })))
  },
)

describe('interactions that etcd’s raft plays as transcripts', () => {
  test('[FC6][SN1] a full window is lost, and the log is cut meanwhile: the next heartbeat brings the follower a snapshot', () => {
    const network = new RaftNetwork({ nodes: 3, limits: { inflightMessagesMax: 2 } })
    const leader = network.elect(1)
    network.tick(2)
    network.link(1, 3).drop('appendEntries')
    for (const command of ['a', 'b', 'c', 'd']) {
      leader.propose(command)
      network.settle({ to: 2 })
      network.settle({ from: 2 })
    }
    const progress = leader.state.leadership?.progress.get(3)
    expect(progress).toMatchObject({ state: 'replicate', inflightMessages: 2 })
    expect(leader.state.log.commitIndex).toBe(leader.state.log.lastIndex)
    leader.compact()
    network.heal()
    network.tick(4)
    expect(network.node(3).events).toContainEqual(expect.objectContaining({ type: 'snapshotInstalling' }))
    expect(network.node(3).applied).toEqual(leader.applied)
    expect(progress).toMatchObject({ state: 'replicate', inflightMessages: 0 })
  })

  test('[LR17][CM4] a follower whose acknowledgements were lost learns of the commit after a heartbeat and one AppendEntries', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    network.link(3, 1).drop('appendEntriesResponse')
    leader.propose('a')
    leader.propose('b')
    network.settle()
    const { lastIndex, commitIndex } = leader.state.log
    expect(commitIndex).toBe(lastIndex)
    const late = network.node(3)
    expect(late.state.log).toMatchObject({ lastIndex, commitIndex: lastIndex - 2 })
    network.heal()
    leader.tick(2)
    // The leader does not know yet that the entries match, so the heartbeat does not tell that they are committed.
    expect(network.inFlight.filter(({ to }) => to === 3)).toMatchObject([
      { mode: 'heartbeat', leaderCommit: lastIndex - 2 },
    ])
    network.settle()
    expect(late.state.log.commitIndex).toBe(lastIndex)
  })
})
