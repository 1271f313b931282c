import { describe, expect, test } from 'vitest'
import { RaftNetwork, runsOf } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  endTurn,
  heartbeat,
  readIndex,
  readIndexResponse,
  requestVote,
} from './support/bench.js'

/** A follower of node 2 in term 1, whose log holds two entries of that term, and knows of no commit. */
function follower(limits = {}): Bench {
  const bench = new Bench({ log: [1, 1], limits })
  bench.receive(heartbeat({ prevLogIndex: 2, prevLogTerm: 1 }))
  return bench
}

/** A leader of term 1 whose first entry is committed. */
function leader(voterCount = 3, membership = {}): Bench {
  const bench = new Bench({}, voterCount, membership).become('leader')
  for (let from = 2; from <= voterCount; from++) bench.receive(accepted(1, { from }))
  return bench
}

const questions = (bench: Bench) => bench.sentOf('readIndex').map(({ to, question }) => [to, question])
const answers = (bench: Bench) =>
  bench.sentOf('readIndexResponse').map(({ to, question, readIndex }) => [to, question, readIndex])

describe('a read that a follower serves', () => {
  test('[RD14] is asked of the leader, and of nobody while none is known', () => {
    const bench = new Bench({ log: [1, 1] })
    expect(bench.node.readHere(1)).toEqual({ code: 'notLeader', leaderId: undefined })
    expect(questions(bench)).toEqual([])
    bench.receive(heartbeat({ from: 3 }))
    expect(bench.node.readHere(2)).toBe(undefined)
    expect(bench.sentOf('readIndex')).toMatchObject([{ from: 1, to: 3, term: 1 }])
    expect(bench.node.reads, 'nobody has answered').toEqual([])
  })

  test('[RD14][RD1] is taken by the leader like every read', () => {
    const bench = leader()
    expect(bench.node.readHere(1)).toBe(undefined)
    expect(questions(bench)).toEqual([])
    bench.receive(accepted(0, { round: 1 }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
  })

  test('[RD15] reads that come while a question is on its way share the next one', () => {
    const bench = follower()
    const first = bench.state.campaign + 1
    bench.node.readHere(1)
    bench.node.readHere(2)
    bench.node.readHere(3)
    expect(questions(bench)).toEqual([[2, first]])
    bench.node.receive(readIndexResponse({ question: first }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
    expect(questions(bench)).toEqual([[2, first + 1]])
    bench.receive(readIndexResponse({ question: first + 1, readIndex: 2 }))
    expect(bench.node.reads.at(-1)).toEqual({ ids: [2, 3], readIndex: 2 })
  })

  test('[RD15] more than waitingReadsMax are refused, and nothing changes', () => {
    const bench = follower({ waitingReadsMax: 2 })
    bench.node.readHere(1)
    bench.node.readHere(2)
    const before = bench.node.raft.dump()
    expect(bench.node.raft.step({ type: 'read', id: 3, isServedHere: true })).toEqual({
      code: 'overloaded',
      leaderId: 2,
    })
    expect(bench.node.raft.dump()).toEqual(before)
    bench.node.tick(2)
    bench.receive(readIndexResponse({ question: bench.state.askedReads?.question ?? 0 }))
    expect(bench.node.readHere(4)).toBe(undefined)
  })

  test('[RD17] a question without an answer is sent again a heartbeat later, and an answer to either copy counts', () => {
    const bench = follower()
    bench.node.readHere(1)
    const [[, question = 0] = []] = questions(bench)
    bench.node.tick(1)
    expect(questions(bench)).toEqual([])
    bench.node.tick(1)
    expect(questions(bench)).toEqual([[2, question]])
    bench.receive(readIndexResponse({ question }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
    bench.node.tick(4)
    expect(questions(bench), 'an answered question').toEqual([])
  })

  test('[RD18] is confirmed by no answer to another question, of another node or term, and by none twice', () => {
    const bench = follower()
    bench.node.readHere(1)
    const [[, question = 0] = []] = questions(bench)
    bench.receive(
      readIndexResponse({ question: question - 1 }),
      readIndexResponse({ question: question + 1 }),
      readIndexResponse({ question, from: 3 }),
      readIndexResponse({ question, from: 9 }),
      readIndexResponse({ question, term: 0 }),
    )
    expect(bench.node.reads).toEqual([])
    bench.receive(readIndexResponse({ question }), readIndexResponse({ question }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
  })

  test('[RD18] no answer to a node’s earlier life fits a question of the next one', () => {
    const bench = follower()
    bench.node.readHere(1)
    const earlier = bench.sentOf('readIndex')[0]?.question ?? 0
    bench.node.crash()
    bench.node.restart()
    bench.receive(heartbeat({ prevLogIndex: 2, prevLogTerm: 1 }))
    bench.node.readHere(1)
    bench.receive(readIndexResponse({ question: earlier }))
    expect(bench.node.reads).toEqual([])
  })

  test('[RD19] is given up, once, when another leader comes', () => {
    const bench = follower()
    bench.node.readHere(1)
    bench.node.readHere(2)
    const [[, question = 0] = []] = questions(bench)
    bench.receive(heartbeat({ from: 3, term: 2, prevLogIndex: 2, prevLogTerm: 1 }))
    expect(bench.node.reads).toEqual([{ ids: [1, 2], readIndex: undefined }])
    bench.receive(
      readIndexResponse({ question }),
      readIndexResponse({ question, term: 2 }),
      readIndexResponse({ question, from: 3, term: 2 }),
    )
    bench.node.tick(2)
    expect(bench.node.reads).toHaveLength(1)
    expect(questions(bench)).toEqual([])
  })

  test.each([
    ['a later term is heard of', (bench: Bench) => bench.receive(requestVote({ term: 2, isTransfer: true }))],
    ['no leader is heard for an election timeout', (bench: Bench) => bench.node.campaign()],
    ['an election is begun', (bench: Bench) => bench.node.step({ type: 'timeoutNow' })],
  ])('[RD19] is given up, once, when %s', (_, happens) => {
    const bench = follower()
    bench.node.readHere(1)
    happens(bench)
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: undefined }])
    expect(bench.state.waitingReads).toBe(0)
  })

  test('[RD19] a refusal gives up the reads of its question, and the others are asked for', () => {
    const bench = follower()
    bench.node.readHere(1)
    bench.node.readHere(2)
    const [[, question = 0] = []] = questions(bench)
    bench.node.receive(readIndexResponse({ question, readIndex: undefined }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: undefined }])
    expect(questions(bench)).toEqual([[2, question + 1]])
  })

  test('[RD20] a log that holds the entry at the readIndex is committed up to there, and no other', () => {
    const bench = follower()
    bench.node.readHere(1)
    const [[, question = 0] = []] = questions(bench)
    bench.receive(readIndexResponse({ question, readIndex: 3 }))
    expect(bench.state.log.commitIndex, 'the entry is not here yet').toBe(0)
    bench.receive(
      appendEntries({ prevLogIndex: 2, prevLogTerm: 1, entries: runsOf([1], { index: 2, term: 1 }) }),
    )
    expect(bench.state.log.commitIndex).toBe(3)
    expect(bench.node.applied).toHaveLength(3)
  })

  test('[RD20] an entry of an earlier term at the readIndex is not committed by it', () => {
    const bench = new Bench({ log: [1, 1], term: 2 })
    bench.receive(heartbeat({ term: 2 }))
    bench.node.readHere(1)
    const [[, question = 0] = []] = questions(bench)
    bench.receive(readIndexResponse({ question, term: 2, readIndex: 2 }))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 2 }])
    expect(bench.state.log.commitIndex, 'the leader of term 2 has another entry there').toBe(0)
  })
})

describe('a question at the leader', () => {
  test('[RD16][RD3] is answered once a majority answered a round that began after it came', () => {
    const bench = leader()
    bench.node.tick(2)
    bench.sent()
    bench.node.receive(readIndex({ from: 3, question: 7 }))
    expect(bench.heartbeats().map(({ round }) => round)).toEqual([2])
    bench.node.receive(accepted(0, { round: 1 }))
    expect(answers(bench)).toEqual([])
    bench.node.receive(accepted(0, { round: 2 }))
    expect(answers(bench)).toEqual([[3, 7, 1]])
    expect(bench.node.reads, 'no read of its own').toEqual([])
  })

  test('[RD16][RD12] is answered at once by a leader that holds its lease', () => {
    const bench = leader()
    bench.node.now = 0
    bench.node.tick(2)
    bench.receive(accepted(0, { round: 1 }))
    bench.node.receive(readIndex({ from: 3, question: 7 }))
    expect(answers(bench)).toEqual([[3, 7, 1]])
  })

  test('[RD16][RD2] is not answered before an entry of the leader’s own term is committed', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    bench.node.receive(readIndex({ term: 2 }))
    bench.node.tick(2)
    bench.node.receive(accepted(0, { round: 1, term: 2 }))
    expect(answers(bench)).toEqual([])
    bench.node.receive(accepted(3, { term: 2 }))
    bench.node.receive(accepted(0, { round: 2, term: 2 }))
    expect(answers(bench)).toEqual([[2, 1, 3]])
  })

  test('[RD16][RD4] shares its round with the reads that wait there, and with other questions', () => {
    const bench = leader(3, { learners: [4] })
    bench.node.isByHand = true
    bench.node.read(1)
    bench.node.receive(readIndex({ from: 3, question: 7 }))
    bench.node.receive(readIndex({ from: 4, question: 8 }))
    bench.node.isByHand = false
    bench.node.work()
    expect(bench.heartbeats()).toHaveLength(1)
    bench.node.receive(accepted(0, { round: 1 }))
    expect(answers(bench)).toEqual([
      [3, 7, 1],
      [4, 8, 1],
    ])
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
  })

  test('[RD16] of each member the latest waits, and a copy of the one that is being confirmed is not answered twice', () => {
    const bench = leader()
    for (const question of [7, 7, 8, 9]) bench.node.receive(readIndex({ from: 3, question }))
    expect(bench.state.leadership?.waitingQuestions).toEqual([{ from: 3, question: 9 }])
    bench.node.receive(accepted(0, { round: 1 }))
    bench.node.receive(accepted(0, { round: 2 }))
    expect(answers(bench)).toEqual([
      [3, 7, 1],
      [3, 9, 1],
    ])
  })

  test('[RD16] a stranger is refused, and so is everybody by a node that does not lead', () => {
    const bench = leader()
    bench.node.receive(readIndex({ from: 9 }))
    expect(answers(bench)).toEqual([[9, 1, undefined]])
    const other = follower()
    other.node.receive(readIndex({ from: 3 }))
    expect(answers(other)).toEqual([[3, 1, undefined]])
  })

  test('[RD16][RD6] is forgotten by a leader that steps down', () => {
    const bench = leader()
    bench.node.receive(readIndex({ from: 3 }))
    bench.receive(heartbeat({ from: 2, term: 2 }))
    bench.receive(accepted(0, { round: 1 }), accepted(0, { round: 1, term: 2, from: 3 }))
    expect(answers(bench)).toEqual([])
  })
})

