import { describe, expect, test } from 'vitest'
import type { RaftLimits, Replication } from '../../src/raft/index.js'
import { frameOf, RaftNetwork } from '../../src/testing/index.js'
import { accepted, appendEntries, Bench, refused } from './support/bench.js'

/** A leader of term 1 whose followers acknowledged its first entry: both are pipelined to. */
function pipelining(limits: Partial<RaftLimits> = {}): Bench {
  const bench = new Bench({ limits }).become('leader')
  bench.receive(accepted(1), accepted(1, { from: 3 }))
  return bench
}

const toTwo = (bench: Bench): Replication[] => bench.replications().filter(({ to }) => to === 2)
const spans = (messages: readonly Replication[]) =>
  messages.map(({ prevLogIndex, entries }) => [
    prevLogIndex,
    entries.reduce((sum, run) => sum + run.count, 0),
  ])

describe('probing', () => {
  test('[FC1] until it is known where the logs meet, one message at a time is sent', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    for (const command of ['a', 'b', 'c']) bench.node.propose(command)
    expect(toTwo(bench)).toEqual([])
    bench.receive(refused(2, { term: 2, conflictIndex: 1 }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      nextIndex: 1,
      isProbeSent: true,
    })
  })

  test('[FC1] a probe without an answer is sent again after the next heartbeat that is answered', () => {
    const bench = new Bench({ log: [1, 1] }).become('leader')
    bench.node.tick(2)
    bench.sent()
    const again = bench.receive(accepted(0, { term: 2, round: 1 }))
    expect(again).toMatchObject([{ type: 'appendEntries', prevLogIndex: 2, entries: [{ term: 2 }] }])
    expect(bench.receive(accepted(0, { from: 3, term: 1, round: 1 }))).toEqual([])
  })
})

describe('the pipeline', () => {
  test('[FC2] entries are sent without waiting for answers, each once', () => {
    const bench = pipelining()
    for (const command of ['a', 'b', 'c']) bench.node.propose(command)
    expect(spans(toTwo(bench))).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ nextIndex: 5, inflightMessages: 3 })
  })

  test('[FC2] at most inflightMessagesMax messages are on their way to one follower', () => {
    const bench = pipelining({ inflightMessagesMax: 2 })
    for (const command of ['a', 'b', 'c', 'd']) bench.node.propose(command)
    expect(spans(toTwo(bench))).toEqual([
      [1, 1],
      [2, 1],
    ])
    bench.receive(accepted(2))
    expect(bench.state.leadership?.progress.get(2)?.inflightMessages).toBe(2)
    bench.receive(accepted(3))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({ inflightMessages: 1, nextIndex: 6 })
  })

  test('[FC2] what waited for the window goes as one message', () => {
    const bench = pipelining({ inflightMessagesMax: 1 })
    for (const command of ['a', 'b', 'c', 'd']) bench.node.propose(command)
    expect(spans(toTwo(bench))).toEqual([[1, 1]])
    bench.node.receive(accepted(2))
    expect(spans(toTwo(bench))).toEqual([[2, 3]])
  })

  test('[FC3] at most inflightBytesMax bytes and one message more are on their way', () => {
    const bench = pipelining({ inflightBytesMax: 100 })
    const command = 'x'.repeat(30)
    for (let at = 0; at < 5; at++) bench.node.propose(command)
    expect(spans(toTwo(bench))).toEqual([
      [1, 1],
      [2, 1],
    ])
    expect(bench.state.leadership?.progress.get(2)?.inflightBytes).toBe(2 * (32 + 4 + 30))
    bench.receive(accepted(6, {}))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      inflightBytes: 0,
      inflightMessages: 0,
      matchIndex: 6,
    })
  })

  test('[FC4] a message carries at most appendBytesMax bytes, and one larger run alone', () => {
    const bench = new Bench({ limits: { appendBytesMax: 200 }, log: [] }).become('leader')
    for (const length of [10, 60, 60, 300, 10, 10]) bench.node.propose('x'.repeat(length))
    bench.network.take()
    bench.node.receive(accepted(1))
    expect(spans(toTwo(bench))).toEqual([
      [1, 2],
      [3, 1],
      [4, 1],
      [5, 2],
    ])
  })

  test('[FC2] each follower has a window of its own', () => {
    const bench = pipelining({ inflightMessagesMax: 1 })
    bench.node.propose('a')
    bench.receive(accepted(2, { from: 3 }))
    bench.node.propose('b')
    expect(bench.sentOf('appendEntries').map(({ to }) => to)).toEqual([3])
  })

  test('[FC6] after a lost message the follower refuses the next one, and all is sent again from there', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.link(1, 2).drop('appendEntries')
    leader.propose('lost')
    network.link(1, 2).pass()
    leader.propose('b')
    leader.propose('c')
    network.settle()
    expect(network.node(2).entries).toEqual(leader.entries)
    expect(leader.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      inflightMessages: 0,
      inflightBytes: 0,
    })
  })

  test('[FC6] when the last message is lost, or all in a full window, the next heartbeats bring it out', () => {
    for (const inflightMessagesMax of [1, 3]) {
      const network = new RaftNetwork({ nodes: 3, limits: { inflightMessagesMax } })
      const leader = network.elect(1)
      network.tick(2)
      network.link(1, 2).drop('appendEntries')
      for (const command of ['a', 'b', 'c', 'd']) leader.propose(command)
      network.settle()
      network.heal()
      network.tick(4)
      expect(network.node(2).entries).toEqual(leader.entries)
      expect(leader.state.leadership?.progress.get(2)).toMatchObject({
        state: 'replicate',
        inflightMessages: 0,
        inflightBytes: 0,
      })
    }
  })

  test('[FC6] a refusal empties the window: what was in it is sent again', () => {
    const bench = pipelining({ inflightMessagesMax: 3 })
    for (const command of ['a', 'b', 'c']) bench.node.propose(command)
    bench.receive(refused(3, { conflictIndex: 2 }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'probe',
      inflightMessages: 0,
      inflightBytes: 0,
    })
    bench.receive(accepted(2))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      inflightMessages: 1,
      nextIndex: 5,
    })
  })

  test('[FC6] messages that overtake each other cost a probe and lose nothing', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    for (const command of ['a', 'b', 'c']) leader.propose(command)
    const [first, second, third] = network.take({ type: 'appendEntries', to: 2 })
    for (const message of [third, first, second]) if (message !== undefined) network.inject(message)
    network.settle()
    network.tick(4)
    expect(network.node(2).entries).toEqual(leader.entries)
    expect(leader.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      inflightMessages: 0,
    })
  })

  test('[FC7] acknowledgements that wait for one flush become one, the newest', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 1
    const leader = new Bench({ limits: { appendBytesMax: 1 } }).become('leader')
    for (const command of ['a', 'b', 'c']) leader.node.propose(command)
    const entries = leader.state.log.slice(1, 4, 9999)
    entries.forEach((run, at) => {
      bench.node.receive(appendEntries({ prevLogIndex: at, prevLogTerm: at === 0 ? 0 : 1, entries: [run] }))
    })
    // An older message, again, waits for nothing more than the newer ones do.
    bench.node.receive(appendEntries({ entries: entries.slice(0, 1) }))
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ matchIndex: 1 }])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ matchIndex: 4 }])
    expect(bench.node.disk.unflushedCount).toBe(0)
  })
})

