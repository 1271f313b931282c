import { describe, expect, test } from 'vitest'
import { RaftError } from '../../src/errors/index.js'
import {
  afterKey,
  afterPrefix,
  type Bytes,
  encode,
  keyBytesMax,
  valueBytesMax,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../../src/machine/index.js'
import { FrameBuilder, forEachCommand, isWellFormed } from '../../src/raft/index.js'

const longKey = 'k'.repeat(keyBytesMax)
const longValue = 'v'.repeat(valueBytesMax)

/** 2 MiB: what a call may hold. */
const callBytesMax = 2 << 20

test('commands lie in a frame one after the other, as they do alone', () => {
  const builder = new FrameBuilder()
  writePut(builder, 'key', 'välue')
  writeAppend(builder, Buffer.from('key'), Uint8Array.of(0xff))
  writeDelete(builder, '🦊')
  writeCas(builder, 'key', 'expected', 'value')
  writeCas(builder, 'key', undefined, 'value')
  const frame = builder.take()
  expect(isWellFormed(frame)).toBe(true)
  const commands: Uint8Array[] = []
  forEachCommand(frame, (start, end) => commands.push(frame.bytes.slice(start, end)))
  expect(commands).toEqual([
    encode(writePut, 'key', 'välue'),
    encode(writeAppend, 'key', Uint8Array.of(0xff)),
    encode(writeDelete, '🦊'),
    encode(writeCas, 'key', 'expected', 'value'),
    encode(writeCas, 'key', undefined, 'value'),
  ])
})

test('a put is its op, the length of its key, the key and the value', () => {
  expect([...encode(writePut, 'ké', Uint8Array.of(7, 8))]).toEqual([1, 3, 0, 0x6b, 0xc3, 0xa9, 7, 8])
})

test('a frame grows under a command that is larger than its buffer', () => {
  const builder = new FrameBuilder()
  writePut(builder, 'small', 'value')
  writeCas(builder, 'large', longValue, longValue)
  const frame = builder.take()
  expect(isWellFormed(frame)).toBe(true)
  expect(Buffer.from(frame.bytes).includes('smallvalue')).toBe(true)
})

test('the largest command fits well inside a frame', () => {
  expect(encode(writeCas, longKey, longValue, longValue).length).toBeLessThan(0.3 * callBytesMax)
})

describe('a bound that is exceeded', () => {
  const key = 'k'
  const tooLong = `${longValue}v`
  test.each<[string, (into: FrameBuilder) => void, string]>([
    ['an empty key', (into) => writePut(into, '', 'v'), 'key: 1 to 1024 bytes, not 0 bytes'],
    ['a long key', (into) => writeDelete(into, `${longKey}k`), 'key: 1 to 1024 bytes, not 1025 bytes'],
    [
      'a long key in bytes',
      (into) => writeGet(into, Buffer.alloc(2000)),
      'key: 1 to 1024 bytes, not 2000 bytes',
    ],
    [
      'a key long as UTF-8',
      (into) => writeGet(into, 'é'.repeat(600)),
      'key: 1 to 1024 bytes, not 1200 bytes',
    ],
    [
      'a put of a long value',
      (into) => writePut(into, key, tooLong),
      'value: 0 to 262144 bytes, not 262145 bytes',
    ],
    ['an append', (into) => writeAppend(into, key, tooLong), 'value: 0 to 262144 bytes, not 262145 bytes'],
    ['a cas', (into) => writeCas(into, key, 'x', tooLong), 'value: 0 to 262144 bytes, not 262145 bytes'],
    ['a cas of an absent key', (into) => writeCas(into, key, undefined, tooLong), 'value: 0 to 262144 bytes'],
    ['what a cas expects', (into) => writeCas(into, key, tooLong, 'x'), 'expected value: 0 to 262144 bytes'],
    [
      'a start',
      (into) => writeRange(into, { start: 'k'.repeat(1026) }),
      'start: 0 to 1025 bytes, not 1026 bytes',
    ],
    ['an end', (into) => writeRange(into, { end: 'k'.repeat(1026) }), 'end: 0 to 1025 bytes, not 1026 bytes'],
    [
      'a limit of 0',
      (into) => writeRange(into, { limit: 0 }),
      'limit: a whole number from 1 to 4294967295, not 0',
    ],
    ['a limit that is large', (into) => writeRange(into, { limit: 2 ** 32 }), 'limit: a whole number'],
    ['a limit in parts', (into) => writeRange(into, { limit: 1.5 }), 'limit: a whole number'],
    [
      'a key of another type',
      (into) => writeGet(into, 7 as unknown as Bytes),
      'key: a string or a Uint8Array, not number',
    ],
    [
      'no value',
      (into) => writePut(into, key, null as unknown as Bytes),
      'value: a string or a Uint8Array, not null',
    ],
  ])('%s is refused before a byte is written', (_, write, message) => {
    const builder = new FrameBuilder()
    writePut(builder, 'before', 'x')
    const { byteLength } = builder
    const error = thrownBy(() => write(builder))
    expect(error).toBeInstanceOf(RaftError)
    expect(error).toMatchObject({ code: 'INVALID_COMMAND', mayHaveHappened: 'no' })
    expect((error as RaftError).message).toContain(message)
    expect(builder.byteLength).toBe(byteLength)
    expect(builder.count).toBe(1)
  })
})

function thrownBy(call: () => void): unknown {
  try {
    call()
    return undefined
  } catch (error) {
    return error
  }
}

test('what is just within the bounds is taken', () => {
  expect(() => encode(writePut, longKey, longValue)).not.toThrow()
  expect(() => encode(writeGet, 'é'.repeat(512))).not.toThrow()
  expect(() => encode(writeRange, { start: afterKey(longKey), end: afterKey(longKey) })).not.toThrow()
  expect(() => encode(writeRange, { limit: 2 ** 32 - 1 })).not.toThrow()
})

test('what stands after a key or a prefix is a copy', () => {
  const key = Uint8Array.of(1, 2)
  expect([...afterKey(key)]).toEqual([1, 2, 0])
  expect([...afterPrefix(key)]).toEqual([1, 3])
  expect([...key]).toEqual([1, 2])
})
