/** The calls of a broken cluster's clients, their answers, and what the cluster holds in the end. */

export interface Event {
  readonly revision: number
  readonly type: 'put' | 'delete'
  readonly key: string
  /** Of a put. */
  readonly value: string
}

/** A value and the revision at which it was written. */
export interface Held {
  readonly value: string
  readonly revision: number
}

interface Asked {
  readonly key: string
  /** The highest revision that any client had been told of when the call began. */
  readonly floor: number
}

export type Write = Asked & {
  readonly type: 'put' | 'delete' | 'swap'
  /** Of a put or a swap; no other write has it. */
  readonly value: string
  /** Of a swap: the revision that the key must have, 0 for no key. */
  readonly expected?: number
  /**
   * `done`: at this revision. `unknown`: at most once, at any time after the call. `refused`: never. A swap that found
   * another revision, and a delete that found no key, are reads.
   */
  readonly outcome: { readonly done: number } | 'unknown' | 'refused'
}

export type Read = Asked & {
  /** The store's when it was read. */
  readonly revision: number
  /** `undefined`: there was no such key. */
  readonly held: Held | undefined
}

/** Times are of one monotonic clock. */
export interface Lease {
  readonly id: string
  readonly ttlMs: number
  readonly keys: readonly string[]
  /** When the last request was sent that granted the lease or kept it alive, and was acknowledged. */
  readonly keptAtMs: number
  /** When a client was first told that the lease had ended. */
  readonly endedAtMs: number | undefined
}

/** The events that one watcher was told, over all members that it watched. */
export interface Watched {
  readonly name: string
  readonly from: number
  readonly events: readonly Event[]
}

export interface History {
  readonly writes: readonly Write[]
  readonly reads: readonly Read[]
  readonly leases: readonly Lease[]
  readonly watchers: readonly Watched[]
  /** All events from the first revision on, as one member holds them in the end. */
  readonly events: readonly Event[]
  /** All keys, as they are in the end. */
  readonly state: ReadonlyMap<string, Held>
}
