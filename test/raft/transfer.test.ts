import { describe, expect, test } from 'vitest'
import type { NodeId } from '../../src/raft/index.js'
import { RaftNetwork } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  endTurn,
  heartbeat,
  jointLeader,
  requestVote,
  requestVoteResponse,
  votersOf,
} from './support/bench.js'

const timeout = 20
const timeoutNow = (fields: { from?: NodeId; term?: number } = {}) =>
  ({ type: 'timeoutNow', from: 2, to: 1, term: 1, ...fields }) as const

/** A leader of term 1 whose clock shows 100, with the lease of a round that all others just answered. */
function leaseholder(): Bench {
  const bench = new Bench().lead()
  bench.node.now = 100
  bench.node.tick(2)
  for (const from of [2, 3]) bench.receive(accepted(1, { from, round: 1 }))
  return bench
}

/** A follower of node 2 in term 1, which heard it just now. */
function follower(setup: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench({ term: 1, ...setup })
  bench.receive(heartbeat({ from: 2 }))
  return bench
}

describe('a leader that hands over', () => {
  test('[TL1] refuses commands and changes of the members, and changes nothing by it', () => {
    const bench = new Bench().lead()
    bench.node.propose('before')
    expect(bench.node.transfer(2)).toBe(undefined)
    const before = bench.node.raft.dump()
    expect(bench.node.propose('x')).toEqual({ code: 'transferring', leaderId: 1 })
    const refusal = bench.node.changeMembership({ type: 'remove', nodeId: 3 })
    expect(refusal).toEqual({ code: 'transferring', leaderId: 1, why: 'the leader is handing over' })
    expect(bench.node.raft.dump()).toEqual(before)
  })

  test('[TL1] goes on with what it took before: sends it, commits it and answers reads', () => {
    const bench = new Bench().lead()
    bench.node.propose('x')
    bench.node.transfer(2)
    expect(bench.node.read(7)).toBe(undefined)
    bench.acknowledge(3)
    expect(bench.state.log.commitIndex).toBe(2)
    bench.receive(accepted(1, { from: 3, round: 1 }))
    expect(bench.node.reads).toEqual([{ ids: [7], readIndex: 1 }])
  })

  test('[TL2] tells its successor to take over once the successor holds the whole log, and not before', () => {
    const bench = new Bench().lead()
    for (const command of ['x', 'y']) bench.node.propose(command)
    bench.node.transfer(2)
    bench.acknowledge(3)
    expect(bench.sentOf('timeoutNow')).toEqual([])
    bench.receive(accepted(2, { from: 2 }))
    expect(bench.sentOf('timeoutNow')).toEqual([])
    expect(bench.receive(accepted(3, { from: 2 }))).toContainEqual({
      type: 'timeoutNow',
      from: 1,
      to: 2,
      term: 1,
    })
  })

  test('[TL2] at once where the successor holds it already, and only once before the next heartbeat', () => {
    const bench = new Bench().lead()
    bench.node.transfer(3)
    expect(bench.sentOf('timeoutNow')).toMatchObject([{ to: 3 }])
    bench.node.tick()
    bench.acknowledge(2, 3)
    expect(bench.sentOf('timeoutNow')).toEqual([])
  })

  test('[TL11] tells its successor again with each heartbeat, until the transfer has ended', () => {
    const bench = new Bench().lead()
    bench.node.transfer(3)
    bench.sent()
    const toldWithHeartbeat = () => {
      bench.node.tick(2)
      const round = bench.state.leadership?.heartbeatRound ?? 0
      const sent = bench.receive(accepted(1, { from: 2, round }))
      return sent.filter(({ type }) => type === 'timeoutNow')
    }
    for (let ticks = 2; ticks < timeout; ticks += 2)
      expect(toldWithHeartbeat()).toEqual([{ type: 'timeoutNow', from: 1, to: 3, term: 1 }])
    expect(toldWithHeartbeat()).toEqual([])
    expect(bench.state).toMatchObject({ role: 'leader', leadership: { transfer: undefined } })
  })

  test('[TL11][TL2] tells nothing again that was not told: a successor that lacks an entry waits for that entry', () => {
    const bench = new Bench().lead()
    bench.node.propose('x')
    bench.node.transfer(3)
    bench.node.tick(4)
    expect(bench.sentOf('timeoutNow')).toEqual([])
  })

  test('[TL3][RD13] gives up its lease before the message leaves, in one and the same turn', () => {
    const { node } = leaseholder()
    const { raft } = node
    expect(raft.holdsLease(101)).toBe(true)
    raft.step({ type: 'transfer', to: 2 })
    raft.step({ type: 'read', id: 1 })
    const { messages, reads } = raft.step(endTurn({ now: 101 }))
    expect(messages).toContainEqual(expect.objectContaining({ type: 'timeoutNow' }))
    expect(reads).toEqual([])
    expect(messages).toContainEqual(expect.objectContaining({ type: 'appendEntries', round: 2 }))
    expect(raft.holdsLease(101)).toBe(false)
  })

  test('[TL3] keeps its lease until then: its successor is not told to start before it has caught up', () => {
    const bench = leaseholder()
    bench.node.propose('x')
    bench.node.transfer(2)
    expect(bench.node.raft.holdsLease(101)).toBe(true)
    bench.acknowledge(2)
    expect(bench.node.raft.holdsLease(101)).toBe(false)
  })

  test('[TL3] gets no lease back by later rounds, once the transfer was given up: the message may still arrive', () => {
    const bench = leaseholder()
    bench.node.transfer(2)
    bench.sent()
    for (let ticks = 0; ticks < timeout; ticks += 2) {
      bench.node.now = 100 + ticks
      bench.node.tick(2)
      const round = bench.state.leadership?.heartbeatRound ?? 0
      for (const from of [2, 3]) bench.receive(accepted(1, { from, round }))
    }
    expect(bench.state).toMatchObject({ role: 'leader', leadership: { transfer: undefined } })
    bench.node.read(9)
    expect(bench.node.reads).toEqual([])
    expect(bench.node.raft.holdsLease(bench.node.now ?? 0)).toBe(false)
  })

  test.each([
    ['that never catches up', false],
    ['that was told and does nothing', true],
  ])('[TL4] gives up a successor %s after an election timeout, and takes commands again', (_, isCaughtUp) => {
    const bench = new Bench().lead()
    if (!isCaughtUp) bench.node.propose('x')
    bench.node.transfer(2)
    const tick = () => {
      bench.node.tick()
      bench.receive(accepted(1, { from: 3, round: bench.state.leadership?.heartbeatRound ?? 0 }))
    }
    for (let ticks = 1; ticks < timeout; ticks++) tick()
    expect(bench.node.propose('y')).toMatchObject({ code: 'transferring' })
    tick()
    expect(bench.node.propose('y')).toMatchObject({ first: { term: 1 } })
    expect(bench.node.events).toContainEqual({ type: 'transferEnded', to: 2, isDone: false })
    expect(bench.node.transfer(3)).toBe(undefined)
  })

  test('[TL10] tells when it began, and that it has asked its successor when it leads no longer', () => {
    const bench = new Bench().lead()
    bench.node.transfer(2)
    bench.receive(requestVote({ from: 2, term: 2, lastLogIndex: 1, lastLogTerm: 1, isTransfer: true }))
    const told = bench.node.events.filter(({ type }) => type.startsWith('transfer'))
    expect(told).toEqual([
      { type: 'transferBegan', to: 2 },
      { type: 'transferEnded', to: 2, isDone: true },
    ])
  })

  test('[TL10] tells that it was not done when its leadership ends before', () => {
    const bench = new Bench().lead()
    bench.node.propose('x')
    bench.node.transfer(2)
    bench.receive(appendEntries({ from: 3, term: 5 }))
    expect(bench.node.events).toContainEqual({ type: 'transferEnded', to: 2, isDone: false })
  })
})

