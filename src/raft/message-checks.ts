/**
 * Which messages are taken at all. A peer's bad message neither stops this node nor changes it: the message is
 * dropped, and an event says why. All checks of what a message may hold are here, and none looks at more than the message
 * and a few numbers of the state.
 */
import type { DropReason } from './border.js'
import { isMembership, readMembership } from './configuration.js'
import { entryKinds, type LogRun, lastIndexOf } from './entry-run.js'
import {
  type AppendEntries,
  type AppendEntriesResponse,
  entriesIn,
  type InstallSnapshot,
  type InstallSnapshotResponse,
  isAnswer,
  type Message,
} from './messages.js'
import { isMember } from './quorum.js'
import { isLeader, type LeaderState, type RaftState } from './state.js'
import { isCount, isNodeId, type Membership } from './types.js'

/** Why a message is dropped; `undefined` when it is taken. */
export function whyDropped(state: RaftState, message: Message): DropReason | undefined {
  const { from, to, term } = message
  if (!isNodeId(from) || !isNodeId(to) || !isCount(term) || !hasCounts(message)) return 'notACount'
  if (to !== state.id || from === to) return 'misdirected'
  if (!isConsistent(message)) return 'contradictory'
  if (isAnswer(message) && !isMember(state.log.membership, from)) return 'notAMember'
  return wasAsked(state, message) ? undefined : 'neverAsked'
}

/** All numbers of a message but those of its envelope. */
function hasCounts(message: Message): boolean {
  switch (message.type) {
    case 'appendEntries':
      return haveCounts(message)
    case 'appendEntriesResponse': {
      const { matchIndex, prevLogIndex, conflictIndex, conflictTerm } = message
      const isPlaced = isCount(matchIndex) && isCount(prevLogIndex) && hasRoundCount(message)
      return isPlaced && isCount(conflictIndex) && isCount(conflictTerm)
    }
    case 'requestVote':
      return isCount(message.lastLogIndex) && isCount(message.lastLogTerm)
    case 'requestVoteResponse':
      return isCount(message.electionTerm)
    case 'preVote': {
      const { nextTerm, campaign, lastLogIndex, lastLogTerm } = message
      return isCount(nextTerm) && isCount(campaign) && isCount(lastLogIndex) && isCount(lastLogTerm)
    }
    case 'preVoteResponse':
      return isCount(message.campaign)
    case 'installSnapshot': {
      const { lastIncludedIndex, lastIncludedTerm, size, offset, length, membership } = message
      const isPlaced = isCount(lastIncludedIndex) && isCount(lastIncludedTerm)
      return isPlaced && isCount(size) && isCount(offset) && isCount(length) && hasNodeIds(membership)
    }
    case 'installSnapshotResponse': {
      const { lastIncludedIndex, chunkOffset, offset } = message
      return isCount(lastIncludedIndex) && isCount(chunkOffset) && isCount(offset)
    }
    case 'readIndex':
      return isCount(message.question)
    case 'readIndexResponse':
      return isCount(message.question) && isCount(message.readIndex ?? 0)
    default:
      return true
  }
}

function haveCounts(message: AppendEntries): boolean {
  const { prevLogIndex, prevLogTerm, leaderCommit } = message
  if (!isCount(prevLogIndex) || !isCount(prevLogTerm) || !isCount(leaderCommit)) return false
  return message.mode === 'replication' ? message.entries.every(hasRunCounts) : hasRoundCount(message)
}

function hasRoundCount(message: AppendEntries | AppendEntriesResponse): boolean {
  return message.mode !== 'heartbeat' || isCount(message.round)
}

function hasRunCounts(run: LogRun): boolean {
  return isCount(lastIndexOf(run)) && isCount(run.count) && isCount(run.term)
}

function hasNodeIds({ voters, votersOutgoing, learners }: Membership): boolean {
  return voters.every(isNodeId) && votersOutgoing.every(isNodeId) && learners.every(isNodeId)
}

function isConsistent(message: Message): boolean {
  switch (message.type) {
    case 'appendEntries':
      return hasMode(message) && isContiguous(message)
    case 'requestVote':
      return message.lastLogTerm <= message.term
    case 'requestVoteResponse':
      // A vote is given in the term that it was asked for; a refusal may be of a later one.
      return message.voteGranted
        ? message.electionTerm === message.term
        : message.electionTerm <= message.term
    case 'preVote':
      return message.lastLogTerm <= message.term && message.nextTerm === message.term + 1
    case 'installSnapshot':
      return isChunk(message)
    case 'appendEntriesResponse':
      return hasMode(message)
    case 'preVoteResponse':
    case 'installSnapshotResponse':
    case 'timeoutNow':
    case 'readIndex':
    case 'readIndexResponse':
      return true
    default:
      return false
  }
}

function hasMode({ mode }: AppendEntries | AppendEntriesResponse): boolean {
  return mode === 'heartbeat' || mode === 'replication'
}

/** Indexes have no gap, terms never decrease, no entry is of a later term than its sender, and all have their bytes. */
function isContiguous(message: AppendEntries): boolean {
  let { prevLogIndex: previousIndex, prevLogTerm: previousTerm } = message
  for (const run of entriesIn(message)) {
    if (run.index !== previousIndex + 1 || run.term < previousTerm || run.bytes === undefined) return false
    if (run.count === 0) return false
    if (run.kind === entryKinds.membership && readMembership(run) === undefined) return false
    previousIndex = lastIndexOf(run)
    previousTerm = run.term
  }
  return previousTerm <= message.term
}

/** The last chunk, and no other, ends the snapshot. */
function isChunk(message: InstallSnapshot): boolean {
  const { term, lastIncludedTerm, membership, size, offset, length, done } = message
  const isPart = offset + length <= size && done === (offset + length === size)
  return isPart && lastIncludedTerm <= term && isMembership(membership)
}

/** Answers to this leader's own requests go no further than what it sent. */
function wasAsked(state: RaftState, message: Message): boolean {
  if (!isLeader(state) || message.term !== state.currentTerm) return true
  if (message.type === 'appendEntriesResponse') return wasAppendAsked(state, message)
  if (message.type === 'installSnapshotResponse') return wasChunkAsked(state, message)
  return true
}

function wasAppendAsked({ log, leadership }: LeaderState, message: AppendEntriesResponse): boolean {
  // Refused for its term: the request was of an earlier leadership, whose rounds were counted by themselves.
  if (!message.success && message.conflictIndex === 0) return true
  const isRoundSent = message.mode !== 'heartbeat' || message.round <= leadership.heartbeatRound
  return message.matchIndex <= log.lastIndex && isRoundSent
}

function wasChunkAsked({ leadership }: LeaderState, message: InstallSnapshotResponse): boolean {
  const snapshot = leadership.progress.get(message.from)?.snapshot
  return snapshot?.index !== message.lastIncludedIndex || message.offset <= snapshot.size
}
