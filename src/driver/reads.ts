/**
 * Linearizable reads (thesis §6.4) are answered once the leadership is confirmed and their readIndex is applied. While the
 * leadership is being confirmed and every entry of the log is applied, the queries are read ahead, and their answers wait.
 * Stale reads wait for the end of their turn alone. The bytes of an answer are known only once the query is read, so a
 * request may be answered in part, which bounds the work of a turn.
 */
import { reasonOf } from '../errors/index.js'
import { type PackedResults, ResultBuilder, type StateMachine } from '../machine/index.js'
import {
  type Frame,
  forEachCommand,
  isInvariantViolation,
  type LogIndex,
  type NodeId,
  packCommands,
  type ReadState,
} from '../raft/index.js'
import type { RefusedQuery, Settlement, Staleness } from '../transport/index.js'

/** Requests that are read before they are confirmed. */
const aheadMax = 8
/** Bytes of requests that wait here; more are refused. */
const waitingBytesMax = 32 << 20
/** Bytes that a request takes beside its frame. */
const headerBytes = 256
/** Queries that are told to be refused in one message. The queries behind them are asked again. */
const refusedMax = 100
/** Characters of a reason that are told. */
const whyMax = 300

interface Read {
  readonly request: number
  readonly frame: Frame
  ahead: Ahead | undefined
}

/** The answers to the first queries of a frame. */
interface Answered extends PackedResults {
  readonly refused?: readonly RefusedQuery[]
}

/** Answers that wait for their read to be confirmed. */
interface Ahead {
  readonly results: Answered
  /** What the state machine held when they were made. */
  readonly lastApplied: LogIndex
}

interface ConfirmedRead {
  readonly read: Read
  readonly readIndex: LogIndex
}

export class Reads {
  readonly #machine: Pick<StateMachine, 'read'>
  readonly #resultBytesMax: number
  readonly #settle: (settlement: Settlement) => void
  readonly #results: ResultBuilder
  /** In order of arrival. */
  readonly #unconfirmed = new Map<number, Read>()
  /** In order of readIndex: commitIndex only ever rises. */
  #confirmed: ConfirmedRead[] = []
  /** Stale reads. They wait for the end of the turn, and for room in its message. */
  #stale: Pick<Read, 'request' | 'frame'>[] = []
  #waitingBytes = 0

  constructor(
    machine: Pick<StateMachine, 'read'>,
    resultBytesMax: number,
    settle: (settlement: Settlement) => void,
  ) {
    this.#machine = machine
    this.#resultBytesMax = resultBytesMax
    this.#results = new ResultBuilder(resultBytesMax)
    this.#settle = settle
  }

  /** Whether so much waits that no more is to be added. */
  get isFull(): boolean {
    return this.#waitingBytes >= waitingBytesMax
  }

  /** Requests that have no answer yet. */
  get count(): number {
    return this.#unconfirmed.size + this.#confirmed.length + this.#stale.length
  }

  /** Bytes of those requests. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  add(request: number, frame: Frame): void {
    this.#waitingBytes += weightOf(frame)
    this.#unconfirmed.set(request, { request, frame, ahead: undefined })
  }

  /** A read that is told what the machine holds at the end of the turn. */
  addStale(request: number, frame: Frame): void {
    this.#waitingBytes += weightOf(frame)
    this.#stale.push({ request, frame })
  }

  confirmed({ ids, readIndex }: ReadState, leaderId: NodeId | undefined): void {
    for (const request of ids) {
      const read = this.#unconfirmed.get(request)
      if (read === undefined) continue
      this.#unconfirmed.delete(request)
      if (readIndex === undefined) {
        this.#waitingBytes -= weightOf(read.frame)
        this.#settle({ request, outcome: 'refused', code: 'notLeader', leaderId })
      } else this.#confirmed.push({ read, readIndex })
    }
  }

