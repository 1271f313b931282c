/** Copies of messages between nodes in one thread. Two nodes never share a byte, as if a port lay between them. */
import { type EntryRun, type Membership, type Message, wholeRuns } from '../raft/index.js'

export function cloneMessage<T extends Message>(message: T): T {
  if (message.type === 'appendEntries' && message.mode === 'replication')
    return { ...message, entries: wholeRuns(message.entries).map(cloneRun) }
  if (message.type === 'installSnapshot') {
    return { ...message, membership: cloneMembership(message.membership), data: message.data?.slice() }
  }
  return { ...message }
}

export function cloneRun(run: EntryRun): EntryRun {
  return { ...run, bytes: run.bytes.slice() }
}

function cloneMembership({ voters, votersOutgoing, learners }: Membership): Membership {
  return { voters: [...voters], votersOutgoing: [...votersOutgoing], learners: [...learners] }
}