describe('the successor', () => {
  /** A leader of five to which the others answer so much of its log. */
  function leaderWith(matches: Readonly<Record<NodeId, number>>): Bench {
    const bench = new Bench({}, 5).become('leader')
    for (const command of ['x', 'y']) bench.node.propose(command)
    bench.node.tick(2)
    for (const [from, matchIndex] of Object.entries(matches))
      bench.receive(accepted(matchIndex, { from: Number(from), round: 1 }))
    return bench
  }

  const transferTarget = (bench: Bench) => bench.state.leadership?.transfer?.to

  test('[TL7] is the voter whose log is longest', () => {
    const bench = leaderWith({ 2: 1, 3: 2, 4: 3, 5: 1 })
    bench.node.transfer()
    expect(transferTarget(bench)).toBe(4)
  })

  test('[TL7] is no learner, however long its log', () => {
    const bench = new Bench({}, 3, { learners: [4] }).become('leader')
    bench.receive(accepted(1, { from: 4 }))
    bench.node.transfer()
    expect(transferTarget(bench)).not.toBe(4)
  })

  test('[TL7] is a node that answers', () => {
    const bench = leaderWith({ 2: 3, 3: 1, 4: 1, 5: 1 })
    for (let ticks = 0; ticks < 2 * timeout; ticks += 2) {
      bench.node.tick(2)
      const round = bench.state.leadership?.heartbeatRound ?? 0
      for (const from of [4, 5]) bench.receive(accepted(1, { from, round }))
    }
    bench.node.transfer()
    expect(transferTarget(bench)).toBe(4)
  })

  test('[TL7][TL9] is no node of priority 0', () => {
    const bench = leaderWith({ 2: 3, 3: 1 })
    bench.node.tick(2)
    bench.receive(accepted(3, { from: 2, round: 2, neverLeads: true }), accepted(1, { from: 3, round: 2 }))
    bench.node.transfer()
    expect(transferTarget(bench)).toBe(3)
  })

  test('[TL7][TL9] is no node that has answered no heartbeat yet: its priority may be 0', () => {
    const bench = leaderWith({ 3: 1 })
    bench.receive(accepted(3, { from: 2 }))
    bench.node.transfer()
    expect(transferTarget(bench)).toBe(3)
  })

  const refusals: readonly [string, NodeId, string, string][] = [
    ['itself', 1, 'invalid', 'node 1 leads already'],
    ['a learner', 4, 'invalid', 'node 4 is no voter, and only voters lead'],
    ['no member', 9, 'invalid', 'node 9 is no voter, and only voters lead'],
    ['a node of priority 0', 3, 'invalid', 'node 3 never leads: its priority is 0'],
    ['a node that is silent', 5, 'notCaughtUp', 'node 5 does not answer the leader'],
  ]

  test.each(refusals)('[TL8][PR2] is not %s', (_, to, code, why) => {
    const bench = new Bench({ membership: { ...votersOf(1, 2, 3, 5), learners: [4] } }).become('leader')
    for (let ticks = 0; ticks < 2 * timeout; ticks += 2) {
      bench.node.tick(2)
      const round = bench.state.leadership?.heartbeatRound ?? 0
      bench.receive(
        accepted(0, { from: 2, round }),
        accepted(0, { from: 3, round, neverLeads: true }),
        accepted(0, { from: 4, round }),
      )
    }
    const before = bench.node.raft.dump()
    expect(bench.node.transfer(to)).toEqual({ code, leaderId: 1, why })
    expect(bench.node.raft.dump()).toEqual(before)
  })

  test('[TL8] is nobody that has not answered this leader yet', () => {
    const bench = new Bench().become('leader')
    bench.acknowledge(3)
    expect(bench.node.transfer(2)).toMatchObject({
      code: 'notCaughtUp',
      why: 'node 2 does not answer the leader',
    })
  })

  test('[TL8] is nobody where nobody else votes', () => {
    const bench = new Bench({}, 1).lead()
    const why = 'nobody else is a voter'
    expect(bench.node.transfer()).toEqual({ code: 'invalid', leaderId: 1, why })
  })

  test('[TL8] is nobody where no other voter answers', () => {
    const bench = new Bench().become('leader')
    const why = 'no other voter that may lead answers the leader'
    expect(bench.node.transfer()).toEqual({ code: 'notCaughtUp', leaderId: 1, why })
  })

  test('[TL8] is one at a time, and asked of the leader', () => {
    const bench = new Bench().lead()
    bench.node.transfer(2)
    const why = 'the leader is handing over'
    expect(bench.node.transfer(3)).toEqual({ code: 'transferring', leaderId: 1, why })
    expect(follower().node.transfer(3)).toMatchObject({ code: 'notLeader', leaderId: 2 })
  })

  test('[TL8] of a joint configuration is of its new half', () => {
    const bench = jointLeader([1, 2, 3], [1, 4, 5])
    expect(bench.node.transfer(2)).toMatchObject({ code: 'invalid' })
    expect(bench.node.transfer(4)).toBe(undefined)
  })
})

