import { expect, test } from 'vitest'
import { offsetOfRef, Slabs } from '../../src/machine/kv-slabs.js'
import { Random } from '../../src/raft/index.js'

interface Live {
  ref: number
  readonly bytes: number
  readonly seed: number
}

/** Slots whose every byte is known, each also by the reference under which it is at present. */
class Crowd {
  readonly slabs = new Slabs()
  readonly byRef = new Map<number, Live>()
  readonly #random = new Random(1)

  below(bound: number): number {
    return this.#random.below(bound)
  }

  add(bytes: number): void {
    const ref = this.slabs.allocate(bytes)
    expect(this.byRef.has(ref)).toBe(false)
    const live = { ref, bytes, seed: this.below(256) }
    this.#bytesOf(live).fill(live.seed)
    this.byRef.set(ref, live)
  }

  remove(live: Live): void {
    this.byRef.delete(live.ref)
    const from = this.slabs.release(live.ref, live.bytes)
    if (from === 0) return
    const moved = this.byRef.get(from)
    if (moved === undefined) throw new Error('what moved into the hole was not there')
    this.byRef.delete(from)
    moved.ref = live.ref
    this.byRef.set(moved.ref, moved)
  }

  any(): Live | undefined {
    return [...this.byRef.values()][this.below(this.byRef.size)]
  }

  #bytesOf({ ref, bytes }: Live): Uint8Array {
    const at = offsetOfRef(ref)
    const slot = this.slabs.memoryOf(ref).bytes.subarray(at, at + bytes)
    expect(slot.length).toBe(bytes)
    return slot
  }

  expectWhole(): void {
    for (const live of this.byRef.values()) {
      const bytes = this.#bytesOf(live)
      expect(bytes.every((byte) => byte === live.seed)).toBe(true)
    }
  }

  get bytesLive(): number {
    return [...this.byRef.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** What the head of the file promises. */
  get bytesAllowed(): number {
    const slots = [...this.byRef.values()].reduce((sum, { bytes }) => sum + bytes * 1.125 + 15, 0)
    const sizes = new Set([...this.byRef.values()].map(({ bytes }) => Math.ceil(Math.log2(bytes) * 8)))
    return slots / 0.9 + (2 * sizes.size + 2) * 65_536
  }
}

/** From the smallest record to one beyond the largest that lies in a slab; now and then a long one. */
function sizeOf(crowd: Crowd): number {
  return crowd.below(20) === 0 ? 8000 + crowd.below(60_000) : 39 + Math.floor(2 ** (crowd.below(1300) / 100))
}

test('slots share no byte, and keep what was written, whatever comes and goes', () => {
  const crowd = new Crowd()
  for (let step = 0; step < 3000; step++) {
    const live = crowd.below(100) < 45 ? crowd.any() : undefined
    if (live === undefined) crowd.add(sizeOf(crowd))
    else crowd.remove(live)
    if (step % 250 === 0) crowd.expectWhole()
  }
  crowd.expectWhole()
  expect(crowd.slabs.bytesHeld).toBeLessThan(crowd.bytesAllowed)
})

test('the memory held is that of the records, also when most of many are gone', () => {
  const crowd = new Crowd()
  for (let n = 0; n < 20_000; n++) crowd.add(160)
  const full = crowd.slabs.bytesHeld
  expect(full).toBeLessThan(crowd.bytesLive * 1.02 + 65_536)
  const doomed = [...crowd.byRef.values()].filter((_, n) => n % 100 !== 0)
  for (const live of doomed) crowd.remove(live)
  crowd.expectWhole()
  expect(crowd.slabs.bytesHeld).toBeLessThan(crowd.bytesLive + 3 * 65_536)
  for (const live of [...crowd.byRef.values()]) crowd.remove(live)
  // The spare one.
  expect(crowd.slabs.bytesHeld).toBe(65_536)
})

test('records that all grow, again and again, leave nothing behind', () => {
  const crowd = new Crowd()
  for (let n = 0; n < 500; n++) crowd.add(50)
  for (let bytes = 60; bytes < 20_000; bytes = Math.floor(bytes * 1.3)) {
    for (const live of [...crowd.byRef.values()]) {
      crowd.add(bytes)
      crowd.remove(live)
    }
    expect(crowd.slabs.bytesHeld).toBeLessThan(crowd.bytesAllowed)
  }
  crowd.expectWhole()
})

test('a size that goes up and down by one record asks for no new memory', () => {
  const crowd = new Crowd()
  crowd.add(100)
  const [first] = crowd.byRef.values()
  const memory = crowd.slabs.memoryOf(first?.ref ?? 0)
  for (let n = 0; n < 5; n++) {
    crowd.remove([...crowd.byRef.values()][0] as Live)
    crowd.add(100)
    const [again] = crowd.byRef.values()
    // The slab's number is used again as well: there are only so many.
    expect(again?.ref).toBe(first?.ref)
    expect(crowd.slabs.memoryOf(again?.ref ?? 0)).toBe(memory)
  }
  expect(crowd.slabs.bytesHeld).toBe(65_536)
})

test.each([8192, 8193, 262_144 + 1024 + 38])('a record of %i bytes has room for all of them', (bytes) => {
  const crowd = new Crowd()
  crowd.add(bytes)
  crowd.add(bytes)
  crowd.expectWhole()
  expect(crowd.slabs.bytesHeld).toBeLessThan(2 * bytes * 1.125 + 65_536)
})
