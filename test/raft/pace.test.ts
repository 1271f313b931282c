import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/raft/index.js'
import { accepted, Bench, installSnapshotResponse } from './support/bench.js'

/** Three entries of this size fill a message, and twelve the window. */
const large = 'x'.repeat(10_000)
const limits = { appendBytesMax: 30_500, inflightBytesMax: 124_000, heartbeatTicks: 3 }

const toThree = (messages: readonly Message[]) => messages.filter(({ to }) => to === 3)
const countOf = (messages: readonly Message[]) =>
  toThree(messages).flatMap((message) =>
    message.type === 'appendEntries' && message.mode === 'replication'
      ? message.entries.reduce((sum, run) => sum + run.count, 0)
      : [],
  )

/** A leader whose follower 2 has all that it sent. Follower 3 answers its first message only after `count` entries more. */
function leaderWithLaggard(count: number): Bench {
  const bench = new Bench({ limits }).become('leader')
  bench.node.now = 0
  for (let entry = 0; entry < count; entry++) {
    bench.node.propose(large)
    bench.receive(accepted(bench.state.log.lastIndex))
  }
  return bench
}

/** A small command is committed, and another one waits to be. Returns what was sent meanwhile. */
function goesOn(bench: Bench): Message[] {
  bench.node.propose('committed')
  const sent = bench.receive(accepted(bench.state.log.lastIndex))
  bench.node.propose('waiting')
  return [...sent, ...bench.sent()]
}

/** The messages that the leader sends in a turn at a time of its clock. */
function turnAt(bench: Bench, now: number): Message[] {
  bench.node.now = now
  bench.node.work()
  return bench.sent()
}

/** A follower that is behind was sent three entries at 0, while others were committed, and answers them at `now`. */
function answeredAt(now: number): Bench {
  const bench = leaderWithLaggard(20)
  expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3])
  expect(countOf(goesOn(bench))).toEqual([])
  bench.node.now = now
  expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([])
  return bench
}

describe('a follower that is behind', () => {
  test('[FC10] it is sent one message at a time', () => {
    const bench = leaderWithLaggard(20)
    expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3])
    expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([3])
  })

  test('[FC10] a follower that lacks no more than half of the window is sent all of it at once', () => {
    const bench = leaderWithLaggard(6)
    expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3, 3])
  })

  test('[FC10] once a message holds what remains, it is sent all again without waiting for answers', () => {
    const bench = leaderWithLaggard(8)
    expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3])
    expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([3, 2])
    bench.node.propose('new')
    expect(countOf(bench.sent())).toEqual([1])
  })

  test('[FC11] it rests for eight times as long as its answer took', () => {
    const bench = answeredAt(0.25)
    expect(countOf(turnAt(bench, 2.24))).toEqual([])
    expect(countOf(turnAt(bench, 2.26))).toEqual([3])
  })

  test('[FC11] it rests for a heartbeat interval at most', () => {
    const bench = answeredAt(2)
    expect(countOf(turnAt(bench, 4.9))).toEqual([])
    expect(countOf(turnAt(bench, 5.1))).toEqual([3])
  })

  test('[FC11] without a clock nobody rests', () => {
    const bench = leaderWithLaggard(20)
    bench.node.now = undefined
    bench.receive(accepted(1, { from: 3 }))
    goesOn(bench)
    expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([3])
  })

  test('[FC12] it does not rest while nobody writes', () => {
    const bench = leaderWithLaggard(20)
    bench.node.propose('before the message')
    expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3])
    bench.receive(accepted(bench.state.log.lastIndex))
    bench.node.now = 2
    expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([3])
  })

  test('[FC12] it rests on in a moment in which all is committed', () => {
    const bench = answeredAt(2)
    expect(countOf(bench.receive(accepted(bench.state.log.lastIndex)))).toEqual([])
  })

  test('[FC12] it does not rest while commits wait for it', () => {
    const bench = leaderWithLaggard(20)
    bench.node.propose('nobody but follower 3 answers')
    expect(countOf(bench.receive(accepted(1, { from: 3 })))).toEqual([3])
    bench.node.now = 2
    expect(countOf(bench.receive(accepted(4, { from: 3 })))).toEqual([3])
  })

  test('[FC12] it rests no longer than until the log has grown by half of what it was sent', () => {
    const bench = answeredAt(2)
    bench.node.propose(large)
    expect(countOf(bench.sent())).toEqual([])
    bench.node.propose(large)
    expect(countOf(bench.sent())).toEqual([3])
  })
})

test('[FC11] a follower rests between two chunks of a snapshot', () => {
  const bench = new Bench({ limits: { ...limits, snapshotChunkBytes: 20_000 } }).become('leader')
  for (let entry = 0; entry < 5; entry++) {
    bench.node.propose(large)
    bench.receive(accepted(bench.state.log.lastIndex))
  }
  const { index } = bench.node.compact()
  bench.node.now = 0
  bench.node.tick(limits.heartbeatTicks)
  bench.sent()
  const [first] = toThree(bench.receive(accepted(0, { from: 3, round: 1 })))
  expect(first).toMatchObject({ type: 'installSnapshot', offset: 0 })
  expect(toThree(goesOn(bench))).toEqual([])
  bench.node.now = 0.25
  const answer = installSnapshotResponse({
    from: 3,
    lastIncludedIndex: index,
    chunkOffset: 0,
    offset: 20_000,
  })
  expect(toThree(bench.receive(answer))).toEqual([])
  expect(toThree(turnAt(bench, 2.24))).toEqual([])
  expect(toThree(turnAt(bench, 2.26))).toMatchObject([{ type: 'installSnapshot', offset: 20_000 }])
})
