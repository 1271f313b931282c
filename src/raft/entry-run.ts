/**
 * The one encoding of entries, from the client's hand to the disk: a run of entries that share a term and
 * follow each other in the log, in one buffer with a header of its own. The client packs a run, the leader
 * stamps index and term into it, and those same bytes are sent, stored and applied.
 *
 * Layout, little-endian; integers above 32 bits are IEEE doubles, exact up to 2^53:
 *
 *      0  u32  checksum          ─ both belong to whoever stores the run
 *      4  u32  previous checksum ─
 *      8  f64  index of the first entry
 *     16  f64  term
 *     24  u32  count of entries
 *     28  u32  kind
 *     32  count × (u32 length, length bytes)
 */
import { assert, type LogIndex, type Term } from './types.js'

export const runHeaderBytes = 32
/** Bytes that precede each command inside a run. */
export const commandHeaderBytes = 4

/** `empty` marks the start of a leader's term (§8); `commands` are for the state machine. */
export const entryKinds = { empty: 0, commands: 1 } as const
export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds]

const offsetOf = { index: 8, term: 16, count: 24, kind: 28 } as const

/** Commands packed by a client, which no leader has given an index yet. */
export interface Frame {
  /** A whole buffer of its own, header included, so that it can be transferred between threads. */
  readonly bytes: Uint8Array
  readonly count: number
}

/** A run with a place in the log. The numbers repeat what the header in `bytes` says. */
export interface EntryRun {
  /** Index of the first entry. */
  readonly index: LogIndex
  readonly term: Term
  /** How many entries; at least one. */
  readonly count: number
  readonly kind: EntryKind
  readonly bytes: Uint8Array
}

export function lastIndexOf(run: EntryRun): LogIndex {
  return run.index + run.count - 1
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Gives a packed frame its place in the log. The frame's own buffer becomes the run's. */
export function stampRun(frame: Frame, index: LogIndex, term: Term, kind: EntryKind): EntryRun {
  const view = viewOf(frame.bytes)
  view.setFloat64(offsetOf.index, index, true)
  view.setFloat64(offsetOf.term, term, true)
  view.setUint32(offsetOf.count, frame.count, true)
  view.setUint32(offsetOf.kind, kind, true)
  return { index, term, count: frame.count, kind, bytes: frame.bytes }
}

/** Reads a run back from its bytes. `undefined` when they are not a whole, well-formed run. */
export function readRun(bytes: Uint8Array): EntryRun | undefined {
  if (bytes.byteLength < runHeaderBytes) return undefined
  const view = viewOf(bytes)
  const run: EntryRun = {
    index: view.getFloat64(offsetOf.index, true),
    term: view.getFloat64(offsetOf.term, true),
    count: view.getUint32(offsetOf.count, true),
    kind: view.getUint32(offsetOf.kind, true) as EntryKind,
    bytes,
  }
  const isKnownKind = run.kind === entryKinds.empty || run.kind === entryKinds.commands
  const isPlaced =
    Number.isSafeInteger(run.index) && run.index > 0 && Number.isSafeInteger(run.term) && run.term > 0
  return isKnownKind && isPlaced && isWellFormed(run) ? run : undefined
}

/** True when the lengths inside the bytes add up to exactly `count` commands. */
export function isWellFormed(frame: Frame): boolean {
  if (!Number.isInteger(frame.count) || frame.count < 1 || frame.bytes.byteLength < runHeaderBytes)
    return false
  const view = viewOf(frame.bytes)
  let offset = runHeaderBytes
  for (let i = 0; i < frame.count; i++) {
    if (offset + commandHeaderBytes > view.byteLength) return false
    offset += commandHeaderBytes + view.getUint32(offset, true)
  }
  return offset === view.byteLength
}

/** Visits each command as a range of `frame.bytes`, in order. */
export function forEachCommand(
  frame: Frame,
  visit: (start: number, end: number, position: number) => void,
): void {
  const view = viewOf(frame.bytes)
  let offset = runHeaderBytes
  for (let position = 0; position < frame.count; position++) {
    const start = offset + commandHeaderBytes
    offset = start + view.getUint32(offset, true)
    visit(start, offset, position)
  }
}

/** The entries `from` to `to`, both included, as a run of their own: the same one when nothing is left out. */
export function sliceRun(run: EntryRun, from: LogIndex, to: LogIndex): EntryRun {
  const last = lastIndexOf(run)
  assert(from >= run.index && to <= last && from <= to, 'a slice lies within its run')
  if (from === run.index && to === last) return run
  let start = runHeaderBytes
  let end = runHeaderBytes
  forEachCommand(run, (_, commandEnd, position) => {
    if (run.index + position < from) start = commandEnd
    if (run.index + position <= to) end = commandEnd
  })
  const bytes = new Uint8Array(runHeaderBytes + end - start)
  bytes.set(run.bytes.subarray(start, end), runHeaderBytes)
  return stampRun({ bytes, count: to - from + 1 }, from, run.term, run.kind)
}

/** Up to so many bytes a loop is quicker than the call of a built-in. */
const shortBytes = 40

/** Copies all of `from` to `offset` in `into`. */
export function copyBytes(into: Uint8Array, offset: number, from: Uint8Array): void {
  if (from.length > shortBytes) return into.set(from, offset)
  for (let at = 0; at < from.length; at++) into[offset + at] = from[at] as number
}

/** Packs commands into a frame. Reused from frame to frame: its buffer grows to the largest one and stays. */
export class FrameBuilder {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = runHeaderBytes
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Bytes that the frame would have if it were taken now. */
  get byteLength(): number {
    return this.#length
  }

  /** The buffer that offsets from `reserve` point into; another one after each `reserve` and `take`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Makes room for one command of `length` bytes and returns the offset in `bytes` where it goes. */
  reserve(length: number): number {
    const start = this.#length + commandHeaderBytes
    if (start + length > this.#bytes.byteLength) this.#grow(start + length)
    this.#view.setUint32(this.#length, length, true)
    this.#length = start + length
    this.#count++
    return start
  }

  append(command: Uint8Array): void {
    const start = this.reserve(command.byteLength)
    copyBytes(this.#bytes, start, command)
  }

  /** The packed frame in a buffer of its own; the builder starts over, empty. */
  take(): Frame {
    const frame: Frame = { bytes: this.#bytes.slice(0, this.#length), count: this.#count }
    this.#length = runHeaderBytes
    this.#count = 0
    return frame
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** A frame of the given commands. */
export function packCommands(commands: readonly Uint8Array[]): Frame {
  const builder = new FrameBuilder()
  for (const command of commands) builder.append(command)
  return builder.take()
}

/** The entry that opens a leader's term: one command of no bytes, which no state machine sees. */
export function emptyRun(index: LogIndex, term: Term): EntryRun {
  return stampRun(packCommands([new Uint8Array(0)]), index, term, entryKinds.empty)
}
