import { describe, expect, test } from 'vitest'
import { needsFlush } from '../../src/raft/index.js'
import { RaftNetwork, runOf, runsOf } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  endTurn,
  heartbeat,
  requestVote,
  requestVoteResponse,
  takePersist,
} from './support/bench.js'

/** A node whose disk takes writes and flushes none until it is told to. */
function stalled(setup = {}, voterCount = 3): Bench {
  const bench = new Bench(setup, voterCount)
  bench.node.disk.isHeld = true
  return bench
}

describe('votes', () => {
  test('[DU9] a candidate asks for votes, and counts its own, once term and vote are on its disk', () => {
    const bench = stalled()
    bench.node.campaign()
    bench.receive(bench.preVoteResponse({ term: 0 }))
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 1 })
    expect(bench.sent()).toEqual([])
    expect([...bench.state.votes]).toEqual([])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([
      { type: 'requestVote', to: 2 },
      { type: 'requestVote', to: 3 },
    ])
    expect([...bench.state.votes]).toEqual([[1, true]])
    expect(bench.node.disk.recover().hardState).toEqual({ currentTerm: 1, votedFor: 1 })
  })

  test('[DU9] without its own vote on disk nobody’s votes make it leader', () => {
    const bench = stalled()
    bench.node.campaign()
    bench.receive(bench.preVoteResponse({ term: 0 }))
    bench.receive(requestVoteResponse({ from: 2 }), requestVoteResponse({ from: 3 }))
    expect(bench.state.role).toBe('candidate')
    bench.node.flushNext()
    expect(bench.state.role).toBe('leader')
  })

  test('[DU9] the late flush of an earlier write is not taken for that of the own vote', () => {
    const bench = stalled({}, 1)
    bench.receive(heartbeat({ term: 3, from: 9 }))
    bench.node.campaign()
    expect(bench.state).toMatchObject({ role: 'candidate', currentTerm: 4 })
    bench.node.flushNext()
    expect(bench.state.role).toBe('candidate')
    bench.node.flushNext()
    expect(bench.state.role).toBe('leader')
  })

  test('[DU9] a candidate that crashes before the flush has asked nobody, and may vote in that term', () => {
    const bench = stalled()
    bench.node.campaign()
    bench.receive(bench.preVoteResponse({ term: 0 }))
    bench.node.crash()
    bench.node.restart()
    bench.node.disk.isHeld = false
    expect(bench.sent()).toEqual([])
    expect(bench.receive(requestVote({ from: 3, term: 1 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[DU10] a vote leaves once it is on disk; until then it waits', () => {
    const bench = stalled()
    expect(bench.receive(requestVote({ term: 1 }))).toEqual([])
    expect(bench.receive(requestVote({ term: 1 }))).toEqual([])
    bench.node.flushNext()
    expect(bench.node.disk.recover().hardState).toEqual({ currentTerm: 1, votedFor: 2 })
    expect(bench.sent()).toMatchObject([{ type: 'requestVoteResponse', to: 2, voteGranted: true }])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ voteGranted: true }])
    // Now there is nothing to wait for.
    expect(bench.receive(requestVote({ term: 1 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[DU10] a vote that a crash forgot was given to nobody', () => {
    const bench = stalled()
    bench.receive(requestVote({ from: 2, term: 1 }))
    bench.node.crash()
    bench.node.restart()
    bench.node.disk.isHeld = false
    expect(bench.receive(requestVote({ from: 3, term: 1 }))).toMatchObject([{ to: 3, voteGranted: true }])
  })

  test('[DU10] term and vote are in one write', () => {
    const bench = stalled()
    bench.receive(requestVote({ term: 4 }))
    expect(bench.node.disk.unflushedCount).toBe(1)
    bench.node.flushNext()
    expect(bench.node.disk.recover().hardState).toEqual({ currentTerm: 4, votedFor: 2 })
  })

  test('[DU13] a vote that waits for its flush is not sent once the term has passed', () => {
    const bench = stalled()
    bench.node.disk.writesInFlightMax = 0
    bench.receive(requestVote({ from: 2, term: 1 }))
    bench.receive(requestVote({ from: 3, term: 2 }))
    bench.node.disk.writesInFlightMax = 1
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ to: 3, term: 2, voteGranted: true }])
  })
})

