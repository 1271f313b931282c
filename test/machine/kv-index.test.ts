import { describe, expect, test } from 'vitest'
import { writeNewRecord } from '../../src/machine/kv-entry.js'
import { hashKey, KvIndex } from '../../src/machine/kv-index.js'
import { offsetOfRef, Slabs } from '../../src/machine/kv-slabs.js'
import { copyRange, Memory } from '../../src/machine/memory.js'
import { Random } from '../../src/raft/index.js'

interface Known {
  readonly key: Memory
  readonly hash: number
  ref: number
}

/** An index of records whose hashes the test chooses, beside a plain list of what it holds. */
class Indexed {
  readonly slabs = new Slabs()
  readonly index = new KvIndex(this.slabs)
  readonly known = new Map<number, Known>()
  #added = 0

  add(hash: number): Known {
    const key = keyOf(++this.#added)
    const known = { key, hash: hash | 0, ref: this.record(key) }
    this.index.add(known.hash, known.ref)
    this.known.set(this.#added, known)
    return known
  }

  record(key: Memory): number {
    const ref = this.slabs.allocate(50)
    writeNewRecord(this.slabs.memoryOf(ref), offsetOfRef(ref), 1, 0, 1, 8, 0)
    copyRange(this.slabs.memoryOf(ref), offsetOfRef(ref) + 38, key, 0, 8)
    return ref
  }

  remove(number: number): void {
    const { hash, ref } = this.known.get(number) as Known
    this.index.remove(hash, ref)
    this.known.delete(number)
  }

  find({ hash, key }: Known): number {
    return this.index.find(hash, key, 0, 8)
  }

  /** Each record is found by its own key, but for those that the index calls homeless. */
  expectAllFound(): void {
    let missing = 0
    for (const each of this.known.values()) {
      const found = this.find(each)
      if (found === 0) missing++
      else expect(found).toBe(each.ref)
    }
    expect(missing).toBe(this.index.homeless)
    const hashes = new Set([...this.known.values()].map(({ hash }) => hash))
    for (const hash of hashes) expect(this.index.find(hash, keyOf(0), 0, 8)).toBe(0)
  }
}

function keyOf(number: number): Memory {
  return new Memory(Buffer.from(String(number).padStart(8, '0')))
}

/** How a test spreads its hashes. */
const spreads: Record<string, (random: Random) => number> = {
  evenly: (random) => random.next() * 2 ** 32,
  'to the last slots of a segment, so that runs go round its end': (random) =>
    (Math.floor(random.next() * 2 ** 20) << 12) | (4000 + Math.floor(random.next() * 96)),
  'to few values': (random) => Math.floor(random.next() * 300) * 0x9e3779b1,
}

test.each(Object.entries(spreads))('keys come, move and go: hashes spread %s', (_, hashOf) => {
  const random = new Random(1)
  const indexed = new Indexed()
  for (let step = 0; step < 12_000; step++) {
    if (indexed.known.size > 100 && random.next() < 0.4) {
      const numbers = [...indexed.known.keys()].slice(0, 50)
      indexed.remove(numbers[Math.floor(random.next() * numbers.length)] as number)
    } else indexed.add(hashOf(random))
    if (step % 3000 === 0) indexed.expectAllFound()
  }
  for (const each of indexed.known.values()) {
    const ref = indexed.record(each.key)
    indexed.index.replace(each.hash, each.ref, ref)
    if (indexed.find(each) !== 0) each.ref = ref
  }
  indexed.expectAllFound()
})

test('it grows with its keys, all of which stay found, and shrinks when they go', () => {
  const random = new Random(2)
  const indexed = new Indexed()
  for (let n = 0; n < 40_000; n++) indexed.add(random.next() * 2 ** 32)
  expect(indexed.index.homeless).toBe(0)
  indexed.expectAllFound()
  const { segmentCount } = indexed.index
  expect(segmentCount).toBeGreaterThanOrEqual(40_000 / 2048)
  expect(segmentCount).toBeLessThanOrEqual(64)
  for (const number of [...indexed.known.keys()].filter((each) => each % 50 !== 0)) indexed.remove(number)
  indexed.expectAllFound()
  expect(indexed.index.segmentCount).toBeLessThanOrEqual(4)
  for (const number of [...indexed.known.keys()]) indexed.remove(number)
  expect(indexed.index.segmentCount).toBe(1)
  for (let n = 0; n < 5000; n++) indexed.add(random.next() * 2 ** 32)
  indexed.expectAllFound()
})

test('keys of one hash are homeless beyond the bound, and what leaves makes room', () => {
  const indexed = new Indexed()
  for (let n = 0; n < 300; n++) indexed.add(-7)
  expect(indexed.index.homeless).toBe(300 - 128)
  indexed.expectAllFound()
  for (let number = 1; number <= 128; number++) indexed.remove(number)
  expect(indexed.index.homeless).toBe(300 - 128)
  indexed.add(-7)
  expect(indexed.index.homeless).toBe(300 - 128)
  indexed.expectAllFound()
  for (const number of [...indexed.known.keys()]) indexed.remove(number)
  expect(indexed.index.homeless).toBe(0)
})

test('keys that were chosen to share a segment neither split it without end nor fill it to the last slot', () => {
  const indexed = new Indexed()
  // All 18 upper bits are equal, and every slot is some key's home.
  for (let n = 0; n < 5000; n++) indexed.add((0x1234 << 14) | (n % 4096))
  expect(indexed.index.segmentCount).toBeLessThanOrEqual(19)
  expect(indexed.index.homeless).toBe(5000 - 4095)
  indexed.expectAllFound()
  for (const number of [...indexed.known.keys()].slice(0, 4000)) indexed.remove(number)
  indexed.expectAllFound()
})

test('a segment is not put together with a half that is split further', () => {
  const indexed = new Indexed()
  const random = new Random(3)
  // By their two upper bits: many of 11, so that 1 is split, few of 10, and few of 0.
  const addMany = (count: number, upper: number) => {
    for (let n = 0; n < count; n++) indexed.add((upper << 30) | Math.floor(random.next() * 2 ** 30))
  }
  addMany(100, 0)
  addMany(100, 2)
  addMany(2100, 3)
  const { segmentCount } = indexed.index
  indexed.remove(1)
  expect(indexed.index.segmentCount).toBe(segmentCount)
  indexed.expectAllFound()
})

test('a key that another begins with is another, also when their hashes are equal', () => {
  const indexed = new Indexed()
  const { hash, key } = indexed.add(5)
  expect(indexed.index.find(hash, key, 0, 7)).toBe(0)
})

describe('the hash', () => {
  const hashOf = (bytes: Uint8Array) => hashKey(new Memory(bytes), 0, bytes.length)

  test('is of the key alone, wherever it lies', () => {
    const key = Buffer.from('some key of 19 byte')
    for (let start = 0; start < 9; start++) {
      const bytes = new Uint8Array(40).fill(start)
      bytes.set(key, start)
      expect(hashKey(new Memory(bytes), start, key.length)).toBe(hashOf(key))
    }
  })

  test('differs with each bit of a key, and half of its own bits do', () => {
    for (const length of [1, 3, 4, 7, 8, 21]) {
      const key = new Uint8Array(length).fill(0x61)
      let flips = 0
      for (let bit = 0; bit < 8 * length; bit++) {
        const other = key.slice()
        other[bit >> 3]! ^= 1 << (bit & 7)
        const difference = hashOf(key) ^ hashOf(other)
        expect(difference).not.toBe(0)
        for (let rest = difference; rest !== 0; rest &= rest - 1) flips++
      }
      expect(flips / (8 * length) / 32).toBeGreaterThan(0.4)
      expect(flips / (8 * length) / 32).toBeLessThan(0.6)
    }
  })

  test('spreads counted keys over segments and slots alike', () => {
    const counts = { segments: new Uint32Array(64), homes: new Uint32Array(64) }
    for (let n = 0; n < 64_000; n++) {
      const hash = hashOf(Buffer.from(String(n).padStart(8, '0')))
      counts.segments[hash >>> 26]!++
      counts.homes[(hash & 4095) >>> 6]!++
    }
    for (const each of [...counts.segments, ...counts.homes]) expect(Math.abs(each - 1000)).toBeLessThan(160)
  })
})
