/** The leader's side of log replication (§5.3, §5.4) and of heartbeats (§5.2). */

import type { Propose, Proposed, Refusal } from './border.js'
import { maybeCommit } from './commit.js'
import { byteLengthOf, entryKinds, isWellFormed, lastIndexOf, stampRun } from './entry-run.js'
import type { AppendEntriesResponse, HeartbeatResponse } from './messages.js'
import { beginsWork, isBehind, isResting } from './pace.js'
import type { Progress } from './progress.js'
import { majorityOf, quorumIndex } from './quorum.js'
import { confirmReads } from './reads.js'
import { becomeFollower } from './roles.js'
import { sendChunk, startSnapshot } from './snapshots.js'
import { isLeader, type LeaderState, type RaftState, send } from './state.js'
import type { LogIndex, NodeId } from './types.js'

/** A command is appended to the leader's log at once; it is sent and written when the driver takes its work. */
export function onPropose(state: RaftState, { frame, isOfSession }: Propose): Proposed | Refusal {
  const { leaderId, log, limits } = state
  if (!isLeader(state)) return { code: 'notLeader', leaderId }
  if (state.leadership.transfer !== undefined) return { code: 'transferring', leaderId }
  if (!isWellFormed(frame)) return { code: 'malformed', leaderId }
  const waitingFrom = Math.min(log.lastApplied, log.flushedIndex)
  if (log.weightAfter(waitingFrom) > limits.uncommittedBytesMax) return { code: 'overloaded', leaderId }
  const first = { index: log.lastIndex + 1, term: state.currentTerm }
  const kind = isOfSession === true ? entryKinds.session : entryKinds.commands
  log.push(stampRun(frame, first.index, first.term, kind))
  return { first }
}

/** Sends each follower what it lacks and may be sent. Called when the driver takes its work, so that a turn is a batch. */
export function sendAppends(state: LeaderState, now: number | undefined): void {
  const { lastIndex } = state.log
  for (const [to, progress] of state.leadership.progress) {
    if (progress.state === 'probe') {
      if (!progress.isProbeSent) sendAppend(state, to, progress, lastIndex)
    } else if (progress.state === 'replicate' && progress.nextIndex <= lastIndex) {
      if (isBehind(state, progress)) sendAppendAtPace(state, to, progress, now)
      else sendAll(state, to, progress, lastIndex)
    }
    // Also when the log turned out not to reach back so far.
    if (progress.state === 'snapshot') sendChunkAtPace(state, to, progress, now)
  }
}

function sendAll(state: RaftState, to: NodeId, progress: Progress, lastIndex: LogIndex): void {
  while (progress.nextIndex <= lastIndex && hasRoom(state, progress)) {
    if (!sendAppend(state, to, progress, lastIndex)) break
  }
}

/** One message at a time, and between two of them the follower rests. */
function sendAppendAtPace(state: RaftState, to: NodeId, progress: Progress, now: number | undefined): void {
  if (progress.inflightMessages > 0 || isResting(state, progress, now)) return
  if (sendAppend(state, to, progress, state.log.lastIndex))
    beginsWork(state, progress, progress.inflightBytes, now)
}

function sendChunkAtPace(state: RaftState, to: NodeId, progress: Progress, now: number | undefined): void {
  if (progress.isChunkSent || isResting(state, progress, now)) return
  sendChunk(state, to, progress)
  beginsWork(state, progress, state.limits.snapshotChunkBytes, now)
}

function hasRoom(state: RaftState, progress: Progress): boolean {
  const { inflightMessagesMax, inflightBytesMax } = state.limits
  return progress.inflightMessages < inflightMessagesMax && progress.inflightBytes < inflightBytesMax
}

/**
 * One AppendEntries with what it may carry of the entries from nextIndex to `lastIndex`, or none if it ends before; false
 * when the log no longer reaches back so far and a snapshot must go.
 */
function sendAppend(state: RaftState, to: NodeId, progress: Progress, lastIndex: LogIndex): boolean {
  const { log, limits } = state
  const prevLogIndex = progress.nextIndex - 1
  const prevLogTerm = log.termAt(prevLogIndex)
  if (prevLogTerm === undefined) {
    startSnapshot(state, to, progress)
    return false
  }
  const entries = log.slice(progress.nextIndex, lastIndex, limits.appendBytesMax)
  const { id: from, currentTerm: term } = state
  const leaderCommit = log.commitIndex
  send(state, {
    type: 'appendEntries',
    mode: 'replication',
    from,
    to,
    term,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit,
  })
  const lastRun = entries.at(-1)
  const bytes = entries.reduce((sum, run) => sum + byteLengthOf(run), 0)
  if (lastRun !== undefined) progress.sent(lastIndexOf(lastRun), bytes)
  else progress.isProbeSent = progress.state === 'probe'
  return true
}

/** A heartbeat to every member: it keeps elections off, and tells who is there. */
export function sendHeartbeats(state: LeaderState): void {
  state.heartbeatElapsedTicks = 0
  sendRound(state, state.leadership.progress.keys())
}

/**
 * A heartbeat for the reads that wait (thesis §6.4). While nothing waits to be committed, it goes to as few followers
 * as make a majority with this leader: the others would be woken for nothing. Who was asked and is gone keeps the
 * reads until the next heartbeat to all, and is not asked again.
 */
export function sendReadRound(state: LeaderState): void {
  const { log, leadership } = state
  const isIdle = log.commitIndex === log.lastIndex
  sendRound(state, isIdle ? quickestMajority(state) : leadership.progress.keys())
}

