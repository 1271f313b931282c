import { expect, test } from 'vitest'
import {
  endOfResults,
  forEachResult,
  type PackedResults,
  ResultBuilder,
  resultBytesMaxDefault,
} from '../../src/machine/index.js'

function walk(results: PackedResults): string[] {
  const walked: string[] = []
  forEachResult(results, (start, end, position) => {
    walked.push(`${position}: ${Buffer.from(results.bytes.subarray(start, end)).toString()}`)
  })
  return walked
}

test('results are walked in the order in which they were written', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('one'))
  const offset = builder.reserve(3)
  builder.bytes.set(Buffer.from('two'), offset)
  builder.append(new Uint8Array(0))
  expect(builder.count).toBe(3)
  expect(builder.byteLength).toBe(3 * 4 + 6)
  expect(walk(builder.take())).toEqual(['0: one', '1: two', '2: '])
})

test('a builder starts over after it was taken from', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('first'))
  const first = builder.take()
  builder.append(Buffer.from('second'))
  expect(walk(first)).toEqual(['0: first'])
  expect(walk(builder.take())).toEqual(['0: second'])
  expect(builder.take()).toEqual({ bytes: new Uint8Array(0), count: 0 })
})

test('a builder grows and keeps what it holds', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('small'))
  builder.append(Buffer.alloc(10_000, 'x'))
  builder.append(Buffer.from('last'))
  expect(walk(builder.take())).toEqual(['0: small', `1: ${'x'.repeat(10_000)}`, '2: last'])
})

test('long results leave in the buffer they were packed in, and one that came back is used again', () => {
  const builder = new ResultBuilder()
  const answer = Buffer.alloc(10_000, 'x')
  for (let count = 0; count < 3; count++) builder.append(answer)
  const first = builder.take()
  const { buffer } = first.bytes
  builder.append(answer)
  expect(walk(first)).toEqual(['0', '1', '2'].map((number) => `${number}: ${answer}`))
  builder.take()
  // As a thread does that hands it on and gets it back.
  builder.reuse(buffer as ArrayBuffer)
  for (let count = 0; count < 3; count++) builder.append(answer)
  const second = builder.take()
  for (let count = 0; count < 3; count++) builder.append(Buffer.alloc(10_000, 'y'))
  const third = builder.take()
  expect(third.bytes.buffer).toBe(buffer)
  expect(walk(second)).toEqual(walk({ bytes: second.bytes, count: 3 }))
  expect(walk(second)[2]).toBe(`2: ${answer}`)
  expect(walk(third)[2]).toBe(`2: ${'y'.repeat(10_000)}`)
})

test('short results after a long one keep no long buffer', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.alloc(500_000))
  builder.take()
  builder.append(Buffer.alloc(20_000))
  expect(builder.take().bytes.buffer.byteLength).toBeLessThan(30_000)
})

test('a buffer that grew beyond what is usual leaves with its results', () => {
  const builder = new ResultBuilder()
  const usual = resultBytesMaxDefault
  for (let count = 0; count < 3; count++) builder.append(Buffer.alloc(usual, 'x'))
  const packed = builder.bytes.buffer
  const large = builder.take()
  expect(large.bytes.buffer).toBe(packed)
  expect(builder.capacity).toBe(usual)
  builder.append(Buffer.from('next'))
  expect(walk(large)[2]).toBe(`2: ${'x'.repeat(usual)}`)
  expect(walk(builder.take())).toEqual(['0: next'])
})

test('buffers that are too short, too long or too many are not kept', () => {
  const builder = new ResultBuilder()
  const sizes = [1000, 2 << 20, ...Array.from({ length: 20 }, () => 64 << 10)]
  const buffers = sizes.map((size) => new ArrayBuffer(size))
  for (const buffer of buffers) builder.reuse(buffer)
  const used = new Set<ArrayBufferLike>()
  for (let count = 0; count < 30; count++) {
    builder.append(Buffer.alloc(50_000))
    used.add(builder.take().bytes.buffer)
  }
  expect(buffers.map((buffer) => used.has(buffer)).filter(Boolean).length).toBe(4)
  expect(used.has(buffers[0]!) || used.has(buffers[1]!)).toBe(false)
})

