/** The history of keys, as a member tells it. */
import { Memory } from '../../machine/index.js'
import { Reader, type Span } from '../../mvcc/index.js'
import { EtcdError } from '../errors.js'
import type { Member, Served } from '../member.js'
import { eventBytes } from './messages.js'

/** Something that happened to a key. */
export interface WatchEvent {
  readonly revision: number
  readonly isDelete: boolean
  /** A character a byte. */
  readonly key: string
  readonly kv: Buffer
  /** The event as a part of a response. */
  readonly bytes: Buffer
  /** The same with the key-value before, as far as it was asked for. */
  readonly bytesWithPrev: Buffer
}

export interface History {
  /** Of the node's store, when it answered. */
  readonly revision: number
  /** In their order; all events of a revision or none. */
  readonly events: readonly WatchEvent[]
  /** The history up to here is gone, and the asked one with it. */
  readonly compactRevision: number | undefined
}

/** All events from revision `from` on, as far as they fit in `bytesMax`: those of one revision always do. */
export async function readHistory(
  member: Pick<Member, 'readLocal'>,
  from: number,
  bytesMax: number,
  withPrev: boolean,
): Promise<History> {
  const query = Buffer.alloc(8 + 4 + 1)
  query.writeDoubleLE(from, 0)
  query.writeUInt32LE(bytesMax, 8)
  query.writeUInt8(withPrev ? 1 : 0, 12)
  try {
    const { revision, body } = await member.readLocal('history', query)
    return { revision, events: eventsOf(body), compactRevision: undefined }
  } catch (error) {
    const compactRevision = compactRevisionOf(error)
    if (compactRevision === undefined) throw error
    return { revision: 0, events: [], compactRevision }
  }
}

/** The machine refuses with the revision up to which its history is gone. */
function compactRevisionOf(error: unknown): number | undefined {
  if (!(error instanceof EtcdError) || error.reason !== 'compacted') return undefined
  return (error.cause as Served).body.readDoubleLE(0)
}

const none: Span = { start: 0, end: 0 }

function eventsOf(body: Buffer): WatchEvent[] {
  const memory = new Memory(body)
  const events: WatchEvent[] = []
  let at = 0
  while (at < body.byteLength) {
    const revision = body.readDoubleLE(at)
    const isDelete = body.readUInt8(at + 8) === 1
    const kv = spanAt(body, at + 9)
    const prevKv = spanAt(body, kv.end)
    const bytes = eventBytes(isDelete, memory, kv, none)
    const bytesWithPrev = prevKv.start === prevKv.end ? bytes : eventBytes(isDelete, memory, kv, prevKv)
    const key = keyOf(memory, kv)
    events.push({
      revision,
      isDelete,
      key: body.toString('latin1', key.start, key.end),
      kv: body.subarray(kv.start, kv.end),
      bytes,
      bytesWithPrev,
    })
    at = prevKv.end
  }
  return events
}

/** The bytes behind their length. */
function spanAt(body: Buffer, at: number): Span {
  const start = at + 4
  return { start, end: start + body.readUInt32LE(at) }
}

/** The first field of a KeyValue. */
function keyOf(memory: Memory, kv: Span): Span {
  const reader = new Reader(memory, kv.start, kv.end)
  reader.next()
  return reader.bytes()
}
