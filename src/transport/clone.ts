/** Copies of messages where no thread lies between two nodes: as between threads, no byte is ever shared. */
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
