/** The rings of rows: the last ones, whole. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Sequence } from '../../src/telemetry/event-ring.js'
import { RowRing } from '../../src/telemetry/row-ring.js'
import type { WriterData } from './ring-writer.js'

function memoryOf(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(RowRing.bytesFor(rows))
}

test('the rows of a ring that is not full are all there, and those of a full one but for the oldest', () => {
  const memory = memoryOf(256)
  const ring = new RowRing(memory)
  expect(ring.read()).toEqual([])
  for (let n = 1; n <= 10; n++) ring.put(n, n + 1, n + 2, n + 3, n + 4)
  expect(ring.read(), 'they are not shown').toEqual([])
  ring.show()
  const rows = [...Array(10).keys()].map((at) => at + 1)
  expect(ring.read()).toEqual(
    rows.map((n) => ({ code: n, peer: n + 1, mark: n + 2, term: n + 3, atMs: n + 4 })),
  )
  for (let n = 11; n <= 1000; n++) ring.put(n, 0, 0, 0, 0)
  ring.show()
  const codes = new RowRing(memory).read().map(({ code }) => code)
  expect(codes).toEqual(codes.map((_, at) => 1000 - codes.length + 1 + at))
  expect(codes.length).toBe(192)
})

test('rows without a time are told once they are stamped, and never before', () => {
  const ring = new RowRing(memoryOf(256))
  ring.put(1, 0, 0, 0, Number.NaN)
  ring.put(2, 0, 0, 0, 5)
  ring.show()
  expect(ring.read().map(({ code }) => code)).toEqual([2])
  ring.put(3, 0, 0, 0, Number.NaN)
  ring.stamp(7)
  ring.put(4, 0, 0, 0, Number.NaN)
  ring.show()
  expect(ring.read().map(({ code, atMs }) => [code, atMs])).toEqual([
    [1, 7],
    [2, 5],
    [3, 7],
  ])
})

test('a writer goes on behind the rows of the one before it', () => {
  const memory = memoryOf(256)
  for (const code of [1, 2]) {
    const writer = new RowRing(memory)
    writer.put(code, 0, 0, 0, 0)
    writer.show()
  }
  expect(new RowRing(memory).read().map(({ code }) => code)).toEqual([1, 2])
})

test('the count of rows wraps around, and the last rows are read all the same', () => {
  const memory = memoryOf(256)
  new Int32Array(memory)[0] = -3
  const ring = new RowRing(memory)
  for (let n = 1; n <= 100; n++) ring.put(n, 0, 0, 0, 0)
  ring.show()
  expect(ring.read().map(({ code }) => code)).toEqual([...Array(97).keys()].map((at) => at + 4))
})

test('while another thread writes as fast as it can, no row is read torn or out of order', async () => {
  const memory = memoryOf(1024)
  const data: WriterData = {
    what: 'rows',
    memory,
    sequence: Sequence.allocate(),
    end: new SharedArrayBuffer(4),
    most: Number.POSITIVE_INFINITY,
  }
  const worker = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData: data })
  const written = once(worker, 'message')
  const ring = new RowRing(memory)
  for (let reads = 0, last = 0; reads < 100; ) {
    const rows = ring.read()
    for (const { code, peer, mark, term, atMs } of rows)
      expect([peer, mark, term, atMs], 'a row has one number').toEqual([code, code, code, code])
    for (const [at, { code }] of rows.entries()) expect(code).toBe((rows[0]?.code ?? 0) + at)
    const newest = rows.at(-1)?.code ?? 0
    if (newest > last) reads++
    last = newest
    await new Promise(setImmediate)
  }
  Atomics.store(new Int32Array(data.end), 0, 1)
  const [count] = await written
  expect(ring.read().at(-1)?.code).toBeGreaterThan(count - 7)
})