/**
 * The followers that answered last, as many as make a majority with this leader. A configuration is never joint here:
 * a joint one that is committed is left by the next entry, which then waits to be committed.
 */
function quickestMajority({ id: self, log, leadership }: LeaderState): NodeId[] {
  const { voters } = log.membership
  const ackedRoundOf = (id: NodeId) => leadership.progress.get(id)?.ackedRound ?? 0
  const others = voters.filter((id) => id !== self).sort((a, b) => ackedRoundOf(b) - ackedRoundOf(a))
  return others.slice(0, majorityOf(voters.length) - (voters.length - others.length))
}

/**
 * A heartbeat travels beside the entries and may overtake them, so it refers only to what is known to match, and lets
 * a follower commit no further than that.
 */
function sendRound(state: LeaderState, members: Iterable<NodeId>): void {
  const { leadership } = state
  leadership.heartbeatRound++
  for (const to of members) {
    const matchIndex = leadership.progress.get(to)?.matchIndex ?? 0
    // A cut log no longer knows the term there; the follower matches in any case at the very beginning.
    const matchTerm = state.log.termAt(matchIndex)
    const prevLogIndex = matchTerm === undefined ? 0 : matchIndex
    send(state, {
      type: 'appendEntries',
      mode: 'heartbeat',
      from: state.id,
      to,
      term: state.currentTerm,
      prevLogIndex,
      prevLogTerm: matchTerm ?? 0,
      leaderCommit: Math.min(state.log.commitIndex, matchIndex),
      round: leadership.heartbeatRound,
    })
  }
  confirmReads(state)
}

/** AppendEntriesResponse at the leader (Figure 2, rules for leaders). */
export function onAppendEntriesResponse(state: RaftState, message: AppendEntriesResponse): void {
  if (!isLeader(state)) return
  // Refused for its term: the request was of an earlier leadership, and the answer says nothing about this one.
  if (!message.success && message.conflictIndex === 0) return
  const progress = state.leadership.progress.get(message.from)
  if (progress === undefined) return
  progress.isRecentlyActive = true

  if (message.success) onAccepted(state, progress, message)
  else onRefused(state, progress, message)
  if (message.mode === 'heartbeat') onHeartbeatAnswered(state, message, progress)
}

/** Successful: update nextIndex and matchIndex for the follower. */
function onAccepted(state: LeaderState, progress: Progress, message: AppendEntriesResponse): void {
  const { matchIndex, mode } = message
  const isNews = matchIndex > progress.matchIndex
  // An empty probe brings no news when it is accepted, and yet tells where the logs meet.
  const isProbeAccepted = mode === 'replication' && matchIndex >= progress.nextIndex - 1
  progress.matched(matchIndex)
  if (progress.state === 'probe' && (isNews || isProbeAccepted)) progress.becomeReplicate()
  if (isNews) maybeCommit(state)
}

/** Failed because of inconsistency: decrement nextIndex and retry, by a whole term at a time. */
function onRefused(state: RaftState, progress: Progress, message: AppendEntriesResponse): void {
  // A refusal from before what we know to match, or of nothing that is on its way, is out of date.
  if (message.prevLogIndex <= progress.matchIndex || !progress.awaits(message.prevLogIndex)) return
  const { log } = state
  // Our last entry of the conflicting term is the furthest where the logs can meet; else that whole term is skipped.
  const lastOfTerm = log.lastIndexOfTermUpTo(message.conflictTerm)
  const hasTerm = message.conflictTerm > 0 && log.termAt(lastOfTerm) === message.conflictTerm
  const nextIndex = hasTerm ? lastOfTerm + 1 : message.conflictIndex
  progress.becomeProbe(Math.min(nextIndex, message.prevLogIndex))
}

/**
 * A follower that answers heartbeats while nothing of ours arrives may have lost it: an empty AppendEntries
 * behind all that was sent brings out either an acknowledgement or a refusal.
 */
function onHeartbeatAnswered(state: LeaderState, message: HeartbeatResponse, progress: Progress): void {
  // Answers overtake each other: one to a round before the last that was answered tells nothing new.
  if (message.round <= progress.ackedRound) return
  const isWaiting = progress.state !== 'replicate' || progress.matchIndex < state.log.lastIndex
  if (isWaiting && !progress.hasMoved) {
    progress.isProbeSent = false
    progress.isChunkSent = false
    if (progress.state === 'replicate' && progress.inflightMessages > 0)
      sendAppend(state, message.from, progress, progress.nextIndex - 1)
  }
  progress.hasMoved = false
  progress.neverLeads = message.neverLeads === true
  progress.ackedRound = message.round
  confirmReads(state)
}

/** A leader that a majority does not answer steps down, for another may lead already (thesis §6.2). */
export function checkQuorum(state: LeaderState): void {
  const { progress: progressOf } = state.leadership
  const isActive = (id: NodeId) => id === state.id || progressOf.get(id)?.isRecentlyActive === true
  const isQuorumActive = quorumIndex(state.log.membership, (id) => (isActive(id) ? 1 : 0)) === 1
  for (const progress of progressOf.values()) {
    progress.wasActive = progress.isRecentlyActive
    progress.isRecentlyActive = false
  }
  if (isQuorumActive) return
  const elapsedTicks = state.limits.electionTimeoutTicks
  becomeFollower(state, state.currentTerm, undefined, { reason: 'quorumLost', elapsedTicks })
}
