/** The stages that nodes passed since the last look. */
import { expect, test } from 'vitest'
import type { Message, NodeId } from '../../src/raft/index.js'
import { allocateWaymarks, type StageReader, StageTail } from '../../src/telemetry/index.js'
import { Waymarks } from '../../src/telemetry/waymarks.js'

/** A reader, and what it was told. */
function listener(): { readonly tail: StageTail; readonly told: unknown[] } {
  const told: unknown[] = []
  const reader: StageReader = {
    passed: (...row) => told.push(row),
    chunkAnswered: (...row) => told.push(['chunk', ...row]),
    lost: (nodeId) => told.push(['lost', nodeId]),
  }
  return { tail: new StageTail(reader), told }
}

/** A node of so many rows. */
function node(rows = 256) {
  const memory = allocateWaymarks(rows, rows)
  return { memory, marks: new Waymarks(memory) }
}

/** A turn that ends at a time. */
function turn(marks: Waymarks, atMs: number, ...acts: readonly (() => void)[]): void {
  for (const act of acts) act()
  marks.isNow(atMs)
  marks.turnEnded()
}

function answerToChunk(from: NodeId, to: NodeId): Message {
  return { type: 'installSnapshotResponse', from, to, term: 2, chunkOffset: 0 } as unknown as Message
}

function acknowledgement(from: NodeId, matchIndex: number): Message {
  const fields = { mode: 'replication', success: true, term: 2, to: 1, from, matchIndex }
  return { type: 'appendEntriesResponse', ...fields } as unknown as Message
}

test('stages come once each, with their peers and terms, in the order of time', () => {
  const { memory, marks } = node()
  const { tail, told } = listener()
  tail.add(1, memory, true)
  turn(marks, 5, () => marks.received(acknowledgement(2, 7)))
  tail.read()
  expect(told).toEqual([[1, 'acknowledged', 2, 7, 2, 5]])
  turn(marks, 6, () => marks.answered(7))
  tail.read()
  tail.read()
  expect(told.slice(1)).toEqual([[1, 'answered', 0, 7, 0, 6]])
})

test('what a node told before it was added is left out, unless it is new', () => {
  const { memory, marks } = node()
  turn(marks, 5, () => marks.received(acknowledgement(2, 7)))
  const [late, early] = [listener(), listener()]
  late.tail.add(1, memory, false)
  early.tail.add(1, memory, true)
  late.tail.read()
  early.tail.read()
  expect([late.told.length, early.told.length]).toEqual([0, 1])
})

test('answers to pieces of snapshots are told with their direction', () => {
  const { memory, marks } = node()
  const { tail, told } = listener()
  tail.add(1, memory, true)
  turn(
    marks,
    5,
    () => marks.received(answerToChunk(2, 1)),
    () => marks.sent(answerToChunk(1, 3)),
  )
  tail.read()
  expect(told).toEqual([
    ['chunk', 1, 2, 'received', 5],
    ['chunk', 1, 3, 'sent', 5],
  ])
})

test('rows that were overwritten before they were read are told as lost, before those that come', () => {
  const { memory, marks } = node(128)
  const { tail, told } = listener()
  tail.add(1, memory, true)
  for (let index = 1; index <= 500; index++)
    turn(marks, index, () => marks.received(acknowledgement(2, index)))
  tail.read()
  expect(told[0]).toEqual(['lost', 1])
  expect(told.at(-1)).toEqual([1, 'acknowledged', 2, 500, 2, 500])
})

test('a node that is gone is read no more', () => {
  const { memory, marks } = node()
  const { tail, told } = listener()
  tail.add(1, memory, true)
  tail.remove(1)
  turn(marks, 5, () => marks.received(acknowledgement(2, 7)))
  tail.read()
  expect(told).toEqual([])
})
