/** Linearizable reads without log entries: ReadIndex, and by the leader's lease (thesis §6.4). */
import type { Refusal } from './border.js'
import { answeredRound } from './lease.js'
import { isLeader, type LeaderState, type RaftState } from './state.js'

/**
 * The read waits until the driver takes its work. Then the lease confirms all that wait, or a round of heartbeats begins
 * for them.
 */
export function onRead(state: RaftState, id: number): Refusal | undefined {
  if (!isLeader(state)) return { code: 'notLeader', leaderId: state.leaderId }
  const { waitingReads, confirmingReads } = state.leadership
  const waiting = waitingReads.length + (confirmingReads?.ids.length ?? 0)
  if (waiting >= state.limits.waitingReadsMax) return { code: 'overloaded', leaderId: state.leaderId }
  waitingReads.push(id)
  return undefined
}

/** True when reads wait, none are being confirmed, and this leader knows what is committed (§8). */
export function areReadsDue({ leadership, log, currentTerm }: LeaderState): boolean {
  const { waitingReads, confirmingReads } = leadership
  const isAnyDue = waitingReads.length > 0 && confirmingReads === undefined
  return isAnyDue && log.termAt(log.commitIndex) === currentTerm
}

/** Nobody else leads, so all that is committed is known here: commitIndex as of now is the waiting reads'. */
export function confirmByLease({ leadership, log, outbox }: LeaderState): void {
  outbox.reads.push({ ids: leadership.waitingReads, readIndex: log.commitIndex })
  leadership.waitingReads = []
}

/** Takes the waiting reads into the coming round: commitIndex as of now is theirs. */
export function openReadRound({ leadership, log }: LeaderState): void {
  const { waitingReads: ids, heartbeatRound } = leadership
  leadership.confirmingReads = { round: heartbeatRound + 1, readIndex: log.commitIndex, ids }
  leadership.waitingReads = []
}

/** Once a majority answered the round, this node was still leader when it began. */
export function confirmReads(state: LeaderState): void {
  const { leadership } = state
  const confirming = leadership.confirmingReads
  if (confirming === undefined) return
  if (answeredRound(state) < confirming.round) return
  state.outbox.reads.push({ ids: confirming.ids, readIndex: confirming.readIndex })
  leadership.confirmingReads = undefined
}
