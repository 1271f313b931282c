/** The messages between nodes since the last look, and how many there were besides. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { Message, NodeId } from '../../src/raft/index.js'
import { allocateWaymarks, MessageTail, Sequence } from '../../src/telemetry/index.js'
import { RowRing } from '../../src/telemetry/row-ring.js'
import { Waymarks } from '../../src/telemetry/waymarks.js'
import type { WriterData } from './ring-writer.js'

/** Nodes that tell of messages, and a reader. Rings of so many rows. */
function told(rows = 256) {
  const memories = new Map<NodeId, ReturnType<typeof allocateWaymarks>>()
  const add = (nodeId: NodeId): Waymarks => {
    const memory = allocateWaymarks(rows, rows)
    memories.set(nodeId, memory)
    return new Waymarks(memory)
  }
  return { add, memories, tail: () => new MessageTail(() => memories) }
}

function heartbeat(to: NodeId, round: number): Message {
  return { type: 'appendEntries', mode: 'heartbeat', from: 1, to, term: 1, round } as Message
}

function append(to: NodeId, prevLogIndex: number): Message {
  return {
    type: 'appendEntries',
    mode: 'replication',
    from: 1,
    to,
    term: 1,
    prevLogIndex,
    entries: [],
  } as unknown as Message
}

/** A turn in which the messages leave. */
function sends(node: Waymarks, ...messages: readonly Message[]): void {
  for (const message of messages) node.sent(message)
  node.isNow(5)
  node.turnEnded()
}

const marks = ({ carried }: { readonly carried: readonly { readonly mark: number }[] }): number[] =>
  carried.map(({ mark }) => mark)

test('[LK4] a reader is told each message once, from its begin on', () => {
  const { add, tail } = told()
  const node = add(1)
  sends(node, heartbeat(2, 1))
  const reader = tail()
  expect(reader.take(10).carried).toEqual([])
  sends(node, heartbeat(2, 2), heartbeat(3, 2))
  node.received({
    ...heartbeat(1, 0),
    type: 'appendEntriesResponse',
    from: 2,
    round: 2,
    success: true,
  } as Message)
  node.isNow(6)
  node.turnEnded()
  const ofRound = { nodeId: 1, term: 1, mark: 2, atMs: 5 }
  expect(reader.take(10)).toEqual({
    carried: [
      { ...ofRound, direction: 'sent', type: 'heartbeat', peer: 2, isYes: undefined },
      { ...ofRound, direction: 'sent', type: 'heartbeat', peer: 3, isYes: undefined },
      { ...ofRound, direction: 'received', type: 'heartbeatResponse', peer: 2, isYes: true, atMs: 6 },
    ],
    leftOut: { sent: 0, received: 0 },
    rowsLost: 0,
  })
  expect(reader.take(10).carried).toEqual([])
})

test('[LK4] of too many messages the newest are told and the others counted; those that replicate drive out no heartbeats', () => {
  const { add, tail } = told()
  const node = add(1)
  const reader = tail()
  sends(node, heartbeat(2, 7), ...Array.from({ length: 20 }, (_, at) => append(2, at + 1)))
  node.received(append(1, 30))
  node.isNow(6)
  node.turnEnded()
  const taken = reader.take(3)
  expect(marks(taken)).toEqual([19, 20, 7, 30])
  expect(taken.leftOut).toEqual({ sent: 18, received: 0 })
  sends(node, append(2, 40))
  node.received(append(1, 41))
  node.received(append(1, 42))
  node.isNow(7)
  node.turnEnded()
  expect(reader.take(0).leftOut).toEqual({ sent: 1, received: 2 })
})

test('all that a node told is new when it was added after the reader began, and a node that left is forgotten', () => {
  const { add, memories, tail } = told()
  add(1)
  const reader = tail()
  sends(add(2), heartbeat(1, 1))
  expect(marks(reader.take(10))).toEqual([1])
  memories.delete(2)
  expect(reader.take(10).carried).toEqual([])
})

test('rows that were written over before they were read are counted', () => {
  const { add, tail } = told()
  const node = add(1)
  const reader = tail()
  for (let round = 1; round <= 1000; round++) sends(node, heartbeat(2, round))
  const taken = reader.take(1000)
  expect(taken.carried.length + taken.rowsLost).toBe(1000)
  expect(marks(taken)).toEqual(taken.carried.map((_, at) => taken.rowsLost + 1 + at))
  expect(taken.carried.length).toBe(192)
})

test('a message whose time is not known yet waits for it', () => {
  const ring = new RowRing(new ArrayBuffer(RowRing.bytesFor(256)))
  ring.put(1, 0, 0, 0, 5)
  ring.put(2, 0, 0, 0, Number.NaN)
  ring.show()
  const first = ring.readFrom(0)
  expect([first.length, first.next]).toEqual([1, 1])
  ring.stamp(6)
  const second = ring.readFrom(first.next)
  expect([second.length, second.rowAt(0)?.atMs, second.next]).toEqual([1, 6, 2])
})

test('a message whose time died with its writer holds up nothing', () => {
  const memory = new ArrayBuffer(RowRing.bytesFor(256))
  const writer = new RowRing(memory)
  writer.put(1, 0, 0, 0, Number.NaN)
  writer.show()
  const next = new RowRing(memory)
  expect(next.readFrom(0).next).toBe(0)
  next.put(2, 0, 0, 0, 5)
  next.show()
  const rows = next.readFrom(0)
  expect([rows.rowAt(0), rows.rowAt(1)?.code, rows.next]).toEqual([undefined, 2, 2])
})

test.each([
  ['rows', 1],
  ['stampedRows', 5],
] as const)(
  'while another thread writes %s as fast as it can, each is read once, in order and whole, or counted as lost',
  async (what, stampedEvery) => {
    const memory = new SharedArrayBuffer(RowRing.bytesFor(1024))
    const data: WriterData = {
      what,
      memory,
      sequence: Sequence.allocate(),
      end: new SharedArrayBuffer(4),
      most: Number.POSITIVE_INFINITY,
    }
    const worker = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData: data })
    const written = once(worker, 'message')
    const ring = new RowRing(memory)
    let position = 0
    let seen = 0
    let lost = 0
    let wrong = 0
    for (let reads = 0; reads < 200; ) {
      const rows = ring.readFrom(position)
      position = rows.next
      lost += rows.lost
      for (let at = 0; at < rows.length; at++) {
        seen++
        const { code, peer, mark, term, atMs } = rows.rowAt(at) ?? {}
        const stampedAt = Math.ceil((lost + seen) / stampedEvery) * stampedEvery
        if ([code, peer, mark, term].some((n) => n !== lost + seen) || atMs !== stampedAt) wrong++
      }
      if (rows.length > 0) reads++
      // Every second reading lets the writer run ahead.
      if (reads % 2 === 0) await new Promise(setImmediate)
    }
    Atomics.store(new Int32Array(data.end), 0, 1)
    const [count] = await written
    expect(wrong).toBe(0)
    const rest = ring.readFrom(position)
    expect(seen + lost + rest.length + rest.lost).toBeGreaterThan(count - 32)
  },
)
