/** The packed answers to one request, as its calls read them. */
import { Buffer } from 'node:buffer'
import { RaftError } from '../errors/index.js'
import type { AnswerSource } from '../machine/index.js'
import { assert, commandHeaderBytes, type LogIndex } from '../raft/index.js'
import type { RefusedQuery, Staleness } from '../transport/index.js'

/** The view that `Buffer` makes of a part of a buffer, without its own checks, which cost more than all else here. */
const { [Symbol.species]: bufferView } = Buffer as unknown as {
  readonly [Symbol.species]: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => Buffer
}
const noBlock = new ArrayBuffer(0)
const noBytes = new Uint8Array(noBlock)
const unknownStaleness: Staleness = { index: 0, ageMs: Number.POSITIVE_INFINITY }
/**
 * Bytes that are copied out of a message at a time. A small answer that a caller keeps holds its whole block in memory,
 * so blocks are small.
 */
const blockBytes = 4000

/**
 * The packed answers to one request, whose calls read them in the order of the calls. Each call begins where its own
 * answers begin, whatever became of the call before it, and reaches no bytes of another call.
 */
export class Answers implements AnswerSource<Buffer> {
  bytes: Uint8Array
  /** Where the present answer lies. */
  start = 0
  end: number
  /** Place of the present command in the log; that of a query means nothing. */
  index: LogIndex
  view: DataView
  /** Of the answers to stale reads. */
  staleness: Staleness = unknownStaleness
  /** Where the answers of the next call begin, and the place of its first command in the log. */
  #next: number
  #nextIndex: LogIndex
  #block: ArrayBufferLike = noBlock
  #blockOffset = 0
  #blockStart = 0
  #blockEnd = 0

  /** Stands before the first answer, which begins at `from` and is that of the command `firstIndex`. */
  constructor(bytes: Uint8Array, from: number, firstIndex: LogIndex) {
    this.bytes = bytes
    this.end = from
    this.index = firstIndex - 1
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#next = from
    this.#nextIndex = firstIndex
  }

  /** Begins the next call, which has one answer, and goes to it. */
  beginOne(): void {
    this.start = this.#next + commandHeaderBytes
    this.end = this.start + this.view.getUint32(this.#next, true)
    this.#next = this.end
    this.index = this.#nextIndex++
  }

  /** Begins the next call, which has `count` answers, before the first of them. */
  begin(count: number): void {
    const { view } = this
    let next = this.#next
    this.end = next
    this.index = this.#nextIndex - 1
    for (let answer = 0; answer < count; answer++) next += commandHeaderBytes + view.getUint32(next, true)
    this.#next = next
    this.#nextIndex += count
  }

  /** Goes to the next answer of the call. */
  advance(): void {
    assert(this.end < this.#next, 'a call reads no more than its own answers')
    this.start = this.end + commandHeaderBytes
    this.end = this.start + this.view.getUint32(this.end, true)
    this.index++
  }

  /** Passes over what is left of the call's answers. */
  skip(): void {
    this.end = this.#next
    this.index = this.#nextIndex - 1
  }

  /** Whether nothing is left of the call's answers. */
  get isRead(): boolean {
    return this.end === this.#next
  }

  /**
   * A copy of the bytes `start` to `end`, for a caller to keep. Neighbours are copied together: by itself, a short
   * value would cost more to copy than all else that its call does.
   */
  take(start: number, end: number): Buffer {
    assert(this.start <= start && start <= end && end <= this.end, 'a call takes bytes of its own answer')
    if (start < this.#blockStart || end > this.#blockEnd) this.#copyBlock(start, end)
    return new bufferView(this.#block, this.#blockOffset + start - this.#blockStart, end - start)
  }

  /** Whether the next call has its answers in other bytes. */
  protected get isAtEnd(): boolean {
    return this.#next === this.bytes.byteLength
  }

  /** The next call begins at the answer that begins at `from` in `bytes`. */
  protected goOnIn(bytes: Uint8Array, from = 0): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#next = from
    this.#blockStart = 0
    this.#blockEnd = 0
  }

  #copyBlock(start: number, end: number): void {
    this.#blockStart = start
    this.#blockEnd = Math.max(end, Math.min(start + blockBytes, this.bytes.byteLength))
    const copy = Buffer.from(this.bytes.subarray(start, this.#blockEnd))
    this.#block = copy.buffer
    this.#blockOffset = copy.byteOffset
  }
}

/** The answers of one message to the first queries of a request. */
export interface AnswersPart {
  readonly bytes: Uint8Array
  readonly refused: readonly RefusedQuery[] | undefined
  readonly staleness: Staleness | undefined
}

/**
 * Answers that came in parts, each of which is let go when the next one begins, or some of which are refusals. Calls whose
 * answers are not among them are refused with `missing`.
 */
export class AnswersInParts extends Answers {
  readonly #parts: AnswersPart[]
  /** Why a query was refused, by the place of its answer in the present part. */
  #refusals = new Map<number, string>()
  /** How many answers of the present part were begun. */
  #begun = 0
  /** Where the present part goes on, while a call reads its answers elsewhere. */
  #rest: { readonly bytes: Uint8Array; readonly from: number } | undefined

  readonly #missing: RaftError | undefined

  constructor(parts: AnswersPart[], missing?: RaftError) {
    super(noBytes, 0, 0)
    this.#parts = parts
    this.#missing = missing
  }

  /** The answers of one call may lie in several parts: they are put together. */
  override begin(count: number): void {
    const own: Uint8Array[] = []
    let refusal: string | undefined
    for (let answer = 0; answer < count; answer++) {
      const why = this.#next()
      refusal ??= why
      own.push(this.bytes.subarray(this.start - commandHeaderBytes, this.end))
    }
    if (refusal !== undefined) throw refused(refusal)
    this.#rest = { bytes: this.bytes, from: this.end }
    this.goOnIn(Buffer.concat(own))
    super.begin(count)
  }

  override beginOne(): void {
    const refusal = this.#next()
    if (refusal !== undefined) throw refused(refusal)
  }

  /** Goes to the next answer. Returns why there is none, if its query was refused. */
  #next(): string | undefined {
    if (this.#rest !== undefined) this.goOnIn(this.#rest.bytes, this.#rest.from)
    this.#rest = undefined
    const next = this.isAtEnd ? this.#parts.shift() : undefined
    if (this.isAtEnd && next === undefined && this.#missing !== undefined) throw this.#missing
    if (next !== undefined) {
      this.goOnIn(next.bytes)
      this.staleness = next.staleness ?? unknownStaleness
      this.#refusals = new Map(next.refused?.map(({ position, why }) => [position, why]))
      this.#begun = 0
    }
    super.beginOne()
    return this.#refusals.get(this.#begun++)
  }
}

function refused(why: string): RaftError {
  return new RaftError('REFUSED_BY_MACHINE', { why })
}
