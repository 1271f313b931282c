import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  heartbeat,
  installSnapshotResponse,
  refused,
  requestVote,
} from './support/bench.js'

const timeout = 20

describe('a leader without a majority (thesis §6.2)', () => {
  test('[CQ1] it steps down when no majority answers for an election timeout', () => {
    const bench = new Bench({}, 5).become('leader')
    bench.node.tick(timeout)
    bench.receive(accepted(0, { from: 2, round: 1 }))
    bench.node.tick(timeout - 1)
    expect(bench.state.role).toBe('leader')
    bench.node.tick(1)
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 1, leaderId: undefined })
    expect(bench.node.events.at(-1)).toMatchObject({ role: 'follower', reason: 'quorumLost' })
  })

  test('[CQ1] it leads as long as a majority answers', () => {
    const bench = new Bench({}, 5).become('leader')
    for (let round = 1; round < 10; round++) {
      bench.receive(accepted(0, { from: 2, round }), accepted(0, { from: 4, round }))
      bench.node.tick(timeout)
      expect(bench.state.role).toBe('leader')
    }
  })

  test('[CQ2] every kind of answer counts; those of learners and of earlier terms do not', () => {
    const answers = [
      [accepted(1), true],
      [refused(9), true],
      [accepted(0, { round: 7 }), true],
      [installSnapshotResponse({}), true],
      [accepted(0, { from: 4 }), false],
      [accepted(0, { term: 0 }), false],
    ] as const
    for (const [answer, isCounted] of answers) {
      const bench = new Bench({}, 3, { learners: [4] }).become('leader')
      bench.node.tick(timeout)
      bench.receive(answer)
      bench.node.tick(timeout)
      expect(bench.state.role, JSON.stringify(answer)).toBe(isCounted ? 'leader' : 'follower')
    }
  })

  test('[CQ1] both halves of a joint configuration are asked', () => {
    const bench = new Bench({}, 3, { voters: [1, 2, 3], votersOutgoing: [4, 5, 6] }).become('leader')
    bench.node.tick(timeout)
    bench.receive(accepted(0, { from: 2 }), accepted(0, { from: 4 }))
    bench.node.tick(timeout)
    expect(bench.state.role).toBe('follower')
  })

  test('[CQ1] a leader alone in its cluster needs nobody', () => {
    const bench = new Bench({}, 1)
    bench.node.campaign()
    bench.node.tick(10 * timeout)
    expect(bench.state.role).toBe('leader')
  })
})

describe('links that fail in one direction, or in part', () => {
  test.each([
    [1, 2],
    [1, 3],
    [2, 3],
  ])(
    '[CQ3] three nodes led by 1, the link between %d and %d cut: at most one change of leader, and commands are committed',
    (one, other) => {
      const network = new RaftNetwork({ nodes: 3 })
      network.elect(1)
      network.cut(one, other)
      network.tick(20 * timeout)
      const elections = network.nodes.flatMap(({ events }) =>
        events.filter((event) => event.type === 'role' && event.role === 'leader'),
      )
      expect(elections.length).toBeLessThanOrEqual(2)
      const [leader] = network.leaders
      leader?.propose('x')
      network.tick(2)
      expect(leader?.applied.at(-1)?.command).toBe('x')
    },
  )

  test.each([
    ['a leader that can only hear', [1, 2], [1, 3]],
    ['a leader that can only send', [2, 1], [3, 1]],
  ])('[CQ1][CQ3] %s is replaced, and stays replaced', (_, first, second) => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    for (const [from = 0, to = 0] of [first, second]) network.link(from, to).drop()
    network.tick(6 * timeout)
    const [leader] = network.leaders
    expect(network.leaders).toHaveLength(1)
    expect(leader?.id).not.toBe(1)
    const term = leader?.state.currentTerm
    network.tick(10 * timeout)
    expect(network.leaders).toEqual([leader])
    expect(leader?.state.currentTerm).toBe(term)
  })

  test('[CQ1] five nodes whose leader keeps one link: it steps down, and the others go on', () => {
    const network = new RaftNetwork({ nodes: 5 })
    network.elect(1)
    for (const id of [3, 4, 5]) network.cut(1, id)
    network.tick(2 * timeout)
    expect(network.node(1).state.role).not.toBe('leader')
    network.tick(4 * timeout)
    expect(network.leaders).toHaveLength(1)
    expect(network.leaders[0]?.id).not.toBe(1)
  })

  test('[CQ3] two sides joined by a bridge: somebody leads a majority', () => {
    const network = new RaftNetwork({ nodes: 5 })
    network.elect(1)
    for (const one of [1, 2]) for (const other of [4, 5]) network.cut(one, other)
    network.tick(10 * timeout)
    expect(network.leaders).toHaveLength(1)
    network.leaders[0]?.propose('x')
    network.tick(2)
    expect(network.leaders[0]?.applied.at(-1)?.command).toBe('x')
  })

  test('[TM3][EL8] a stale leader that comes back follows the new one', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.isolate(1)
    network.node(1).propose('never')
    network.elect(2)
    network.node(2).propose('kept')
    network.heal()
    network.tick(4)
    expect(network.node(1).state).toMatchObject({ role: 'follower', leaderId: 2 })
    expect(network.node(1).entries).toEqual(network.node(2).entries)
  })

  test('[EL8] a leader that meets a node of a later term steps down, and the cluster goes on in that term', () => {
    const network = new RaftNetwork({ nodes: { 1: {}, 2: {}, 3: { term: 9 } } })
    network.isolate(3)
    network.elect(1)
    network.heal()
    network.tick(6 * timeout)
    expect(network.leaders).toHaveLength(1)
    expect(network.leaders[0]?.state.currentTerm).toBeGreaterThanOrEqual(10)
  })
})

