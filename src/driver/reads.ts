/**
 * Linearizable reads (thesis §6.4): answered once leadership is confirmed and their readIndex is applied. While followers are
 * asked and every entry of the log is applied, the queries are read ahead, and their answers wait. The bytes of an answer
 * are known only once the query is read, so a request may be answered in part, which bounds the work of a turn.
 */
import { type PackedResults, ResultBuilder, type StateMachine } from '../machine/index.js'
import type { Frame, LogIndex, NodeId, ReadState } from '../raft/index.js'
import type { Settlement } from '../transport/index.js'

/** Requests that are read before they are confirmed. */
const aheadMax = 8

interface Read {
  readonly request: number
  readonly frame: Frame
  ahead: Ahead | undefined
}

/** Answers that wait for their read to be confirmed. */
interface Ahead {
  readonly results: PackedResults
  /** What the state machine held when they were made. */
  readonly lastApplied: LogIndex
}

interface ConfirmedRead {
  readonly read: Read
  readonly readIndex: LogIndex
}

export class Reads {
  readonly #machine: StateMachine
  readonly #resultBytesMax: number
  readonly #settle: (settlement: Settlement) => void
  readonly #results: ResultBuilder
  /** In order of arrival. */
  readonly #unconfirmed = new Map<number, Read>()
  /** In order of readIndex: commitIndex only ever rises. */
  #confirmed: ConfirmedRead[] = []

  constructor(machine: StateMachine, resultBytesMax: number, settle: (settlement: Settlement) => void) {
    this.#machine = machine
    this.#resultBytesMax = resultBytesMax
    this.#results = new ResultBuilder(resultBytesMax)
    this.#settle = settle
  }

  add(request: number, frame: Frame): void {
    this.#unconfirmed.set(request, { request, frame, ahead: undefined })
  }

  confirmed({ ids, readIndex }: ReadState, leaderId: NodeId | undefined): void {
    for (const request of ids) {
      const read = this.#unconfirmed.get(request)
      if (read === undefined) continue
      this.#unconfirmed.delete(request)
      if (readIndex === undefined) {
        this.#settle({ request, outcome: 'refused', code: 'notLeader', leaderId, frame: read.frame })
      } else this.#confirmed.push({ read, readIndex })
    }
  }

  /** Answers what is confirmed and may be read by now. False when some of it is left for the next turn. */
  serve(lastApplied: LogIndex): boolean {
    let served = 0
    let bytesServed = 0
    for (const { read, readIndex } of this.#confirmed) {
      if (readIndex > lastApplied || bytesServed >= this.#resultBytesMax) break
      const { bytes, count } = this.#answersTo(read, readIndex)
      this.#settle({ request: read.request, outcome: 'read', count, results: bytes })
      bytesServed += bytes.byteLength
      served++
    }
    if (served > 0) this.#confirmed = this.#confirmed.slice(served)
    const [next] = this.#confirmed
    return next === undefined || next.readIndex > lastApplied
  }

  /**
   * Reads what is not confirmed yet. To be called while all of the log is applied: what is committed meanwhile makes
   * the answers worthless.
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

  /** An answer that was read ahead is told if the state that it was read from holds readIndex: it shows every entry that the read must see. */
  #answersTo({ frame, ahead }: Read, readIndex: LogIndex): PackedResults {
    if (ahead === undefined) return this.#read(frame)
    if (ahead.lastApplied >= readIndex) return ahead.results
    this.reuse(ahead.results.bytes.buffer as ArrayBuffer)
    return this.#read(frame)
  }

  /** The answers to the first queries: to all of them, or to as many as may go into one message. */
  #read(frame: Frame): PackedResults {
    try {
      this.#machine.read(frame, this.#results)
    } catch (error) {
      // Reading changes nothing, so an error of the machine is ignored once the builder is full.
      if (!this.#results.isFull) throw error
    }
    const { isFull } = this.#results
    // The result that was refused for its size counts as given.
    const given = this.#results.count + (isFull ? 1 : 0)
    if (given > frame.count || (given < frame.count && !isFull))
      throw new Error(`the machine gave ${given} results for ${frame.count} queries`)
    return this.#results.take()
  }
}
