/** Linearizable reads without log entries: ReadIndex, and by the leader's lease (thesis §6.4). */
import type { Refusal } from './border.js'
import { answeredRound } from './lease.js'
import type { RaftState } from './state.js'

/**
 * The read waits until the driver takes its work. Then the lease confirms all that wait, or a round of heartbeats begins
 * for them.
 */
export function onRead(state: RaftState, id: number): Refusal | undefined {
  if (state.role !== 'leader') return { code: 'notLeader', leaderId: state.leaderId }
  const waiting = state.waitingReads.length + (state.confirmingReads?.ids.length ?? 0)
  if (waiting >= state.limits.waitingReadsMax) return { code: 'overloaded', leaderId: state.leaderId }
  state.waitingReads.push(id)
  return undefined
}

/** True when reads wait, none are being confirmed, and this leader knows what is committed (§8). Asked of leaders only. */
export function areReadsDue(state: RaftState): boolean {
  return (
    state.waitingReads.length > 0 &&
    state.confirmingReads === undefined &&
    state.log.termAt(state.log.commitIndex) === state.currentTerm
  )
}

/** Nobody else leads, so all that is committed is known here: commitIndex as of now is the waiting reads'. */
export function confirmByLease(state: RaftState): void {
  const { waitingReads: ids, log } = state
  state.outbox.reads.push({ ids, readIndex: log.commitIndex })
  state.waitingReads = []
}

/** Takes the waiting reads into the coming round: commitIndex as of now is theirs. */
export function openReadRound(state: RaftState): void {
  const { waitingReads: ids, heartbeatRound, log } = state
  state.confirmingReads = { round: heartbeatRound + 1, readIndex: log.commitIndex, ids }
  state.waitingReads = []
}

/** Once a majority answered the round, this node was still leader when it began. */
export function confirmReads(state: RaftState): void {
  const confirming = state.confirmingReads
  if (confirming === undefined) return
  if (answeredRound(state) < confirming.round) return
  state.outbox.reads.push({ ids: confirming.ids, readIndex: confirming.readIndex })
  state.confirmingReads = undefined
}
