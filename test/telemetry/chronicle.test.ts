/** The happenings of all nodes, merged: in the order of the sequence numbers, each once, also after half a record. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { EventWriter, Sequence } from '../../src/telemetry/event-ring.js'
import { Chronicle, type Happened, RingSink } from '../../src/telemetry/index.js'
import type { WriterData } from './ring-writer.js'

function chronicleOf(nodes: number) {
  const shared = Sequence.allocate()
  const heard: Happened[] = []
  const chronicle = new Chronicle(new Sequence(shared), (happened) => heard.push(happened))
  const memories = Array.from({ length: nodes }, () => EventWriter.allocate(1 << 14))
  for (const [at, memory] of memories.entries()) chronicle.follow(at + 1, memory)
  const sinkOf = (nodeId: number) =>
    new RingSink(memories[nodeId - 1] as SharedArrayBuffer, new Sequence(shared), () => undefined)
  return { chronicle, heard, memories, shared, sinkOf }
}

const sequencesOf = (heard: readonly Happened[]) => heard.map(({ sequence }) => sequence)

test('[EV5] what nodes and the cluster tell comes in one order, each once, with its node, time and cause', () => {
  const { chronicle, heard, sinkOf } = chronicleOf(2)
  const [one, two] = [sinkOf(1), sinkOf(2)]
  const first = one.tell({ type: 'paused' }, 10, undefined)
  chronicle.tell(0, { type: 'hostBlocked', forMs: 60 }, 11)
  two.tell({ type: 'killed' }, 12, undefined)
  one.tell({ type: 'resumed', afterMs: 3 }, 13, first)
  expect(heard.length).toBe(2)
  chronicle.read()
  chronicle.read()
  expect(heard).toEqual([
    { type: 'paused', nodeId: 1, sequence: 1, atMs: 10 },
    { type: 'hostBlocked', forMs: 60, nodeId: 0, sequence: 2, atMs: 11 },
    { type: 'killed', nodeId: 2, sequence: 3, atMs: 12 },
    { type: 'resumed', afterMs: 3, nodeId: 1, sequence: 4, atMs: 13, cause: 1 },
  ])
  expect(chronicle.happened).toEqual(heard)
})

test('[EV5] nothing is told while something that came before may still be written, unless its writer is gone', () => {
  const { chronicle, heard, memories, shared, sinkOf } = chronicleOf(2)
  const dying = new EventWriter(memories[0] as SharedArrayBuffer, new Sequence(shared))
  expect(() =>
    dying.write(() => {
      // Number 1 is given, and its record is not there yet.
      sinkOf(2).tell({ type: 'killed' }, 2, undefined)
      chronicle.read()
      expect(heard).toEqual([])
      throw new Error('its thread ends here')
    }),
  ).toThrow()
  chronicle.read()
  expect(heard).toEqual([])
  chronicle.nodeIsGone(1)
  expect(sequencesOf(heard)).toEqual([2])
})

test('[EV5] many threads that write at once are heard in one order, and nothing of them is lost', async () => {
  const { chronicle, heard, memories, shared } = chronicleOf(3)
  const most = 100
  const workers = memories.map((memory) => {
    const data: WriterData = {
      what: 'happenings',
      memory,
      sequence: shared,
      end: new SharedArrayBuffer(4),
      most,
    }
    return new Worker(new URL('./ring-writer.js', import.meta.url), { workerData: data })
  })
  const ended = Promise.all(workers.map((worker) => once(worker, 'message')))
  while (heard.length < 3 * most) {
    chronicle.read()
    await new Promise(setImmediate)
  }
  await ended
  expect(sequencesOf(heard)).toEqual(heard.map((_, at) => at + 1))
  expect(new Set(heard.map(({ nodeId }) => nodeId))).toEqual(new Set([1, 2, 3]))
})

test('a reader that was too slow tells how many happenings of a node it missed', () => {
  const { chronicle, heard, sinkOf } = chronicleOf(1)
  const sink = sinkOf(1)
  for (let n = 0; n < 1000; n++) sink.tell({ type: 'killed' }, n, undefined)
  chronicle.read()
  // The number of this happening was given last, and is told in its turn.
  chronicle.read()
  expect(heard.at(-1)).toMatchObject({ type: 'missed', nodeId: 1, count: 1000 - (heard.length - 1) })
  expect(chronicle.missed).toBe(1000 - (heard.length - 1))
})

test('the configuration that forgotten happenings told is kept', () => {
  const { chronicle } = chronicleOf(1)
  const of = (...voters: number[]) => ({ voters, votersOutgoing: [], learners: [] })
  const configuration = { index: 0, membership: of(1) }
  const forget = (happenings: number) => {
    for (let n = 1; n <= happenings; n++) chronicle.tell(1, { type: 'killed' }, n)
  }
  chronicle.tell(1, { type: 'started', lastIndex: 0, snapshotIndex: 0, configuration }, 0)
  expect(chronicle.configuration).toBeUndefined()
  forget(10_000)
  expect(chronicle.configuration).toEqual(configuration)
  chronicle.tell(1, { type: 'membership', index: 4, membership: of(1, 2), isCommitted: true }, 0)
  chronicle.tell(1, { type: 'membership', index: 5, membership: of(1, 2, 3), isCommitted: false }, 0)
  forget(9998)
  expect(chronicle.configuration).toEqual(configuration)
  forget(25_000)
  expect(chronicle.configuration).toEqual({ index: 4, membership: of(1, 2) })
})

test('no more than the last happenings are kept', () => {
  const { chronicle } = chronicleOf(1)
  for (let n = 1; n <= 25_000; n++) chronicle.tell(1, { type: 'killed' }, n)
  expect(chronicle.happened.length).toBe(10_000)
  expect(chronicle.happened.at(-1)).toMatchObject({ sequence: 25_000 })
})