describe('what a leader holds uncommitted', () => {
  const command = 'x'.repeat(1000)
  const limits = { uncommittedBytesMax: 3000 }
  const fill = (bench: Bench) => {
    let taken = 0
    while (!('code' in bench.node.propose(command))) taken++
    return taken
  }

  test('[FC5] above uncommittedBytesMax commands are refused, and taken again once some are committed', () => {
    const bench = pipelining(limits)
    const taken = fill(bench)
    expect(taken).toBe(3)
    expect(bench.node.propose('small')).toEqual({ code: 'overloaded', leaderId: 1 })
    bench.receive(accepted(2))
    expect(bench.node.propose('small')).toMatchObject({ first: { index: 5 } })
  })

  test('[FC5] commands that are committed and not on our own disk count too', () => {
    const bench = pipelining(limits)
    bench.node.disk.isHeld = true
    expect(fill(bench)).toBe(3)
    for (const from of [2, 3]) bench.receive(accepted(4, { from }))
    expect(bench.state.log.commitIndex).toBe(4)
    expect(bench.node.propose('small')).toMatchObject({ code: 'overloaded' })
    bench.node.releaseDisk()
    expect(bench.node.propose('small')).toMatchObject({ first: { index: 5 } })
  })

  test('[FC5] commands that are committed and not applied count too', () => {
    const bench = pipelining(limits)
    bench.node.isApplyHeld = true
    expect(fill(bench)).toBe(3)
    for (const from of [2, 3]) bench.receive(accepted(4, { from }))
    expect(bench.state.log.commitIndex).toBe(4)
    expect(bench.node.propose('small')).toMatchObject({ code: 'overloaded' })
    bench.node.isApplyHeld = false
    bench.node.work()
    expect(bench.node.propose('small')).toMatchObject({ first: { index: 5 } })
  })

  test('[FC5] nothing leaks: after any number of full rounds, lost leaderships and truncations it takes as much', () => {
    const network = new RaftNetwork({ nodes: 3, limits })
    for (let round = 0; round < 6; round++) {
      const id = (round % 3) + 1
      const leader = network.elect(id)
      network.tick(3)
      network.isolate(id)
      let taken = 0
      while (!('code' in leader.proposeFrame(frameOf(command)))) taken++
      expect(taken).toBe(3)
      // Its commands are overwritten by the next leader.
      network.elect((id % 3) + 1)
      network.heal()
      network.tick(5)
      expect(leader.state.role).toBe('follower')
    }
  })

  test('[FC5] an idle leader takes one frame of any size', () => {
    const bench = pipelining({ uncommittedBytesMax: 10 })
    expect(bench.node.propose('x'.repeat(100_000))).toMatchObject({ first: { index: 2 } })
    expect(bench.node.propose('x')).toMatchObject({ code: 'overloaded' })
  })
})
