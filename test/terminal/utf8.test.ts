import fc from 'fast-check'
import { expect, test } from 'vitest'
import { badColumn, checkedUtf8, type Place } from '../../src/terminal/utf8.js'
import { inChunks } from '../cli/input/chunks.js'

class Refused extends Error {
  readonly place: Place
  readonly byte: number

  constructor(place: Place, byte: number) {
    super('refused')
    this.place = place
    this.byte = byte
  }
}

/** The bytes that were given, and the place and the byte that were refused. */
async function checked(bytes: Buffer, lengths: readonly number[]) {
  const given: Buffer[] = []
  try {
    const refuse = (place: Place, byte: number): Refused => new Refused(place, byte)
    for await (const chunk of checkedUtf8(inChunks(bytes, lengths), refuse)) given.push(chunk)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { given: Buffer.concat(given), place: error.place, byte: error.byte }
  }
  return { given: Buffer.concat(given), place: undefined, byte: undefined }
}

const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 })

test('text passes whole, wherever the chunks are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), lengths, async (text, cuts) => {
      const bytes = Buffer.from(text)
      expect(await checked(bytes, cuts)).toEqual({ given: bytes, place: undefined, byte: undefined })
    }),
    { seed: 31, numRuns: 100 },
  )
})

test('the bytes before the first bad one are given, and the place of that one is told', async () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n'), maxLength: 20 }))
  const bad = fc.constantFrom([0xff], [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80], [0xe4, 0x6c])
  await fc.assert(
    fc.asyncProperty(lines, bad, lengths, async (texts, sequence, cuts) => {
      const before = texts.join('\n')
      const { given, place, byte } = await checked(
        Buffer.concat([Buffer.from(before), Buffer.from(sequence), Buffer.from('after')]),
        cuts,
      )
      const last = before.split('\n').at(-1) ?? ''
      expect(given.toString()).toBe(before)
      expect(place).toEqual({ line: before.split('\n').length, column: [...last].length + 1 })
      expect(byte).toBe(sequence[0])
    }),
    { seed: 32, numRuns: 100 },
  )
})

test('a character that the end of the input cuts is refused', async () => {
  const { given, place, byte } = await checked(Buffer.from([0x61, 0x0a, 0x62, 0xf0, 0x9f]), [2])
  expect(given.toString()).toBe('a\nb')
  expect([place, byte]).toEqual([{ line: 2, column: 2 }, 0xf0])
})

test('within a line, the column counts characters', () => {
  expect(badColumn(Buffer.from('é😀'))).toBeUndefined()
  expect(badColumn(Buffer.concat([Buffer.from('é😀'), Buffer.of(0xe9)]))).toEqual({ column: 3, byte: 0xe9 })
})