describe('entries', () => {
  test('[DU11] they are acknowledged once they are on disk', () => {
    const bench = stalled({ term: 1 })
    expect(bench.receive(appendEntries({ entries: runsOf([1, 1]) }))).toEqual([])
    bench.node.flushNext()
    expect(bench.node.disk.recover().entries).toHaveLength(2)
    expect(bench.sent()).toMatchObject([{ success: true, matchIndex: 2 }])
  })

  test('[DU11] the same entries again, while the first write is not flushed, are not acknowledged sooner', () => {
    const bench = stalled({ term: 1 })
    const message = appendEntries({ entries: runsOf([1, 1]) })
    expect(bench.receive(message, message, message)).toEqual([])
    bench.node.releaseDisk()
    expect(new Set(bench.sent().map((answer) => 'matchIndex' in answer && answer.matchIndex))).toEqual(
      new Set([2]),
    )
  })

  test('[DU11] nor are they before the term is on disk', () => {
    const bench = stalled({ log: [1, 1] })
    expect(bench.receive(appendEntries({ term: 3, prevLogIndex: 2, prevLogTerm: 1 }))).toEqual([])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ success: true, term: 3, matchIndex: 2 }])
  })

  test('[DU11] a refusal promises nothing and leaves at once', () => {
    const bench = stalled({ log: [1] })
    expect(bench.receive(appendEntries({ term: 5, prevLogIndex: 7, prevLogTerm: 1 }))).toMatchObject([
      { success: false, term: 5 },
    ])
  })

  test('[DU12] the late flush of entries that were cut off meanwhile is not counted', () => {
    const bench = stalled({ term: 1 })
    bench.receive(appendEntries({ entries: runsOf([1, 1, 1, 1]) }))
    const entries = [runOf({ index: 3, term: 2 }, 'x')]
    bench.receive(appendEntries({ from: 3, term: 2, prevLogIndex: 2, prevLogTerm: 1, entries }))
    expect(bench.state.log).toMatchObject({ lastIndex: 3, flushedIndex: 0 })
    bench.node.flushNext()
    expect(bench.state.log.flushedIndex).toBe(2)
    // The write of term 1 may still be acknowledged to its leader: it was on disk.
    bench.sent()
    bench.node.flushNext()
    expect(bench.state.log.flushedIndex).toBe(3)
    expect(bench.sent()).toMatchObject([{ to: 3, term: 2, matchIndex: 3 }])
  })

  test('[DU12] cut off twice, flushed late each time, the leader still counts only what is on disk', () => {
    const network = new RaftNetwork({ nodes: 5 })
    const leader = network.elect(1)
    network.settle()
    leader.disk.isHeld = true
    leader.propose('a', 'b', 'c')
    network.take()
    network.elect(2)
    network.tick(3)
    expect(leader.terms).toEqual([1, 2])
    leader.flushNext()
    expect(leader.state.log.flushedIndex).toBe(1)
    leader.crash()
    leader.restart()
    expect(leader.terms).toEqual([1, 1, 1, 1])
    leader.releaseDisk()
    network.tick(5)
    expect(leader.terms).toEqual([1, 2])
  })

  test('[DU13] an acknowledgement that waits is dropped when the term passes: it may be true no more', () => {
    const bench = stalled({ term: 1 })
    bench.node.disk.writesInFlightMax = 0
    bench.receive(appendEntries({ entries: runsOf([1, 1]) }))
    const entries = [runOf({ index: 1, term: 2 }, 'x')]
    bench.receive(appendEntries({ from: 3, term: 2, entries }))
    bench.node.disk.writesInFlightMax = 9
    bench.node.releaseDisk()
    expect(bench.sent()).toMatchObject([{ to: 3, term: 2, matchIndex: 1 }])
  })
})

test('[DU13] an acknowledgement that waits is dropped also when the next leader’s message needs none', () => {
  const bench = stalled({ term: 1 })
  bench.node.disk.writesInFlightMax = 0
  bench.receive(appendEntries({ entries: runsOf([1, 1]) }), heartbeat({ from: 3, term: 2 }))
  bench.node.disk.writesInFlightMax = 1
  bench.node.releaseDisk()
  expect(bench.sent()).toMatchObject([{ to: 3, term: 2, round: 1 }])
})

