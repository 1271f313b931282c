/** AppendEntries, receiver side (Figure 2, §5.3). */

import { lastIndexOf, wholeRuns } from './entry-run.js'
import {
  type AppendEntries,
  type AppendEntriesResponse,
  entriesIn,
  type Heartbeat,
  type InstallSnapshot,
  type Replication,
} from './messages.js'
import { learnCommit } from './read-index.js'
import { becomeFollower } from './roles.js'
import { isHardStateFlushed, type RaftState, send, sendAfterFlush } from './state.js'
import { assert, type LogIndex, type Term } from './types.js'

/** The reply is a refusal until every reason to refuse has been ruled out, in the paper's order. */
export function onAppendEntries(state: RaftState, message: AppendEntries): void {
  // Reply false if term < currentTerm (§5.1). The reply carries our term: a stale leader steps down.
  if (message.term < state.currentTerm) return refuse(state, message, 0, 0)
  followLeader(state, message)

  const { log } = state
  // A message may begin below what we know is committed: up to there it says what we hold already.
  const isBehindCommit = message.prevLogIndex < log.commitIndex
  // Reply false if the log has no entry at prevLogIndex whose term is prevLogTerm (§5.3).
  if (!isBehindCommit && log.termAt(message.prevLogIndex) !== message.prevLogTerm) {
    assert(message.prevLogIndex > log.commitIndex, 'log matching: every leader holds what is committed')
    const [conflictIndex, conflictTerm] = conflictAt(state, message.prevLogIndex)
    return refuse(state, message, conflictIndex, conflictTerm)
  }

  // Truncate only on a real conflict: an old message repeated must not cut off newer entries.
  const entries = entriesIn(message)
  log.append(wholeRuns(entries))
  const lastRun = entries.at(-1)
  const lastNewIndex = lastRun === undefined ? message.prevLogIndex : lastIndexOf(lastRun)
  // Beyond the last new entry our log is not known to agree with the leader's.
  log.commitIndex = Math.max(log.commitIndex, Math.min(message.leaderCommit, lastNewIndex))
  learnCommit(state)
  if (message.mode === 'heartbeat') acceptHeartbeat(state, message, lastNewIndex)
  else acceptEntries(state, message, lastNewIndex)
}

/** A message of this term's leader: whoever else we were, we follow it now (§5.2). */
export function followLeader(state: RaftState, message: AppendEntries | InstallSnapshot): void {
  const { from: leaderId, type: messageType } = message
  // One leader a term (§5.2): being the leader of this very term is our bug, not the network's.
  assert(state.role !== 'leader', 'election safety: one leader a term')
  assert(state.leaderId === undefined || state.leaderId === leaderId, 'election safety: one leader a term')
  if (state.role !== 'follower' || state.leaderId === undefined) {
    const cause = { reason: 'leaderDiscovered', from: leaderId, messageType } as const
    becomeFollower(state, state.currentTerm, leaderId, cause)
  }
  // Hearing the leader puts off the election (§5.2).
  state.electionElapsedTicks = 0
  state.leaderElapsedTicks = 0
}

/** Where a leader may go on: our end, or the beginning of the conflicting term (§5.3, last paragraph). */
function conflictAt(state: RaftState, prevLogIndex: LogIndex): [LogIndex, Term] {
  const { log } = state
  if (prevLogIndex > log.lastIndex) return [log.lastIndex + 1, 0]
  const first = Math.max(log.firstIndexOfTermAt(prevLogIndex), log.commitIndex + 1)
  return [first, log.termAt(prevLogIndex) ?? 0]
}

/** A refusal is sent at once. It promises nothing that a crash could take back. */
function refuse(state: RaftState, message: AppendEntries, conflictIndex: LogIndex, conflictTerm: Term): void {
  send(state, answerTo(state, message, false, 0, conflictIndex, conflictTerm))
}

/** A heartbeat is answered even while the disk is slow: the answer claims no more than what is flushed. */
function acceptHeartbeat(state: RaftState, message: Heartbeat, matchIndex: LogIndex): void {
  const answer = answerTo(state, message, true, Math.min(matchIndex, state.log.flushedIndex), 0, 0)
  if (isHardStateFlushed(state)) send(state, answer)
  else sendAfterFlush(state, answer)
}

/** The acknowledgement promises that the entries survive a crash: it waits for their flush. */
function acceptEntries(state: RaftState, message: Replication, matchIndex: LogIndex): void {
  const { log, outbox } = state
  const answer = answerTo(state, message, true, matchIndex, 0, 0)
  if (isHardStateFlushed(state) && matchIndex <= log.flushedIndex) {
    send(state, answer)
    return
  }
  const waiting = outbox.waitingAck
  const isNewer = waiting === undefined || waiting.term < answer.term || waiting.matchIndex < matchIndex
  if (isNewer) outbox.waitingAck = answer
}

/** The answer names the request that it answers, in the request's own mode. */
function answerTo(
  { id: from, currentTerm: term, priority }: RaftState,
  message: AppendEntries,
  success: boolean,
  matchIndex: LogIndex,
  conflictIndex: LogIndex,
  conflictTerm: Term,
): AppendEntriesResponse {
  const type = 'appendEntriesResponse'
  const { from: to, prevLogIndex, mode } = message
  const result = { success, matchIndex, conflictIndex, conflictTerm }
  if (mode === 'replication') return { type, mode, from, to, term, prevLogIndex, ...result }
  const answer = { type, mode, from, to, term, prevLogIndex, round: message.round, ...result } as const
  return priority > 0 ? answer : { ...answer, neverLeads: true }
}
