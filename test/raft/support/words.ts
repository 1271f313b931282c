/** Messages and writes of nodes in the paper's words, for transcripts. */
import {
  type EntryId,
  type EntryRun,
  type Membership,
  type MembershipChange,
  type Message,
  needsFlush,
  type Persist,
  type RaftEvent,
  readMembership,
  wholeRuns,
} from '../../../src/raft/index.js'
import { entriesOf } from '../../../src/testing/index.js'

/** Above so many, entries are told by the first and the last. */
const entriesToldMax = 4

/** `4@2 x, 5@2 y`: each entry by its index, its term and what it holds; or `1@1 … 9@6`. */
export function entriesInWords(runs: readonly EntryRun[]): string {
  const entries = runs.flatMap((run) => entriesOf([run]).map((entry) => ({ ...entry, run })))
  const place = ({ index, term }: EntryId) => `${index}@${term}`
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return 'empty'
  if (entries.length > entriesToldMax) return `${place(first)} … ${place(last)}`
  return entries
    .map((entry) => {
      const membership = readMembership(entry.run)
      if (membership !== undefined) return `${place(entry)} members ${membershipInWords(membership)}`
      if (entry.command === '') return `${place(entry)} no-op`
      return entry.command === place(entry) ? place(entry) : `${place(entry)} ${entry.command}`
    })
    .join(', ')
}

/** The paper's name of a message. A heartbeat is an AppendEntries without entries, and has a name of its own here. */
function nameOf(message: Message): string {
  const { type } = message
  if (type === 'appendEntries' && message.mode === 'heartbeat') return 'Heartbeat'
  if (type === 'appendEntriesResponse' && message.mode === 'heartbeat') return 'HeartbeatResponse'
  return `${type.charAt(0).toUpperCase()}${type.slice(1)}`
}

export function messageInWords(message: Message): string {
  return `${nameOf(message)} (term ${message.term}, ${fieldsOf(message)})`
}

function fieldsOf(message: Message): string {
  switch (message.type) {
    case 'preVote':
      return `for term ${message.nextTerm}, last ${message.lastLogIndex}@${message.lastLogTerm}`
    case 'requestVote':
      return `last ${message.lastLogIndex}@${message.lastLogTerm}${message.isTransfer ? ', asked by the leader' : ''}`
    case 'preVoteResponse':
      return message.voteGranted ? 'granted' : 'refused'
    case 'requestVoteResponse':
      return `${message.voteGranted ? 'granted' : 'refused'} for term ${message.electionTerm}`
    case 'appendEntries': {
      const { prevLogIndex, prevLogTerm, leaderCommit } = message
      const what =
        message.mode === 'heartbeat' ? `round ${message.round}` : entriesInWords(wholeRuns(message.entries))
      return `prev ${prevLogIndex}@${prevLogTerm}, ${what}, commit ${leaderCommit}`
    }
    case 'appendEntriesResponse': {
      const { success, matchIndex, conflictIndex, conflictTerm } = message
      const round = message.mode === 'heartbeat' ? `round ${message.round}, ` : ''
      if (success) return `${round}match ${matchIndex}`
      if (conflictIndex === 0) return `${round}refused: a stale term`
      return `${round}refused: conflict at ${conflictIndex}${conflictTerm > 0 ? `@${conflictTerm}` : ', log too short'}`
    }
    case 'installSnapshot': {
      const { lastIncludedIndex, lastIncludedTerm, offset, length, size } = message
      return `up to ${lastIncludedIndex}@${lastIncludedTerm}, bytes ${offset} to ${offset + length} of ${size}`
    }
    case 'installSnapshotResponse':
      return message.done ? 'done' : `wants byte ${message.offset}`
    case 'timeoutNow':
      return 'take over'
    case 'readIndex':
      return `question ${message.question}`
    case 'readIndexResponse':
      return `${message.readIndex ?? 'refused'} to question ${message.question}`
  }
}

/** `RequestVote to 2, 3`: messages that leave together, those of one content in one line. */
export function sendingsInWords(messages: readonly Message[]): string[] {
  const recipients = new Map<string, number[]>()
  for (const message of messages) {
    const what = briefly(message)
    recipients.set(what, [...(recipients.get(what) ?? []), message.to])
  }
  return [...recipients].map(([what, to]) => `${what} to ${to.join(', ')}`)
}

function briefly(message: Message): string {
  const name = nameOf(message)
  if (message.type !== 'appendEntries' || message.mode === 'heartbeat') return name
  const { entries } = message
  return entries.length === 0 ? `empty ${name}` : `${name} ${entriesInWords(wholeRuns(entries))}`
}

export function writeInWords(persist: Persist): string {
  const { hardState, snapshotChunks, install, truncateFrom, entries } = persist
  if (!needsFlush(persist)) return 'waits for what is being written'
  const parts: string[] = []
  if (hardState !== undefined) {
    const { currentTerm, votedFor } = hardState
    parts.push(`term ${currentTerm}, ${votedFor === undefined ? 'no vote' : `vote for ${votedFor}`}`)
  }
  for (const { offset, data } of snapshotChunks)
    parts.push(`snapshot bytes ${offset} to ${offset + data.byteLength}`)
  if (install !== undefined) parts.push(`snapshot ${install.index}@${install.term} for the log`)
  if (truncateFrom !== undefined) parts.push(`log cut from ${truncateFrom} on`)
  if (entries.length > 0) parts.push(`entries ${entriesInWords(entries)}`)
  return `writes ${parts.join('; ')}`
}

/** `promote 4, remove 2`. */
export function changesInWords(changes: readonly MembershipChange[]): string {
  return changes.map(({ type, nodeId }) => `${type} ${nodeId}`).join(', ')
}

/** `1, 2, 4 and 1, 2, 3, learner 5`: both halves of a joint configuration. */
function membershipInWords({ voters, votersOutgoing, learners }: Membership): string {
  const outgoing = votersOutgoing.length > 0 ? ` and ${votersOutgoing.join(', ')}` : ''
  const learning = learners.length > 0 ? `, learner ${learners.join(', ')}` : ''
  return `${voters.join(', ')}${outgoing}${learning}`
}

export function eventInWords(event: RaftEvent): string {
  switch (event.type) {
    case 'role': {
      const { role, term, leaderId, reason } = event
      const led = role === 'follower' && leaderId !== undefined ? ` of ${leaderId}` : ''
      return `becomes ${role}${led}, term ${term}: ${reason}`
    }
    case 'voteAnswered': {
      const { candidateId, term, isPreVote, voteGranted, reason } = event
      if (reason === 'leaderMayBeAlive') return `ignores the request of ${candidateId}: ${reason}`
      const what = `${isPreVote ? 'a pre-vote' : 'a vote'} in term ${term}`
      return `${voteGranted ? 'gives' : 'refuses'} ${candidateId} ${what}: ${reason}`
    }
    case 'messageDropped':
      return `drops a message of ${event.from}: ${event.reason}`
    case 'snapshotSending':
      return `begins to send snapshot ${event.index} to ${event.to}`
    case 'snapshotInstalling':
      return `begins to receive snapshot ${event.index} from ${event.from}`
    case 'membership': {
      const { index, membership, isCommitted } = event
      const of = index === 0 ? 'the first' : `entry ${index}`
      return `${isCommitted ? 'knows as committed' : 'goes by'} members ${membershipInWords(membership)} (${of})`
    }
    case 'transferBegan':
      return `begins to hand over to ${event.to}`
    case 'transferEnded':
      return event.isDone ? `has asked ${event.to} to lead` : `gives up handing over to ${event.to}`
  }
}
