/**
 * Linearizable reads (thesis §6.4): answered once leadership is confirmed and their readIndex is applied. While
 * nothing is being written, the queries are read while the followers are asked, and their answers wait.
 */
import { ResultBuilder, type StateMachine } from '../machine/index.js'
import type { Frame, LogIndex, NodeId, ReadState } from '../raft/index.js'
import type { Settlement } from '../transport/index.js'

/** Requests that are read before they are confirmed, and the bytes of their answers. */
const aheadMax = 8
const aheadBytesMax = 1 << 20

interface Read {
  readonly request: number
  readonly frame: Frame
  ahead: Ahead | undefined
}

/** Answers that wait for their read to be confirmed. */
interface Ahead {
  readonly results: Uint8Array
  /** What the state machine held when they were made. */
  readonly lastApplied: LogIndex
}

interface ConfirmedRead {
  readonly read: Read
  readonly readIndex: LogIndex
}

export class Reads {
  readonly #machine: StateMachine
  readonly #settle: (settlement: Settlement) => void
  readonly #results = new ResultBuilder()
  /** In order of arrival. */
  readonly #unconfirmed = new Map<number, Read>()
  /** In order of readIndex: commitIndex only ever rises. */
  #confirmed: ConfirmedRead[] = []

  constructor(machine: StateMachine, settle: (settlement: Settlement) => void) {
    this.#machine = machine
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

  /** Answers what is confirmed and may be read by now. */
  serve(lastApplied: LogIndex): void {
    let served = 0
    for (const { read, readIndex } of this.#confirmed) {
      if (readIndex > lastApplied) break
      this.#settle({ request: read.request, outcome: 'read', results: this.#answersTo(read, readIndex) })
      served++
    }
    if (served > 0) this.#confirmed = this.#confirmed.slice(served)
  }

  /**
   * Reads what is not confirmed yet. To be called while all of the log is applied: what is committed meanwhile makes
   * the answers worthless.
   */
  readAhead(lastApplied: LogIndex): void {
    let count = 0
    let bytes = 0
    for (const read of this.#unconfirmed.values()) {
      if (count === aheadMax || bytes >= aheadBytesMax) return
      read.ahead ??= { results: this.#read(read.frame), lastApplied }
      bytes += read.ahead.results.byteLength
      count++
    }
  }

  /** Takes back the buffer of results whose clients have read them. */
  reuse(buffer: ArrayBuffer): void {
    this.#results.reuse(buffer)
  }

  /** What was read of a state that holds readIndex may be told: nothing that the read has to see came after it. */
  #answersTo({ frame, ahead }: Read, readIndex: LogIndex): Uint8Array {
    if (ahead === undefined) return this.#read(frame)
    if (ahead.lastApplied >= readIndex) return ahead.results
    this.reuse(ahead.results.buffer as ArrayBuffer)
    return this.#read(frame)
  }

  #read(frame: Frame): Uint8Array {
    this.#machine.read(frame, this.#results)
    const { bytes, count } = this.#results.take()
    if (count !== frame.count) throw new Error(`the machine gave ${count} results for ${frame.count} queries`)
    return bytes
  }
}
