import { describe, expect, test } from 'vitest'
import {
  createKv,
  encode,
  type StateMachine,
  writeCas,
  writeDelete,
  writePut,
} from '../../src/machine/index.js'
import { apply, drain, get, keysIn, recut, valueAt } from './kv-help.js'

const put = (key: string, value: string) => encode(writePut, key, value)
/** Two of these fill a piece. */
const large = 'x'.repeat(100_000)

function restored(...pieces: Uint8Array[]): StateMachine {
  const kv = createKv()
  kv.restore(pieces)
  return kv
}

function kvWith(keys: readonly string[], value = large): StateMachine {
  const kv = createKv()
  for (const key of keys) apply(kv, put(key, value))
  return kv
}

const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

describe('a snapshot', () => {
  test('of nothing restores to nothing', () => {
    const kv = createKv()
    expect(restored(...drain(kv.snapshot())).hash()).toBe(kv.hash())
  })

  test('is of the moment of the call, not of the first pull', () => {
    const kv = kvWith(keys)
    const hash = kv.hash()
    const snapshot = kv.snapshot()
    apply(kv, put('a', 'changed'), encode(writeDelete, 'b'), put('z', 'new'))
    expect(restored(...drain(snapshot)).hash()).toBe(hash)
  })

  test('shows no write that came between two pulls, ahead of it or behind', () => {
    const kv = kvWith(keys)
    const hash = kv.hash()
    const snapshot = kv.snapshot()
    const first = snapshot.next().value as Uint8Array
    // `a` was visited, the others were not; what is deleted may also come back.
    apply(kv, put('a', 'changed'), put('d', 'changed'), put('d', 'again'), encode(writeDelete, 'h'))
    apply(kv, encode(writeDelete, 'a'), put('aa', 'new'), put('h', 'back'), put('z', 'new'))
    expect(restored(first, ...drain(snapshot)).hash()).toBe(hash)
    expect(valueAt(kv, 'd')).toBe('again')
  })

  test('comes in pieces of bounded size, also when all of it was overwritten meanwhile', () => {
    const many = Array.from({ length: 30 }, (_, i) => `key ${i}`)
    const kv = kvWith(many)
    const snapshot = kv.snapshot()
    for (const key of many) apply(kv, put(key, 'changed'))
    const pieces = drain(snapshot)
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(256 * 1024)
    expect(pieces).toHaveLength(15)
  })

  test('in pieces that share no memory with the machine or each other', () => {
    const pieces = drain(kvWith(keys).snapshot())
    expect(new Set(pieces.map((piece) => piece.buffer)).size).toBe(pieces.length)
    for (const piece of pieces) expect(piece.buffer.byteLength).toBe(piece.byteLength)
  })

  test('ended early, before or after its first piece, makes room for the next', () => {
    const kv = kvWith(keys)
    kv.snapshot().return?.()
    const second = kv.snapshot()
    second.next()
    apply(kv, put('c', 'kept'))
    second.return?.()
    expect(second.next().done).toBe(true)
    apply(kv, put('d', 'later'))
    expect(restored(...drain(kv.snapshot())).hash()).toBe(kv.hash())
    expect(restored(...drain(kv.snapshot())).hash()).toBe(kv.hash())
  })

  test('while another is under way is our own mistake', () => {
    const kv = kvWith(keys)
    kv.snapshot()
    expect(() => kv.snapshot()).toThrow('one snapshot is taken at a time')
  })

  test('outlives a restore, and stays the state that it was taken of', () => {
    const kv = kvWith(keys)
    const hash = kv.hash()
    const old = kv.snapshot()
    const first = old.next().value as Uint8Array
    kv.restore(drain(kvWith(['x'], 'small').snapshot()))
    const present = kv.snapshot()
    apply(kv, put('x', 'changed'))
    expect(restored(first, ...drain(old)).hash()).toBe(hash)
    expect(valueAt(restored(...drain(present)), 'x')).toBe('small')
  })
})

