import { describe, expect, test } from 'vitest'
import { QueriedLeader } from './queried-leader.js'

test('[RQ4] queries are read while the followers are asked, once, and told when they have answered', () => {
  const node = new QueriedLeader()
  const read = node.get()
  expect(node.machine.frames.length).toBe(1)
  expect(node.toldTo(read)).toBeUndefined()
  node.acknowledge(1, node.round)
  expect(node.toldTo(read)).toBe('notFound')
  expect(node.machine.frames.length).toBe(1)
})

test('[RQ4] what was read before a write was committed is not told to a read that has to see the write', () => {
  const node = new QueriedLeader()
  // The first read's round is on its way: the second one waits for the next, and is read meanwhile.
  const first = node.get()
  const second = node.get()
  const { round } = node
  expect(node.machine.frames.length).toBe(2)
  node.put('new')
  node.flushAll()
  // Committed before the second read's round begins.
  node.acknowledge(2)
  node.acknowledge(2, round)
  node.acknowledge(2, round + 1)
  expect(node.toldTo(first)).toBe('notFound')
  expect(node.toldTo(second)).toBe('new')
})

test('[RQ4] while something is being written, nothing is read ahead', () => {
  const node = new QueriedLeader()
  node.put('new')
  const read = node.get()
  expect(node.machine.frames.length).toBe(0)
  node.flushAll()
  node.acknowledge(2, node.round)
  expect(node.toldTo(read)).toBe('new')
})

test('[RQ4] a leader that steps down tells nothing of what it read', () => {
  const node = new QueriedLeader()
  const read = node.get()
  expect(node.machine.frames.length).toBe(1)
  const heartbeat = { type: 'appendEntries', mode: 'heartbeat', from: 3, to: 1, term: 2 } as const
  node.receive({ ...heartbeat, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 1 })
  expect(node.toldTo(read)).toBe('refused')
})

test('[RQ4] only so many requests are read ahead', () => {
  const node = new QueriedLeader()
  const reads = Array.from({ length: 40 }, () => node.get())
  expect(node.machine.frames.length).toBe(8)
  for (const _ of reads) node.acknowledge(1, node.round)
  expect(reads.map((read) => node.toldTo(read))).toEqual(reads.map(() => 'notFound'))
  expect(node.machine.frames.length).toBe(40)
})

test('[RQ4] only so many bytes are read ahead', () => {
  const node = new QueriedLeader()
  node.put('v'.repeat(200_000))
  node.flushAll()
  node.acknowledge(2)
  for (let count = 0; count < 8; count++) node.get()
  // The sixth of them passes a mebibyte.
  expect(node.machine.frames.length).toBe(6)
})

describe('with a lease', () => {
  /** Node 2 answered the round that left at 1000 ms; an election timeout is 20 ticks of 25 ms. */
  function leased(): { node: QueriedLeader; at(ms: number): void } {
    let nowMs = 1000
    const node = new QueriedLeader({ reads: 'lease', now: () => nowMs })
    for (let tick = 0; tick < 2; tick++) node.driver.tick()
    node.driver.turn()
    node.acknowledge(1, node.round)
    const at = (ms: number): void => {
      nowMs = ms
    }
    return { node, at }
  }

  test('[RQ3] queries are answered in the turn in which they come, and nobody is asked', () => {
    const { node, at } = leased()
    at(1337)
    const sent = node.sent.length
    expect(node.toldTo(node.get())).toBe('notFound')
    expect(node.sent.length).toBe(sent)
  })

  test('[RQ6] a leader that stood still asks the others first: the clock is read after the queries came', () => {
    const { node, at } = leased()
    at(1338)
    const read = node.get()
    expect(node.toldTo(read)).toBeUndefined()
    node.acknowledge(1, node.round)
    expect(node.toldTo(read)).toBe('notFound')
  })

  test('[RQ3] a query waits until all is applied that was committed when it came', () => {
    const { node } = leased()
    node.put('new')
    node.flushAll()
    node.acknowledge(2)
    expect(node.toldTo(node.get())).toBe('new')
  })
})
