/**
 * A state machine behind the sessions of its clients: a call of a session is applied once, however often it is in the
 * log, and answered the same each time. Commands outside of sessions pass through as they are.
 */
import { createHash } from 'node:crypto'
import {
  assert,
  commandHeaderBytes,
  type EntryRun,
  entryKinds,
  type Frame,
  type LogIndex,
  readUint32,
  runHeaderBytes,
} from '../raft/index.js'
import type { CommandRun, ResultWriter, StateMachine } from './machine.js'
import { owed } from './owed.js'
import { endOfResults, ResultBuilder, resultBytesMaxDefault } from './results.js'
import {
  readSessionHeader,
  type SessionStatus,
  sessionAnswerBytes,
  writeSessionAnswer,
} from './session-frame.js'
import { type OpenFrame, packSessions, readSessions, SnapshotWithSessions } from './session-snapshot.js'
import { type CallResults, Sessions } from './sessions.js'

const noResult = new Uint8Array(0)
const noSessions = new Uint8Array(0)

export class SessionMachine {
  readonly #machine: StateMachine
  #sessions = new Sessions()
  /** A run may be cut anywhere, so the commands of a frame may come in parts. */
  #open: OpenFrame | undefined
  /** Takes results for which no client waits here. */
  #ownResults = new ResultBuilder()

  constructor(machine: StateMachine) {
    this.#machine = machine
  }

  /** The shortest timeout of a session or of the state machine; infinite when there is none. */
  get leastTimeoutMs(): number {
    const own = this.#machine.leastTimeoutMs ?? Number.POSITIVE_INFINITY
    if (!(typeof own === 'number' && own >= 0)) throw owed('leastTimeoutMs as a number from 0 on', own)
    return Math.min(this.#sessions.leastTimeoutMs, own)
  }

  /** The log's time. */
  get timeMs(): number {
    return this.#sessions.timeMs
  }

  /**
   * Applies a run, and answers how many of its commands were applied. With `results` it gives one result for each entry;
   * that of a header is a `SessionAnswer`.
   */
  apply(run: EntryRun, results: ResultBuilder | undefined): number {
    const { index, term, count, bytes } = run
    const commands: CommandRun = { index, term, timeMs: this.timeMs, count, bytes }
    if (run.kind === entryKinds.session) return this.#applyPart(commands, results)
    this.#machine.apply(commands, results)
    return count
  }

  read(queries: Frame, results: ResultWriter): void {
    this.#machine.read(queries, results)
  }

  /** The snapshot of the state machine, behind the sessions. Nothing stands before it while no session was ever used. */
  snapshot(): Iterator<Uint8Array> {
    return new SnapshotWithSessions(this.#isUnused ? noSessions : this.#packed(), this.#machine.snapshot())
  }

  restore(pieces: Iterable<Uint8Array>): void {
    const { sessions, open, machine } = readSessions(pieces)
    this.#sessions = sessions
    this.#open = open
    this.#machine.restore(machine)
  }

  /** Over the sessions and the state machine. */
  hash(): string {
    const hash = this.#machine.hash()
    return this.#isUnused ? hash : createHash('sha256').update(this.#packed()).update(hash).digest('hex')
  }

  /** As that of the state machine, with the number of sessions where there are any. */
  summary(): Readonly<Record<string, number>> {
    const { size: sessions } = this.#sessions
    return { ...this.#machine.summary?.(), ...(sessions > 0 && { sessions }) }
  }

  get #isUnused(): boolean {
    const { size, timeMs } = this.#sessions
    return size === 0 && timeMs === 0 && this.#open === undefined
  }

  #packed(): Uint8Array {
    return packSessions({ sessions: this.#sessions, open: this.#open })
  }

  #applyPart(run: CommandRun, results: ResultBuilder | undefined): number {
    if (this.#open?.term === run.term) return this.#applyCommands(this.#open, run, results)
    return this.#applyFrame(run, results)
  }

  /** A frame from its header on. An earlier frame whose rest never came, since a later leader replaced it, is over. */
  #applyFrame(run: CommandRun, results: ResultBuilder | undefined): number {
    this.#open = undefined
    const header = readSessionHeader(run)
    assert(header !== undefined, 'a frame of a session begins with a header')
    if (header.op !== 'call') {
      if (header.op === 'register') this.#sessions.register(run.index, header.timeoutMs)
      else this.#tellTime(run, header.timeMs)
      giveAnswer(results, 'applied', run.index)
      return 0
    }
    const begun = this.#sessions.begin(header, run.index + 1)
    const answer = typeof begun === 'string' ? undefined : begun
    if (typeof begun === 'string') giveAnswer(results, begun, run.index)
    else giveAnswer(results, begun.results === undefined ? 'forgotten' : 'applied', begun.index)
    const open: OpenFrame = { term: run.term, call: header, met: 0, answer }
    this.#open = open
    return run.count > 1 ? this.#applyCommands(open, commandsPast(run, 1), results) : 0
  }

  #tellTime({ index, term }: CommandRun, timeMs: number): void {
    this.#sessions.tell(timeMs)
    this.#machine.timeTold?.({ index, term, timeMs: this.timeMs })
  }

  /** The next commands of a frame. Commands that an earlier copy of the frame has applied are answered from memory. */
  #applyCommands(open: OpenFrame, run: CommandRun, results: ResultBuilder | undefined): number {
    const { answer, met } = open
    const known = answer === undefined ? run.count : Math.min(run.count, Math.max(0, answer.count - met))
    if (results !== undefined) giveKnown(results, answer?.results, met, known)
    if (answer !== undefined && known < run.count)
      this.#applyFresh(answer, commandsPast(run, known), results ?? this.#ownResults)
    open.met += run.count
    if (open.met >= open.call.count) this.#open = undefined
    return run.count - known
  }

  #applyFresh(answer: CallResults, run: CommandRun, results: ResultBuilder): void {
    const { byteLength, count } = results
    this.#machine.apply(run, results)
    const given = results.count - count
    if (given !== run.count)
      throw new Error(`the machine owes a result for each command: it gave ${given} for ${run.count}`)
    this.#sessions.applied(answer, given, results.bytes.slice(byteLength, results.byteLength))
    if (results !== this.#ownResults) return
    // Once it has grown for a large answer, it is not kept.
    if (results.capacity > resultBytesMaxDefault) this.#ownResults = new ResultBuilder()
    else results.rewind(0, 0)
  }
}

function giveAnswer(results: ResultBuilder | undefined, status: SessionStatus, index: LogIndex): void {
  if (results === undefined) return
  const start = results.reserve(sessionAnswerBytes)
  writeSessionAnswer(results.bytes, start, status, index)
}

/** Results `from` to `from + count` of those that are remembered; of no bytes where there are none. */
function giveKnown(results: ResultBuilder, known: Uint8Array | undefined, from: number, count: number): void {
  if (known === undefined) {
    for (let given = 0; given < count; given++) results.append(noResult)
  } else if (count > 0) {
    const start = endOfResults(known, 0, from) ?? 0
    results.appendPacked(known.subarray(start, endOfResults(known, start, count)), count)
  }
}

/** The commands behind the first `skipped`. Their bytes are not copied: the place of a frame's header means nothing. */
function commandsPast(run: CommandRun, skipped: number): CommandRun {
  let start = 0
  for (let position = 0; position < skipped; position++)
    start += commandHeaderBytes + readUint32(run.bytes, start + runHeaderBytes)
  const { index, term, timeMs, count, bytes } = run
  return { index: index + skipped, term, timeMs, count: count - skipped, bytes: bytes.subarray(start) }
}