describe('a node that is told to take over', () => {
  test('[TL5] starts an election at once, without pre-vote, and its requests say who asked for it', () => {
    const bench = follower()
    const sent = bench.receive(timeoutNow())
    const request = { type: 'requestVote', from: 1, term: 2, isTransfer: true }
    expect(sent).toMatchObject([
      { ...request, to: 2 },
      { ...request, to: 3 },
    ])
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 1 })
  })

  test('[TL5] asks again like that in this election, and not in the next', () => {
    const bench = follower()
    bench.receive(timeoutNow())
    bench.node.tick(2)
    expect(bench.sentOf('requestVote')).toMatchObject([{ isTransfer: true }, { isTransfer: true }])
    bench.node.tick(2 * timeout)
    bench.sent()
    expect(bench.state.role).toBe('preCandidate')
    const again = bench.receive(bench.preVoteResponse({ term: 2 }))
    expect(again.map(({ type }) => type)).toEqual(['requestVote', 'requestVote'])
    for (const message of again) expect(message).not.toHaveProperty('isTransfer')
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 3 })
  })

  const request = requestVote({ from: 3, term: 2, lastLogIndex: 9, lastLogTerm: 1 })

  test('[TL5][EL18][EL20] a node that heard the leader just now votes for it, and for nobody else', () => {
    expect(follower().receive(request)).toEqual([])
    expect(follower().receive({ ...request, isTransfer: true })).toMatchObject([{ to: 3, voteGranted: true }])
  })

  test('[TL5][EL18] the leader itself answers it, and follows', () => {
    const bench = new Bench().lead()
    expect(bench.receive(request)).toEqual([])
    expect(bench.receive({ ...request, isTransfer: true })).toMatchObject([{ to: 3, voteGranted: true }])
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 2 })
  })

  test('[TL5] a log that is behind gets no vote, whoever asked for the election', () => {
    const bench = new Bench({ log: [1, 1], term: 1 })
    const behind = { ...request, lastLogIndex: 1, isTransfer: true } as const
    expect(bench.receive(behind)).toMatchObject([{ voteGranted: false }])
  })

  const ignored: readonly [string, () => Bench, ReturnType<typeof timeoutNow>][] = [
    ['of an earlier term', () => follower({ term: 1 }), timeoutNow({ term: 0 })],
    ['of a node that it does not follow', follower, timeoutNow({ from: 3 })],
    ['once it follows nobody', () => new Bench({ term: 1 }), timeoutNow()],
    ['as a learner', () => follower({ membership: { ...votersOf(2, 3), learners: [1] } }), timeoutNow()],
    ['as no member', () => follower({ membership: votersOf(2, 3) }), timeoutNow()],
    ['with priority 0', () => follower({ priority: 0 }), timeoutNow()],
    ['before its lost disk is made up for', () => follower({ votesFromTerm: 5 }), timeoutNow()],
  ]

  test.each(ignored)('[TL6] ignores the message %s', (_, start, message) => {
    const bench = start()
    expect(bench.receive(message)).toEqual([])
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 1, votedFor: undefined })
  })

  test('[TL6] ignores it when it comes a second time, as a candidate and as a leader', () => {
    const bench = follower()
    bench.receive(timeoutNow())
    expect(bench.receive(timeoutNow())).toEqual([])
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 2 })
    bench.receive(requestVoteResponse({ from: 3, term: 2 }))
    bench.receive(timeoutNow())
    expect(bench.state).toMatchObject({ role: 'leader', currentTerm: 2 })
  })

  test('[TL6][TM7] adopts a later term of it, and no more', () => {
    const bench = follower()
    expect(bench.receive(timeoutNow({ term: 4 }))).toEqual([])
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 4 })
  })

  test('[TL9] with priority 0 it never campaigns by itself either, and votes', () => {
    const bench = follower({ priority: 0 })
    bench.node.tick(5 * timeout)
    expect(bench.state.role).toBe('follower')
    expect(bench.receive(request)).toMatchObject([{ voteGranted: true }])
  })

  test('[TL9] with priority 0 it tells so with its answers to heartbeats, and other nodes tell nothing', () => {
    const answer = (bench: Bench) => bench.receive(heartbeat({ from: 2, round: 2 }))[0]
    expect(answer(follower({ priority: 0 }))).toMatchObject({ mode: 'heartbeat', neverLeads: true })
    expect(answer(follower())).not.toHaveProperty('neverLeads')
  })
})