  /** Answers what is confirmed and may be read by now. False when some of it is left for the next turn. */
  serve(lastApplied: LogIndex, ageMs: () => number): boolean {
    if (this.#stale.length > 0) this.#serveStale({ index: lastApplied, ageMs: ageMs() })
    let bytesServed = 0
    let served = 0
    for (const { read, readIndex } of this.#confirmed) {
      if (readIndex > lastApplied || bytesServed >= this.#resultBytesMax) break
      const { bytes, count, refused } = this.#answersTo(read, readIndex)
      const settlement = { request: read.request, outcome: 'read', count, results: bytes } as const
      this.#settle(refused === undefined ? settlement : { ...settlement, refused })
      bytesServed += bytes.byteLength
      this.#waitingBytes -= weightOf(read.frame)
      served++
    }
    if (served > 0) this.#confirmed = this.#confirmed.slice(served)
    const [next] = this.#confirmed
    return this.#stale.length === 0 && (next === undefined || next.readIndex > lastApplied)
  }

  /** Answers the oldest stale reads, up to the bytes of a turn, which other reads have for themselves. */
  #serveStale(staleness: Staleness): void {
    let served = 0
    let bytesServed = 0
    for (const { request, frame } of this.#stale) {
      if (bytesServed >= this.#resultBytesMax) break
      const { bytes: results, count, refused } = this.#read(frame)
      const settlement = { request, outcome: 'read', count, results, staleness } as const
      this.#settle(refused === undefined ? settlement : { ...settlement, refused })
      bytesServed += results.byteLength
      this.#waitingBytes -= weightOf(frame)
      served++
    }
    this.#stale = this.#stale.slice(served)
  }

  /**
   * Reads ahead what is not confirmed yet. To be called while all of the log is applied: an answer from before the readIndex
   * is of no use [RQ4].
   */
  readAhead(lastApplied: LogIndex): void {
    let count = 0
    let bytes = 0
    for (const read of this.#unconfirmed.values()) {
      if (count === aheadMax || bytes >= this.#resultBytesMax) return
      read.ahead ??= { results: this.#read(read.frame), lastApplied }
      bytes += read.ahead.results.bytes.byteLength
      count++
    }
  }

  /** Takes back the buffer of results whose clients have read them. */
  reuse(buffer: ArrayBuffer): void {
    this.#results.reuse(buffer)
  }

  /**
   * An answer that was read ahead is told if the state that it was read from holds readIndex: such a state shows every
   * entry that the read must see.
   */
  #answersTo({ frame, ahead }: Read, readIndex: LogIndex): Answered {
    if (ahead === undefined) return this.#read(frame)
    if (ahead.lastApplied >= readIndex) return ahead.results
    this.reuse(ahead.results.bytes.buffer as ArrayBuffer)
    return this.#read(frame)
  }

  /** The answers to the first queries: to all of them, or to as many as may go into one message. */
  #read(frame: Frame): Answered {
    if (this.#refusalOf(frame) === undefined) return this.#results.take()
    // Reading changes nothing, so what was read up to the refusal is read again.
    this.#results.take()
    return this.#readOneByOne(frame)
  }

  /** Why the machine cannot answer these queries; `undefined`: it did, or its answers would be too large. */
  #refusalOf(queries: Frame): string | undefined {
    const results = this.#results
    const { count } = results
    try {
      this.#machine.read(queries, results)
    } catch (error) {
      // A machine that finds itself broken must not go on. Once the builder is full, any error comes from that.
      if (isInvariantViolation(error)) throw error
      if (!results.isFull) return reasonOf(error)
    }
    // The result that was refused for its size counts as given.
    const given = results.count - count + (results.isFull ? 1 : 0)
    if (given === queries.count || (given < queries.count && results.isFull)) return undefined
    return `the machine owes a result for each query: it gave ${given} for ${queries.count}`
  }

  /** The queries of one request come from many callers, so a query that the machine refuses is refused alone [RQ7]. */
  #readOneByOne(frame: Frame): Answered {
    const results = this.#results
    const refused: RefusedQuery[] = []
    for (const query of queriesIn(frame)) {
      const { byteLength, count: position } = results
      const why = this.#refusalOf(query)
      if (why === undefined && !results.isFull) continue
      results.rewind(byteLength, position)
      // A query that finds no room behind others is asked again. A query that finds none by itself gave too many answers.
      if (why === undefined || (results.isFull && position > 0) || refused.length === refusedMax) break
      if (results.isFull) results.take()
      results.append(noAnswer)
      refused.push({ position, why: why.slice(0, whyMax) })
    }
    return { ...results.take(), refused }
  }
}

function weightOf({ bytes }: Frame): number {
  return bytes.byteLength + headerBytes
}

const noAnswer = new Uint8Array(0)

function queriesIn(frame: Frame): Frame[] {
  const queries: Frame[] = []
  forEachCommand(frame, (start, end) => {
    queries.push(packCommands([frame.bytes.subarray(start, end)]))
  })
  return queries
}
