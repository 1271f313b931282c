/** Every answer names the question that it answers, and an answer to another question changes nothing. */
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/raft/index.js'
import { type NetworkNode, RaftNetwork, runsOf } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  heartbeat,
  installSnapshot,
  installSnapshotResponse,
  preVote,
  refused,
  requestVote,
  requestVoteResponse,
  votersOf,
} from './support/bench.js'

const timeout = 20

/** Ticks one node, and loses what it sends, until it has the role. */
function tickUntil(network: RaftNetwork, node: NetworkNode, role: string): void {
  for (let ticks = 0; node.state.role !== role; ticks++) {
    if (ticks > 3 * timeout) throw new Error(`node ${node.id} is ${node.state.role}`)
    network.take({ from: node.id })
    node.tick()
  }
}

/** A candidate of term 2 whose RequestVote of term 1 to node 2 is late. Node 3 is down: node 2's vote decides. */
function lateRequestVote(): {
  network: RaftNetwork
  late: Message
  candidate: NetworkNode
  voter: NetworkNode
} {
  const network = new RaftNetwork({ nodes: 3 })
  const [candidate, voter] = [network.node(1), network.node(2)]
  network.node(3).crash()
  candidate.campaign()
  network.settle(({ type }) => type.startsWith('preVote'))
  const [late] = network.take({ to: 2, type: 'requestVote' })
  if (late === undefined) throw new Error('a request')
  tickUntil(network, candidate, 'preCandidate')
  network.settle(({ type }) => type.startsWith('preVote'))
  expect(candidate.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
  return { network, late, candidate, voter }
}

describe('a vote is not taken back', () => {
  test('[TM8][EL16] by the answer to a late request of an earlier election', () => {
    const { network, late, candidate } = lateRequestVote()
    network.deliver({ to: 2, type: 'requestVote' })
    network.inject(late)
    network.deliver({ to: 2, type: 'requestVote' })
    // In either order: the refusal overtakes the vote.
    const answers = network.take({ type: 'requestVoteResponse' }).reverse()
    expect(answers).toMatchObject([
      { term: 2, electionTerm: 1, voteGranted: false },
      { term: 2, electionTerm: 2, voteGranted: true },
    ])
    network.inject(...answers)
    network.deliver({ type: 'requestVoteResponse' })
    expect(candidate.state.votes.has(2)).toBe(false)
    network.deliver({ type: 'requestVoteResponse' })
    expect(candidate.state).toMatchObject({ role: 'leader', currentTerm: 2 })
  })

  test('[EL22] while it waits for the voter’s disk', () => {
    const { network, late, candidate, voter } = lateRequestVote()
    voter.disk.isHeld = true
    voter.disk.writesInFlightMax = 1
    // One write is under way, so that the vote waits for the next.
    voter.receive(preVote({ from: 3, to: 2, term: 2 }))
    network.deliver({ to: 2, type: 'requestVote' })
    network.inject(late)
    network.deliver({ to: 2, type: 'requestVote' })
    voter.releaseDisk()
    network.settle()
    expect(candidate.state).toMatchObject({ role: 'leader', currentTerm: 2 })
  })

  test('[EL22] by the voter, whose log has grown when the candidate asks again', () => {
    const bench = new Bench()
    const request = requestVote({ from: 2, term: 1 })
    expect(bench.receive(request)).toMatchObject([{ electionTerm: 1, voteGranted: true }])
    bench.receive(appendEntries({ from: 3, entries: runsOf([1]) }))
    expect(bench.node.terms).toEqual([1])
    bench.node.tick(timeout)
    expect(bench.receive(request)).toMatchObject([{ electionTerm: 1, voteGranted: true }])
  })

  test('[EL22] by a refusal that was sent before it and comes after it', () => {
    const bench = new Bench({}, 5).become('candidate')
    bench.receive(requestVoteResponse({ from: 2 }), requestVoteResponse({ from: 2, voteGranted: false }))
    bench.receive(requestVoteResponse({ from: 3 }))
    expect(bench.state.role).toBe('leader')
  })

  test('[EL22] a refusal promises nothing and leaves at once', () => {
    const bench = new Bench({ log: [1] })
    bench.node.disk.isHeld = true
    const request = requestVote({ term: 2 })
    expect(bench.receive(request)).toMatchObject([{ term: 2, electionTerm: 2, voteGranted: false }])
  })
})

describe('a pre-vote is counted in its own campaign only', () => {
  /** Node 3's grant to node 2 is held; then the leader commits what node 2 misses, and node 2 asks about the same term. */
  function askedTwice(between: (two: NetworkNode) => void): RaftNetwork {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    network.link(3, 2).hold('preVoteResponse')
    network.node(3).waitOutPromise()
    network.node(2).campaign()
    network.settle()
    expect(network.link(3, 2).holding).toMatchObject([{ voteGranted: true }])
    network.tick(2)
    expect(network.node(2).state).toMatchObject({ role: 'follower', leaderId: 1 })
    network.isolate(2)
    leader.propose('x')
    network.tick(2)
    between(network.node(2))
    network.node(2).campaign()
    network.heal()
    network.take()
    network.release(3, 2)
    return network
  }

  test.each([
    ['of the same life', () => undefined],
    [
      'of an earlier life',
      (two: NetworkNode) => {
        two.crash()
        two.restart()
      },
    ],
  ])('[PV8][PV6] a grant to an earlier campaign %s raises no term', (_, between) => {
    const network = askedTwice(between)
    expect(network.deliver({ from: 3, type: 'preVoteResponse' })).toBe(true)
    expect(network.node(2).state).toMatchObject({ role: 'preCandidate', currentTerm: 1 })
    network.tick(3 * timeout)
    expect(network.leaders).toEqual([network.node(1)])
    expect(network.node(1).state.currentTerm).toBe(1)
  })

  test('[PV8] the answer names the campaign that it answers, and asking again is the same campaign', () => {
    const bench = new Bench()
    const asked = () => new Set(bench.sentOf('preVote').map(({ campaign }) => campaign))
    bench.node.campaign()
    const first = asked()
    bench.node.tick(2)
    expect(asked()).toEqual(first)
    bench.node.campaign()
    expect(first.size).toBe(1)
    expect(asked()).not.toEqual(first)
    expect(bench.receive(preVote({ campaign: 77 }))).toMatchObject([{ campaign: 77 }])
  })
})

describe('an answer to a request of an earlier leadership', () => {
  /** A leader of term 2 that knows of no match yet, whose messages of term 1 to node 2 are late. */
  function ledAgain(late: (network: RaftNetwork) => readonly Message[]): RaftNetwork {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    for (let at = 0; at < 50; at++) leader.propose(`${at}`)
    network.tick(2)
    leader.tick(2)
    const messages = late(network)
    network.take()
    leader.tick(2 * timeout)
    network.take()
    network.link(1, 2).hold('appendEntries')
    network.elect(1)
    expect(leader.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      nextIndex: 52,
      matchIndex: 0,
    })
    network.inject(...messages)
    return network
  }

  test('[LR23] a refusal for a stale term moves nothing at a leader of the current one', () => {
    const network = ledAgain((before) => before.take({ to: 2, type: 'appendEntries' }))
    network.settle()
    const progress = network.node(1).state.leadership?.progress.get(2)
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 52 })
    network.link(1, 2).pass()
    network.release(1, 2)
    network.take((message) => message.type === 'appendEntries' && message.mode === 'heartbeat')
    network.settle()
    expect(progress).toMatchObject({ state: 'replicate', matchIndex: 52 })
  })

  test('[CQ2][LR23] a refusal for a stale term does not count for the quorum', () => {
    const bench = new Bench().become('leader')
    const checkQuorum = (answer: Message) => {
      bench.node.tick(timeout - 1)
      bench.receive(answer)
      bench.node.tick(1)
    }
    checkQuorum(accepted(0))
    checkQuorum(refused(0, { conflictIndex: 0 }))
    expect(bench.state.role).toBe('follower')
  })

  test('[SN19] a chunk of a stale term is answered about no snapshot, and the transfer goes on', () => {
    const leader = new Bench({
      snapshot: { applied: [1, 1, 1] },
      log: [1],
      limits: { snapshotChunkBytes: 50 },
    })
    leader.become('leader').receive(refused(4, { term: 2, conflictIndex: 1 }))
    const chunk = (chunkOffset: number, offset: number) =>
      installSnapshotResponse({ term: 2, lastIncludedIndex: 3, chunkOffset, offset })
    leader.receive(chunk(0, 50))
    const snapshot = leader.state.log.snapshot
    if (snapshot === undefined) throw new Error('a snapshot')
    const follower = new Bench({ term: 2 })
    const late = installSnapshot(snapshot, new Uint8Array(50), { term: 1, offset: 0, done: false })
    const [answer] = follower.receive(late)
    expect(answer).toMatchObject({ term: 2, lastIncludedIndex: 0 })
    if (answer === undefined) throw new Error('an answer')
    leader.receive({ ...answer, from: 2, to: 1 } as Message)
    expect(leader.state.leadership?.progress.get(2)).toMatchObject({ state: 'snapshot', snapshotOffset: 50 })
  })
})

