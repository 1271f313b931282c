/** The calls of one turn, packed into requests: commands in one frame, queries in another. */
import { Buffer } from 'node:buffer'
import { RaftError } from '../errors/index.js'
import type { AnswerSource } from '../machine/index.js'
import { assert, commandHeaderBytes, type Frame, FrameBuilder, type LogIndex } from '../raft/index.js'
import type { RefusedQuery } from '../transport/index.js'
import { unreadable } from './refusals.js'

/** What `Buffer` makes of a part of a buffer, without its own checks, which cost more than all else here. */
const { [Symbol.species]: bufferView } = Buffer as unknown as {
  readonly [Symbol.species]: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => Buffer
}
const noBlock = new ArrayBuffer(0)
const noBytes = new Uint8Array(noBlock)
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

/** How a call reads its answers, of which it has one for each of its commands or queries. */
export interface Reading<Outcome> {
  readonly type: Request['type']
  readonly count: number
  /**
   * Bytes that the answer to a command may have, if they are more than a few: results of commands cannot be had in
   * parts, so a frame holds no more such commands than one message can answer.
   */
  readonly answerBytes: number
  readonly read: (answers: Answers) => Outcome
}

/** The base of clients of a machine, such as a `Cluster`. */
export interface Calls {
  /**
   * Makes one call of the turn. `write` packs its commands into a frame, and `reading` makes the call's outcome of
   * their answers. A call that cannot be written rejects, and has changed nothing, however far `write` came.
   */
  call<Outcome, Parts extends unknown[]>(
    reading: Reading<Outcome>,
    write: (into: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome>
}

/** A reading by `read`, which takes the `count` answers of its call and is held to them. */
export function reading<Outcome>(
  type: Request['type'],
  count: number,
  read: (answers: Answers) => Outcome,
  answerBytes = 0,
): Reading<Outcome> {
  const readOwn = (answers: Answers): Outcome => {
    answers.begin(count)
    try {
      const outcome = read(answers)
      assert(answers.isRead, 'a call reads all of its answers')
      return outcome
    } catch (error) {
      throw readError(type, error)
    }
  }
  return { type, count, answerBytes, read: readOwn }
}

/** A reading by `read` of the only answer of a call, which lies from `start` to `end`: most calls have one. */
export function readingOfOne<Outcome>(
  type: Request['type'],
  read: (answers: Answers) => Outcome,
  answerBytes = 0,
): Reading<Outcome> {
  const readOwn = (answers: Answers): Outcome => {
    answers.beginOne()
    try {
      return read(answers)
    } catch (error) {
      throw readError(type, error)
    }
  }
  return { type, count: 1, answerBytes, read: readOwn }
}

function readError(type: Request['type'], error: unknown): RaftError {
  return error instanceof RaftError ? error : unreadable(type, error)
}

/** The calls of one caller that are not settled, from their packers on. */
export interface CallQueue {
  readonly commands: RequestPacker
  readonly queries: RequestPacker
  /** In the order of the calls, also the requests that a node refused and that come back here. */
  unsent: Request[]
  /** Weight of all calls that are not settled, and of those among them that are on their way. */
  pendingBytes: number
  sentBytes: number
  /** Whether the client looks here as it sends. */
  isWaiting: boolean
}

/** A frame and whoever waits for its answers, from the turn that made it until it is settled. */
export interface Request {
  /** Names it on its way. Another one each time it is sent, so that nothing late is taken for its answer. */
  id: number
  /** Where its calls came from, and where it waits. */
  readonly queue: CallQueue
  /** The place among all requests of the client, in the order of their calls. */
  readonly place: number
  readonly type: 'propose' | 'read'
  /** Replaced by the copy that a refusal brings back, and by the queries that a part of the answers leaves. */
  frame: Frame
  /** Bytes that the calls hold while they are not settled. */
  readonly weight: number
  readonly deadlineMs: number
  readonly answer: (answers: Answers) => void
  readonly fail: (error: RaftError) => void
  /** The promises that the calls were given, until they are settled. */
  readonly outcomes: Promise<unknown>[]
  /** Answers to the queries before those in `frame`. Calls that read them let go of each. */
  readonly parts: AnswersPart[]
  /** Bytes of `parts`. */
  partsBytes: number
  /** The node it was sent to; `undefined` while it waits here. */
  sentTo: number | undefined
  /** The leader that had it last refused it, since too much is waiting there. */
  isOverloaded: boolean
  isSettled: boolean
}

/** Bytes after which a frame is closed and another begun. A single call may be larger, up to `callBytesMax`. */
const frameBytesMax = 256 << 10
/** Bytes of the commands of one call. */
export const callBytesMax = 1 << 20
/** Bytes of answers that the commands of a frame may expect. */
const answerBytesMax = 64 << 20

/** Where the commands of calls go. */
export class CallFrame extends FrameBuilder {
  /** Bytes after which it is closed. */
  closedAt = frameBytesMax

  /** A call was packed whose answer may have so many bytes. */
  expectAnswer(bytes: number): void {
    this.closedAt -= frameBytesMax * (bytes / answerBytesMax)
  }

  override take(): Frame {
    this.closedAt = frameBytesMax
    return super.take()
  }
}

type Waiting = Pick<Request, 'answer' | 'fail' | 'outcomes'> & { readonly answers: Promise<Answers> }

/** Collects calls into frames. */
export class RequestPacker {
  /** Where the commands of the next call go. */
  readonly frame = new CallFrame()
  readonly #type: Request['type']
  readonly #queue: CallQueue
  #waiting = waiting()
  #weight = 0

  constructor(type: Request['type'], queue: CallQueue) {
    this.#type = type
    this.#queue = queue
  }

  get isEmpty(): boolean {
    return this.frame.count === 0
  }

  get isFull(): boolean {
    return this.frame.byteLength >= this.frame.closedAt
  }

  /**
   * The outcome of the call whose commands were packed last. Allocation matters here: one `then` on the promise of all
   * answers costs less than a promise of the call's own. Its callbacks run in the order in which they were given, and
   * each reads as many answers as its call has commands. The call weighs `weight`.
   */
  outcomeOf<Outcome>(read: (answers: Answers) => Outcome, weight: number): Promise<Outcome> {
    this.#weight += weight
    const { answers, outcomes } = this.#waiting
    const outcome = answers.then(read)
    outcomes.push(outcome)
    return outcome
  }

  take(place: number, deadlineMs: number): Request {
    const frame = this.frame.take()
    const { answer, fail, outcomes } = this.#waiting
    const weight = this.#weight
    this.#waiting = waiting()
    this.#weight = 0
    return {
      id: 0,
      queue: this.#queue,
      place,
      type: this.#type,
      frame,
      weight,
      deadlineMs,
      answer,
      fail,
      outcomes,
      parts: [],
      partsBytes: 0,
      sentTo: undefined,
      isOverloaded: false,
      isSettled: false,
    }
  }
}

function waiting(): Waiting {
  let answer!: Waiting['answer']
  let fail!: Waiting['fail']
  const answers = new Promise<Answers>((resolve, reject) => {
    answer = resolve
    fail = reject
  })
  return { answers, answer, fail, outcomes: [] }
}