describe('writes', () => {
  test('[DU14] they are flushed in order, each once: anything else is our own bug', () => {
    const bench = stalled({ term: 1 })
    bench.receive(appendEntries({ entries: runsOf([1]) }))
    bench.receive(
      appendEntries({ entries: runsOf([1], { index: 1, term: 1 }), prevLogIndex: 1, prevLogTerm: 1 }),
    )
    expect(() => bench.node.raft.step({ type: 'flushed', sequence: 2 })).toThrow('in order')
    const other = stalled()
    expect(() => other.node.raft.step({ type: 'flushed', sequence: 1 })).toThrow('in order')
  })

  test('[DU15] a write is all that is not on its way yet, each thing once', () => {
    const bench = stalled({ log: [1, 1, 1], term: 1 })
    bench.node.disk.writesInFlightMax = 0
    const { raft } = bench.node
    const entries = [runOf({ index: 2, term: 2 }, 'x', 'y')]
    bench.receive(appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries }))
    expect(takePersist(raft)).toMatchObject({
      sequence: 1,
      hardState: { currentTerm: 2, votedFor: undefined },
      truncateFrom: 2,
      entries: [{ index: 2, count: 2 }],
      install: undefined,
      snapshotChunks: [],
      messages: [{ type: 'appendEntriesResponse', matchIndex: 3 }],
    })
    expect(takePersist(raft)).toBe(undefined)
    bench.receive(
      appendEntries({
        term: 2,
        prevLogIndex: 3,
        prevLogTerm: 2,
        entries: [runOf({ index: 4, term: 2 }, 'z')],
      }),
    )
    const second = takePersist(raft)
    expect(second).toMatchObject({
      sequence: 2,
      hardState: undefined,
      truncateFrom: undefined,
      entries: [{ index: 4 }],
    })
    expect(second !== undefined && needsFlush(second)).toBe(true)
  })

  test('[DU15] what never reached the store need not be removed from it', () => {
    const bench = stalled({ log: [1], term: 1 })
    bench.node.disk.writesInFlightMax = 0
    bench.receive(
      appendEntries({ prevLogIndex: 1, prevLogTerm: 1, entries: runsOf([1, 1], { index: 1, term: 1 }) }),
    )
    const entries = [runOf({ index: 2, term: 2 }, 'x')]
    bench.receive(appendEntries({ from: 3, term: 2, prevLogIndex: 1, prevLogTerm: 1, entries }))
    expect(takePersist(bench.node.raft)).toMatchObject({
      truncateFrom: undefined,
      entries: [{ index: 2, term: 2 }],
    })
  })

  test('[DU15] an answer that waits for an earlier write alone needs no flush of its own', () => {
    const bench = stalled({ term: 1 })
    const message = appendEntries({ entries: runsOf([1]) })
    bench.receive(message)
    bench.node.disk.writesInFlightMax = 0
    bench.receive(message)
    const persist = takePersist(bench.node.raft)
    expect(persist).toMatchObject({ sequence: 2, entries: [], messages: [{ matchIndex: 1 }] })
    expect(persist !== undefined && needsFlush(persist)).toBe(false)
    expect(takePersist(bench.node.raft)).toBe(undefined)
  })

  test('[DU15] an idle node has nothing to write, and nothing to send', () => {
    const bench = new Bench({ log: [1], term: 1 })
    expect(takePersist(bench.node.raft)).toBe(undefined)
    expect(bench.node.raft.step(endTurn())).toEqual({
      messages: [],
      persist: undefined,
      apply: [],
      hasMore: false,
      reads: [],
      events: [],
    })
  })

  test('[DU16] a leader sends entries beside its own write (thesis §10.2.1)', () => {
    const bench = new Bench().become('leader')
    bench.receive(accepted(1), accepted(1, { from: 3 }))
    bench.node.disk.isHeld = true
    bench.node.propose('x')
    expect(bench.node.disk.unflushedCount).toBe(1)
    expect(bench.sentOf('appendEntries').map(({ to }) => to)).toEqual([2, 3])
  })

  test('[DU17] after a crash a node goes on from what was flushed', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(appendEntries({ entries: runsOf([1, 1]), leaderCommit: 2 }))
    bench.node.disk.isHeld = true
    bench.receive(
      appendEntries({
        prevLogIndex: 2,
        prevLogTerm: 1,
        entries: runsOf([1], { index: 2, term: 1 }),
        leaderCommit: 3,
      }),
    )
    expect(bench.node.applied).toHaveLength(3)
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.terms).toEqual([1, 1])
    expect(bench.state).toMatchObject({ role: 'follower', currentTerm: 1, leaderId: undefined })
    expect(bench.state.log).toMatchObject({
      commitIndex: 0,
      lastApplied: 0,
      flushedIndex: 2,
      submittedIndex: 2,
    })
  })

  test('[DU17] a disk whose log is of a later term than its hard state is refused', () => {
    expect(() => new Bench({ log: [1, 4], term: 3 })).toThrow('no entry is of a later term than the node')
  })
})
