import { expect, test } from 'vitest'
import { hashKey, Memory } from '../../src/machine/index.js'
import { readFigures } from '../../src/mvcc/index.js'
import { type Event, everything, historyOf, Machine } from './machine-help.js'

function restored(machine: Machine): Machine {
  const copy = new Machine()
  const pieces: Uint8Array[] = []
  const snapshot = machine.machine.snapshot()
  for (let next = snapshot.next(); next.done !== true; next = snapshot.next()) pieces.push(next.value)
  copy.machine.restore(pieces)
  return copy
}

test('[RG1] keys of any length and of any bytes are ordered by their bytes', () => {
  const machine = new Machine()
  const long = 'k'.repeat(70_000)
  const keys = [
    '\0',
    '\0\0',
    'k',
    'k\0',
    'k'.repeat(127),
    'k'.repeat(128),
    long,
    `${long}k`,
    'l',
    '\x7f',
    '\x80',
    '\xff',
  ]
  for (const key of [...keys].reverse()) machine.put(key, '')
  const found = (of: Machine) => of.range(everything).map((each) => each.slice(0, -1))
  expect(found(machine)).toEqual(keys)
  expect(machine.range({ key: 'k'.repeat(128), rangeEnd: `${long}k` })).toHaveLength(2)
  expect((historyOf(machine, 2) as Event[]).map(({ kv }) => kv['key'])).toEqual([...keys].reverse())
  const copy = restored(machine)
  expect(found(copy)).toEqual(keys)
  expect(copy.hash()).toBe(machine.hash())
})

test('[KC4] records longer than a segment are kept, swept and restored as others', () => {
  const machine = new Machine()
  const value = 'v'.repeat(1_000_000)
  for (let at = 0; at < 5; at++) {
    machine.put('big', value + at)
    machine.put('small', `${at}`)
  }
  machine.compact(10)
  const before = machine.hash()
  machine.idle(20)
  expect(machine.hash()).toBe(before)
  const { bytes } = readFigures(machine.read('figures', Buffer.alloc(0)).body)
  // Only the last of the long records is left.
  expect(bytes).toBeGreaterThan(1_000_000)
  expect(bytes).toBeLessThan(2_000_000)
  expect(machine.range({ key: 'big' })).toEqual([`big=${value}4`])
  expect(machine.range({ key: 'big', revision: 10 })).toEqual([`big=${value}4`])
  expect(restored(machine).hash()).toBe(before)
})

/** Keys of eight bytes whose hashes are equal: the second half undoes what the first half did. */
function colliding(count: number): string[] {
  const keys: string[] = []
  for (let first = 1; keys.length < count; first++) {
    const product = Math.imul(8 ^ first, 0x9e3779b1)
    const key = Buffer.alloc(8)
    key.writeInt32LE(first, 0)
    key.writeInt32LE(product ^ (product >>> 15), 4)
    keys.push(key.toString('latin1'))
  }
  return keys
}

test('[RG1] keys that were chosen to collide are found, deleted and made again', () => {
  const keys = colliding(400)
  const hashes = keys.map((key) => hashKey(new Memory(Buffer.from(key, 'latin1')), 0, 8))
  expect(new Set(hashes).size).toBe(1)
  const machine = new Machine()
  for (const key of keys) machine.put(key, 'first')
  for (const key of keys) machine.put(key, 'second')
  const versions = keys.map((key) => machine.do('range', { key }))
  for (const each of versions)
    expect(each).toMatchObject({ count: 1, kvs: [{ version: 2, value: 'second' }] })
  expect(machine.range(everything)).toHaveLength(400)
  const copy = restored(machine)
  for (const each of [machine, copy]) {
    for (const key of keys) each.delete(key)
    expect(each.range(everything)).toEqual([])
    each.compact(1201)
    for (const key of keys) each.put(key, 'third'.repeat(1000))
    each.compact(1601)
    each.idle(50)
    for (const key of keys) {
      expect(each.do('range', { key, keysOnly: true })).toMatchObject({ count: 1, kvs: [{ version: 1 }] })
    }
  }
  expect(copy.hash()).toBe(machine.hash())
})

test('[RG1] a key that comes between the halves of a split block is found, as the first of a range too', () => {
  const machine = new Machine()
  // A block has 512 keys. Its upper half begins with k2560, and is told apart by the first bytes of that: k256.
  for (let at = 0; at < 512; at++) machine.put(`k${String(at * 10).padStart(4, '0')}`, 'v')
  machine.put('k256', 'between')
  expect(machine.range({ key: 'k256', rangeEnd: 'k2561' })).toEqual(['k256=between', 'k2560=v'])
  machine.delete('k256')
  expect(machine.do('range', { key: 'k256', rangeEnd: '\0', limit: 1 })).toMatchObject({ count: 256 })
  expect(machine.do('range', { key: 'k', rangeEnd: 'k2560', limit: 1 })).toMatchObject({ count: 256 })
})
