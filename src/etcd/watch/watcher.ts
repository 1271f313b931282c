/** A watch of a client, as the hub serves it. */
import type { WatchEvent } from './history.js'
import type { Watched } from './ranges.js'

/** The client's end of its watches. */
export interface Listener {
  /** Whether more may be sent: what was sent before is not too much for memory yet. */
  readonly hasRoom: boolean
  /** Requests that wait for a revision of the node which is no older than they are. */
  readonly requests: { readonly length: number }
  /** The first `count` requests have waited for this revision. */
  serve(count: number, revision: number): void
  sendEvents(watcher: Watcher, header: Buffer, events: readonly WatchEvent[]): void
  /** All of the stream's watches have been told what happened up to the header's revision. */
  sendProgress(header: Buffer): void
  /** The history that the watch wants is gone. */
  sendCompacted(watcher: Watcher, header: Buffer, compactRevision: number): void
  /** No watch can be served any more. */
  fail(error: unknown): void
}

export interface Watcher extends Watched {
  readonly listener: Listener
  /** As field `watch_id` of a response. */
  readonly idBytes: Buffer
  readonly noPut: boolean
  readonly noDelete: boolean
  readonly prevKv: boolean
  readonly fragment: boolean
  readonly progressNotify: boolean
  /**
   * The first revision that the client has yet to be told of. While the watcher is in step, the hub's position moves on
   * in its place.
   */
  next: number
  /** Whether the client heard of this watch since progress was due last. */
  hasSent: boolean
}

export function wants(watcher: Watcher, event: WatchEvent): boolean {
  return event.revision >= watcher.next && !(event.isDelete ? watcher.noDelete : watcher.noPut)
}
