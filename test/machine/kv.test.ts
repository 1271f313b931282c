import { describe, expect, test } from 'vitest'
import {
  afterKey,
  afterPrefix,
  createKv,
  encode,
  keyBytesMax,
  Memory,
  readGetAnswer,
  readRangeAnswer,
  type StateMachine,
  valueBytesMax,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../../src/machine/index.js'
import { packCommands } from '../../src/raft/index.js'
import { answersTo, answerTo, apply, get, keysIn, range, text, valueAt } from './kv-help.js'

const put = (key: string, value: string) => encode(writePut, key, value)

function kvWith(...keys: string[]): StateMachine {
  const kv = createKv()
  if (keys.length > 0) apply(kv, ...keys.map((key) => put(key, `value of ${key}`)))
  return kv
}

describe('put and get', () => {
  test('each write makes the next revision', () => {
    expect(apply(createKv(), put('a', '1'), put('b', '2'), put('a', '3'))).toEqual([
      { status: 'applied', revision: 1 },
      { status: 'applied', revision: 2 },
      { status: 'applied', revision: 3 },
    ])
  })

  test('a key knows the revisions that created and last changed it, and how often it was written', () => {
    const kv = kvWith('a', 'b', 'a', 'a')
    const record = { createRevision: 1, modRevision: 4, version: 3 }
    expect(get(kv, 'a')).toMatchObject({ status: 'found', revision: 4, record })
  })

  test('a key that was deleted begins anew', () => {
    const kv = kvWith('a', 'a')
    apply(kv, encode(writeDelete, 'a'), put('a', 'new'))
    const record = { createRevision: 4, modRevision: 4, version: 1 }
    expect(get(kv, 'a')).toMatchObject({ status: 'found', record })
  })

  test('an absent key is not found, at the present revision', () => {
    expect(get(kvWith('a'), 'b')).toEqual({ status: 'notFound', revision: 1 })
  })

  test('an empty value is a value', () => {
    const kv = createKv()
    apply(kv, put('a', ''))
    expect(valueAt(kv, 'a')).toBe('')
  })

  test('a string and its UTF-8 bytes are the same key', () => {
    const kv = kvWith('zoë 🦊')
    expect(valueAt(kv, Buffer.from('zoë 🦊'))).toBe('value of zoë 🦊')
  })

  test('values keep every byte', () => {
    const kv = createKv()
    const value = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    apply(kv, encode(writePut, value.subarray(1), value))
    const answer = get(kv, value.subarray(1))
    expect(answer.status === 'found' && Uint8Array.from(answer.record.value)).toEqual(value)
  })

  test('what the client does with its frame afterwards does not show', () => {
    const kv = createKv()
    const frame = packCommands([put('key', 'value')])
    kv.apply({ index: 1, term: 1, timeMs: 0, ...frame }, undefined)
    frame.bytes.fill(0x7a)
    expect(keysIn(kv)).toEqual(['key'])
    expect(valueAt(kv, 'key')).toBe('value')
  })

  test('a run whose results nobody awaits changes the same', () => {
    const kv = createKv()
    const other = createKv()
    const commands = [put('a', '1'), put('b', '2'), encode(writeCas, 'a', 'x', '3'), encode(writeDelete, 'b')]
    apply(kv, ...commands)
    other.apply({ index: 1, term: 1, timeMs: 0, ...packCommands(commands) }, undefined)
    expect(other.hash()).toBe(kv.hash())
  })
})

describe('delete', () => {
  test('makes a revision, and the key is gone from get and range', () => {
    const kv = kvWith('a', 'b')
    expect(apply(kv, encode(writeDelete, 'a'))).toEqual([{ status: 'applied', revision: 3 }])
    expect(get(kv, 'a').status).toBe('notFound')
    expect(keysIn(kv)).toEqual(['b'])
  })

  test('of an absent key makes no revision', () => {
    expect(apply(kvWith('a'), encode(writeDelete, 'b'))).toEqual([{ status: 'notFound', revision: 1 }])
  })
})

describe('append', () => {
  test('joins, and begins with an empty value', () => {
    const kv = createKv()
    apply(kv, encode(writeAppend, 'a', 'one'), encode(writeAppend, 'a', '-two'))
    expect(valueAt(kv, 'a')).toBe('one-two')
    expect(get(kv, 'a')).toMatchObject({ record: { createRevision: 1, modRevision: 2, version: 2 } })
  })

  test('may fill a value to its bound and not by a byte more', () => {
    const kv = createKv()
    apply(kv, put('a', 'x'.repeat(valueBytesMax - 1)))
    expect(apply(kv, encode(writeAppend, 'a', 'y'))).toEqual([{ status: 'applied', revision: 2 }])
    const hash = kv.hash()
    expect(apply(kv, encode(writeAppend, 'a', 'z'))).toEqual([{ status: 'tooLarge', revision: 2 }])
    expect(kv.hash()).toBe(hash)
  })
})

describe('cas', () => {
  test('writes when the value is the expected one', () => {
    const kv = createKv()
    apply(kv, put('a', 'old'))
    expect(apply(kv, encode(writeCas, 'a', 'old', 'new'))).toEqual([{ status: 'applied', revision: 2 }])
    expect(valueAt(kv, 'a')).toBe('new')
  })

  test('that fails makes no revision and tells the present state', () => {
    const kv = createKv()
    apply(kv, put('a', 'old'))
    const hash = kv.hash()
    const [answer] = apply(kv, encode(writeCas, 'a', 'older', 'new'))
    expect(answer).toMatchObject({
      status: 'mismatch',
      revision: 1,
      current: { createRevision: 1, modRevision: 1, version: 1 },
    })
    expect(answer?.status === 'mismatch' && answer.current && text(answer.current.value)).toBe('old')
    expect(kv.hash()).toBe(hash)
  })

  test('may expect that the key is absent', () => {
    const kv = createKv()
    const create = encode(writeCas, 'a', undefined, 'new')
    expect(apply(kv, create, create)).toMatchObject([
      { status: 'applied', revision: 1 },
      { status: 'mismatch', revision: 1, current: { version: 1 } },
    ])
  })

  test('of an absent key that expects a value, also an empty one, fails', () => {
    const mismatch = { status: 'mismatch', revision: 0, current: undefined }
    const commands = [encode(writeCas, 'a', 'x', 'y'), encode(writeCas, 'a', '', 'y')]
    expect(apply(createKv(), ...commands)).toEqual([mismatch, mismatch])
  })
})

describe('range', () => {
  const pages = ['a', 'a/1', 'a/2', 'a0', 'b']

  test('goes from start, included, to end, excluded', () => {
    const kv = kvWith(...pages.toReversed())
    expect(keysIn(kv)).toEqual(pages)
    expect(keysIn(kv, { start: 'a/1', end: 'a0' })).toEqual(['a/1', 'a/2'])
    expect(keysIn(kv, { start: 'a/2' })).toEqual(['a/2', 'a0', 'b'])
    expect(keysIn(kv, { end: 'a/1' })).toEqual(['a'])
    expect(keysIn(kv, { start: 'b', end: 'a' })).toEqual([])
  })

  test('of a prefix ends where the prefix does', () => {
    const kv = kvWith(...pages)
    expect(keysIn(kv, { start: 'a/', end: afterPrefix('a/') })).toEqual(['a/1', 'a/2'])
    expect(keysIn(kv, { start: 'a', end: afterPrefix('a') })).toEqual(['a', 'a/1', 'a/2', 'a0'])
  })

  test('of a prefix of the largest bytes has no end', () => {
    expect([...afterPrefix(Uint8Array.of(0x61, 0xff, 0xff))]).toEqual([0x62])
    expect([...afterPrefix(Uint8Array.of(0xff, 0xff))]).toEqual([])
    expect([...afterPrefix('')]).toEqual([])
  })

  test('says whether more remain, and goes on after the last key', () => {
    const kv = kvWith(...pages)
    expect(range(kv, { limit: 5 }).hasMore).toBe(false)
    const first = range(kv, { limit: 3 })
    expect(first.hasMore).toBe(true)
    expect(first.records.map((record) => text(record.key))).toEqual(['a', 'a/1', 'a/2'])
    expect(keysIn(kv, { start: afterKey('a/2'), limit: 3 })).toEqual(['a0', 'b'])
    expect(range(kv, { end: 'b', limit: 4 }).hasMore).toBe(false)
  })

  test('stops when its answer grows too long, and gives one entry at least', () => {
    const kv = createKv()
    for (const key of ['a', 'b', 'c', 'd']) apply(kv, put(key, 'x'.repeat(200_000)))
    expect(keysIn(kv)).toEqual(['a', 'b'])
    expect(range(kv).hasMore).toBe(true)
    expect(range(kv, { start: 'd' }).hasMore).toBe(false)
  })

  test('is ordered by bytes, not by the characters of strings', () => {
    // As UTF-16 the fox (a surrogate pair, d83e…) stands before U+FF5E; as UTF-8 (f0…) behind it (ef…).
    const keys = ['~', 'é', 'ÿ', '\u{ff5e}', '🦊']
    expect(keysIn(kvWith(...keys.toReversed()))).toEqual(keys)
    const bytes = [[0x00], [0x7f], [0x80], [0xff], [0xff, 0x00]].map((key) => Uint8Array.from(key))
    const kv = createKv()
    apply(kv, ...bytes.toReversed().map((key) => encode(writePut, key, 'x')))
    expect(range(kv).records.map((record) => Uint8Array.from(record.key))).toEqual(bytes)
  })

  test('gives each key with its revisions', () => {
    const [record] = range(kvWith('a', 'a')).records
    expect(record).toMatchObject({ createRevision: 1, modRevision: 2, version: 2 })
  })
})

describe('queries in one frame', () => {
  test('are answered each for itself, in their order, whatever stands beside them', () => {
    const kv = kvWith('a', 'b')
    const queries = [
      encode(writeGet, 'b'),
      encode(writeRange, { start: 'a', end: 'b' }),
      Uint8Array.of(),
      Uint8Array.of(99, 1, 2),
      encode(writeGet, 'absent'),
      encode(writeGet, 'a'),
      Uint8Array.of(),
    ]
    const [b, range, empty, unknown, absent, a, last] = answersTo(kv, ...queries)
    expect(valueIn(b)).toBe('value of b')
    expect(readRangeAnswer(new Memory(range!))).toMatchObject({
      records: [{ key: Uint8Array.of(97) }],
      hasMore: false,
    })
    expect(valueIn(empty)).toBe('malformed')
    expect(valueIn(unknown)).toBe('malformed')
    expect(readGetAnswer(new Memory(absent!))).toEqual({ status: 'notFound', revision: 2 })
    expect(valueIn(a)).toBe('value of a')
    expect(valueIn(last)).toBe('malformed')
  })

  test('are as many as one likes', () => {
    const keys = Array.from({ length: 300 }, (_, at) => `key ${at}`)
    const answers = answersTo(kvWith(...keys), ...keys.toReversed().map((key) => encode(writeGet, key)))
    expect(answers.map(valueIn)).toEqual(keys.toReversed().map((key) => `value of ${key}`))
  })

  function valueIn(answer: Uint8Array | undefined): string {
    const got = readGetAnswer(new Memory(answer!))
    return got.status === 'found' ? text(got.record.value) : got.status
  }
})

describe('malformed commands', () => {
  const keyOf = (length: number) => [length & 0xff, length >> 8, ...new Array<number>(length).fill(0x61)]
  const long = new Array<number>(valueBytesMax + 1).fill(0)
  const lengthOf = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)]

  test.each([
    ['nothing at all', []],
    ['an unknown op', [9, 1, 0, 0x61]],
    ['no key length', [1, 1]],
    ['a key that is missing', [1, 1, 0]],
    ['a key of no bytes', [1, 0, 0, 0x61]],
    ['a key that is too long', [1, ...keyOf(keyBytesMax + 1)]],
    ['a put of a value that is too long', [1, ...keyOf(1), ...long]],
    ['a delete with a value', [2, ...keyOf(1), 0x62]],
    ['an append of a value that is too long', [3, ...keyOf(1), ...long]],
    ['a cas without the expected length', [4, ...keyOf(1), 0, 0, 0]],
    ['a cas with an expected value that is cut', [4, ...keyOf(1), ...lengthOf(2), 0x61]],
    ['a cas with an expected value that is too long', [4, ...keyOf(1), ...lengthOf(long.length), ...long]],
    ['a cas with a value that is too long', [4, ...keyOf(1), ...lengthOf(0), ...long]],
    ['a cas of an absent key with a value that is too long', [5, ...keyOf(1), ...long]],
  ])('%s: answered as such, and nothing changes', (_, command) => {
    const kv = kvWith('a', 'b')
    const hash = kv.hash()
    const answers = apply(kv, Uint8Array.from(command), put('c', ''))
    expect(answers).toEqual([
      { status: 'malformed', revision: 2 },
      { status: 'applied', revision: 3 },
    ])
    const other = kvWith('a', 'b')
    expect(other.hash()).toBe(hash)
    apply(other, put('c', ''))
    expect(other.hash()).toBe(kv.hash())
  })

  test.each([
    ['nothing at all', []],
    ['an unknown op', [9]],
    ['a get of no key', [1]],
    ['a get of a key that is too long', [1, ...new Array<number>(keyBytesMax + 1).fill(0x61)]],
    ['a range without its fields', [2, 1, 0, 0, 0, 0]],
    ['a range with the limit 0', [2, 0, 0, 0, 0, 0, 0]],
    ['a range with a start that is cut', [2, 1, 0, 0, 0, 1, 0]],
    ['a range with a start that is too long', [2, 1, 0, 0, 0, ...keyOf(keyBytesMax + 2)]],
    ['a range with an end that is too long', [2, 1, 0, 0, 0, 0, 0, ...new Array<number>(keyBytesMax + 2)]],
  ])('%s: a query that is answered as such', (_, query) => {
    const answer = answerTo(kvWith('a'), Uint8Array.from(query))
    expect(readGetAnswer(new Memory(answer))).toEqual({ status: 'malformed', revision: 1 })
    expect(readRangeAnswer(new Memory(answer))).toEqual({ status: 'malformed', revision: 1 })
  })

  test('the longest key can be read, and begin a range after itself', () => {
    const key = 'k'.repeat(keyBytesMax)
    const kv = kvWith(key)
    expect(readGetAnswer(new Memory(answerTo(kv, encode(writeGet, key)))).status).toBe('found')
    expect(keysIn(kv, { start: afterKey(key), end: afterKey(key) })).toEqual([])
  })
})
