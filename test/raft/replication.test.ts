import { describe, expect, test } from 'vitest'
import type { LogSpec } from '../../src/testing/index.js'
import { frameOf, RaftNetwork } from '../../src/testing/index.js'
import { accepted, Bench, refused, requestVoteResponse } from './support/bench.js'

/** A leader of term 3 with its log up to its own entry behind [1, 1, 2], and follower 2 under the test's hand. */
function leaderOf(log: LogSpec = [1, 1, 2], limits = {}): Bench {
  return new Bench({ log, limits }).become('leader')
}

describe('the leader’s side (Figure 2, §5.3)', () => {
  test('[LR8] at election nextIndex is the index after the last entry, matchIndex is 0', () => {
    const bench = new Bench({ log: [1, 1, 2] }).become('candidate')
    bench.network.take()
    bench.node.raft.step({ type: 'message', message: requestVoteResponse({ term: 3 }) })
    for (const id of [2, 3])
      expect(bench.state.leadership?.progress.get(id)).toMatchObject({
        nextIndex: 4,
        matchIndex: 0,
        state: 'probe',
      })
  })

  test('[LR1] a command is appended to the leader’s log and sent to all followers in parallel', () => {
    const bench = leaderOf()
    bench.receive(accepted(4, { term: 3 }), accepted(4, { from: 3, term: 3 }))
    bench.node.propose('x', 'y')
    const sent = bench.replications()
    expect(sent.map(({ to, prevLogIndex, prevLogTerm }) => [to, prevLogIndex, prevLogTerm])).toEqual([
      [2, 4, 3],
      [3, 4, 3],
    ])
    for (const { entries } of sent) expect(entries).toMatchObject([{ index: 5, term: 3, count: 2 }])
    expect(bench.node.entries.slice(-2).map(({ command }) => command)).toEqual(['x', 'y'])
  })

  test('[LR19] commands that a leader takes in one turn travel together', () => {
    const bench = leaderOf()
    bench.receive(accepted(4, { term: 3 }))
    for (const command of ['a', 'b', 'c']) bench.node.raft.step({ type: 'propose', frame: frameOf(command) })
    bench.node.work()
    const [message, ...others] = bench.replications()
    expect(others).toEqual([])
    expect(message?.entries.map(({ index }) => index)).toEqual([5, 6, 7])
  })

  test('[LR2] a leader never overwrites or removes its entries, whatever it is told', () => {
    const bench = leaderOf()
    const before = bench.node.entries
    bench.receive(
      refused(3, { term: 3 }),
      refused(1, { term: 3 }),
      accepted(4, { term: 3 }),
      refused(4, { term: 3 }),
    )
    expect(bench.node.entries.slice(0, before.length)).toEqual(before)
  })

  test('[LR9] what is lost is sent again, until every follower holds every entry', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.link(1, 2).drop('appendEntries')
    network.link(3, 1).drop('appendEntriesResponse')
    for (const command of ['a', 'b', 'c']) leader.propose(command)
    network.settle()
    expect(network.node(2).terms).toEqual([1])
    network.heal()
    network.tick(6)
    for (const node of network.nodes)
      expect(node.applied.map(({ command }) => command)).toEqual(['', 'a', 'b', 'c'])
    expect(leader.state.leadership?.progress.get(3)).toMatchObject({
      matchIndex: 4,
      inflightMessages: 0,
      inflightBytes: 0,
    })
  })

  test('[LR9] a follower that was down is brought up to date, also after the client has its answer', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.node(3).crash()
    leader.propose('a', 'b')
    network.settle()
    expect(leader.applied).toHaveLength(3)
    network.node(3).restart()
    network.tick(4)
    expect(network.node(3).entries).toEqual(leader.entries)
  })

  test('[LR11] an acknowledgement moves matchIndex and nextIndex, and an older one moves nothing back', () => {
    const bench = leaderOf()
    const progress = () => bench.state.leadership?.progress.get(2)
    bench.receive(accepted(4, { term: 3 }))
    expect(progress()).toMatchObject({ matchIndex: 4, nextIndex: 5, state: 'replicate' })
    bench.node.propose('x')
    bench.receive(accepted(2, { term: 3 }), accepted(0, { term: 3, round: 1 }))
    expect(progress()).toMatchObject({ matchIndex: 4, nextIndex: 6 })
    bench.receive(accepted(5, { term: 3 }))
    expect(progress()).toMatchObject({ matchIndex: 5, nextIndex: 6, inflightMessages: 0 })
  })

  test('[LR12] a refusal from before what is known to match, or of another probe, changes nothing', () => {
    const bench = leaderOf([1, 1, 2, 2, 2])
    bench.receive(refused(4, { term: 3, conflictIndex: 2 }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ state: 'probe', nextIndex: 6 })
    bench.receive(
      accepted(6, { term: 3 }),
      refused(5, { term: 3, conflictIndex: 1 }),
      refused(6, { term: 3, conflictIndex: 1 }),
    )
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      matchIndex: 6,
      nextIndex: 7,
    })
  })

  test('[LR16] a refusal says nothing about what matches', () => {
    const bench = leaderOf()
    for (const from of [2, 3]) bench.receive(refused(3, { from, term: 3, conflictIndex: 2, matchIndex: 4 }))
    expect(bench.state.leadership?.progress.get(2)?.matchIndex).toBe(0)
    expect(bench.state.log.commitIndex).toBe(0)
  })

  test('[LR20] an empty probe that is accepted opens the pipeline, though it brings no news', () => {
    const bench = leaderOf()
    bench.receive(accepted(4, { term: 3 }))
    bench.node.propose('lost')
    bench.receive(refused(5, { term: 3, conflictIndex: 5 }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      nextIndex: 5,
      isProbeSent: true,
    })
    bench.receive(accepted(4, { term: 3, prevLogIndex: 4 }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ state: 'replicate', isProbeSent: false })
    const quiet = leaderOf()
    quiet.node.tick(2)
    quiet.receive(accepted(0, { term: 3, round: 1 }))
    expect(quiet.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      nextIndex: 4,
      isProbeSent: true,
    })
  })

  test('[TM5] answers of strangers and of former members change nothing', () => {
    const bench = leaderOf()
    bench.receive(accepted(4, { from: 9, term: 3 }), refused(3, { from: 9, term: 3 }))
    expect(bench.state.leadership?.progress.has(9)).toBe(false)
    expect(bench.state.log.commitIndex).toBe(0)
  })
})