describe('an answer out of date, of the same leadership', () => {
  test('[LR24] a refusal that comes twice does not send again what is in the pipeline', () => {
    const bench = new Bench({ log: [1, 1, 1, 1] }).become('leader')
    const refusal = refused(4, { term: 2, conflictIndex: 3 })
    bench.receive(refusal, accepted(3, { term: 2, prevLogIndex: 2 }))
    for (const command of ['a', 'b', 'c']) bench.node.propose(command)
    const progress = bench.state.leadership?.progress.get(2)
    expect(progress).toMatchObject({ state: 'replicate', nextIndex: 9, inflightMessages: 4 })
    bench.sent()
    expect(bench.receive(refusal)).toEqual([])
    expect(progress).toMatchObject({ state: 'replicate', nextIndex: 9, inflightMessages: 4 })
  })

  test('[FC9] an answer to an earlier heartbeat than the last that was answered sends nothing again', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    bench.node.tick(2)
    bench.node.tick(2)
    bench.sent()
    expect(bench.receive(accepted(0, { term: 2, round: 2 }))).toHaveLength(1)
    expect(bench.receive(accepted(0, { term: 2, round: 1 }))).toEqual([])
    expect(bench.receive(accepted(0, { term: 2, round: 2 }))).toEqual([])
  })

  test('[RD5][TM8] of heartbeats that wait for one flush the latest round is answered', () => {
    const bench = new Bench()
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 0
    bench.receive(heartbeat({ round: 5 }), heartbeat({ round: 4 }))
    bench.node.disk.writesInFlightMax = 1
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ round: 5 }])
  })

  test('[SN20] a late answer to an earlier chunk moves no transfer back', () => {
    const setup = { snapshot: { applied: [1, 1, 1, 1, 1] }, log: [1], limits: { snapshotChunkBytes: 50 } }
    const bench = new Bench(setup).become('leader')
    bench.receive(refused(6, { term: 2, conflictIndex: 1 }))
    const chunk = (chunkOffset: number, offset: number) =>
      installSnapshotResponse({ term: 2, lastIncludedIndex: 5, chunkOffset, offset })
    bench.receive(chunk(0, 50), chunk(50, 100))
    expect(bench.receive(chunk(0, 50))).toEqual([])
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ snapshotOffset: 100, isChunkSent: true })
    // A receiver that began anew is believed.
    expect(bench.receive(chunk(100, 0))).toMatchObject([{ type: 'installSnapshot', offset: 0 }])
  })

  test('[SN20] of chunks that wait for one flush the latest is answered', () => {
    const bench = new Bench()
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 0
    const snapshot = { index: 3, term: 1, membership: votersOf(1, 2, 3), size: 30 }
    const chunk = (offset: number) => installSnapshot(snapshot, new Uint8Array(10), { offset })
    bench.receive(chunk(0), chunk(10), chunk(0))
    bench.node.disk.writesInFlightMax = 1
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ chunkOffset: 10, offset: 20 }])
  })

  test('[SN21] a late chunk of an older snapshot does not disturb the newer one', () => {
    const bench = new Bench()
    const snapshotAt = (index: number) => ({ index, term: 1, membership: votersOf(1, 2, 3), size: 30 })
    const chunk = (index: number, offset: number) =>
      installSnapshot(snapshotAt(index), new Uint8Array(10), { offset })
    bench.receive(chunk(5, 0), chunk(3, 0))
    expect(bench.receive(chunk(5, 10))).toMatchObject([{ lastIncludedIndex: 5, offset: 20 }])
  })
})

