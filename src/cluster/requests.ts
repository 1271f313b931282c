/** The calls of one turn, packed into requests: commands in one frame, queries in another. */
import type { RaftError } from '../errors/index.js'
import { callHeaderBytes } from '../machine/index.js'
import { type Frame, FrameBuilder, type LogIndex, type NodeId } from '../raft/index.js'
import type { Origin, RequestType, Settlement } from '../transport/index.js'
import type { Answers, AnswersPart } from './answers.js'
import type { CallInFrame, ChosenCall } from './call-tracer.js'
import type { FrameBuffers } from './frame-buffers.js'

/** The calls of one caller that are not settled, from their packers on. */
export interface CallQueue {
  readonly commands: RequestPacker
  readonly queries: RequestPacker
  /** Reads that name their node: a packer for each node, and for each way to be read there. */
  readonly atNodes: ReadonlyMap<number, RequestPacker>
  /** In the order of the calls, also the requests that a node refused and that come back here. */
  unsent: Request[]
  /** Weight of all calls that are not settled, and of those among them that are on their way. */
  pendingBytes: number
  sentBytes: number
  /** Faults on the ways to clients pass over calls from inside. */
  readonly origin: Origin
  /** Whether the client looks here as it sends. */
  isWaiting: boolean
}

/** The node that a read names. */
export interface ReadTarget {
  nodeId: NodeId
  /** Whether another node may serve the read as well. */
  readonly isAny: boolean
}

/** A frame and whoever waits for its answers, from the turn that made it until it is settled. */
export interface Request {
  /** Names its last copy on its way; 0 before. Later copies of whatever requests have higher names. */
  id: number
  /** The names of earlier copies: the answer to one copy is the answer to all. */
  earlierIds: readonly number[]
  /** Where its calls came from, and where it waits. */
  readonly queue: CallQueue
  /** The place among all requests of the client, in the order of their calls. */
  readonly place: number
  readonly type: RequestType
  /** The node that is to serve it; `undefined`: the leader. */
  readonly target: ReadTarget | undefined
  /** Replaced by the queries that a part of the answers leaves. */
  frame: Frame
  /** Bytes that the calls hold while they are not settled. */
  readonly weight: number
  readonly deadlineMs: number
  /** When it was made, by `performance.now`. */
  readonly packedAtMs: number
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
  /** Why the node that had it last did not take it, or lost it. */
  refusal: (Settlement & { outcome: 'refused' })['code'] | undefined
  /** Why a copy of it may have happened. A copy of a session's call is applied once all the same. */
  whyUnknown: string | undefined
  /** Its place in a session; 0 before it is sent first. */
  session: LogIndex
  sequence: number
  /** How long its answer is waited for before it is sent again, and when that is. */
  patienceMs: number
  doubtedMs: number
  isSettled: boolean
  /** The calls in it that are followed. */
  readonly chosen: readonly CallInFrame[] | undefined
}

/** Commands without an answer are sent again after this share of their time, then after twice as long, and so on. */
export const firstPatience = 1 / 4
/** The same of reads that any node may serve: the next node is asked. */
const firstPatienceOfReads = 1 / 10

/** Bytes after which a frame is closed and another begun. A single call may be larger, up to `callBytesMax`. */
const frameBytesMax = 256 << 10
/** Bytes of the commands of one call: a request of etcd, of 1.5 MiB at most, and what stands around it. */
export const callBytesMax = 2 << 20
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

  get isEmpty(): boolean {
    return this.count === 0
  }
}

/** Where the commands of a session go. Room for the session's header stands in front of them. */
export class SessionFrame extends CallFrame {
  readonly #buffers: FrameBuffers

  constructor(buffers: FrameBuffers) {
    super()
    this.#buffers = buffers
    this.reserve(callHeaderBytes)
  }

  override take(): Frame {
    const { byteLength, capacity } = this
    const isGiven = this.#buffers.isWorth(byteLength, capacity)
    const frame = isGiven ? this.give(this.#buffers.take(capacity)) : super.take()
    this.closedAt = frameBytesMax
    this.reserve(callHeaderBytes)
    return frame
  }

  override get isEmpty(): boolean {
    return this.count === 1
  }
}

type Waiting = Pick<Request, 'answer' | 'fail' | 'outcomes'> & { readonly answers: Promise<Answers> }

/** Collects calls into frames. */
export class RequestPacker {
  /** Where the commands of the next call go. */
  readonly frame: CallFrame
  readonly #type: RequestType
  readonly #queue: CallQueue
  readonly #target: ReadTarget | undefined
  #waiting = waiting()
  #weight = 0
  #chosen: CallInFrame[] | undefined

  /** The commands of calls go into `frame`. */
  constructor(type: RequestType, queue: CallQueue, frame: CallFrame, target?: ReadTarget) {
    this.#type = type
    this.#queue = queue
    this.#target = target
    this.frame = frame
  }

  get isEmpty(): boolean {
    return this.frame.isEmpty
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

  /** The call whose commands were packed last was chosen to be followed. */
  follow(call: ChosenCall | undefined): void {
    if (call === undefined) return
    this.#chosen ??= []
    // The header of the session is the first in the frame.
    this.#chosen.push({ call, place: this.frame.count - 2 })
  }

  take(place: number, nowMs: number, timeoutMs: number, packedAtMs: number): Request {
    const frame = this.frame.take()
    const { answer, fail, outcomes } = this.#waiting
    const weight = this.#weight
    const chosen = this.#chosen
    this.#chosen = undefined
    this.#waiting = waiting()
    this.#weight = 0
    return {
      id: 0,
      earlierIds: [],
      queue: this.#queue,
      place,
      type: this.#type,
      target: this.#target && { ...this.#target },
      frame,
      weight,
      deadlineMs: nowMs + timeoutMs,
      packedAtMs,
      answer,
      fail,
      outcomes,
      parts: [],
      partsBytes: 0,
      sentTo: undefined,
      refusal: undefined,
      whyUnknown: undefined,
      session: 0,
      sequence: 0,
      patienceMs: (this.#target?.isAny === true ? firstPatienceOfReads : firstPatience) * timeoutMs,
      doubtedMs: Number.POSITIVE_INFINITY,
      isSettled: false,
      chosen,
    }
  }
}

/**
 * The requests that are to be sent again because their answers take long: reads each for itself, and of the commands the
 * first one alone. So a slow leader gets one copy at a time, however many commands wait for it.
 */
export function lateAmong(pending: readonly Request[], nowMs: number): Request[] {
  const unsettled = pending.filter(({ id, isSettled }) => id > 0 && !isSettled)
  const firstCommand = unsettled.find(({ type }) => type === 'propose')
  const isLate = ({ sentTo, doubtedMs }: Request): boolean => sentTo !== undefined && doubtedMs <= nowMs
  return unsettled.filter(
    (request) => isLate(request) && (request.type !== 'propose' || request === firstCommand),
  )
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
