import { describe, expect, test } from 'vitest'
import type { Role } from '../../src/raft/index.js'
import { RaftNetwork } from '../../src/testing/index.js'
import { appendEntries, Bench, heartbeat, requestVote, requestVoteResponse } from './support/bench.js'

const timeout = 20

describe('how an election begins (§5.2)', () => {
  test('[EL3] a node starts as a follower that knows no leader', () => {
    const { state } = new Bench({ log: [1, 1], term: 3, votedFor: 2 })
    expect(state).toMatchObject({ role: 'follower', leaderId: undefined, currentTerm: 3, votedFor: 2 })
  })

  test('[EL4] a follower that hears nothing over the election timeout begins an election', () => {
    const { node, state, network } = new Bench()
    node.tick(timeout)
    expect(state.role).toBe('follower')
    node.tick(timeout)
    expect(state.role).toBe('preCandidate')
    expect(network.inFlight.map(({ type, to }) => [type, to])).toContainEqual(['preVote', 2])
    expect(node.events[0]).toMatchObject({ type: 'role', role: 'preCandidate', reason: 'electionTimeout' })
  })

  test('[EL4] a follower stays one as long as it hears its leader', () => {
    const { node, state } = new Bench()
    for (let i = 0; i < 10; i++) {
      node.receive(heartbeat({ term: 1, round: i + 1 }))
      node.tick(timeout)
    }
    expect(state).toMatchObject({ role: 'follower', leaderId: 2 })
  })

  test('[EL5] a candidate increments its term, votes for itself and asks all other voters in parallel', () => {
    const bench = new Bench({ log: [1, 2, 2] }, 5)
    bench.node.campaign()
    bench.sent()
    const sent = bench.receive(
      bench.preVoteResponse({ from: 2, term: 2 }),
      bench.preVoteResponse({ from: 3, term: 2 }),
    )
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 3, votedFor: 1, leaderId: undefined })
    const request = { type: 'requestVote', from: 1, term: 3, lastLogIndex: 3, lastLogTerm: 2 }
    expect(sent).toEqual([2, 3, 4, 5].map((to) => ({ ...request, to })))
  })

  test('[EL14] a learner and a node that is no member never campaign', () => {
    for (const membership of [{ voters: [2, 3], learners: [1] }, { voters: [2, 3] }]) {
      const bench = new Bench({}, 3, membership)
      bench.node.tick(100)
      bench.node.campaign()
      expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 0 })
      expect(bench.sent()).toEqual([])
    }
  })

  test('[EL17] a leader that is told to campaign goes on leading', () => {
    const bench = new Bench().become('leader')
    bench.node.campaign()
    expect(bench.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })
})

