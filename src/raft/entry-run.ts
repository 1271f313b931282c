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
import { commandHeaderBytes, Packer } from './packer.js'
import { assert, type LogIndex, type Term } from './types.js'

export const runHeaderBytes = 32

/** The checksums at the beginning of a run's bytes, which belong to whoever stores the run. */
export const checksumsBytes = 8

/**
 * `empty` marks the start of a leader's term (§8), `commands` are for the state machine, and `membership` is a
 * configuration (§6): one entry alone in its run. A `session` run is a frame of a client's session (§8): its first entry
 * is the session's header, and the commands behind the header are for the state machine.
 */
export const entryKinds = { empty: 0, commands: 1, membership: 2, session: 3 } as const
export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds]

const knownKinds: ReadonlySet<number> = new Set(Object.values(entryKinds))

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

/** A run whose bytes are in the store only. */
export interface StoredRun {
  readonly index: LogIndex
  readonly term: Term
  readonly count: number
  readonly kind: EntryKind
  readonly bytes: undefined
  /** Length of the bytes that it was cut from, which may be more than its own. */
  readonly byteLength: number
}

/** A run as the log knows it. */
export type LogRun = EntryRun | StoredRun

export function storedRunOf({ index, term, count, kind, bytes }: EntryRun): StoredRun {
  return { index, term, count, kind, bytes: undefined, byteLength: bytes.byteLength }
}

/** A run as a store hands it over at a start: a configuration comes with its bytes, since the protocol goes by it. */
export function recoveredRunOf(run: EntryRun): LogRun {
  return run.kind === entryKinds.membership ? run : storedRunOf(run)
}

export function byteLengthOf(run: LogRun): number {
  return run.bytes === undefined ? run.byteLength : run.bytes.byteLength
}

/** The same runs, none of which may be in the store only. */
export function wholeRuns(runs: readonly LogRun[]): readonly EntryRun[] {
  for (const { bytes } of runs) assert(bytes !== undefined, 'a run comes with its bytes')
  return runs as readonly EntryRun[]
}

export function lastIndexOf(run: LogRun): LogIndex {
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
  const isKnownKind = knownKinds.has(run.kind) && (run.kind !== entryKinds.membership || run.count === 1)
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
export function sliceRun(run: EntryRun, from: LogIndex, to: LogIndex): EntryRun
export function sliceRun(run: StoredRun, from: LogIndex, to: LogIndex): StoredRun
export function sliceRun(run: LogRun, from: LogIndex, to: LogIndex): LogRun
export function sliceRun(run: LogRun, from: LogIndex, to: LogIndex): LogRun {
  const last = lastIndexOf(run)
  assert(from >= run.index && to <= last && from <= to, 'a slice lies within its run')
  if (from === run.index && to === last) return run
  if (run.bytes === undefined) return { ...run, index: from, count: to - from + 1 }
  return stampRun(sliceFrame(run, from - run.index, to - run.index + 1), from, run.term, run.kind)
}

/** The commands from position `from` up to `to`, that one left out, as a frame of their own. */
export function sliceFrame(frame: Frame, from: number, to = frame.count): Frame {
  let start = runHeaderBytes
  let end = runHeaderBytes
  forEachCommand(frame, (_, commandEnd, position) => {
    if (position < from) start = commandEnd
    if (position < to) end = commandEnd
  })
  const bytes = new Uint8Array(runHeaderBytes + end - start)
  bytes.set(frame.bytes.subarray(start, end), runHeaderBytes)
  return { bytes, count: to - from }
}

/** Packs commands into a frame. Reused from frame to frame. */
export class FrameBuilder extends Packer {
  constructor() {
    super(runHeaderBytes)
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
