import { describe, expect, test } from 'vitest'
import {
  accepted,
  appendEntries,
  Bench,
  endTurn,
  heartbeat,
  jointLeader,
  preVote,
  requestVote,
} from './support/bench.js'

const timeout = 20
/** Three quarters of an election timeout that is two ticks shorter. */
const lease = 13.5

const answer = (from: number, round: number, fields = {}) => accepted(0, { from, round, ...fields })

/** A leader of term 1 with a clock, whose first entry is committed; its heartbeat of round 1 left at `at`. */
function leaderAt(at: number, voterCount = 3, membership = {}): Bench {
  const bench = new Bench({}, voterCount, membership).become('leader')
  for (let from = 2; from <= 6; from++) bench.receive(accepted(1, { from }))
  bench.node.now = at
  bench.node.tick(2)
  expect(bench.sentOf('appendEntries')).toContainEqual(expect.objectContaining({ round: 1 }))
  return bench
}

/** What became of a read at `now`: confirmed by the lease at once, or waiting for a round of heartbeats. */
function readAt(bench: Bench, now: number): 'confirmed' | 'asked' {
  bench.node.now = now
  const before = bench.node.reads.length
  bench.sent()
  expect(bench.node.read(now)).toBe(undefined)
  const isAsked = bench.heartbeats().length > 0
  const isConfirmed = bench.node.reads.length > before
  expect(isConfirmed).toBe(!isAsked)
  return isConfirmed ? 'confirmed' : 'asked'
}

describe('the leader’s lease (thesis §6.4.1)', () => {
  test('[RD12] a leader that holds its lease confirms reads at once, with commitIndex as of now', () => {
    const bench = leaderAt(100)
    bench.receive(answer(2, 1))
    bench.node.propose('x')
    bench.receive(accepted(2))
    expect(readAt(bench, 101)).toBe('confirmed')
    expect(bench.node.reads).toEqual([{ ids: [101], readIndex: 2 }])
  })

  test('[RD12] no clock, no lease', () => {
    const bench = new Bench().become('leader')
    bench.receive(accepted(1))
    bench.node.tick(2)
    bench.receive(answer(2, 1), answer(3, 1))
    bench.sent()
    bench.node.read(1)
    expect(bench.node.reads).toEqual([])
    expect(bench.sentOf('appendEntries')).toMatchObject([{ round: 2 }])
  })

  test('[RD12][RD2] none is confirmed before an entry of the leader’s own term is committed', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    bench.node.now = 100
    bench.node.tick(2)
    bench.receive(answer(2, 1, { term: 2 }), answer(3, 1, { term: 2 }))
    bench.node.read(7)
    expect(bench.node.reads).toEqual([])
    bench.receive(accepted(3, { term: 2 }))
    expect(bench.node.reads).toEqual([{ ids: [7], readIndex: 3 }])
  })

  test('[RD13] the lease counts from when the round left, and not from when it was answered', () => {
    const bench = leaderAt(100)
    bench.node.now = 110
    bench.receive(answer(2, 1))
    expect(readAt(bench, 100 + lease - 0.01)).toBe('confirmed')
    expect(readAt(bench, 100 + lease)).toBe('asked')
  })

  test('[RD13] an answer that comes once the lease would be over gives none', () => {
    const bench = leaderAt(100)
    bench.node.now = 100 + lease
    bench.receive(answer(2, 1))
    expect(readAt(bench, 100 + lease)).toBe('asked')
  })

  test('[RD13] the rounds of reads extend it as well, and so do later heartbeats', () => {
    const bench = leaderAt(100)
    expect(readAt(bench, 102)).toBe('asked')
    bench.receive(answer(2, 2))
    expect(readAt(bench, 102 + lease - 0.01)).toBe('confirmed')
    bench.node.tick(2)
    bench.receive(answer(3, 3))
    expect(readAt(bench, 102 + 2 * lease - 0.02)).toBe('confirmed')
    expect(readAt(bench, 102 + 2 * lease)).toBe('asked')
  })

  test('[RD13] a round of reads counts from when it left as well', () => {
    const bench = leaderAt(100)
    const { raft } = bench.node
    raft.step({ type: 'read', id: 1 })
    expect(raft.step(endTurn({ now: 102 })).messages).toMatchObject([{ round: 2 }])
    bench.node.now = 110
    bench.receive(answer(2, 2))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
    expect(readAt(bench, 102 + lease - 0.01)).toBe('confirmed')
    expect(readAt(bench, 102 + lease)).toBe('asked')
  })

  test('[RD13] an answer to an earlier round counts from when that one left', () => {
    const bench = leaderAt(100)
    bench.node.now = 110
    bench.node.tick(2)
    bench.receive(answer(2, 1))
    expect(readAt(bench, 100 + lease - 0.01)).toBe('confirmed')
    expect(readAt(bench, 100 + lease)).toBe('asked')
  })

  test.each([
    [{}, [2], 'asked'],
    [{}, [2, 3], 'confirmed'],
    [{ learners: [6] }, [2, 6], 'asked'],
  ] as const)(
    '[RD13] of five voters, or as in %j, the answers of %j: %s',
    (membership, answering, outcome) => {
      const bench = leaderAt(100, 5, membership)
      for (const from of answering) bench.receive(answer(from, 1))
      expect(readAt(bench, 100)).toBe(outcome)
    },
  )

  test.each([
    [[2, 3, 4], 'asked'],
    [[2, 4, 5], 'confirmed'],
  ] as const)(
    '[RD13] in a joint configuration of [1,2,3] and [4,5,6], the answers of %j: %s',
    (answering, outcome) => {
      const bench = jointLeader([1, 2, 3], [4, 5, 6])
      bench.node.now = 100
      bench.node.tick(2)
      for (const from of answering) bench.receive(answer(from, 1))
      expect(readAt(bench, 100)).toBe(outcome)
    },
  )

  test('[RD13] before its first round a leader holds no lease: nobody has answered it', () => {
    const bench = new Bench()
    bench.node.now = 100
    bench.become('leader').receive(accepted(1))
    expect(bench.state).toMatchObject({ role: 'leader', leadership: { heartbeatRound: 0 } })
    expect(readAt(bench, 100)).toBe('asked')
  })

  test('[RD13] rounds that are too old for a lease are forgotten, also while nobody answers', () => {
    const bench = leaderAt(100)
    for (let now = 101; now < 118; now++) {
      bench.node.now = now
      bench.node.tick(2)
    }
    expect(bench.state.leadership?.sentRounds.length).toBeLessThan(lease + 1)
    expect(bench.state.leadership?.sentRounds[0]?.at).toBeGreaterThan(117 - lease)
  })

  test('[RD13] a leadership begins without the lease of an earlier one', () => {
    const bench = leaderAt(100)
    bench.receive(answer(2, 1), answer(3, 1))
    bench.receive(appendEntries({ from: 3, term: 2, prevLogIndex: 1, prevLogTerm: 1 }))
    bench.become('leader').receive(accepted(2, { term: 3 }))
    expect(bench.state).toMatchObject({ role: 'leader', currentTerm: 3 })
    expect(readAt(bench, 101)).toBe('asked')
    // Nor do late answers bring it back.
    bench.receive(answer(2, 1), answer(3, 1))
    expect(bench.node.reads).toHaveLength(0)
  })
})