describe('how it ends', () => {
  test.each([
    [1, []],
    [2, [2]],
    [3, [2]],
    [4, [2, 3]],
    [5, [2, 3]],
    [7, [2, 3, 4]],
  ])('[EL6] of %d nodes, the votes of %j make node 1 leader, and one less does not', (voterCount, others) => {
    const lacking = new Bench({}, voterCount)
    if (others.length > 0) {
      lacking.become('candidate')
      for (const from of others.slice(1)) lacking.receive(requestVoteResponse({ from }))
      // The same vote twice is one vote.
      for (const from of others.slice(1)) lacking.receive(requestVoteResponse({ from }))
      expect(lacking.state.role).toBe('candidate')
      lacking.receive(requestVoteResponse({ from: others[0] ?? 0 }))
    } else {
      lacking.node.campaign()
    }
    expect(lacking.state).toMatchObject({ role: 'leader', currentTerm: 1, leaderId: 1 })
  })

  test('[EL14] the votes of learners and strangers are not counted', () => {
    const bench = new Bench({}, 3, { learners: [4] }).become('candidate')
    bench.receive(requestVoteResponse({ from: 4 }), requestVoteResponse({ from: 9 }))
    expect(bench.state.role).toBe('candidate')
  })

  test('[EL6] in a joint configuration both halves must vote', () => {
    const bench = new Bench({}, 3, { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] })
    bench.node.campaign()
    for (const from of [2, 4]) bench.receive(bench.preVoteResponse({ from, term: 0 }))
    bench.receive(requestVoteResponse({ from: 2 }), requestVoteResponse({ from: 3 }))
    expect(bench.state.role).toBe('candidate')
    bench.receive(requestVoteResponse({ from: 5 }))
    expect(bench.state.role).toBe('leader')
  })

  test('[EL7] a new leader makes itself known to all at once, to prevent new elections', () => {
    const bench = new Bench({ log: [1, 1] }).become('candidate')
    const sent = bench.receive(requestVoteResponse({ term: 2 }))
    expect(sent).toMatchObject([
      { type: 'appendEntries', to: 2, term: 2, prevLogIndex: 2, prevLogTerm: 1 },
      { type: 'appendEntries', to: 3, term: 2, prevLogIndex: 2, prevLogTerm: 1 },
    ])
  })

  test.each<[Role, number]>([
    ['preCandidate', 1],
    ['candidate', 2],
  ])('[EL8] a %s that hears a leader of its term or a later one follows it', (role, term) => {
    for (const later of [0, 3]) {
      const bench = new Bench({ log: [1] }).become(role)
      const [answer] = bench.receive(appendEntries({ term: term + later, prevLogIndex: 1, prevLogTerm: 1 }))
      expect(bench.state).toMatchObject({ role: 'follower', leaderId: 2, currentTerm: term + later })
      expect(answer).toMatchObject({ success: true, term: term + later })
    }
  })

  test.each<[Role, number]>([
    ['preCandidate', 5],
    ['candidate', 6],
  ])('[EL8] a %s rejects a leader of an earlier term and goes on', (role, term) => {
    const bench = new Bench({ log: [1], term: 5 }).become(role)
    const sent = bench.receive(appendEntries({ term: 4, prevLogIndex: 1, prevLogTerm: 1 }))
    expect(sent).toMatchObject([{ type: 'appendEntriesResponse', success: false, term }])
    expect(bench.state).toMatchObject({ role, currentTerm: term })
  })

  test('[EL9] after a split vote each candidate times out and begins a new election, in a new term', () => {
    const network = new RaftNetwork({ nodes: 4 })
    for (const id of [1, 2]) network.node(id).campaign()
    // Each half hears its own candidate first.
    network.settle(({ type }) => type.startsWith('preVote'))
    for (const [from, to] of [
      [1, 3],
      [2, 4],
      [1, 2],
      [1, 4],
      [2, 1],
      [2, 3],
    ] as const) {
      network.deliver({ type: 'requestVote', from, to })
    }
    network.settle()
    expect(network.leaders).toEqual([])
    expect([1, 2].map((id) => network.node(id).state.currentTerm)).toEqual([1, 1])
    network.tick(3 * timeout)
    expect(network.leaders).toHaveLength(1)
    expect(network.leaders[0]?.state.currentTerm).toBeGreaterThan(1)
  })

  test('[EL9] a candidate without an answer asks anew after a timeout', () => {
    const bench = new Bench().become('candidate')
    bench.node.tick(2 * timeout)
    expect(bench.state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
  })

  test('[EL13] voters who have not answered are asked again at every heartbeat interval, the others are not', () => {
    const bench = new Bench({}, 5).become('candidate')
    bench.receive(requestVoteResponse({ from: 2, voteGranted: false }))
    bench.node.tick(2)
    expect(bench.sent().map(({ type, to }) => `${type} ${to}`)).toEqual(
      [3, 4, 5].map((to) => `requestVote ${to}`),
    )
    bench.node.tick(1)
    expect(bench.sent()).toEqual([])
  })

  test('[EL15] the refusals of a majority end an election before its timeout', () => {
    const bench = new Bench().become('candidate')
    bench.receive(requestVoteResponse({ from: 2, voteGranted: false }))
    expect(bench.state.role).toBe('candidate')
    bench.receive(requestVoteResponse({ from: 3, voteGranted: false }))
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 1, votedFor: 1 })
    expect(bench.node.events.at(-1)).toMatchObject({ reason: 'electionLost' })
  })

  test('[EL16] votes and pre-votes of an earlier election are not counted', () => {
    const bench = new Bench().become('candidate')
    bench.node.tick(2 * timeout)
    bench.receive(bench.preVoteResponse({ term: 1 }))
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
    bench.receive(requestVoteResponse({ term: 1 }), requestVoteResponse({ from: 3, term: 1 }))
    expect(bench.state.role).toBe('candidate')
    bench.receive(bench.preVoteResponse({ from: 3, term: 1 }), bench.preVoteResponse({ from: 3, term: 2 }))
    expect(bench.state.role).toBe('candidate')
    bench.receive(requestVoteResponse({ from: 3, term: 2 }))
    expect(bench.state.role).toBe('leader')
  })
})

