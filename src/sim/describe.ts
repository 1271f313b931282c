/** What can happen in a run, and how it is told to people. */
import {
  type LogRun,
  lastIndexOf,
  type Message,
  type NodeId,
  type Persist,
  type RaftEvent,
} from '../raft/index.js'
import { describeEvent } from '../telemetry/index.js'

export type Happened =
  | { readonly type: 'received'; readonly message: Message }
  | { readonly type: 'undelivered'; readonly message: Message; readonly why: string }
  | { readonly type: 'event'; readonly event: RaftEvent }
  | { readonly type: 'writing'; readonly persist: Persist }
  | { readonly type: 'flushed'; readonly what: string }
  | { readonly type: 'committed'; readonly index: number; readonly term: number }
  | { readonly type: 'applied'; readonly index: number; readonly count: number }
  | { readonly type: 'asked'; readonly request: number; readonly what: string }
  | { readonly type: 'settled'; readonly request: number; readonly outcome: string }
  /** A fault, a start, a stop. */
  | { readonly type: 'told'; readonly what: string }

export function describe(happened: Happened): string {
  switch (happened.type) {
    case 'received':
      return `← ${describeMessage(happened.message)}`
    case 'undelivered':
      return `✗ ${happened.why}: ${describeMessage(happened.message)} to ${happened.message.to}`
    case 'event':
      return describeEvent(happened.event)
    case 'writing':
      return `writes ${describePersist(happened.persist)}`
    case 'flushed':
      return `flushed ${happened.what}`
    case 'committed':
      return `commits up to ${happened.index} (term ${happened.term})`
    case 'applied':
      return `applies ${happened.index} to ${happened.index + happened.count - 1}`
    case 'asked':
      return `is asked to ${happened.what}, request ${happened.request}`
    case 'settled':
      return `settles request ${happened.request}: ${happened.outcome}`
    case 'told':
      return happened.what
  }
}

function describePersist(persist: Persist): string {
  const { sequence, hardState, snapshotChunks, install, truncateFrom, entries, messages } = persist
  const parts = [`#${sequence}`]
  if (hardState !== undefined) {
    parts.push(`term ${hardState.currentTerm} vote ${hardState.votedFor ?? 'none'}`)
  }
  for (const { snapshot, offset, data } of snapshotChunks) {
    parts.push(`snapshot ${snapshot.index} from ${offset}, ${data.byteLength} bytes`)
  }
  if (install !== undefined) parts.push(`install ${install.index}`)
  if (truncateFrom !== undefined) parts.push(`truncate from ${truncateFrom}`)
  if (entries.length > 0) parts.push(`entries ${describeSpan(entries)}`)
  if (messages.length > 0) parts.push(`then ${messages.map(({ type, to }) => `${type} to ${to}`).join(', ')}`)
  return parts.join(', ')
}

function describeSpan(entries: readonly LogRun[]): string {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return 'none'
  return `${first.index}@${first.term}…${lastIndexOf(last)}@${last.term}`
}

export function describeMessage(message: Message): string {
  const { type, from, term } = message
  return `${type} of ${from} in term ${term}: ${detailsOf(message)}`
}

function detailsOf(message: Message): string {
  switch (message.type) {
    case 'requestVote':
      return `last ${message.lastLogIndex}@${message.lastLogTerm}`
    case 'preVote':
      return `campaign ${message.campaign} for term ${message.nextTerm}, last ${message.lastLogIndex}@${message.lastLogTerm}`
    case 'requestVoteResponse':
      return `${yesOrNo(message.voteGranted)} in the election of term ${message.electionTerm}`
    case 'preVoteResponse':
      return `${yesOrNo(message.voteGranted)} to campaign ${message.campaign}`
    case 'timeoutNow':
      return 'take over'
    case 'readIndex':
      return `question ${message.question}`
    case 'readIndexResponse':
      return `${message.readIndex ?? 'no'} to question ${message.question}`
    case 'appendEntries': {
      const { prevLogIndex, prevLogTerm, leaderCommit, mode } = message
      const what = mode === 'heartbeat' ? `heartbeat ${message.round}` : describeSpan(message.entries)
      return `${what} after ${prevLogIndex}@${prevLogTerm}, commit ${leaderCommit}`
    }
    case 'appendEntriesResponse': {
      const { success, matchIndex, conflictIndex, conflictTerm, mode } = message
      const answer = success ? `match ${matchIndex}` : `no, conflict ${conflictIndex}@${conflictTerm}`
      return mode === 'heartbeat' ? `heartbeat ${message.round}, ${answer}` : answer
    }
    case 'installSnapshot':
      return `${message.lastIncludedIndex}@${message.lastIncludedTerm} from ${message.offset}, ${message.length} of ${message.size} bytes`
    case 'installSnapshotResponse':
      return `${message.lastIncludedIndex} from ${message.chunkOffset}, ${message.done ? 'done' : `wants ${message.offset}`}`
  }
}

function yesOrNo(isGranted: boolean): string {
  return isGranted ? 'yes' : 'no'
}

/** `3 → 1`, for faults of links. */
export function describeLink(from: NodeId, to: NodeId): string {
  return `${from} → ${to}`
}
