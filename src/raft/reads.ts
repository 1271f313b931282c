/** Linearizable reads without log entries: ReadIndex, and by the leader's lease (thesis §6.4). */
import type { Read, Refusal } from './border.js'
import { answeredRound } from './lease.js'
import { waitsToAsk } from './read-index.js'
import { isLeader, type LeaderState, type RaftState, type ReadQuestion, send } from './state.js'
import type { LogIndex } from './types.js'

/**
 * The read waits until the driver takes its work. Then the lease confirms all that wait, or a round of heartbeats begins
 * for them.
 */
export function onRead(state: RaftState, { id, isServedHere }: Read): Refusal | undefined {
  const { leaderId } = state
  if (!isLeader(state)) return isServedHere ? waitsToAsk(state, id) : { code: 'notLeader', leaderId }
  const { waitingReads, confirmingReads } = state.leadership
  const waiting = waitingReads.length + (confirmingReads?.ids.length ?? 0)
  if (waiting >= state.limits.waitingReadsMax) return { code: 'overloaded', leaderId }
  waitingReads.push(id)
  return undefined
}

/** True when reads wait, none are being confirmed, and this leader knows what is committed (§8). */
export function areReadsDue({ leadership, log, currentTerm }: LeaderState): boolean {
  const { waitingReads, waitingQuestions, confirmingReads } = leadership
  const isAnyWaiting = waitingReads.length > 0 || waitingQuestions.length > 0
  return isAnyWaiting && confirmingReads === undefined && log.termAt(log.commitIndex) === currentTerm
}

/** Nobody else leads, so all that is committed is known here: commitIndex as of now is the waiting reads'. */
export function confirmByLease(state: LeaderState): void {
  const { leadership, log } = state
  const { waitingReads, waitingQuestions } = leadership
  leadership.waitingReads = []
  leadership.waitingQuestions = []
  confirm(state, log.commitIndex, waitingReads, waitingQuestions)
}

/** Takes the waiting reads into the coming round: commitIndex as of now is theirs. */
export function openReadRound({ leadership, log }: LeaderState): void {
  const { waitingReads: ids, waitingQuestions: questions, heartbeatRound } = leadership
  leadership.confirmingReads = { round: heartbeatRound + 1, readIndex: log.commitIndex, ids, questions }
  leadership.waitingReads = []
  leadership.waitingQuestions = []
}

/** Once a majority answered the round, this node was still leader when it began. */
export function confirmReads(state: LeaderState): void {
  const { leadership } = state
  const confirming = leadership.confirmingReads
  if (confirming === undefined) return
  if (answeredRound(state) < confirming.round) return
  leadership.confirmingReads = undefined
  confirm(state, confirming.readIndex, confirming.ids, confirming.questions)
}

function confirm(
  state: LeaderState,
  readIndex: LogIndex,
  ids: readonly number[],
  questions: readonly ReadQuestion[],
): void {
  if (ids.length > 0) state.outbox.reads.push({ ids, readIndex })
  const { id: from, currentTerm: term } = state
  for (const { from: to, question } of questions)
    send(state, { type: 'readIndexResponse', from, to, term, question, readIndex })
}
