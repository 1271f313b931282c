import { expect, test } from 'vitest'
import { Answers } from '../../src/cluster/answers.js'
import { ResultBuilder } from '../../src/machine/index.js'

/** A message with an answer of each of these lengths, whose bytes tell them apart. */
function messageOf(lengths: readonly number[]): { readonly bytes: Uint8Array; readonly answers: Buffer[] } {
  const results = new ResultBuilder()
  const answers = lengths.map((length, number) => Buffer.alloc(length, number + 1))
  for (const answer of answers) results.append(answer)
  return { bytes: results.take().bytes, answers }
}

function takenFrom(bytes: Uint8Array, count: number): Buffer[] {
  const answers = new Answers(bytes, 0, 1)
  answers.begin(count)
  return Array.from({ length: count }, () => {
    answers.advance()
    return answers.take(answers.start, answers.end)
  })
}

test('[CA5] what a caller is given stays what it was, whatever becomes of the message and of its neighbours', () => {
  // Short ones that share a block, one that a block's end would cut, empty ones, and one that is larger than a block.
  const lengths = [
    ...Array.from({ length: 100 }, (_, number) => number),
    (16 << 10) - 10,
    0,
    20_000,
    1,
    16 << 10,
    (16 << 10) + 1,
    7,
  ]
  const { bytes, answers } = messageOf(lengths)
  const taken = takenFrom(bytes, lengths.length)
  bytes.fill(0)
  expect(taken).toEqual(answers)
  for (const [at, value] of taken.entries()) if (at % 2 === 0) value.fill(255)
  expect(taken.filter((_, at) => at % 2 === 1)).toEqual(answers.filter((_, at) => at % 2 === 1))
})

test('whoever keeps a short value keeps no whole message', () => {
  const { bytes } = messageOf(Array.from({ length: 10_000 }, () => 100))
  // As much as Node keeps for any short buffer: some kilobytes, which each of its versions decides for itself.
  const pooled = Buffer.from('short').buffer.byteLength
  expect(pooled).toBeLessThan(bytes.byteLength / 10)
  for (const value of takenFrom(bytes, 10_000)) expect(value.buffer.byteLength).toBeLessThanOrEqual(pooled)
})