describe('who gets a vote', () => {
  test('[EL1] a node votes for one candidate a term, first come first served', () => {
    const bench = new Bench()
    expect(bench.receive(requestVote({ from: 2, term: 1 }))).toMatchObject([
      { to: 2, term: 1, voteGranted: true },
    ])
    expect(bench.receive(requestVote({ from: 3, term: 1 }))).toMatchObject([
      { to: 3, term: 1, voteGranted: false },
    ])
    expect(bench.state.votedFor).toBe(2)
    expect(bench.receive(requestVote({ from: 3, term: 2 }))).toMatchObject([
      { to: 3, term: 2, voteGranted: true },
    ])
  })

  test('[EL1] a vote is remembered across a restart', () => {
    const { node, network } = new Bench()
    node.receive(requestVote({ from: 2, term: 1 }))
    node.crash()
    node.restart()
    node.waitOutPromise()
    network.take()
    node.receive(requestVote({ from: 3, term: 1 }))
    expect(network.take()).toMatchObject([{ to: 3, voteGranted: false }])
  })

  test('[EL2] a candidate that asks again gets the same answer', () => {
    const bench = new Bench()
    const [first] = bench.receive(requestVote({ term: 1 }))
    expect(bench.receive(requestVote({ term: 1 }))).toEqual([first])
  })

  test('[EL1] a candidate has given its vote to itself', () => {
    const bench = new Bench().become('candidate')
    expect(bench.receive(requestVote({ term: 1 }))).toMatchObject([{ voteGranted: false }])
    expect(bench.state).toMatchObject({ role: 'candidate', votedFor: 1 })
  })

  // The rows of etcd's TestVoter.
  test.each([
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 1, 1, false],
    [[1], 2, 1, true],
    [[1], 2, 2, true],
    [[1, 1], 2, 1, true],
    [[2], 1, 1, false],
    [[2], 1, 2, false],
    [[1, 2], 1, 1, false],
    [[1, 1, 1], 2, 1, true],
    [[], 0, 0, true],
  ])(
    '[EL11] a voter with log %j, a candidate whose last entry has term %d and index %d: %s',
    (log, lastLogTerm, lastLogIndex, voteGranted) => {
      const bench = new Bench({ log })
      expect(bench.receive(requestVote({ term: 3, lastLogTerm, lastLogIndex }))).toMatchObject([
        { term: 3, voteGranted },
      ])
      expect(bench.state).toMatchObject({ currentTerm: 3, votedFor: voteGranted ? 2 : undefined })
    },
  )

  test('[EL12] hearing the leader and granting a vote put off the election', () => {
    const granting = new Bench()
    granting.node.tick(timeout)
    granting.receive(requestVote({ term: 1 }))
    expect(granting.state.electionElapsedTicks).toBe(0)
    const following = new Bench()
    following.node.tick(timeout)
    following.receive(heartbeat({ term: 1 }))
    expect(following.state.electionElapsedTicks).toBe(0)
  })

  test('[EL12] a refused request puts off nothing, though its term is adopted', () => {
    const bench = new Bench({ log: [1, 2] })
    const { electionElapsedTicks } = bench.state
    expect(electionElapsedTicks).toBeGreaterThan(0)
    bench.receive(requestVote({ term: 7, lastLogIndex: 9, lastLogTerm: 1 }))
    expect(bench.state).toMatchObject({
      currentTerm: 7,
      votedFor: undefined,
      electionElapsedTicks,
    })
    bench.receive(requestVoteResponse({ term: 8, voteGranted: false }))
    expect(bench.state).toMatchObject({ currentTerm: 8, electionElapsedTicks })
  })

  test('[EL18] while its leader is heard a node ignores vote requests: term, vote and timer stay', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(heartbeat({ term: 1 }))
    bench.node.tick(timeout - 1)
    expect(bench.receive(requestVote({ from: 3, term: 9 }))).toEqual([])
    expect(bench.state).toMatchObject({
      currentTerm: 1,
      votedFor: undefined,
      electionElapsedTicks: timeout - 1,
    })
    expect(bench.node.events.at(-1)).toEqual({
      type: 'voteAnswered',
      candidateId: 3,
      term: 9,
      isPreVote: false,
      voteGranted: false,
      reason: 'leaderMayBeAlive',
    })
    bench.node.tick(1)
    expect(bench.receive(requestVote({ from: 3, term: 9 }))).toMatchObject([{ term: 9, voteGranted: true }])
  })

  test('[EL18] a leader ignores vote requests as long as it leads', () => {
    const bench = new Bench().become('leader')
    expect(bench.receive(requestVote({ term: 9, lastLogIndex: 9, lastLogTerm: 8 }))).toEqual([])
    expect(bench.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })
})

