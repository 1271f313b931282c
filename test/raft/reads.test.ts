import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'
import { accepted, appendEntries, Bench, heartbeat, jointLeader } from './support/bench.js'

/** A leader of term 1 whose first entry is committed. */
function readable(voterCount = 3, membership = {}): Bench {
  const bench = new Bench({}, voterCount, membership).become('leader')
  for (let from = 2; from <= voterCount; from++) bench.receive(accepted(1, { from }))
  return bench
}

const rounds = (bench: Bench) => bench.heartbeats()
const answer = (from: number, round: number, fields = {}) => accepted(0, { from, round, ...fields })

describe('ReadIndex (thesis §6.4)', () => {
  test('[RD1] only a leader takes reads; the others name the leader they know', () => {
    const bench = new Bench()
    expect(bench.node.read(1)).toEqual({ code: 'notLeader', leaderId: undefined })
    bench.receive(heartbeat({ from: 3 }))
    expect(bench.node.read(2)).toEqual({ code: 'notLeader', leaderId: 3 })
    for (const role of ['preCandidate', 'candidate'] as const) {
      expect(new Bench().become(role).node.read(3)).toMatchObject({ code: 'notLeader' })
    }
    expect(bench.node.reads).toEqual([])
  })

  test('[RD2][CM7] a new leader opens no round before an entry of its own term is committed', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    expect(bench.node.read(7)).toBe(undefined)
    expect(rounds(bench)).toEqual([])
    bench.node.tick(2)
    bench.receive(answer(2, 1, { term: 2 }), answer(3, 1, { term: 2 }))
    expect(bench.node.reads).toEqual([])
    // Now the entry that opens its term is committed; the round comes after it.
    bench.receive(accepted(3, { term: 2 }))
    expect(bench.node.reads).toEqual([])
    bench.receive(answer(3, 2, { term: 2 }))
    expect(bench.node.reads).toEqual([{ ids: [7], readIndex: 3 }])
  })

  test('[RD2] readIndex is commitIndex as the round begins', () => {
    const bench = readable()
    bench.node.propose('x')
    bench.receive(accepted(2))
    bench.node.read(1)
    bench.node.propose('y')
    bench.receive(accepted(3))
    expect(bench.state.log.commitIndex).toBe(3)
    bench.receive(answer(2, 1))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 2 }])
  })

  test.each([
    [2, [2]],
    [3, [2]],
    [4, [2, 3]],
    [5, [2, 3]],
  ])('[RD3] of %d nodes, the answers of %j and no fewer confirm', (voterCount, answering) => {
    const bench = readable(voterCount)
    bench.node.read(1)
    for (const from of answering.slice(1)) {
      bench.receive(answer(from, 1), answer(from, 1))
      expect(bench.node.reads).toEqual([])
    }
    bench.receive(answer(answering[0] ?? 0, 1))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
  })

  test('[RD3] a refusal of the same term confirms too: its sender knows this leader', () => {
    const bench = readable()
    bench.node.read(1)
    bench.receive(answer(2, 1, { success: false, conflictIndex: 1 }))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD3] both halves of a joint configuration confirm', () => {
    const bench = jointLeader([1, 2, 3], [4, 5, 6])
    bench.node.read(1)
    bench.receive(answer(2, 1), answer(3, 1), answer(4, 1))
    expect(bench.node.reads).toEqual([])
    bench.receive(answer(6, 1))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD4] one round of heartbeats serves all reads that wait, and those that come later get the next', () => {
    const bench = readable()
    bench.node.read(1)
    expect(rounds(bench).map(({ to, round }) => [to, round])).toEqual([[2, 1]])
    for (const id of [2, 3, 4]) bench.node.read(id)
    expect(rounds(bench)).toEqual([])
    bench.node.receive(answer(2, 1))
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
    expect(rounds(bench).map(({ to, round }) => [to, round])).toEqual([[2, 2]])
    bench.receive(answer(3, 2))
    expect(bench.node.reads.at(-1)).toEqual({ ids: [2, 3, 4], readIndex: 1 })
  })

  test('[RD4] the answer to a later heartbeat confirms as well, when those of the round are lost', () => {
    const bench = readable()
    bench.node.read(1)
    bench.node.tick(6)
    bench.receive(answer(2, 4))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD5] answers to earlier rounds, of earlier terms, of learners and to entries confirm nothing', () => {
    const bench = readable(3, { learners: [4] })
    bench.node.tick(4)
    bench.node.read(1)
    expect(bench.state.leadership?.heartbeatRound).toBe(3)
    bench.receive(answer(2, 1), answer(3, 2), answer(2, 0), accepted(1, { from: 3 }))
    bench.receive(answer(4, 3), answer(9, 3), answer(2, 3, { term: 0 }))
    expect(bench.node.reads).toEqual([])
    bench.receive(answer(3, 3))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD5] no answer of an earlier leadership fits a round of the next one', () => {
    const bench = readable()
    bench.node.tick(4)
    bench.receive(appendEntries({ from: 3, term: 2, prevLogIndex: 1, prevLogTerm: 1 }))
    bench.node.tick(20)
    bench.become('leader')
    for (const from of [2, 3]) bench.receive(accepted(2, { from, term: 3 }))
    bench.node.read(1)
    expect(bench.state).toMatchObject({ currentTerm: 3, leadership: { heartbeatRound: 1 } })
    bench.receive(answer(2, 1), answer(2, 2))
    expect(bench.node.reads).toEqual([])
    bench.receive(answer(2, 1, { term: 3 }))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD10] a late round of an earlier term, refused, confirms nothing of a later one', () => {
    const late = heartbeat({ from: 1, to: 2, term: 1, round: 9 })
    const [refusal] = new Bench({ term: 2 }).receive({ ...late, from: 2, to: 1 })
    expect(refusal).toMatchObject({ mode: 'heartbeat', success: false, term: 2, conflictIndex: 0 })
    // The sender restarted, and leads the very term that the refusal names.
    const bench = new Bench({ term: 1 }).become('leader')
    for (const from of [2, 3]) bench.receive(accepted(1, { from, term: 2 }))
    bench.node.read(1)
    expect(rounds(bench)).toHaveLength(1)
    if (refusal !== undefined) bench.receive({ ...refusal, from: 2, to: 1 })
    expect(bench.node.reads).toEqual([])
    // The refusal was asked for, so it is no message that cannot be true.
    expect(bench.node.events.filter(({ type }) => type === 'messageDropped')).toEqual([])
    bench.receive(answer(3, 1, { term: 2 }))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD6] a leader that steps down gives up all its reads, waiting or being confirmed, once', () => {
    for (const depose of [
      (bench: Bench) => bench.receive(appendEntries({ term: 2 })),
      (bench: Bench) => bench.receive(accepted(0, { term: 5 })),
      (bench: Bench) => bench.node.tick(40),
    ]) {
      const bench = readable()
      bench.node.read(1)
      bench.node.read(2)
      depose(bench)
      bench.node.tick(1)
      expect(bench.state.role).toBe('follower')
      expect(bench.node.reads).toEqual([{ ids: [1, 2], readIndex: undefined }])
      expect(bench.state.leadership).toBe(undefined)
    }
  })

  test('[RD7] a leader that was replaced unknowingly confirms nothing', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const old = network.elect(1)
    network.tick(2)
    network.isolate(1)
    network.elect(2)
    network.node(2).propose('new')
    network.tick(2)
    old.read(1)
    network.tick(4)
    expect(old.state.role).toBe('leader')
    expect(old.reads).toEqual([])
    // One of five is no majority either.
    network.heal()
    network.tick(2)
    expect(old.reads).toEqual([{ ids: [1], readIndex: undefined }])
  })

  test('[RD7] of five, the old leader with one follower confirms nothing', () => {
    const network = new RaftNetwork({ nodes: 5 })
    const old = network.elect(1)
    network.tick(2)
    for (const id of [3, 4, 5]) for (const side of [1, 2]) network.cut(side, id)
    old.read(1)
    network.tick(10)
    expect(old.reads).toEqual([])
  })

  test('[RD7] a read begun after an acknowledged command sees it', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    leader.propose('x')
    network.settle()
    leader.read(1)
    network.settle()
    const [read] = leader.reads
    expect(leader.applied[(read?.readIndex ?? 0) - 1]?.command).toBe('x')
  })

  test('[RD8] more than waitingReadsMax reads are refused, and nothing changes', () => {
    const bench = new Bench({ limits: { waitingReadsMax: 2 } }).become('leader')
    bench.receive(accepted(1))
    expect([1, 2, 3].map((id) => bench.node.read(id))).toEqual([
      undefined,
      undefined,
      { code: 'overloaded', leaderId: 1 },
    ])
    bench.receive(answer(2, 1), answer(2, 2))
    expect(bench.node.reads.flatMap(({ ids }) => ids)).toEqual([1, 2])
    expect(bench.node.read(3)).toBe(undefined)
  })

  test('[RD9] a cluster of one confirms at once', () => {
    const bench = new Bench({}, 1)
    bench.node.campaign()
    bench.node.read(1)
    expect(bench.node.reads).toEqual([{ ids: [1], readIndex: 1 }])
  })

  const asked = (bench: Bench) => rounds(bench).map(({ to }) => to)

  test.each<[number, object, readonly number[]]>([
    [2, {}, [2]],
    [3, {}, [2]],
    [4, {}, [2, 3]],
    [5, {}, [2, 3]],
    [3, { learners: [4, 5] }, [2]],
  ])('[RD11] of %d nodes and %j, %j are asked', (voterCount, membership, followers) => {
    const bench = readable(voterCount, membership)
    bench.receive(accepted(1, { from: 4 }), accepted(1, { from: 5 }))
    bench.node.read(1)
    expect(asked(bench).sort()).toEqual(followers)
    bench.receive(...followers.map((from) => answer(from, 1)))
    expect(bench.node.reads).toHaveLength(1)
  })

  test('[RD11] those that answered last are asked', () => {
    const bench = readable(5)
    bench.node.tick(2)
    bench.receive(answer(5, 1), answer(3, 1))
    bench.sent()
    bench.node.read(1)
    expect(asked(bench).sort()).toEqual([3, 5])
    // The next heartbeat to all finds out that one of them is gone.
    bench.node.tick(2)
    expect(asked(bench).sort()).toEqual([2, 3, 4, 5])
    bench.receive(answer(3, 3), answer(4, 3))
    expect(bench.node.reads).toHaveLength(1)
    bench.node.read(2)
    expect(asked(bench).sort()).toEqual([3, 4])
  })

  test('[RD11] while something waits to be committed, all are asked: those asked alone might be busy with it', () => {
    const bench = readable()
    bench.node.propose('x')
    bench.sent()
    bench.node.read(1)
    expect(asked(bench)).toEqual([2, 3])
  })

  test('[RD11] reads put off no heartbeat in its time', () => {
    const bench = readable()
    const heard: number[] = []
    for (let tick = 1; tick <= 8; tick++) {
      bench.node.read(tick)
      bench.receive(answer(2, bench.state.leadership?.heartbeatRound ?? 0))
      bench.node.tick(1)
      const others = asked(bench).filter((to) => to === 3)
      if (others.length > 0) heard.push(tick)
    }
    expect(heard).toEqual([2, 4, 6, 8])
  })
})
