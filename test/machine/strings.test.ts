/** A string stands for its UTF-8 bytes, or is refused: two strings never become one key. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  afterKey,
  afterPrefix,
  encode,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../../src/machine/index.js'

/** Fails the test when a refused command has taken room. */
const untouched = {
  bytes: new Uint8Array(0),
  reserve: () => {
    throw new Error('a refused command has reserved bytes')
  },
}

const lone = ['\ud800', '\udfff', `a\udc00${'b'.repeat(100)}`, `${'é'.repeat(50)}\ud83d`, '\udc00\ud800']

test.each<[string, string, (text: string) => unknown]>([
  ['a key of a put', 'key', (text) => writePut(untouched, text, 'v')],
  ['a value of a put', 'value', (text) => writePut(untouched, 'k', text)],
  ['a key of an append', 'key', (text) => writeAppend(untouched, text, 'v')],
  ['a value of an append', 'value', (text) => writeAppend(untouched, 'k', text)],
  ['a key of a delete', 'key', (text) => writeDelete(untouched, text)],
  ['a key of a cas', 'key', (text) => writeCas(untouched, text, 'old', 'new')],
  ['an expected value', 'expected value', (text) => writeCas(untouched, 'k', text, 'new')],
  ['a value of a cas', 'value', (text) => writeCas(untouched, 'k', 'old', text)],
  ['a value of a cas on an absent key', 'value', (text) => writeCas(untouched, 'k', undefined, text)],
  ['a key of a get', 'key', (text) => writeGet(untouched, text)],
  ['a start of a range', 'start', (text) => writeRange(untouched, { start: text })],
  ['an end of a range', 'end', (text) => writeRange(untouched, { end: text })],
  ['a key to go on after', 'key', (text) => afterKey(text)],
  ['a prefix to end at', 'prefix', (text) => afterPrefix(text)],
])('%s with a lone surrogate is refused before anything is packed', (_, what, write) => {
  for (const text of lone) {
    expect(() => write(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_COMMAND', details: expect.objectContaining({ what }) }),
    )
  }
})

test.each<[string, (from: never) => unknown]>([
  ['afterKey', afterKey],
  ['afterPrefix', afterPrefix],
])('%s refuses what is neither a string nor bytes', (_, after) => {
  for (const from of [undefined, null, 7, [1]]) {
    expect(() => after(from as never)).toThrow(expect.objectContaining({ code: 'INVALID_COMMAND' }))
  }
})

test('a string is packed as its UTF-8 bytes if it has them, and refused if not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), fc.boolean(), (text, isCut) => {
      // A cut through a pair leaves half of it.
      const key = isCut ? `${text}😀`.slice(0, -1) : text
      if (!key.isWellFormed()) {
        expect(() => encode(writeGet, key)).toThrow(expect.objectContaining({ code: 'INVALID_COMMAND' }))
        return
      }
      expect(Buffer.from(encode(writeGet, key).subarray(1)).toString()).toBe(key)
    }),
    { seed: 6, numRuns: 100 },
  )
})