describe('a disk that stalls', () => {
  test('[CQ4] a leader whose disk finishes nothing for an election timeout steps down', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    leader.disk.isHeld = true
    network.tick(10 * timeout)
    expect(leader.state.role).toBe('leader')
    leader.propose('x')
    network.tick(timeout - 1)
    expect(leader.state.role).toBe('leader')
    network.tick(1)
    expect(leader.state.role).toBe('follower')
    expect(leader.events.filter((event) => event.type === 'role').at(-1)).toMatchObject({
      reason: 'diskStalled',
    })
    network.tick(4 * timeout)
    expect(network.leaders).toHaveLength(1)
    expect(network.leaders[0]?.id).not.toBe(1)
    leader.releaseDisk()
    network.tick(4)
    expect(leader.entries).toEqual(network.leaders[0]?.entries)
  })

  test('[CQ4] a slow disk that finishes something now and then is no stalled one', () => {
    const bench = new Bench({}, 1)
    bench.node.campaign()
    bench.node.disk.isHeld = true
    for (let i = 0; i < 10; i++) {
      bench.node.propose('x')
      bench.node.propose('y')
      bench.node.tick(timeout - 1)
      bench.node.flushNext()
    }
    expect(bench.state.role).toBe('leader')
  })

  test('[CQ5] a node whose disk is stalled does not campaign when its timeout passes', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.receive(requestVote({ term: 2 }))
    bench.node.tick(10 * timeout)
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 2 })
    expect(bench.sent()).toEqual([])
    bench.node.releaseDisk()
    bench.node.tick(2 * timeout)
    expect(bench.state.role).toBe('preCandidate')
  })

  test('[CQ6] a follower with a slow disk answers heartbeats, and claims no more than is flushed', () => {
    const leader = new Bench().become('leader')
    leader.node.propose('a', 'b')
    const entries = leader.state.log.slice(1, 3, 9999)
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    expect(bench.receive(appendEntries({ entries }))).toEqual([])
    expect(bench.receive(heartbeat({ round: 3, prevLogIndex: 3, prevLogTerm: 1 }))).toMatchObject([
      { success: true, round: 3, matchIndex: 0 },
    ])
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ mode: 'replication', success: true, matchIndex: 3 }])
    expect(bench.receive(heartbeat({ round: 4, prevLogIndex: 3, prevLogTerm: 1 }))).toMatchObject([
      { success: true, round: 4, matchIndex: 3 },
    ])
  })

  test('[CQ6][DU10] not even a heartbeat is answered before the leader’s term is on disk', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    expect(bench.receive(heartbeat({ term: 2 }))).toEqual([])
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ term: 2, round: 1, success: true }])
  })
})

test('[CQ7] every change of role is told once, with its reason', () => {
  const network = new RaftNetwork({ nodes: 3 })
  network.elect(1)
  network.tick(4)
  const roles = (id: number) =>
    network
      .node(id)
      .events.flatMap((event) =>
        event.type === 'role' ? [`${event.role} ${event.term} ${event.reason}`] : [],
      )
  expect(roles(1)).toEqual(['preCandidate 0 campaign', 'candidate 1 preVoteWon', 'leader 1 electionWon'])
  expect(roles(2)).toEqual(['follower 1 higherTerm', 'follower 1 leaderDiscovered'])
  network.isolate(1)
  network.tick(6 * timeout)
  const [next] = network.leaders
  network.heal()
  network.tick(4)
  expect(roles(1).slice(3, 4)).toEqual(['follower 1 quorumLost'])
  expect(roles(1).at(-1)).toBe(`follower ${next?.state.currentTerm} higherTerm`)
})
