import { describe, expect, test } from 'vitest'
import type { AppendEntries } from '../../src/raft/index.js'
import { type LogSpec, type NodeSetup, RaftNetwork } from '../../src/testing/index.js'

describe('Figure 7: a leader brings every log to agree with its own', () => {
  const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
  const followers: Record<string, LogSpec> = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  }

  test.each(Object.entries(followers))('[LR13][LR14] follower %s', (_, log) => {
    const network = new RaftNetwork({
      nodes: { 1: { log: leaderLog, term: 7 }, 2: { log, term: 7 }, 3: { log: [1, 1, 1, 4], term: 7 } },
    })
    const leader = network.elect(1)
    network.tick(3)
    expect(network.node(2).terms).toEqual([...leaderLog, 8])
    for (const node of network.nodes) {
      expect(node.entries).toEqual(leader.entries)
      expect(node.applied).toEqual(leader.entries)
    }
  })

  test('[LR13][LR14] all six at once', () => {
    const setups = Object.values(followers).map((log, position): [number, NodeSetup] => [
      position + 2,
      { log, term: 7 },
    ])
    const network = new RaftNetwork({
      nodes: { 1: { log: leaderLog, term: 7 }, ...Object.fromEntries(setups) },
    })
    network.elect(1)
    network.tick(3)
    for (const node of network.nodes) expect(node.terms).toEqual([...leaderLog, 8])
  })

  test('[EL11] the scenario’s leader could be elected by a, b, e and f, and not by c and d', () => {
    const setups = Object.values(followers).map((log, position): [number, NodeSetup] => [
      position + 2,
      { log, term: 7 },
    ])
    const network = new RaftNetwork({
      nodes: { 1: { log: leaderLog, term: 7 }, ...Object.fromEntries(setups) },
    })
    network.node(1).campaign()
    network.settle({ type: 'preVote' })
    const answers = network.take({ type: 'preVoteResponse' })
    const granted = answers.flatMap((answer) =>
      'voteGranted' in answer && answer.voteGranted ? [answer.from] : [],
    )
    expect(granted.sort()).toEqual([2, 3, 6, 7])
  })
})

describe('Figure 8: why an entry of an earlier term is not committed by counting', () => {
  /** Up to (c): S1 leads term 4, and its entry of term 2 is on S1, S2 and S3, while S5 has one of term 3. */
  function upToC(): RaftNetwork {
    const nodes = {
      1: { log: [1, 2], term: 3 },
      2: { log: [1, 2], term: 3 },
      3: { log: [1], term: 3 },
      4: { log: [1], term: 3 },
    }
    const network = new RaftNetwork({ nodes: { ...nodes, 5: { log: [1, 3], term: 3 } } })
    network.node(5).crash()
    // Only entries of term 2 reach S3 from its new leader: its own of term 4 is lost.
    network.node(1).campaign()
    network.settle(({ type }) => type !== 'appendEntries' && type !== 'appendEntriesResponse')
    return network
  }

  function withoutTerm4(message: AppendEntries): AppendEntries {
    if (message.mode === 'heartbeat') return message
    return { ...message, entries: message.entries.filter(({ term }) => term < 4) }
  }

  test('[CM2] (c) the entry of term 2 is on a majority, and is not committed', () => {
    const network = upToC()
    const leader = network.node(1)
    expect(leader.terms).toEqual([1, 2, 4])
    network.link(1, 4).drop()
    // S2 and S3 learn everything but the leader’s own entry.
    for (let taken = network.take(); taken.length > 0; taken = network.take()) {
      for (const message of taken) {
        if (message.type !== 'appendEntries') network.inject(message)
        else if (message.to <= 3) network.node(message.to).receive(withoutTerm4(message))
      }
      network.settle(({ type }) => type !== 'appendEntries')
    }
    expect([1, 2, 3].map((id) => network.node(id).terms.slice(0, 2))).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ])
    const matched = [2, 3].map((id) => leader.state.leadership?.progress.get(id)?.matchIndex)
    expect(matched).toEqual([2, 2])
    expect(leader.state.log.commitIndex).toBe(0)
    for (const node of network.nodes) if (node.isUp) expect(node.applied).toEqual([])

    // (d): S1 fails, and S5 overwrites the entry of term 2 on a majority. Nobody had applied it.
    leader.crash()
    network.take()
    network.node(5).restart()
    // The others are in term 4 already: S5 learns it by its first attempt.
    expect(() => network.elect(5)).toThrow('was not elected')
    network.elect(5)
    network.tick(3)
    for (const id of [2, 3, 4, 5]) expect(network.node(id).terms).toEqual([1, 3, 5])
    leader.restart()
    network.tick(5)
    expect(leader.terms).toEqual([1, 3, 5])
  })

  test('[CM3] (e) once an entry of term 4 is on a majority, the one of term 2 is committed with it, and S5 cannot win', () => {
    const network = upToC()
    const leader = network.node(1)
    network.settle()
    expect(leader.state.log.commitIndex).toBe(3)
    leader.crash()
    network.node(5).restart()
    network.tick(10)
    network.node(5).campaign()
    network.settle()
    network.tick(100)
    const [next] = network.leaders
    expect(next?.id).not.toBe(5)
    expect(next?.terms.slice(0, 3)).toEqual([1, 2, 4])
    for (const node of network.nodes)
      if (node.isUp) expect(node.applied.slice(0, 3)).toEqual(next?.applied.slice(0, 3))
  })
})
