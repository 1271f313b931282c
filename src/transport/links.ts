/** How a node reaches its peers and its clients: the interfaces that threads, inline and simulation fill. */
import type { Frame, LogIndex, Message, NodeId } from '../raft/index.js'

export interface Links {
  /** Sends to `message.to`. A link may lose, repeat, delay and reorder; it never alters. */
  send(message: Message): void
}

/** Commands or queries of many callers, packed in one turn of the client's thread. */
export interface ClientRequest {
  /** Names the request in its settlement; unique between this client and this node. */
  readonly request: number
  readonly type: 'propose' | 'read'
  readonly frame: Frame
}

/** How a request ended. Exactly one a request, unless its node dies first. */
export type Settlement =
  /** All commands applied, from `index` on; their results stand in `Settlements.results`. */
  | {
      readonly request: number
      readonly outcome: 'applied'
      readonly index: LogIndex
      readonly count: number
    }
  /**
   * The answers to the first `count` queries, one after the other, each as (u32 length, bytes). When they are not all,
   * since all would be too many bytes for one message, the others were not read, and are to be asked again.
   */
  | {
      readonly request: number
      readonly outcome: 'read'
      readonly count: number
      readonly results: Uint8Array
    }
  /** Nothing of it happened, and nothing will. */
  | {
      readonly request: number
      readonly outcome: 'refused'
      readonly code: 'notLeader' | 'overloaded' | 'malformed' | 'replaced'
      readonly leaderId: NodeId | undefined
      /** The request's own frame, handed back where it was refused on arrival, to be sent elsewhere. */
      readonly frame: Frame | undefined
    }
  /** It may have happened. */
  | { readonly request: number; readonly outcome: 'unknown'; readonly why: string }

/** What one turn of a node settles, in one message. */
export interface Settlements {
  readonly settled: readonly Settlement[]
  /** The results of `applied` settlements, one after the other, each as (u32 length, bytes). */
  readonly results: Uint8Array
}
