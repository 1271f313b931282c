import { expect, test } from 'vitest'
import { createKv, type StateMachine, type WriteAnswer } from '../../src/machine/index.js'
import { hashKey } from '../../src/machine/kv-index.js'
import { Memory } from '../../src/machine/memory.js'
import { Random } from '../../src/raft/index.js'
import { apply, contentOf, drain, hex, range, valueAt } from './kv-help.js'
import { type Command, Steps } from './kv-model.js'

/**
 * Thousands of keys, so that the index splits and merges its segments and the order its blocks; values on
 * both sides of every border between sizes; keys that collide; and all of it filled and emptied in turn.
 */

/** One step of the hash, as the index mixes words in. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

/** Keys of one hash: the second word undoes what the first one did. */
function collidingKey(number: number): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeInt32LE(number, 0)
  key.writeInt32LE(mixed(8, number) ^ 0x5eed, 4)
  return Uint8Array.from(key)
}

function randomKey(random: Random): Uint8Array {
  const number = random.below(4000)
  if (number < 300) return collidingKey(number)
  // A key of some length, always the same one for a number; some are the beginning of others.
  const digits = number % 3 === 0 ? String(number) : `${'k'.repeat(number % 41)}/${number}`
  return Uint8Array.from(Buffer.from(digits))
}

function randomValue(random: Random): Uint8Array {
  const kind = random.below(100)
  const length = kind < 70 ? random.below(200) : kind < 98 ? random.below(1200) : 7800 + random.below(2000)
  return new Uint8Array(length).fill(random.below(256))
}

function commandOf(random: Random, deletes: number): Command {
  const key = randomKey(random)
  if (random.chance(deletes)) return { op: 'delete', key }
  const kind = random.below(10)
  const value = randomValue(random)
  if (kind < 6) return { op: 'put', key, value }
  if (kind < 8) return { op: 'append', key, value }
  return { op: 'cas', key, expected: kind === 8 ? 'present' : 'absent', value }
}

function bare(answer: WriteAnswer): unknown {
  if (answer.status !== 'mismatch' || answer.current === undefined) return answer
  return { ...answer, current: { ...answer.current, value: hex(answer.current.value) } }
}

class Churn {
  readonly kv = createKv()
  readonly model = new Steps()
  readonly random: Random

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  write(count: number, deletes: number): void {
    const steps = Array.from({ length: count }, () => this.model.step(commandOf(this.random, deletes)))
    const answers = apply(this.kv, ...steps.map(({ bytes }) => bytes))
    expect(answers.map(bare)).toEqual(steps.map(({ answer }) => bare(answer)))
  }

  expectSame(kv: StateMachine = this.kv): void {
    expect(contentOf(kv)).toEqual(this.model.content())
  }
}

function restored(pieces: Iterable<Uint8Array>): StateMachine {
  const kv = createKv()
  kv.restore(pieces)
  return kv
}

test('the keys that shall collide do', () => {
  const hashes = Array.from({ length: 300 }, (_, n) => hashKey(new Memory(collidingKey(n)), 0, 8))
  expect(new Set(hashes).size).toBe(1)
})

test.each([1, 2])(
  'thousands of keys fill and empty the KV, and it is what the model is (seed %i)',
  (seed) => {
    const churn = new Churn(seed)
    for (const deletes of [0.05, 0.5, 0.98, 0.05, 0.97]) {
      for (let run = 0; run < 8; run++) churn.write(800, deletes)
      churn.expectSame()
      const copy = restored(drain(churn.kv.snapshot()))
      churn.expectSame(copy)
      expect(copy.hash()).toBe(churn.kv.hash())
    }
    expect(churn.model.keys().length).toBeLessThan(1000)
  },
)

test.each([3, 4])(
  'a snapshot of thousands of keys shows none of the writes between its pieces (seed %i)',
  (seed) => {
    const churn = new Churn(seed)
    for (const deletes of [0.02, 0.3, 0.9]) {
      for (let run = 0; run < 6; run++) churn.write(800, deletes)
      const { content, hash } = { content: churn.model.content(), hash: churn.kv.hash() }
      const snapshot = churn.kv.snapshot()
      const pieces: Uint8Array[] = []
      for (let next = snapshot.next(); next.done !== true; next = snapshot.next()) {
        pieces.push(next.value)
        churn.write(150, deletes)
      }
      expect(pieces.length).toBeGreaterThan(deletes > 0.5 ? 0 : 3)
      const copy = restored(pieces)
      expect(contentOf(copy)).toEqual(content)
      expect(copy.hash()).toBe(hash)
      churn.expectSame()
    }
  },
)

test('a restored KV of thousands of keys goes on like the one that was never stopped', () => {
  const churn = new Churn(5)
  for (let run = 0; run < 6; run++) churn.write(800, 0.1)
  const copy = restored(drain(churn.kv.snapshot()))
  const steps = Array.from({ length: 5000 }, () => churn.model.step(commandOf(churn.random, 0.4)).bytes)
  expect(apply(copy, ...steps)).toEqual(apply(churn.kv, ...steps))
  churn.expectSame(copy)
  expect(copy.hash()).toBe(churn.kv.hash())
})

test('a range begins and ends at any key, present or not', () => {
  const churn = new Churn(6)
  for (let run = 0; run < 5; run++) churn.write(800, 0.2)
  const names = churn.model.keys()
  for (let n = 0; n < 300; n++) {
    const [start, end] = [randomKey(churn.random), randomKey(churn.random)]
    const expected = names.filter((name) => name >= hex(start) && name < hex(end)).slice(0, 5)
    expect(range(churn.kv, { start, end, limit: 5 }).records.map(({ key }) => hex(key))).toEqual(expected)
  }
})

test('all keys go, in order and against it, and the KV is as good as new', () => {
  for (const turn of [(names: string[]) => names, (names: string[]) => names.toReversed()]) {
    const churn = new Churn(7)
    for (let run = 0; run < 4; run++) churn.write(800, 0)
    for (const name of turn(churn.model.keys())) {
      const step = churn.model.step({ op: 'delete', key: Uint8Array.from(Buffer.from(name, 'hex')) })
      expect(apply(churn.kv, step.bytes)).toEqual([step.answer])
      if (churn.random.chance(0.01)) churn.expectSame()
    }
    expect(contentOf(churn.kv)).toEqual([])
    churn.write(800, 0)
    churn.expectSame()
  }
})

test('a value grows by appends through all sizes, and shrinks again, beside neighbours of its sizes', () => {
  const kv = createKv()
  const model = new Steps()
  const keys = ['a', 'b', 'c'].map((name) => Uint8Array.from(Buffer.from(name)))
  const run = (command: Command) => {
    const step = model.step(command)
    expect(apply(kv, step.bytes)).toEqual([step.answer])
  }
  for (let length = 0, byte = 0; length < 200_000; length = Math.floor(length * 1.1) + 7, byte++) {
    const value = new Uint8Array(length).fill(byte)
    for (const key of keys) run({ op: 'put', key, value })
    for (const key of keys) run({ op: 'append', key, value: value.subarray(0, 1 + Math.floor(length / 4)) })
    expect(contentOf(kv)).toEqual(model.content())
  }
  for (let length = 262_144; length > 0; length = Math.floor(length * 0.9)) {
    for (const key of keys) run({ op: 'put', key, value: new Uint8Array(length).fill(length) })
    run({ op: 'cas', key: keys[1] as Uint8Array, expected: 'present', value: new Uint8Array(1) })
    expect(contentOf(kv)).toEqual(model.content())
  }
  expect(valueAt(kv, 'b')).toBe('\0')
})
