/**
 * The border between the MVCC machine and its clients. Requests and responses are the protobuf messages of etcd's v3 API,
 * so a request goes from the client to the disks in one encoding, and the response comes back in one. The history and the
 * figures, for which etcd has no messages, have layouts of their own.
 *
 *     command, query   u8 op · request
 *     answer           u8 status · f64 revision of the store, little-endian · response without its header
 *
 * Protobuf joins messages by joining their bytes, so the server writes the header in front of the response.
 */
import type { Memory } from '../machine/index.js'

/** The name of the machine, which its directories remember. */
export const mvccName = 'etcd'

/** Commands: the machine applies them, each on every node. Codes are unlike those of the key-value store's commands. */
export const mvccCommandOps = {
  put: 0x41,
  deleteRange: 0x42,
  txn: 0x43,
  compact: 0x44,
  leaseGrant: 0x45,
  leaseRevoke: 0x46,
  leaseKeepAlive: 0x47,
  /** The alarms of a member: `AlarmRequest`. */
  alarm: 0x48,
} as const
export type CommandOp = keyof typeof mvccCommandOps

/** Queries: one node answers them from its state. */
export const mvccQueryOps = {
  range: 0x61,
  /** A transaction that only reads. */
  txnRange: 0x62,
  leaseTimeToLive: 0x63,
  leaseLeases: 0x64,
  hashKV: 0x65,
  /** Events from a revision on, for watches: both layouts are in `history.ts`. */
  history: 0x66,
  /** Figures of the store, in the layout of `figures.ts`. The request has no bytes. */
  figures: 0x67,
  alarms: 0x68,
} as const
export type QueryOp = keyof typeof mvccQueryOps

/** How a request ended. Each but `ok` has the text and the code of etcd, by which clients know it. */
export const statuses = {
  ok: 0,
  malformed: 1,
  emptyKey: 2,
  keyNotFound: 3,
  valueProvided: 4,
  leaseProvided: 5,
  tooManyOps: 6,
  duplicateKey: 7,
  compacted: 8,
  futureRevision: 9,
  leaseNotFound: 10,
  leaseExists: 11,
  leaseTtlTooLarge: 12,
  noSpace: 13,
  invalidSortOption: 14,
  corrupt: 15,
  /** The request was carried out, and its answer would be larger than an answer may be. */
  answerTooLarge: 16,
} as const
export type Status = keyof typeof statuses
export type RefusalStatus = Exclude<Status, 'ok'>

export const statusNames = Object.keys(statuses) as readonly Status[]

/** Bytes of an answer before its message. */
export const answerHeadBytes = 1 + 8

/** The part of a frame that a request is written into. */
export interface Into {
  reserve(length: number): number
  readonly bytes: Uint8Array
}

/** Packs a command or a query, whose request is protobuf already. */
export function writeRequest(into: Into, op: number, request: Uint8Array): void {
  const start = into.reserve(1 + request.byteLength)
  into.bytes[start] = op
  into.bytes.set(request, start + 1)
}

/** Writes what stands before the message of an answer. */
export function writeAnswerHead({ view }: Memory, at: number, status: Status, revision: number): void {
  view.setUint8(at, statuses[status])
  view.setFloat64(at + 1, revision, true)
}
