/** Copies of messages between nodes in one thread. Two nodes never share a byte, as if a port lay between them. */
import { type EntryRun, type Membership, type Message, wholeRuns } from '../raft/index.js'

export function cloneMessage<T extends Message>(message: T): T {
  if (message.type === 'appendEntries' && message.mode === 'replication')
    return { ...message, entries: wholeRuns(message.entries).map(cloneRun) }
  if (message.type === 'installSnapshot') {
    return {
      ...message,
      membership: cloneMembership(message.membership),
      data: message.data && new Uint8Array(message.data),
    }
  }
  return { ...message }
}

export function cloneRun(run: EntryRun): EntryRun {
  // A slice of a `Buffer` would share its memory.
  return { ...run, bytes: new Uint8Array(run.bytes) }
}

function cloneMembership({ voters, votersOutgoing, learners }: Membership): Membership {
  return { voters: [...voters], votersOutgoing: [...votersOutgoing], learners: [...learners] }
}