describe('reads of followers in a cluster', () => {
  test('[RD7][RD14] a read begun after an acknowledged command sees it, at every node', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.settle()
    network.node(1).propose('x')
    // The followers hold the entry, and have not been told that it is committed.
    network.settle({ type: 'appendEntries' })
    network.settle()
    for (const node of network.nodes) {
      node.readHere(5)
      network.settle()
      const { readIndex = 0 } = node.reads.at(-1) ?? {}
      expect(readIndex).toBe(2)
      expect(node.applied.map(({ command }) => command)).toContain('x')
    }
  })

  test('[RD7][RD16] a leader that was replaced unknowingly tells its followers nothing', () => {
    const network = new RaftNetwork({ nodes: 5 })
    network.elect(1)
    for (const id of [3, 4, 5]) for (const old of [1, 2]) network.cut(old, id)
    network.elect(3)
    network.node(3).propose('x')
    network.settle()
    network.node(2).readHere(1)
    network.settle()
    expect(network.node(2).reads).toEqual([])
    network.tick(60)
    expect(network.node(2).reads).toEqual([{ ids: [1], readIndex: undefined }])
  })

  test('[RD16] a question that is in flight while leadership is handed over is answered by nobody, or truly', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.elect(1)
    network.tick(2)
    network.link(3, 1).hold('readIndex')
    network.node(3).readHere(1)
    network.node(1).step({ type: 'transfer', to: 2 })
    network.settle()
    expect(network.node(2).state.role).toBe('leader')
    network.release(3, 1)
    network.settle()
    expect(network.node(3).reads).toEqual([{ ids: [1], readIndex: undefined }])
    network.node(3).readHere(2)
    network.settle()
    expect(network.node(3).reads.at(-1)).toEqual({
      ids: [2],
      readIndex: network.node(2).state.log.commitIndex,
    })
  })

  test('a turn without such reads asks nobody', () => {
    const bench = follower()
    expect(bench.node.raft.step(endTurn()).messages).toEqual([])
  })
})
