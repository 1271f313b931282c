/**
 * The sessions in front of a snapshot of a state machine: how they become bytes, and how they are read back. A snapshot
 * without them, of a build that had none, is that of the machine alone.
 */

import type { Term } from '../raft/index.js'
import { isBytes, readUint32, writeUint32 } from '../raft/index.js'
import { owed } from './owed.js'
import type { CallHeader } from './session-frame.js'
import { CallResults, type Session, Sessions } from './sessions.js'

/** A frame that the node knows in part: the rest of it is applied next, unless a later leader replaced it. */
export interface OpenFrame {
  /** The term of the frame's entries, by which its rest is known. */
  readonly term: Term
  readonly call: CallHeader
  /** How many of its commands were met. */
  met: number
  /** `undefined`: the call is not applied. */
  readonly answer: CallResults | undefined
}

export interface SessionState {
  readonly sessions: Sessions
  readonly open: OpenFrame | undefined
}

/** The first bytes of a snapshot that begins with sessions. Behind them stands the length of the sessions' bytes. */
const magic = Buffer.from('raftbox sessions')
const prefixBytes = magic.byteLength + 4
const pieceBytes = 128 << 10
/** A machine may give pieces of any size. A longer one than this is not copied. */
const joinedBytesMax = 4 * pieceBytes

/** Rows, each behind its length: the whole, and then each session with its answers behind it. */
export function packSessions({ sessions, open }: SessionState): Uint8Array {
  const { call, term = 0, met = 0, answer: applied } = open ?? {}
  const { session = 0, sequence = 0, firstOutstanding = 0, count = 0 } = call ?? {}
  const rows = new RowWriter(bytesOf(sessions))
  rows.begin(9)
  rows.numbers(sessions.timeMs, sessions.size, term, session)
  rows.numbers(sequence, firstOutstanding, count, met)
  rows.number(applied ? 1 : 0)
  for (const { id, timeoutMs, lastUseMs, firstOutstanding: first, answers } of sessions.all) {
    rows.begin(5)
    rows.numbers(id, timeoutMs, lastUseMs, first)
    rows.number(answers.size)
    for (const [number, answer] of answers) {
      rows.begin(4)
      rows.numbers(number, answer.index, answer.count, answer.results === undefined ? 0 : 1)
      rows.bytes(answer.results ?? noBytes)
    }
  }
  return rows.written
}

/** Bytes of all rows. */
function bytesOf({ all }: Sessions): number {
  let bytes = rowBytes(9)
  for (const { answers } of all) {
    bytes += rowBytes(5)
    for (const { results } of answers.values()) bytes += rowBytes(4) + 4 + (results?.byteLength ?? 0)
  }
  return bytes
}

function rowBytes(numbers: number): number {
  return 4 + 8 * numbers
}

/** Writes rows behind the prefix. Nodes with many answers spend a turn here, so no row takes memory of its own. */
class RowWriter {
  readonly written: Uint8Array
  readonly #view: DataView
  #offset = prefixBytes

  constructor(bytes: number) {
    this.written = new Uint8Array(prefixBytes + bytes)
    this.#view = new DataView(this.written.buffer)
    this.written.set(magic)
    writeUint32(this.written, magic.byteLength, bytes)
  }

  /** Begins a row of so many numbers. */
  begin(numbers: number): void {
    this.#length(8 * numbers)
  }

  numbers(one: number, two: number, three: number, four: number): void {
    this.number(one)
    this.number(two)
    this.number(three)
    this.number(four)
  }

  number(value: number): void {
    this.#view.setFloat64(this.#offset, value, true)
    this.#offset += 8
  }

  /** A row of bytes. */
  bytes(row: Uint8Array): void {
    this.#length(row.byteLength)
    this.written.set(row, this.#offset)
    this.#offset += row.byteLength
  }

  #length(bytes: number): void {
    this.#view.setUint32(this.#offset, bytes, true)
    this.#offset += 4
  }
}

/**
 * The sessions, and behind them the pieces of the machine. The end of the sessions and the first piece of the machine are one
 * piece: the store keeps each piece by itself, and a short one more costs it more than the copy does
 * (bench/EXPERIMENTS.md).
 */
export class SnapshotWithSessions implements Iterator<Uint8Array> {
  readonly #machine: Iterator<Uint8Array>
  #sessions: Uint8Array
  /** The first piece of the machine, until it is given. */
  #first: IteratorResult<Uint8Array> | undefined

  constructor(sessions: Uint8Array, machine: Iterator<Uint8Array>) {
    if (typeof machine?.next !== 'function') throw owed('an iterator of its snapshot', machine)
    this.#sessions = sessions
    this.#machine = machine
    // The body of a generator runs no earlier than its first piece is pulled. The piece is pulled here, before any command
    // can be applied, so that the generator copies the state of this moment.
    this.#first = this.#pull()
  }