describe('an answer of a node that is no member', () => {
  const answers: readonly Message[] = [
    accepted(0, { from: 9, term: 7 }),
    requestVoteResponse({ from: 9, term: 7 }),
    installSnapshotResponse({ from: 9, term: 7 }),
    new Bench().preVoteResponse({ from: 9, term: 7 }),
  ]

  test.each(answers)('[TM5] changes nothing, not even the term: $type', (answer) => {
    for (const role of ['follower', 'preCandidate', 'candidate', 'leader'] as const) {
      const bench = new Bench({ term: 3 }).become(role)
      const { currentTerm } = bench.state
      bench.receive(answer)
      expect(bench.state).toMatchObject({ role, currentTerm })
      expect(bench.node.events.at(-1)).toEqual({ type: 'messageDropped', from: 9, reason: 'notAMember' })
    }
  })

  test('[TM2] a learner’s answer is a member’s', () => {
    const bench = new Bench({ term: 3 }, 3, { learners: [9] }).become('leader')
    bench.receive(accepted(0, { from: 9, term: 7 }))
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 7 })
  })
})

describe('a follower that caught up', () => {
  test('[SN22] by a snapshot is sent the next command without waiting for a heartbeat', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    bench.receive(accepted(3, { from: 3, term: 2 }))
    expect(bench.node.compact()).toMatchObject({ index: 3 })
    bench.receive(refused(2, { term: 2, conflictIndex: 1 }))
    bench.receive(installSnapshotResponse({ term: 2, lastIncludedIndex: 3, done: true }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ matchIndex: 3 })
    // A probe that leaves now is lost.
    bench.sent()
    bench.node.propose('b')
    const toTwo = bench.sentOf('appendEntries').filter(({ to }) => to === 2)
    expect(toTwo).toMatchObject([{ prevLogIndex: 3, entries: [{ index: 4 }] }])
  })

  test('[FC1] while its snapshot was being looked for is probed again, though it lacks nothing', () => {
    const setup = { snapshot: { applied: [1, 1, 1] }, log: [1] }
    const bench = new Bench(setup).become('leader')
    bench.receive(refused(4, { term: 2, conflictIndex: 1 }), accepted(5, { term: 2 }))
    bench.node.step({ type: 'snapshotMissing', to: 2, index: 3 })
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      matchIndex: 5,
      nextIndex: 6,
    })
    bench.node.tick(4)
    // The first heartbeat was answered, and something had arrived since.
    bench.receive(accepted(5, { term: 2, round: 1 }))
    const again = bench.receive(accepted(5, { term: 2, round: 2 }))
    expect(again).toMatchObject([{ to: 2, mode: 'replication', prevLogIndex: 5, entries: [] }])
    bench.receive(accepted(5, { term: 2, prevLogIndex: 5 }))
    expect(bench.state.leadership?.progress.get(2)?.state).toBe('replicate')
  })
})
