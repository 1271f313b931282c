/** The answer of a voter to each request for its vote, as it is told. */
import { expect, test } from 'vitest'
import type { VoteReason } from '../../src/raft/index.js'
import type { NodeSetup } from '../../src/testing/index.js'
import { Bench, heartbeat, preVote, requestVote } from './support/bench.js'

interface Case {
  readonly reason: VoteReason
  readonly voter: NodeSetup
  /** The term that the candidate, node 2, wants to lead, and the end of its log. */
  readonly term: number
  readonly last?: { readonly lastLogIndex: number; readonly lastLogTerm: number }
}

const refusals: readonly Case[] = [
  { reason: 'earlierTerm', voter: { log: [1], term: 9 }, term: 8 },
  { reason: 'logBehind', voter: { log: [1, 1], term: 1 }, term: 2 },
  { reason: 'diskLost', voter: { log: [1], term: 5, votesFromTerm: 5 }, term: 6 },
]

test.each(refusals)('[EL25] a voter tells that it refuses, for a vote and a pre-vote: $reason', (refused) => {
  const { reason, voter, term } = refused
  const last = { lastLogIndex: 1, lastLogTerm: 1 }
  for (const request of [
    requestVote({ from: 2, term, ...last }),
    preVote({ from: 2, term: term - 1, nextTerm: term, ...last }),
  ]) {
    const bench = new Bench(voter)
    bench.node.tick(20)
    expect(bench.receive(request).at(-1)).toMatchObject({ voteGranted: false })
    const isPreVote = request.type === 'preVote'
    const told = { type: 'voteAnswered', candidateId: 2, term, isPreVote, voteGranted: false, reason }
    expect(bench.node.events.at(-1)).toEqual(told)
  }
})

test('[EL25] a voter tells that it gives its vote, gives it again, and refuses it to another', () => {
  const bench = new Bench({ log: [1], term: 1 })
  const ask = (from: number): void => {
    bench.receive(requestVote({ from, term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
  }
  bench.node.tick(20)
  ask(2)
  ask(2)
  ask(3)
  const told = bench.node.events.filter((event) => event.type === 'voteAnswered')
  const fields = { type: 'voteAnswered', term: 2, isPreVote: false }
  expect(told).toEqual([
    { ...fields, candidateId: 2, voteGranted: true, reason: 'logUpToDate' },
    { ...fields, candidateId: 2, voteGranted: true, reason: 'votedBefore' },
    { ...fields, candidateId: 3, voteGranted: false, reason: 'votedForAnother' },
  ])
})

test('[EL25] a voter that does not answer, since a leader may be alive, tells so too', () => {
  const bench = new Bench({ term: 1 })
  bench.receive(heartbeat({ term: 1 }))
  expect(bench.receive(preVote({ from: 3, term: 1, nextTerm: 2 }))).toEqual([])
  const told = { type: 'voteAnswered', candidateId: 3, term: 2, isPreVote: true, voteGranted: false }
  expect(bench.node.events.at(-1)).toEqual({ ...told, reason: 'leaderMayBeAlive' })
})