describe('restore', () => {
  test('replaces what was there', () => {
    const kv = kvWith(['old'], 'old')
    kv.restore(drain(kvWith(['new'], 'new').snapshot()))
    expect(keysIn(kv)).toEqual(['new'])
    expect(apply(kv, put('next', ''))).toEqual([{ status: 'applied', revision: 2 }])
  })

  test('takes pieces cut anywhere, single bytes and empty ones too', () => {
    const kv = kvWith(keys, 'small')
    const pieces = recut(drain(kv.snapshot()), [1])
    expect(restored(...pieces.flatMap((piece) => [piece, new Uint8Array(0)])).hash()).toBe(kv.hash())
  })

  /** One key `k`, written twice, with the value `v`: a header of 20 bytes, then 30 bytes before the key. */
  function snapshotOfOne(): Buffer {
    const kv = createKv()
    apply(kv, put('k', 'u'), put('k', 'v'))
    return Buffer.concat(drain(kv.snapshot()))
  }

  test.each([
    ['of another format', 0, 'first bytes'],
    ['with a revision that no number can hold', 10, 'revision'],
    ['with fewer revisions than keys', 12, 'revision'],
    ['with a key that nothing created', 20, 'never written', 0],
    ['with a key created after its last write', 20, 'more versions'],
    ['with a key from the future', 28, 'newer'],
    ['with a key of no version', 36, 'never written', 0],
    ['with more versions than revisions', 36, 'more versions'],
    ['with a key of no bytes', 44, 'a key of 0', 0],
    ['with a key that is too long', 45, 'a key of'],
    ['with a value that is too long', 48, 'a value of'],
    ['that ends within an entry', 46, 'ends within an entry'],
  ])('refuses a snapshot %s', (_, offset, message, byte = 0xff) => {
    const bytes = snapshotOfOne()
    const kv = createKv()
    const hash = kv.hash()
    bytes[offset] = byte
    expect(() => kv.restore([bytes])).toThrow(message)
    expect(kv.hash()).toBe(hash)
  })

  test('takes revisions above 32 bits, and counts on from there', () => {
    const bytes = snapshotOfOne()
    // The upper half of the revision of the whole.
    bytes[8] = 1
    const kv = restored(bytes)
    expect(apply(kv, put('k', 'w'))).toEqual([{ status: 'applied', revision: 2 ** 32 + 3 }])
    expect(get(kv, 'k')).toMatchObject({
      record: { createRevision: 1, modRevision: 2 ** 32 + 3, version: 3 },
    })
    expect(restored(...drain(kv.snapshot())).hash()).toBe(kv.hash())
  })

  test('takes versions above 32 bits, and carries when it counts', () => {
    const bytes = snapshotOfOne()
    // Revisions of 2^40 and above, and a version whose lower half is full.
    for (const offset of [4 + 5, 28 + 5]) bytes[offset] = 1
    bytes.writeUInt32LE(0xffff_fffe, 36)
    const kv = restored(bytes)
    apply(kv, put('k', 'w'))
    expect(get(kv, 'k')).toMatchObject({ record: { version: 2 ** 32 - 1, modRevision: 2 ** 40 + 3 } })
    apply(kv, put('k', 'w'), put('k', 'w'))
    expect(get(kv, 'k')).toMatchObject({ record: { version: 2 ** 32 + 1, modRevision: 2 ** 40 + 5 } })
  })

  test('refuses a snapshot with a key twice, and one that lacks entries', () => {
    const kv = createKv()
    apply(kv, put('k', 'u'), put('l', 'v'))
    const bytes = Buffer.concat(drain(kv.snapshot()))
    const entry = (bytes.length - 20) / 2
    const twice = Buffer.concat([bytes.subarray(0, 20 + entry), bytes.subarray(20, 20 + entry)])
    expect(() => restored(twice)).toThrow('a key occurs twice')
    expect(() => restored(bytes.subarray(0, 20 + entry))).toThrow('it has 1 entries, and its header says 2')
  })
})

describe('the hash', () => {
  test('is the same for the same state, whatever led to it', () => {
    const direct = createKv()
    apply(direct, put('a', '1'), put('b', 'x'), put('b', '2'))
    const other = createKv()
    apply(
      other,
      put('a', '1'),
      put('b', 'yy'),
      encode(writeCas, 'b', 'x', 'z'),
      encode(writeCas, 'b', 'yy', '2'),
    )
    expect(other.hash()).toBe(direct.hash())
    // A restored Map of keys is filled in another order than this one, which was filled by age.
    const kv = createKv()
    apply(kv, put('b', '1'), put('a', '2'))
    const copy = restored(...drain(kv.snapshot()))
    expect(copy.hash()).toBe(kv.hash())
  })

  test('differs when the revisions do, though keys and values are equal', () => {
    const states = [
      [put('a', '1'), put('b', '2')],
      [put('b', '2'), put('a', '1')],
      [put('a', '1'), put('b', '1'), put('b', '2')],
      [put('b', '2'), encode(writeDelete, 'b'), put('a', '1'), put('b', '2')],
      [put('a', '1'), put('b', '2'), put('c', '3'), encode(writeDelete, 'c')],
    ]
    const hashes = states.map((commands) => {
      const kv = createKv()
      apply(kv, ...commands)
      return kv.hash()
    })
    expect(new Set(hashes).size).toBe(states.length)
  })

  test('differs when a byte does, or stands at the other side of a border', () => {
    const states = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['ab', 'd'],
      ['aa', 'c'],
      ['ab', 'c\0'],
      ['ab', large],
      ['ab', `${large}y`],
    ]
    const hashes = states.map(([key = '', value = '']) => kvWith([key], value).hash())
    expect(new Set(hashes).size).toBe(states.length)
  })

  test('tells two states of many blocks apart by one byte', () => {
    const kv = kvWith(keys)
    const other = kvWith(keys)
    expect(other.hash()).toBe(kv.hash())
    const third = createKv()
    for (const key of keys) apply(third, put(key, key === 'd' ? large.replace(/x$/, 'y') : large))
    expect(third.hash()).not.toBe(kv.hash())
  })
})
