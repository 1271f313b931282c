/** How a node reaches its peers and its clients. Ports implement it between threads, and the simulator in virtual time. */
import type { Frame, LogIndex, Message, NodeId } from '../raft/index.js'

export interface Links {
  /** Sends to `message.to`. A link may lose, repeat, delay and reorder messages, and never alters one. */
  send(message: Message): void
}

/**
 * `read` is taken by a leader only, `readHere` by any node that knows its leader; both see all that was acknowledged
 * before. `staleRead` is answered at once, from what the node has applied.
 */
export type RequestType = 'propose' | 'read' | 'readHere' | 'staleRead'

/** How far the state that was read may lie behind. */
export interface Staleness {
  /** The last entry that the node had applied. */
  readonly index: LogIndex
  /**
   * Milliseconds by the node's own clock: all that was committed anywhere before is in the state. Infinite: since it
   * started, the node has not known that it is up to date.
   */
  readonly ageMs: number
}

/**
 * The origin of a request. A request from inside is made by a server (etcd's API) that stands in a node's place, for a client
 * that is connected to that server. A fault between nodes and clients hits that connection, so it passes over the request.
 */
export type Origin = 'inside' | 'outside'

export function originOf(request: number): Origin {
  return request % 2 === 1 ? 'inside' : 'outside'
}

/** Commands or queries that were packed in one turn of the client's thread, also those of several calls. */
export interface ClientRequest {
  /** Names the request in its settlement; unique between this client and this node. Odd for one from inside. */
  readonly request: number
  readonly type: RequestType
  readonly frame: Frame
  /** Whether the frame is one of a session, with a header in front of its commands. */
  readonly isOfSession?: boolean | undefined
}

/** A query at which the state machine threw, by its place among the answers of its message. */
export interface RefusedQuery {
  readonly position: number
  readonly why: string
}

/** How a request ended. Each request has exactly one settlement, unless its node ends first. */
export type Settlement =
  /** All commands are applied, from `index` on. Their results are in `Settlements.results`. */
  | {
      readonly request: number
      readonly outcome: 'applied'
      readonly index: LogIndex
      readonly count: number
    }
  /**
   * The answers to the first `count` queries, one after the other, each as (u32 length, bytes). When all answers would
   * be too many bytes for one message, `count` is less than the number of queries, and the client asks the others
   * again. A query that the state machine refused has an answer of no bytes.
   */
  | {
      readonly request: number
      readonly outcome: 'read'
      readonly count: number
      readonly results: Uint8Array
      readonly refused?: readonly RefusedQuery[]
      /** Of the answers to a stale read. */
      readonly staleness?: Staleness
    }
  /** Nothing of the request happened, and nothing will. */
  | {
      readonly request: number
      readonly outcome: 'refused'
      readonly code: 'notLeader' | 'overloaded' | 'transferring' | 'malformed' | 'replaced'
      readonly leaderId: NodeId | undefined
    }
  /** The request may have happened. */
  | { readonly request: number; readonly outcome: 'unknown'; readonly why: string }

/** All settlements of one turn of a node, in one message. */
export interface Settlements {
  readonly settled: readonly Settlement[]
  /** The results of `applied` settlements, one after the other, each as (u32 length, bytes). */
  readonly results: Uint8Array
}
