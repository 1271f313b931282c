/** News of a node in shared memory, read while the node tells more. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Sequence, ToldMemory } from '../../src/telemetry/index.js'
import { type Numbered, numberedOf } from './records.js'
import type { WriterData } from './ring-writer.js'

const textBytes = 256

test('a reader sees what was told last, however much longer the text before it was', () => {
  const writer = new ToldMemory<string>(ToldMemory.allocate(textBytes))
  const reader = new ToldMemory<string>(writer.memory)
  expect(reader.read()).toBeUndefined()
  for (const told of ['a long text', 'b', 'another long text', '']) {
    writer.tell(told)
    expect(reader.read()).toBe(told)
  }
})

test('a text that does not fit leaves what was told before', () => {
  const memory = new ToldMemory<string>(ToldMemory.allocate(textBytes))
  memory.tell('a')
  expect(() => memory.tell('b'.repeat(textBytes))).toThrow(RangeError)
  expect(memory.read()).toBe('a')
})

test('a writer goes on behind the one before it', () => {
  const { memory } = new ToldMemory<number>(ToldMemory.allocate(textBytes))
  for (const told of [1, 2, 3]) {
    new ToldMemory<number>(memory).tell(told)
    expect(new ToldMemory<number>(memory).read()).toBe(told)
  }
})

test('while another thread tells as fast as it can, no text is read torn or older than the one before', async () => {
  const told = new ToldMemory<Numbered>(ToldMemory.allocate(textBytes))
  const data: WriterData = {
    what: 'texts',
    memory: told.memory,
    sequence: Sequence.allocate(),
    end: new SharedArrayBuffer(4),
    most: Number.POSITIVE_INFINITY,
  }
  const worker = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData: data })
  const written = once(worker, 'message')
  let last = 0
  for (let news = 0; news < 2000; ) {
    const text = told.read()
    if (text !== undefined) expect(text).toEqual(numberedOf(text.number))
    const number = text?.number ?? 0
    expect(number).toBeGreaterThanOrEqual(last)
    if (number > last) news++
    last = number
    if (number === 0) await new Promise(setImmediate)
  }
  Atomics.store(new Int32Array(data.end), 0, 1)
  const [count] = await written
  expect(told.read()?.number).toBe(count)
})
