/**
 * Frames of a session: the header in front of a client's commands, and the answer in front of their results.
 *
 * A header is the first command of its frame. Layouts, little-endian:
 *
 *     register   u8 op · f64 timeout in ms
 *     call       u8 op · f64 session · f64 sequence · f64 first outstanding · u32 count of commands behind it
 *     clock      u8 op · f64 ms
 *     answer     u8 status · f64 index
 */
import { commandHeaderBytes, type Frame, type LogIndex, packCommands, runHeaderBytes } from '../raft/index.js'

/** Unlike the operations of the key-value store, so that a part of a log can be told in words. */
const ops = { register: 0xe1, call: 0xe2, clock: 0xe3 } as const

export type SessionHeader =
  /** Begins a session, whose id is the index of this entry. */
  | { readonly op: 'register'; readonly timeoutMs: number }
  | CallHeader
  /** The leader's node tells the log's time. */
  | { readonly op: 'clock'; readonly timeMs: number }

/** Commands of a client that are applied once, however often their frame is in the log. */
export interface CallHeader {
  readonly op: 'call'
  /** The session's id. */
  readonly session: LogIndex
  /** The call's number among those of its session. */
  readonly sequence: number
  /** The lowest sequence whose answer the client waits for: the client asks for no earlier one again. */
  readonly firstOutstanding: number
  /** How many commands are behind the header. */
  readonly count: number
}

/**
 * `applied`: by this frame or by an earlier copy of it, at `index`. `forgotten`: applied at `index`, and its results are
 * gone. The others are certainly not applied by this frame. `expired`: there is no such session any more. `stale`: the
 * client has the answer. `full`: the session waits for too many answers to be received.
 */
export const sessionStatuses = { applied: 0, forgotten: 1, expired: 2, stale: 3, full: 4 } as const
export type SessionStatus = keyof typeof sessionStatuses

const statusNames = Object.keys(sessionStatuses) as SessionStatus[]

/** The answer to a header. Behind that of a call is a result for each of its commands, of no bytes if there is none. */
export interface SessionAnswer {
  readonly status: SessionStatus
  /** Of a call the place of its first command, and of a register the session's id. */
  readonly index: LogIndex
}

const headerStart = runHeaderBytes + commandHeaderBytes
const numberBytes = 1 + 8
export const sessionAnswerBytes = 1 + 8
/** A client reserves them as the first command of its frame, and writes the header as it sends the frame. */
export const callHeaderBytes = 1 + 3 * 8 + 4

export function writeCallHeader(frame: Frame, call: Omit<CallHeader, 'op' | 'count'>): void {
  const view = viewOf(frame.bytes)
  view.setUint8(headerStart, ops.call)
  view.setFloat64(headerStart + 1, call.session, true)
  view.setFloat64(headerStart + 9, call.sequence, true)
  view.setFloat64(headerStart + 17, call.firstOutstanding, true)
  view.setUint32(headerStart + 25, frame.count - 1, true)
}

export function registerFrame(timeoutMs: number): Frame {
  return frameOf(ops.register, timeoutMs)
}

export function clockFrame(timeMs: number): Frame {
  return frameOf(ops.clock, timeMs)
}

function frameOf(op: number, value: number): Frame {
  const header = new Uint8Array(numberBytes)
  header[0] = op
  viewOf(header).setFloat64(1, value, true)
  return packCommands([header])
}

/** Whether a client may propose the frame as one of a session. */
export function isFrameOfSession(frame: Frame): boolean {
  const header = readSessionHeader(frame)
  return (
    header?.op === 'register' ||
    (header?.op === 'call' && frame.count > 1 && header.count === frame.count - 1)
  )
}

/** Reads the header of a frame, or of the first part of one. `undefined`: the first command is none. */
export function readSessionHeader({ bytes, count }: Frame): SessionHeader | undefined {
  if (bytes.byteLength < headerStart + numberBytes) return undefined
  const view = viewOf(bytes)
  const length = view.getUint32(runHeaderBytes, true)
  const op = view.getUint8(headerStart)
  const value = view.getFloat64(headerStart + 1, true)
  if (op !== ops.call) {
    if (length !== numberBytes || count !== 1 || !(value >= 0 && value < 2 ** 53)) return undefined
    if (op === ops.register) return { op: 'register', timeoutMs: value }
    return op === ops.clock ? { op: 'clock', timeMs: value } : undefined
  }
  if (length !== callHeaderBytes || bytes.byteLength < headerStart + length) return undefined
  const sequence = view.getFloat64(headerStart + 9, true)
  const firstOutstanding = view.getFloat64(headerStart + 17, true)
  const isSafe = Number.isSafeInteger
  if (!isSafe(value) || !isSafe(sequence) || !isSafe(firstOutstanding)) return undefined
  return {
    op: 'call',
    session: value,
    sequence,
    firstOutstanding,
    count: view.getUint32(headerStart + 25, true),
  }
}

/** Reads the answer to a header from the bytes at `start`. */
export function readSessionAnswer(view: DataView, start: number): SessionAnswer | undefined {
  const status = statusNames[view.getUint8(start)]
  return status && { status, index: view.getFloat64(start + 1, true) }
}

export function writeSessionAnswer(
  bytes: Uint8Array,
  start: number,
  status: SessionStatus,
  index: LogIndex,
): void {
  const view = viewOf(bytes)
  view.setUint8(start, sessionStatuses[status])
  view.setFloat64(start + 1, index, true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
