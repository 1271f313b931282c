import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'
import { Bench, preVote, requestVote } from './support/bench.js'

/** The node that it takes the place of took part up to term 4. */
const votesFromTerm = 5
const candidate = { term: 6, lastLogIndex: 9, lastLogTerm: 5 } as const

describe('a node that takes the place of one that lost its disk', () => {
  test.each([
    ['no log', []],
    ['entries that the lost disk may have held', [1, 4]],
  ])('[EL21] votes for nobody, itself included, with %s', (_, log) => {
    const bench = new Bench({ log, term: 5, votesFromTerm })
    expect(bench.receive(preVote({ ...candidate, term: 5 }))).toMatchObject([{ voteGranted: false }])
    expect(bench.receive(requestVote(candidate))).toMatchObject([{ term: 6, voteGranted: false }])
    bench.node.tick(100)
    bench.node.campaign()
    expect(bench.state).toMatchObject({ role: 'follower', votedFor: undefined })
    expect(bench.sent()).toEqual([])
  })

  test.each([
    ['an entry of the first term without the lost disk', [1, 4, 5]],
    ['an entry of a later term', [6]],
  ])('[EL21] votes and campaigns once its log ends in %s', (_, log) => {
    const voter = new Bench({ log, term: 6, votesFromTerm })
    const asks = { term: 7, lastLogIndex: 9, lastLogTerm: 6 }
    expect(voter.receive(preVote({ ...asks, term: 6 }))).toMatchObject([{ voteGranted: true }])
    expect(voter.receive(requestVote(asks))).toMatchObject([{ term: 7, voteGranted: true }])
    const campaigner = new Bench({ log, term: 6, votesFromTerm })
    campaigner.node.campaign()
    expect(campaigner.state.role).toBe('preCandidate')
  })

  test('[EL21] elects nobody who lacks what its lost disk had acknowledged, and votes once it holds it', () => {
    // Nodes 1 and 2 had all three entries, so they are committed; node 3 was away.
    const nodes = {
      1: { log: [1, 4, 4], term: 4, votedFor: 1 },
      2: { term: 5, votesFromTerm },
      3: { log: [1], term: 4 },
    }
    const network = new RaftNetwork({ nodes })
    network.node(1).crash()
    network.tick(200)
    expect(network.leaders).toEqual([])

    network.node(1).restart()
    network.tick(100)
    const [leader] = network.leaders
    expect(leader?.id).toBe(1)
    for (const node of network.nodes) expect(node.terms.slice(0, 3)).toEqual([1, 4, 4])

    leader?.crash()
    network.tick(100)
    expect(network.leaders).toHaveLength(1)
  })

  test('[EL21] ends the term in which acknowledgements of its lost disk may still be under way', () => {
    const nodes = { 1: {}, 2: { term: 5, votesFromTerm }, 3: {} }
    const network = new RaftNetwork({ nodes })
    network.isolate(2)
    const leader = network.elect(1)
    expect(leader.state.currentTerm).toBeLessThan(votesFromTerm)
    network.heal()
    network.tick(2)
    expect(leader.state).toMatchObject({ role: 'follower', currentTerm: 5 })
  })
})