test('what is taken has a buffer of its own', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('result'))
  const { bytes } = builder.take()
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
})

test('a builder takes no more than its bound, but for the first, and none that would fit once it refused one', () => {
  const builder = new ResultBuilder(50)
  builder.append(Buffer.alloc(30, 'a'))
  builder.append(Buffer.alloc(12, 'b'))
  expect(builder.isFull).toBe(false)
  expect(() => builder.append(new Uint8Array(0))).toThrow('50 bytes')
  expect([builder.isFull, builder.count, builder.byteLength]).toEqual([true, 2, 50])
  expect(walk(builder.take())).toEqual([`0: ${'a'.repeat(30)}`, `1: ${'b'.repeat(12)}`])
  builder.append(Buffer.alloc(10_000, 'c'))
  expect(() => builder.reserve(0)).toThrow('50 bytes')
  expect(walk(builder.take())).toEqual([`0: ${'c'.repeat(10_000)}`])
  builder.append(Buffer.alloc(20, 'd'))
  expect(() => builder.append(Buffer.alloc(40))).toThrow('50 bytes')
  expect(() => builder.append(new Uint8Array(1))).toThrow('50 bytes')
  expect(walk(builder.take())).toEqual([`0: ${'d'.repeat(20)}`])
})

test('a bound builder grows no further than its bound, so that its buffers can be used again', () => {
  const builder = new ResultBuilder(100_000)
  for (let count = 0; count < 9; count++) builder.append(Buffer.alloc(10_000, 'x'))
  expect(builder.capacity).toBe(100_000)
  const { buffer } = builder.take().bytes
  builder.reuse(buffer as ArrayBuffer)
  for (let count = 0; count < 9; count++) builder.append(Buffer.alloc(10_000, 'y'))
  builder.take()
  for (let count = 0; count < 9; count++) builder.append(Buffer.alloc(10_000, 'z'))
  expect(() => builder.append(Buffer.alloc(10_000))).toThrow('100000 bytes')
  const { bytes, count } = builder.take()
  expect([bytes.buffer === buffer, count]).toEqual([true, 9])
})

test('a result that cannot be copied is not taken, and what was reserved can be given up', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('one'))
  const gone = new Uint8Array(8)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  expect(() => builder.append(gone)).toThrow('detached')
  const { byteLength, count } = builder
  builder.reserve(10_000)
  builder.append(Buffer.from('half of a pair'))
  builder.rewind(byteLength, count)
  builder.append(Buffer.from('two'))
  expect(walk(builder.take())).toEqual(['0: one', '1: two'])
})

test.each([
  ['text', 'a text'],
  [undefined, 'undefined'],
  [[1, 2], 'a list'],
  [new ArrayBuffer(4), 'a value of type object'],
])('a machine that gives %j as a result is told what it owes', (result, given) => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('one'))
  expect(() => builder.append(result as unknown as Uint8Array)).toThrow(
    new TypeError(`the machine owes a Uint8Array for each result: it gave ${given}`),
  )
  builder.append(Buffer.from('two'))
  expect(walk(builder.take())).toEqual(['0: one', '1: two'])
})

test('results end where their lengths say, and nowhere when the bytes end before', () => {
  const builder = new ResultBuilder()
  for (const result of ['one', '', 'three']) builder.append(Buffer.from(result))
  const { bytes } = builder.take()
  expect([0, 1, 2, 3].map((count) => endOfResults(bytes, 0, count))).toEqual([0, 7, 11, 20])
  expect(endOfResults(bytes, 7, 2)).toBe(20)
  expect(endOfResults(bytes, 0, 4)).toBeUndefined()
  for (let end = 0; end < bytes.byteLength; end++)
    expect(endOfResults(bytes.subarray(0, end), 0, 3)).toBeUndefined()
})