describe('the promise that it stands on', () => {
  /** A follower that heard the leader of term 1 just now. */
  function promised(): Bench {
    const bench = new Bench({ term: 1 })
    bench.receive(heartbeat({ from: 3 }))
    return bench
  }

  const candidate = { from: 2, lastLogIndex: 9, lastLogTerm: 1 } as const

  test('[EL20] who heard a leader votes for nobody for an election timeout, whatever it learns meanwhile', () => {
    const bench = promised()
    bench.receive(accepted(0, { from: 2, term: 7 }))
    expect(bench.state).toMatchObject({ currentTerm: 7, leaderId: undefined })
    bench.node.tick(timeout - 1)
    expect(bench.receive(requestVote({ ...candidate, term: 8 }), preVote({ ...candidate, term: 7 }))).toEqual(
      [],
    )
    expect(bench.state).toMatchObject({ currentTerm: 7, votedFor: undefined })
    bench.node.tick(1)
    expect(bench.receive(requestVote({ ...candidate, term: 8 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[EL20] nor for itself, not even when it is told to campaign', () => {
    const bench = promised()
    bench.node.step({ type: 'campaign' })
    expect(bench.state.role).toBe('follower')
    bench.node.tick(timeout)
    expect(bench.state.role).toBe('follower')
    bench.node.step({ type: 'campaign' })
    expect(bench.state.role).toBe('preCandidate')
  })

  test('[EL20] a message of the leader that is refused counts as well: it was answered', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(heartbeat({ from: 3, prevLogIndex: 5, prevLogTerm: 1 }))
    expect(bench.receive(requestVote({ ...candidate, term: 8 }))).toEqual([])
  })

  test('[EL20] a node that starts again keeps the promise that it may have given', () => {
    const bench = promised()
    bench.node.crash()
    bench.node.restart()
    bench.node.tick(timeout - 1)
    expect(bench.receive(requestVote({ ...candidate, term: 8 }))).toEqual([])
    bench.node.tick(1)
    expect(bench.receive(requestVote({ ...candidate, term: 8 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[EL20] a node that was never in any term has promised nothing', () => {
    const bench = new Bench()
    bench.node.crash()
    bench.node.restart()
    expect(bench.receive(requestVote({ ...candidate, term: 1 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[EL20] granting a vote is no such promise: another candidate of a later term may have one at once', () => {
    const bench = new Bench()
    expect(bench.receive(requestVote({ from: 2, term: 1 }))).toMatchObject([{ voteGranted: true }])
    expect(bench.receive(requestVote({ from: 3, term: 2 }))).toMatchObject([{ voteGranted: true }])
  })
})
