import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'
import { Bench, heartbeat, preVote } from './support/bench.js'

const timeout = 20

describe('asking (thesis §9.6)', () => {
  test('[PV1] an election begins with a question: neither term nor vote changes, and nothing is written', () => {
    const bench = new Bench({ log: [1, 3], term: 3, votedFor: 2 })
    bench.node.disk.isHeld = true
    bench.node.campaign()
    expect(bench.state).toMatchObject({ role: 'preCandidate', currentTerm: 3, votedFor: 2 })
    expect(bench.sent()).toEqual(
      [2, 3].map((to) => ({
        type: 'preVote',
        from: 1,
        to,
        term: 3,
        nextTerm: 4,
        campaign: bench.state.campaign,
        lastLogIndex: 2,
        lastLogTerm: 3,
      })),
    )
    expect(bench.node.disk.unflushedCount).toBe(0)
  })

  test('[PV4] it becomes a candidate once a majority would vote for it', () => {
    const bench = new Bench({}, 5).become('preCandidate')
    bench.receive(bench.preVoteResponse({ from: 2, term: 0 }), bench.preVoteResponse({ from: 2, term: 0 }))
    expect(bench.state).toMatchObject({ role: 'preCandidate', currentTerm: 0 })
    bench.receive(bench.preVoteResponse({ from: 3, term: 0 }))
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
  })

  test('[PV4] the refusals of a majority end it, in the same term', () => {
    const bench = new Bench({ term: 4 }).become('preCandidate')
    for (const from of [2, 3]) bench.receive(bench.preVoteResponse({ from, term: 4, voteGranted: false }))
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 4, votedFor: undefined })
  })

  test('[PV5] an answer to the question of another term is not counted', () => {
    const bench = new Bench({ term: 4 }).become('preCandidate')
    bench.receive(
      bench.preVoteResponse({ term: 3 }),
      bench.preVoteResponse({ from: 3, term: 4, campaign: bench.state.campaign + 1 }),
    )
    expect(bench.state).toMatchObject({ role: 'preCandidate', currentTerm: 4 })
  })

  test('[PV5] a pre-vote is no vote: an answer that comes late does not elect a candidate', () => {
    const bench = new Bench({}, 5).become('candidate')
    for (const from of [2, 3, 4, 5]) bench.receive(bench.preVoteResponse({ from, term: 1 }))
    expect(bench.state.role).toBe('candidate')
  })

  test('[EL13] the question is asked again of those who have not answered', () => {
    const bench = new Bench({}, 5).become('preCandidate')
    bench.receive(bench.preVoteResponse({ from: 3, term: 0 }))
    bench.node.tick(2)
    expect(bench.sent().map(({ type, to }) => `${type} ${to}`)).toEqual([
      'preVote 2',
      'preVote 4',
      'preVote 5',
    ])
  })
})

describe('answering', () => {
  test.each([
    ['a log as long', 2, 2, true],
    ['a longer log', 3, 2, true],
    ['a later last term', 1, 3, true],
    ['a shorter log', 1, 2, false],
    ['an earlier last term', 9, 1, false],
  ])('[PV2] %s is answered as a vote would be', (_, lastLogIndex, lastLogTerm, voteGranted) => {
    const bench = new Bench({ log: [1, 2], term: 3 })
    const [answer] = bench.receive(preVote({ term: 3, lastLogIndex, lastLogTerm }))
    expect(answer).toEqual({ type: 'preVoteResponse', from: 1, to: 2, term: 3, campaign: 1, voteGranted })
  })

  test('[PV2] a question about a term that is not new is refused, with our term', () => {
    const bench = new Bench({ term: 5 })
    expect(bench.receive(preVote({ term: 4 }))).toMatchObject([{ term: 5, campaign: 1, voteGranted: false }])
  })

  test('[PV3] an answer changes nothing: no term, no vote, no timer, no write', () => {
    const bench = new Bench({ term: 3, votedFor: 3 })
    bench.node.disk.isHeld = true
    const { electionElapsedTicks } = bench.state
    expect(electionElapsedTicks).toBeGreaterThan(0)
    for (const from of [2, 3]) {
      expect(bench.receive(preVote({ from, term: 3 }))).toMatchObject([{ to: from, voteGranted: true }])
    }
    expect(bench.state).toMatchObject({ currentTerm: 3, votedFor: 3, electionElapsedTicks })
    expect(bench.node.disk.unflushedCount).toBe(0)
    expect(bench.node.disk.recover().hardState).toEqual({ currentTerm: 3, votedFor: 3 })
  })

  test('[PV3] pre-votes without end leave the hard state on disk as it is', () => {
    const network = new RaftNetwork({
      nodes: { 1: { term: 2 }, 2: { term: 2, log: [1] }, 3: { term: 2, log: [1] } },
    })
    for (let i = 0; i < 50; i++) {
      network.node(1).campaign()
      network.settle()
    }
    for (const node of network.nodes) {
      expect(node.disk.recover().hardState).toEqual({ currentTerm: 2, votedFor: undefined })
    }
  })

  test('[PV7] no answer while the leader is heard', () => {
    const bench = new Bench()
    bench.receive(heartbeat({ term: 1 }))
    expect(bench.receive(preVote({ from: 3, term: 1 }))).toEqual([])
    bench.node.tick(timeout)
    expect(bench.receive(preVote({ from: 3, term: 1 }))).toMatchObject([{ voteGranted: true }])
  })
})

describe('what it is for', () => {
  test('[PV6] a node that is cut off never raises its term, and disturbs nobody when it comes back', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.isolate(3)
    network.tick(10 * timeout)
    expect(network.node(3).state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    leader.propose('x')
    network.heal()
    network.tick(3 * timeout)
    expect(network.leaders).toEqual([leader])
    expect(leader.state.currentTerm).toBe(1)
    expect(network.node(3).state).toMatchObject({ role: 'follower', leaderId: 1 })
    expect(network.node(3).applied.at(-1)?.command).toBe('x')
  })

  test('[PV6] a node that can send and not hear disturbs nobody', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.link(1, 3).drop()
    network.link(2, 3).drop()
    network.tick(10 * timeout)
    expect(network.leaders).toEqual([leader])
    expect(leader.state.currentTerm).toBe(1)
  })

  test('[PV6] a node whose log lacks what is committed does not depose anybody', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.isolate(3)
    network.node(1).propose('x')
    network.tick(5)
    network.node(1).crash()
    network.heal()
    network.cut(2, 3)
    network.link(3, 2).pass()
    network.tick(3 * timeout)
    expect(network.node(3).state.role).not.toBe('leader')
    network.heal()
    network.tick(4 * timeout)
    expect(network.leaders.map(({ id }) => id)).toEqual([2])
  })
})
