/**
 * The memory in which the KV's records lie: slots of some fifty sizes, many in a slab. The slots of a size are always
 * dense: when one is given back, the last one of its size moves into the hole, and a slab that lost its last record is
 * freed. So the memory held does not depend on earlier writes and deletes: it is that of the records, each rounded up
 * by at most an eighth or 15 bytes, plus the rest at the end of each slab (below a tenth), plus one unfilled slab for
 * each size. A record too long for a slab has a buffer of its own.
 */
import { assert } from '../raft/index.js'
import { keyLengthAt, keyOffset } from './kv-entry.js'
import { copyRange, isEqualRange, Memory } from './memory.js'

/** Offsets of slots are counted in units of 16 bytes. */
const unitBits = 4
/** A reference to a slot is its chunk's number, then the unit within: a whole number of 31 bits, never 0. */
const offsetBits = 12
const slabUnits = 1 << offsetBits
const slabBytes = slabUnits << unitBits
const slabMask = slabBytes - 1
/** Bytes of a line in a processor's caches. */
const lineBytes = 64
const chunksMax = 1 << (31 - offsetBits)
/** The largest slots have 8 KiB: eight of them fill a slab. */
const slotUnitsMax = slabUnits / 8

/** Sizes of slots: each number of units up to 16, and above that eight sizes between one power of two and the next. */
function sizeClassOf(bytes: number): number {
  const last = (bytes - 1) >>> unitBits
  const shift = Math.max(0, 28 - Math.clz32(last))
  return (shift << 3) + (last >>> shift)
}

function slotUnitsOf(sizeClass: number): number {
  if (sizeClass < 16) return sizeClass + 1
  const shift = (sizeClass >>> 3) - 1
  return ((sizeClass & 7) + 9) << shift
}

const slabClasses = sizeClassOf(slotUnitsMax << unitBits) + 1

/** Whether records of both lengths go into the same slot. */
export function isSameSlot(bytes: number, otherBytes: number): boolean {
  return (
    (bytes - 1) >>> unitBits === (otherBytes - 1) >>> unitBits ||
    sizeClassOf(bytes) === sizeClassOf(otherBytes)
  )
}

/** The offset of a slot in its memory. */
export function offsetOfRef(ref: number): number {
  return (ref & (slabUnits - 1)) << unitBits
}

const nothing = new Memory(new Uint8Array(0))

export class Slabs {
  /** Slabs and long records alike. There is no chunk 0: the reference 0 stands for no record. */
  readonly #chunks: Memory[] = [nothing]
  /** For each slab, the slab of the same size that was begun before it; 0 for the first. */
  readonly #earlier: number[] = [0]
  readonly #freeChunks: number[] = []
  /** For each size, the slab that was begun last. Only this slab has free slots. */
  readonly #last = new Int32Array(slabClasses)
  /** For each size, how many slots of that slab are taken. */
  readonly #taken = new Int32Array(slabClasses)
  /**
   * The slab that was given up last. A size whose count goes up and down by one takes it again, and asks for no memory.
   */
  #spare: Memory | undefined

  /** All memory that the slabs hold, so that a test can compare it with the records. */
  get bytesHeld(): number {
    const spare = this.#spare?.bytes.byteLength ?? 0
    return this.#chunks.reduce((sum, chunk) => sum + chunk.bytes.byteLength, spare)
  }

  memoryOf(ref: number): Memory {
    return this.#chunks[ref >>> offsetBits]!
  }

  /** Whether a record is that of a key. */
  isOf(ref: number, memory: Memory, start: number, length: number): boolean {
    const own = this.memoryOf(ref)
    const at = offsetOfRef(ref)
    return keyLengthAt(own, at) === length && isEqualRange(own, at + keyOffset, memory, start, length)
  }

  /** Reads one word of each cache line of a short record, or of the first lines of a long record. */
  touch(ref: number): number {
    if (ref === 0) return 0
    const { bytes } = this.memoryOf(ref)
    const at = offsetOfRef(ref)
    // A read past the record's end reads another record, which does no harm.
    return bytes[at]! + bytes[(at + lineBytes) & slabMask]! + bytes[(at + 2 * lineBytes) & slabMask]!
  }

  /** A slot for a record of this many bytes. The slot may hold old bytes. */
  allocate(bytes: number): number {
    const sizeClass = sizeClassOf(bytes)
    const units = slotUnitsOf(sizeClass)
    if (units > slotUnitsMax)
      return this.#addChunk(new Memory(new Uint8Array(units << unitBits))) << offsetBits
    let chunk = this.#last[sizeClass]!
    if (chunk === 0 || (this.#taken[sizeClass]! + 1) * units > slabUnits) chunk = this.#beginSlab(sizeClass)
    return (chunk << offsetBits) | (this.#taken[sizeClass]!++ * units)
  }

  /**
   * Gives back the slot of a record of this many bytes. When another record moved into the slot, the answer is the
   * earlier reference of that record; otherwise the answer is 0.
   */
  release(ref: number, bytes: number): number {
    const sizeClass = sizeClassOf(bytes)
    const units = slotUnitsOf(sizeClass)
    if (units > slotUnitsMax) {
      this.#dropChunk(ref >>> offsetBits)
      return 0
    }
    const chunk = this.#last[sizeClass]!
    const taken = --this.#taken[sizeClass]!
    const last = (chunk << offsetBits) | (taken * units)
    if (last !== ref) this.#move(last, ref, units << unitBits)
    if (taken === 0) this.#endSlab(sizeClass, chunk, units)
    return last === ref ? 0 : last
  }

  #move(from: number, to: number, bytes: number): void {
    copyRange(this.memoryOf(to), offsetOfRef(to), this.memoryOf(from), offsetOfRef(from), bytes)
  }

  #beginSlab(sizeClass: number): number {
    const memory = this.#spare ?? new Memory(new Uint8Array(slabBytes))
    this.#spare = undefined
    const chunk = this.#addChunk(memory)
    this.#earlier[chunk] = this.#last[sizeClass]!
    this.#last[sizeClass] = chunk
    this.#taken[sizeClass] = 0
    return chunk
  }

  /** Makes the slab before, which is full, the last of its size. */
  #endSlab(sizeClass: number, chunk: number, units: number): void {
    const earlier = this.#earlier[chunk]!
    this.#last[sizeClass] = earlier
    this.#taken[sizeClass] = earlier === 0 ? 0 : Math.floor(slabUnits / units)
    const memory = this.#chunks[chunk]!
    this.#dropChunk(chunk)
    this.#spare = memory
  }

  #addChunk(memory: Memory): number {
    const chunk = this.#freeChunks.pop() ?? this.#chunks.length
    assert(chunk < chunksMax, 'the KV holds less than 32 GiB')
    this.#chunks[chunk] = memory
    this.#earlier[chunk] = 0
    return chunk
  }

  #dropChunk(chunk: number): void {
    this.#chunks[chunk] = nothing
    this.#freeChunks.push(chunk)
  }
}
