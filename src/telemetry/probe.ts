/**
 * The one way in which a node tells what happens in it. The driver calls the probe in the midst of its work and hands it
 * its own objects: a probe keeps none of the messages, writes and runs, never calls the node, and never throws.
 */
import type { EntryRun, Message, Persist, Raft, RaftEvent } from '../raft/index.js'

export interface Probe {
  /** A message has arrived; the protocol takes it next. */
  received(message: Message): void
  /** A message leaves. */
  sent(message: Message): void
  /** A write is on disk. */
  flushEnded(persist: Persist): void
  /** The state machine holds the run. */
  applied(run: EntryRun): void
  snapshotTaken(): void
  snapshotInstalled(): void
  /** The protocol tells of a change of role, a message that it dropped, a snapshot on its way. */
  happened(event: RaftEvent): void
  /** All that the turn made possible is done. */
  turnEnded(state: Raft['state']): void
  /** The node has stopped for good: its disk failed, its machine threw, or an invariant did not hold. */
  failed(error: unknown): void
}
