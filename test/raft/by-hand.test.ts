import { describe, expect, test } from 'vitest'
import { type Input, Raft } from '../../src/raft/index.js'
import { frameOf, RaftNetwork } from '../../src/testing/index.js'
import { accepted, appendEntries, Bench, endTurn, heartbeat, requestVote, votersOf } from './support/bench.js'

const timeout = 20

describe('an election that is told', () => {
  test('[EL23] begins at once, without pre-vote and without waiting for the leader to be silent', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    const successor = network.node(2)
    successor.step({ type: 'timeoutNow' })
    expect(successor.state).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 2 })
    expect(successor.events.at(-1)).toMatchObject({ role: 'candidate', reason: 'campaign' })
    expect(network.take().map(({ type }) => type)).toEqual(['requestVote', 'requestVote'])
  })

  test('[EL23] it ends the promise to the leader, for other candidates too', () => {
    const bench = new Bench({ term: 1 })
    bench.receive(heartbeat({ from: 3 }))
    expect(bench.receive(requestVote({ from: 2, term: 8 }))).toEqual([])
    bench.node.step({ type: 'timeoutNow' })
    bench.sent()
    expect(bench.receive(requestVote({ from: 2, term: 8 }))).toMatchObject([{ voteGranted: true }])
  })

  test('[EL23][EL17] a leader, a learner and a node that has not caught up start none', () => {
    const learner = new Bench({}, 3, { voters: [2, 3], learners: [1] })
    const renewed = new Bench({ votesFromTerm: 5 })
    for (const bench of [new Bench().become('leader'), learner, renewed]) {
      const before = bench.node.raft.dump()
      bench.node.step({ type: 'timeoutNow' })
      expect(bench.node.raft.dump()).toEqual(before)
    }
  })

  test.each([timeout + 1, 2 * timeout])('[EL24] a timeout of %i ticks that is set is waited for', (ticks) => {
    const bench = new Bench()
    bench.node.step({ type: 'setElectionTimeout', ticks })
    const { electionElapsedTicks } = bench.state
    bench.node.tick(ticks - electionElapsedTicks - 1)
    expect(bench.state.role).toBe('follower')
    bench.node.tick()
    expect(bench.state.role).toBe('preCandidate')
  })

  test.each([timeout, 2 * timeout + 1, timeout + 1.5, Number.NaN])(
    '[EL24] a timeout of %d ticks, which no draw gives, is refused',
    (ticks) => {
      expect(() => new Bench().node.step({ type: 'setElectionTimeout', ticks })).toThrow(
        'from 21 to 40 ticks',
      )
    },
  )
})

/** All that a leader of three is told in its life, a snapshot and a refusal included. */
const life: readonly Input[] = [
  { type: 'setElectionTimeout', ticks: 30 },
  { type: 'timeoutNow' },
  endTurn(),
  { type: 'flushed', sequence: 1 },
  {
    type: 'message',
    message: { type: 'requestVoteResponse', from: 2, to: 1, term: 1, electionTerm: 1, voteGranted: true },
  },
  { type: 'read', id: 7 },
  endTurn({ now: 4 }),
  { type: 'flushed', sequence: 2 },
  { type: 'message', message: accepted(1) },
  { type: 'propose', frame: frameOf('a', 'b') },
  endTurn({ now: 5 }),
  { type: 'applied', index: 1 },
  { type: 'tick' },
  { type: 'tick' },
  { type: 'propose', frame: frameOf('c') },
]

/** The same input, with bytes of its own: a leader writes into those of a frame. */
function fresh(input: Input): Input {
  return structuredClone(input)
}

function started(): Raft {
  return new Raft({ id: 1, membership: votersOf(1, 2, 3), seed: 1 })
}

describe('a fork', () => {
  test.each(life.map((_, at) => at))(
    'after %i inputs is in the same state, and stays so by the same inputs',
    (at) => {
      const raft = started()
      for (const input of life.slice(0, at)) raft.step(fresh(input))
      const fork = raft.fork()
      expect(fork.dump()).toEqual(raft.dump())
      for (const input of life.slice(at)) expect(fork.step(fresh(input))).toEqual(raft.step(fresh(input)))
      expect(fork.dump()).toEqual(raft.dump())
    },
  )

  test.each(life.map((_, at) => at))(
    'after %i inputs goes its own way without a trace in the other',
    (at) => {
      const raft = started()
      for (const input of life.slice(0, at)) raft.step(fresh(input))
      const before = raft.dump()
      const fork = raft.fork()
      for (const input of life.slice(at)) fork.step(fresh(input))
      fork.step({ type: 'message', message: appendEntries({ from: 3, term: 9 }) })
      expect(fork.dump()).not.toEqual(before)
      expect(raft.dump()).toEqual(before)
    },
  )

  test('keeps the invariants of its own: a flush that is told twice stops it', () => {
    const raft = started()
    for (const input of life) raft.step(fresh(input))
    expect(() => raft.fork().step({ type: 'flushed', sequence: 99 })).toThrow('flushed in order')
  })
})

describe('whether there is work', () => {
  test('is told without taking it', () => {
    const raft = started()
    expect(raft.hasWork(endTurn())).toBe(false)
    raft.step({ type: 'timeoutNow' })
    const before = raft.dump()
    expect(raft.hasWork(endTurn())).toBe(true)
    expect(raft.dump()).toEqual(before)
    raft.step(endTurn())
    expect(raft.hasWork(endTurn())).toBe(false)
  })
})