describe('between nodes', () => {
  const commands = (network: RaftNetwork, id: NodeId) =>
    network.node(id).applied.map(({ command }) => command)

  test('[TL5][TL2] the successor leads without a tick, and has all that was taken before', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.node(1).propose('x')
    network.node(1).transfer(3)
    network.settle()
    expect(network.leaders.map(({ id }) => id)).toEqual([3])
    expect(network.node(3).propose('y')).toMatchObject({ first: { term: 2 } })
    network.tick(3)
    for (const id of [1, 2, 3]) expect(commands(network, id)).toEqual(['', 'x', '', 'y'])
  })

  test('[TL11] a message that is lost costs a heartbeat, and no election timeout', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.node(1).transfer(3)
    expect(network.take({ type: 'timeoutNow' })).toHaveLength(1)
    network.tick(2)
    expect(network.leaders.map(({ id }) => id)).toEqual([3])
  })

  test('[TL4] a successor that dies costs an election timeout, and no command', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.node(1).transfer(3)
    network.node(3).crash()
    network.tick(timeout)
    expect(network.leaders.map(({ id }) => id)).toEqual([1])
    expect(network.node(1).propose('x')).toMatchObject({ first: { term: 1 } })
    network.settle()
    expect(commands(network, 1)).toEqual(['', 'x'])
  })

  test('[TL3] a message that arrives after the transfer was given up makes one election, and no read of before is stale', () => {
    const network = new RaftNetwork({ nodes: 3 })
    for (const node of network.nodes) node.now = 0
    network.elect(1)
    network.link(1, 3).hold('timeoutNow')
    network.node(1).transfer(3)
    for (let now = 1; now <= timeout; now++) {
      for (const node of network.nodes) node.now = now
      network.tick()
    }
    network.release(1, 3)
    network.link(3, 1).drop()
    network.settle()
    expect(network.node(3).state).toMatchObject({ role: 'leader', currentTerm: 2 })
    network.node(3).propose('x')
    network.settle()
    expect(network.node(1).state).toMatchObject({ role: 'leader', currentTerm: 1 })
    network.node(1).read(1)
    expect(network.node(1).reads).toEqual([])
  })

  test('[TL9] of two nodes one never leads: the other one is elected each time', () => {
    const network = new RaftNetwork({ nodes: { 1: { priority: 0 }, 2: {} } })
    network.tick(3 * timeout)
    expect(network.leaders.map(({ id }) => id)).toEqual([2])
    expect(network.node(2).transfer()).toMatchObject({ code: 'notCaughtUp' })
  })
})
