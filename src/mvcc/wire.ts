/**
 * The bytes of protobuf, as etcd reads and writes them. A reader never throws: it stops at the first malformed byte and
 * says `failed`. 64-bit numbers are read as safe integers; a number beyond them is read as the nearest one.
 */
import { copyRange, Memory } from '../machine/index.js'

const twoTo32 = 0x1_0000_0000
const wireTypes = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

/** Bytes within the memory of a request. */
export interface Span {
  readonly start: number
  readonly end: number
}

export class Reader {
  readonly memory: Memory
  /** True once a byte was malformed. The reader has no further fields then. */
  failed = false
  /** The number of the present field. */
  field = 0
  #wireType = 0
  #at: number
  #end: number
  /** Halves of the varint that was read last. */
  #low = 0
  #high = 0

  constructor(memory: Memory, start = 0, end = memory.bytes.byteLength) {
    this.memory = memory
    this.#at = start
    this.#end = end
  }

  /** Moves to the next field, of which the caller reads the value or skips it. */
  next(): boolean {
    if (this.failed || this.#at === this.#end) return false
    this.#tag()
    this.field = (this.#high << 29) | (this.#low >>> 3)
    if (this.field <= 0) this.failed = true
    return !this.failed
  }

  skip(): void {
    let groups = 0
    do {
      switch (this.#wireType) {
        case wireTypes.varint:
          this.#varint()
          break
        case wireTypes.fixed64:
          this.#pass(8)
          break
        case wireTypes.bytes:
          this.bytes()
          break
        case wireTypes.groupStart:
          groups++
          break
        case wireTypes.groupEnd:
          if (groups-- === 0) this.failed = true
          break
        case wireTypes.fixed32:
          this.#pass(4)
          break
        default:
          this.failed = true
      }
      // Within a group the next tag follows, whose field etcd does not look at.
      if (groups > 0 && !this.failed) this.#tag()
    } while (groups > 0 && !this.failed)
  }

  bytes(): Span {
    this.#expect(wireTypes.bytes)
    this.#varint()
    const start = this.#at
    const length = this.#high === 0 ? this.#low : this.#end
    this.#pass(length)
    return this.failed ? { start: 0, end: 0 } : { start, end: start + length }
  }

  bool(): boolean {
    this.#expect(wireTypes.varint)
    this.#varint()
    return (this.#low | this.#high) !== 0
  }

  /** The lower 32 bits. */
  enum(): number {
    this.#expect(wireTypes.varint)
    this.#varint()
    return this.#low | 0
  }

  int64(): number {
    this.#expect(wireTypes.varint)
    this.#varint()
    const value = (this.#high | 0) * twoTo32 + this.#low
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER))
  }

  bigint(): bigint {
    this.#expect(wireTypes.varint)
    this.#varint()
    if (this.#high === 0) return BigInt(this.#low)
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low))
  }

  /** Reads a message with `read`, which sees no byte behind it. */
  message<Message>(read: (reader: Reader) => Message): Message {
    const { start, end } = this.bytes()
    const outerEnd = this.#end
    this.#at = start
    this.#end = end
    const message = read(this)
    this.#at = end
    this.#end = outerEnd
    return message
  }

  #tag(): void {
    this.#varint()
    this.#wireType = this.#low & 7
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) this.failed = true
  }

  #pass(length: number): void {
    if (length > this.#end - this.#at) this.failed = true
    else this.#at += length
  }

  #varint(): void {
    const { bytes } = this.memory
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) break
      const byte = bytes[this.#at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift > 28) high |= bits << (shift - 32)
      else {
        low |= bits << 28
        high = bits >>> 4
      }
      if (byte < 0x80) {
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
    this.failed = true
  }
}

/** A field's tag, as one byte: fields up to 15 are written only. */
export function varintTag(field: number): number {
  return (field << 3) | wireTypes.varint
}

export function bytesTag(field: number): number {
  return (field << 3) | wireTypes.bytes
}

/** Bytes of a number from 0 on as a varint. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  let bytes = 3
  for (let rest = value / 0x20_0000; rest >= 1; rest /= 0x80) bytes++
  return bytes
}

/** Bytes of a number's field. A field of 0 is left out, as proto3 does. */
export function numberFieldBytes(value: number): number {
  if (value === 0) return 0
  return value < 0 ? 1 + 10 : 1 + varintBytes(value)
}

/** Bytes of a field that has `length` bytes, which may be 0. */
export function bytesFieldBytes(length: number): number {
  return 1 + varintBytes(length) + length
}

export function bigintFieldBytes(value: bigint): number {
  if (value === 0n) return 0
  let bytes = 2
  for (let rest = BigInt.asUintN(64, value) >> 7n; rest > 0n; rest >>= 7n) bytes++
  return bytes
}

/** Writes fields one behind the other. The caller has made room for them. */
export class Writer {
  memory: Memory
  at: number

  constructor(memory: Memory, at = 0) {
    this.memory = memory
    this.at = at
  }

  varint(value: number): void {
    const { bytes } = this.memory
    let rest = value
    for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) bytes[this.at++] = (rest % 0x80) | 0x80
    for (; rest >= 0x80; rest >>>= 7) bytes[this.at++] = (rest & 0x7f) | 0x80
    bytes[this.at++] = rest
  }

  numberField(field: number, value: number): void {
    if (value < 0) return this.bigintField(field, BigInt(value))
    if (value === 0) return
    this.memory.bytes[this.at++] = varintTag(field)
    this.varint(value)
  }

  bigintField(field: number, value: bigint): void {
    if (value === 0n) return
    const { bytes } = this.memory
    bytes[this.at++] = varintTag(field)
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) bytes[this.at++] = Number(rest & 0x7fn) | 0x80
    bytes[this.at++] = Number(rest)
  }

  boolField(field: number, value: boolean): void {
    this.numberField(field, value ? 1 : 0)
  }

  /** The tag and the length: that many bytes follow. */
  bytesHead(field: number, length: number): void {
    this.memory.bytes[this.at++] = bytesTag(field)
    this.varint(length)
  }

  bytes(from: Memory, start: number, end: number): void {
    copyRange(this.memory, this.at, from, start, end - start)
    this.at += end - start
  }
}

/** Bytes that are measured first, and then written where there is room for them. */
export interface Measured {
  readonly length: number
  write(writer: Writer): void
}

/** A message in memory of its own, for messages that are small or rare. */
export function messageOf(length: number, write: (writer: Writer) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  write(new Writer(new Memory(bytes)))
  return bytes
}

/** A field of bytes, text or a message, in memory of its own. */
export function fieldOf(field: number, body: Uint8Array): Uint8Array {
  const { byteLength } = body
  return messageOf(bytesFieldBytes(byteLength), (writer) => {
    writer.bytesHead(field, byteLength)
    writer.bytes(new Memory(body), 0, byteLength)
  })
}