describe('randomized timeouts', () => {
  test('[EL10] a timeout lies above the election timeout, and at most at twice as much', () => {
    const seen = new Set<number>()
    for (let seed = 1; seed <= 200; seed++) {
      const { randomizedElectionTimeoutTicks } = new Bench({ seed }).state
      expect(randomizedElectionTimeoutTicks).toBeGreaterThan(timeout)
      expect(randomizedElectionTimeoutTicks).toBeLessThanOrEqual(2 * timeout)
      seen.add(randomizedElectionTimeoutTicks)
    }
    expect(seen.size).toBe(timeout)
  })

  test('[EL10] it is drawn anew for every election', () => {
    const bench = new Bench()
    const seen = new Set<number>()
    for (let i = 0; i < 30; i++) {
      bench.node.campaign()
      seen.add(bench.state.randomizedElectionTimeoutTicks)
    }
    expect(seen.size).toBeGreaterThan(10)
  })

  test('[EL10] it is drawn anew for every leader, and not while that one leads', () => {
    const bench = new Bench()
    const seen = new Set<number>()
    for (let term = 1; term <= 30; term++) {
      bench.receive(heartbeat({ from: 2, term }))
      const { randomizedElectionTimeoutTicks } = bench.state
      seen.add(randomizedElectionTimeoutTicks)
      bench.receive(heartbeat({ from: 2, term }))
      expect(bench.state.randomizedElectionTimeoutTicks).toBe(randomizedElectionTimeoutTicks)
    }
    expect(seen.size).toBeGreaterThan(10)
  })

  test('[EL10] five nodes that start together rarely time out in the same tick', () => {
    let ties = 0
    for (let seed = 0; seed < 100; seed++) {
      const timeouts = [1, 2, 3, 4, 5].map(
        (id) => new Bench({ seed: seed * 5 + id }).state.randomizedElectionTimeoutTicks,
      )
      const first = Math.min(...timeouts)
      if (timeouts.filter((each) => each === first).length > 1) ties++
    }
    expect(ties).toBeLessThan(40)
  })

  test('[EL19] three nodes left to themselves elect one leader, and it stays', () => {
    for (let seed = 0; seed < 20; seed++) {
      const network = new RaftNetwork({
        nodes: { 1: { seed: seed * 3 + 1 }, 2: { seed: seed * 3 + 2 }, 3: { seed: seed * 3 + 3 } },
      })
      network.tick(5 * timeout)
      expect(network.leaders).toHaveLength(1)
      const leader = network.leaders[0]
      const term = leader?.state.currentTerm
      network.tick(5 * timeout)
      expect(network.leaders).toEqual([leader])
      expect(leader?.state.currentTerm).toBe(term)
    }
  })
})
