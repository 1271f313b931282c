/** The ring of happenings: nothing is lost without a word, told twice, or told by halves. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventReader, EventWriter, Sequence } from '../../src/telemetry/event-ring.js'
import { recordOf, sequenceOf } from './records.js'
import type { WriterData } from './ring-writer.js'

function ringOf(capacity: number) {
  const memory = EventWriter.allocate(capacity)
  const sequence = new Sequence(Sequence.allocate())
  return { memory, writer: new EventWriter(memory, sequence), reader: new EventReader(memory) }
}

test('a reader gets all records in order, or learns how many it missed', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant('read' as const)), {
    minLength: 1,
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, (taken) => {
      const { writer, reader } = ringOf(256)
      let written = 0
      let next = 1
      const read = (): void => {
        const { records, missed } = reader.take()
        const sequences = records.map(sequenceOf)
        next += missed
        expect(sequences).toEqual(sequences.map((_, at) => next + at))
        next += sequences.length
        // The last record is never missed.
        expect(next).toBe(written + 1)
      }
      for (const step of taken) {
        if (step === 'read') read()
        else for (let n = 0; n < step; n++) written = writer.write(recordOf)
      }
      read()
    }),
    { numRuns: 300 },
  )
})

test('a reader that begins late misses what was written over, and reads the rest', () => {
  const { memory, writer } = ringOf(256)
  for (let n = 0; n < 100; n++) writer.write(recordOf)
  const { records, missed } = new EventReader(memory).take()
  expect(records.length).toBeGreaterThan(2)
  expect(records.map(sequenceOf).at(-1)).toBe(100)
  expect(missed).toBe(100 - records.length)
})

test('positions wrap around, and nothing is lost where they do', () => {
  const { memory, writer } = ringOf(256)
  const head = new Int32Array(memory)
  // The end and the begin, a few bytes before the largest number that they hold.
  const almost = -64
  head[0] = almost
  head[1] = almost
  const late = new EventReader(memory)
  for (let n = 1; n <= 20; n++) {
    writer.write(recordOf)
    expect(late.take().records.map(sequenceOf)).toEqual([n])
  }
})

test('the reader is called once until it begins to read', () => {
  const { writer, reader } = ringOf(256)
  writer.write(recordOf)
  expect([writer.callsReader(), writer.callsReader()]).toEqual([true, false])
  reader.take()
  writer.write(recordOf)
  expect([writer.callsReader(), writer.callsReader()]).toEqual([true, false])
})

test('a writer that dies in the midst of a record leaves no half of it, and its successor goes on', () => {
  const { memory, writer, reader } = ringOf(256)
  writer.write(recordOf)
  expect(() =>
    writer.write(() => {
      throw new Error('its thread ends here')
    }),
  ).toThrow()
  expect(reader.floor).toBe(2)
  expect(reader.take().records.map(sequenceOf)).toEqual([1])
  const sequence = new Sequence(Sequence.allocate())
  new EventWriter(memory, sequence).write(recordOf)
  expect(reader.floor).toBeUndefined()
  expect(reader.take()).toMatchObject({ missed: 0, records: [recordOf(1)] })
})

test('while another thread writes as fast as it can, no record is read torn, twice or out of order', async () => {
  const memory = EventWriter.allocate(1024)
  const reader = new EventReader(memory)
  const data: WriterData = {
    what: 'records',
    memory,
    sequence: Sequence.allocate(),
    end: new SharedArrayBuffer(4),
    most: Number.POSITIVE_INFINITY,
  }
  const worker = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData: data })
  const written = once(worker, 'message')
  let next = 1
  let read = 0
  let missed = 0
  const take = (): void => {
    const taken = reader.take()
    next += taken.missed
    missed += taken.missed
    for (const record of taken.records) expect(sequenceOf(record)).toBe(next++)
    read += taken.records.length
  }
  while (read < 4000 || missed === 0) {
    take()
    await new Promise(setImmediate)
  }
  Atomics.store(new Int32Array(data.end), 0, 1)
  const [count] = await written
  take()
  expect(next - 1).toBe(count)
})