describe('where the logs meet (§5.3, last paragraph)', () => {
  // Leader’s log before its own entry, the refused probe, the follower’s hint, and nextIndex after it.
  test.each([
    ['the follower’s log is too short', [1, 1, 2, 2], { conflictIndex: 2, conflictTerm: 0 }, 2],
    ['the leader lacks the conflicting term', [1, 1, 3, 3], { conflictIndex: 2, conflictTerm: 2 }, 2],
    ['the leader has the conflicting term', [1, 2, 2, 3], { conflictIndex: 1, conflictTerm: 2 }, 4],
    ['the leader has entries of it at the end only', [1, 1, 1, 2], { conflictIndex: 3, conflictTerm: 1 }, 4],
    ['nothing is shared', [4, 4, 4, 4], { conflictIndex: 1, conflictTerm: 3 }, 1],
  ])('[LR10] %s', (_, log, hint, nextIndex) => {
    const bench = leaderOf(log)
    const { term } = { term: bench.state.currentTerm }
    bench.receive(refused(4, { term, ...hint }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ state: 'probe', nextIndex })
    expect(bench.sent()).toEqual([])
  })

  test('[LR10] a long divergent tail costs one message a term, not one an entry', () => {
    const shared = [1, 1, 1]
    const leaderLog = [...shared, ...new Array<number>(60).fill(5), ...new Array<number>(60).fill(7)]
    const followerLog = [...shared, ...new Array<number>(90).fill(3), ...new Array<number>(90).fill(4)]
    const network = new RaftNetwork({
      nodes: { 1: { log: leaderLog }, 2: { log: followerLog }, 3: { log: leaderLog } },
    })
    network.node(1).campaign()
    let probes = 0
    while (network.deliver())
      probes += network.inFlight.filter(({ type, to }) => type === 'appendEntries' && to === 2).length
    expect(network.node(2).entries).toEqual(network.node(1).entries)
    expect(probes).toBeLessThan(6)
  })

  test('[LR10] every probe goes further back than the one before, down to the empty log', () => {
    const bench = leaderOf([1, 2, 2])
    const probed: number[] = []
    for (let prevLogIndex = 3; prevLogIndex > 0; ) {
      const [probe] = bench.receive(refused(prevLogIndex, { term: 3, conflictIndex: 9, conflictTerm: 0 }))
      prevLogIndex = probe?.type === 'appendEntries' ? probe.prevLogIndex : -1
      probed.push(prevLogIndex)
    }
    expect(probed).toEqual([2, 1, 0])
  })
})

describe('heartbeats (§5.2)', () => {
  test('[LR18] a leader sends one to every member each heartbeat interval, also to learners', () => {
    const bench = new Bench({}, 3, { learners: [4] }).become('leader')
    bench.node.tick(1)
    expect(bench.sentOf('appendEntries')).toEqual([])
    bench.node.tick(1)
    expect(bench.sentOf('appendEntries')).toMatchObject(
      [2, 3, 4].map((to) => ({ mode: 'heartbeat', to, round: 1 })),
    )
    bench.node.tick(10)
    expect(bench.heartbeats().map(({ round }) => round)).toEqual(
      [2, 3, 4, 5, 6].flatMap((round) => [round, round, round]),
    )
  })

  test('[LR17] it refers to what is known to match, and lets a follower commit no further', () => {
    const bench = new Bench({ log: [1, 1, 2] }, 3).become('leader')
    bench.receive(accepted(4, { from: 3, term: 3 }))
    expect(bench.state.log.commitIndex).toBe(4)
    bench.node.tick(2)
    const heartbeats = bench.heartbeats()
    expect(
      heartbeats.map(({ to, prevLogIndex, prevLogTerm, leaderCommit }) => ({
        to,
        prevLogIndex,
        prevLogTerm,
        leaderCommit,
      })),
    ).toEqual([
      { to: 2, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 },
      { to: 3, prevLogIndex: 4, prevLogTerm: 3, leaderCommit: 4 },
    ])
  })

  test('[LR17] when the log is cut beyond what matches, it refers to the beginning of every log', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    network.isolate(3)
    leader.propose('a', 'b', 'c')
    network.settle()
    leader.compact()
    leader.tick(2)
    network.heal()
    leader.tick(2)
    const [heartbeat] = network.take((message) => message.type === 'appendEntries' && message.to === 3)
    expect(heartbeat).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 1 })
    network.tick(8)
    expect(network.node(3).applied).toEqual(leader.applied)
  })

  test('[CM4] a follower learns of the last commit by the next heartbeat, without new commands', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.tick(2)
    leader.propose('last')
    network.settle()
    expect(leader.state.log.commitIndex).toBe(2)
    expect(network.node(2).state.log.commitIndex).toBe(1)
    network.tick(2)
    expect(network.node(2).state.log.commitIndex).toBe(2)
  })
})
