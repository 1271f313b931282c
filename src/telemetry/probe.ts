/**
 * The one way in which a node tells what happens in it. The driver calls the probe in the midst of its work and hands it
 * its own objects: a probe keeps none of the messages, writes and runs, never calls the node, and never throws.
 */
import type { EntryRun, LogIndex, Message, Persist, Raft, RaftEvent, Refusal } from '../raft/index.js'

/** Requests of clients that a node has taken and not answered. */
export interface RequestsWaiting {
  readonly proposals: number
  readonly reads: number
  readonly readBytes: number
}

export interface Probe {
  /** A message has arrived; the protocol takes it next. */
  received(message: Message): void
  /** The protocol refused a request on its arrival. */
  refused(code: Refusal['code']): void
  /** Commands of clients were refused, or taken and then replaced or lost sight of: so many. */
  proposalsFailed(commands: number): void
  /** A unit of the protocol's time has passed. `isLeaseHeld` tells whether a leader holds its lease. */
  ticked(state: Raft['state'], isLeaseHeld: () => boolean, waiting: RequestsWaiting): void
  /** All facts of the turn were told, and nothing that comes of them has left. */
  turnEnding(state: Raft['state']): void
  /** A message leaves. */
  sent(message: Message): void
  /** A write is handed to the disk. */
  flushBegan(): void
  /** A write is on disk. */
  flushEnded(persist: Persist): void
  /** The state machine holds the run, of which it applied so many commands. */
  applied(run: EntryRun, commands: number): void
  /** The answers of all commands up to `index` that clients gave to this node leave as the turn ends. */
  answered(index: LogIndex): void
  snapshotTaken(): void
  snapshotInstalled(): void
  /**
   * The protocol tells of a change of role, a vote, a message that it dropped, a snapshot on its way. Told before any
   * message leaves that comes of it.
   */
  happened(event: RaftEvent): void
  /** All that the turn made possible is done, and its answers leave next. */
  turnEnded(state: Raft['state']): void
  /** The node has stopped for good: its disk failed, its machine threw, or an invariant did not hold. */
  failed(error: unknown): void
}