  next(): IteratorResult<Uint8Array> {
    if (this.#sessions.byteLength > pieceBytes) {
      return { done: false, value: this.#take(pieceBytes) }
    }
    const piece = this.#first ?? this.#pull()
    this.#first = undefined
    if (this.#sessions.byteLength === 0) return piece
    const last = this.#take(this.#sessions.byteLength)
    if (piece.done !== true && piece.value.byteLength <= joinedBytesMax) {
      return { done: false, value: Buffer.concat([last, piece.value]) }
    }
    this.#first = piece
    return { done: false, value: last }
  }

  #pull(): IteratorResult<Uint8Array> {
    const piece = this.#machine.next()
    if (piece?.done === true || isBytes(piece?.value)) return piece
    throw owed('a Uint8Array for each piece of its snapshot', piece?.value)
  }

  #take(bytes: number): Uint8Array {
    const taken = this.#sessions.subarray(0, bytes)
    this.#sessions = this.#sessions.subarray(bytes)
    return taken
  }

  return(): IteratorResult<Uint8Array> {
    this.#machine.return?.()
    return { done: true, value: undefined }
  }
}

/** Takes the sessions off a snapshot, wherever it is cut. `machine` are the pieces behind them. */
export function readSessions(pieces: Iterable<Uint8Array>): SessionState & { machine: Iterable<Uint8Array> } {
  const behind = pieces[Symbol.iterator]()
  let head = Buffer.alloc(0)
  const reaches = (length: number): boolean => {
    const parts: Uint8Array[] = [head]
    let reached = head.byteLength
    while (reached < length) {
      const next = behind.next()
      if (next.done === true) break
      parts.push(next.value)
      reached += next.value.byteLength
    }
    head = Buffer.concat(parts)
    return reached >= length
  }
  const machine = (): Iterable<Uint8Array> => restOf(head, behind)
  const isThere = reaches(prefixBytes) && head.subarray(0, magic.byteLength).equals(magic)
  if (!isThere) return { sessions: new Sessions(), open: undefined, machine: machine() }
  const end = prefixBytes + readUint32(head, magic.byteLength)
  if (!reaches(end)) throw new Error('snapshot of the sessions: it ends within them')
  const state = unpack(new Rows(head.subarray(prefixBytes, end)))
  head = head.subarray(end)
  return { ...state, machine: machine() }
}

function* restOf(head: Uint8Array, behind: Iterator<Uint8Array>): Generator<Uint8Array> {
  if (head.byteLength > 0) yield head
  for (let next = behind.next(); next.done !== true; next = behind.next()) yield next.value
}

function unpack(rows: Rows): SessionState {
  const sessions = new Sessions()
  const [timeMs, size, term, session, sequence, firstOutstanding, count, met, isApplied] = rows.numbers(9)
  sessions.timeMs = timeMs
  const kept: [CallResults, Uint8Array][] = []
  for (let added = 0; added < size; added++) sessions.add(readSession(rows, kept))
  for (const [answer, results] of kept.sort(([one], [other]) => one.index - other.index))
    sessions.keep(answer, results)
  if (count === 0) return { sessions, open: undefined }
  const call: CallHeader = { op: 'call', session, sequence, firstOutstanding, count }
  const answer = isApplied === 1 ? sessions.find(session)?.answers.get(sequence) : undefined
  return { sessions, open: { term, call, met, answer } }
}

function readSession(rows: Rows, kept: [CallResults, Uint8Array][]): Session {
  const [id, timeoutMs, lastUseMs, firstOutstanding, size] = rows.numbers(5)
  const answers = new Map<number, CallResults>()
  for (let read = 0; read < size; read++) {
    const [sequence, index, count, isKept] = rows.numbers(4)
    const results = rows.next()
    const answer = new CallResults(index, count, undefined)
    answers.set(sequence, answer)
    if (isKept === 1) kept.push([answer, new Uint8Array(results)])
  }
  return { id, timeoutMs, lastUseMs, firstOutstanding, answers }
}

type Numbers<Length extends number, Taken extends number[] = []> = Taken['length'] extends Length
  ? Taken
  : Numbers<Length, [...Taken, number]>

/** Rows that are read in their order. */
class Rows {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  next(): Uint8Array {
    const start = this.#offset + 4
    const end = start + readUint32(this.#bytes, this.#offset)
    if (!(end <= this.#bytes.byteLength))
      throw new Error('snapshot of the sessions: it holds less than it says')
    this.#offset = end
    return this.#bytes.subarray(start, end)
  }

  numbers<Length extends number>(length: Length): Numbers<Length> {
    const row = this.next()
    if (row.byteLength !== 8 * length) throw new Error('snapshot of the sessions: a row is of another length')
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
    return Array.from({ length }, (_, at) => view.getFloat64(8 * at, true)) as Numbers<Length>
  }
}

const noBytes = new Uint8Array(0)
