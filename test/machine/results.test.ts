import { expect, test } from 'vitest'
import { forEachResult, type PackedResults, ResultBuilder } from '../../src/machine/index.js'

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

test('what is taken has a buffer of its own', () => {
  const builder = new ResultBuilder()
  builder.append(Buffer.from('result'))
  const { bytes } = builder.take()
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
})
