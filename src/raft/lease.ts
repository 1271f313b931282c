/**
 * The leader's lease (thesis §6.4.1): who has answered a leader votes for nobody for an election timeout, so a leader
 * that a majority has just answered knows by its clock alone that there is no other.
 */
import type { RaftLimits } from './options.js'
import { quorumIndex } from './quorum.js'
import type { LeaderState, RaftState } from './state.js'
import type { NodeId } from './types.js'

/**
 * Ticks of a follower's clock for which it votes for nobody after it answered a heartbeat. A follower may take a
 * heartbeat in a tick that is late, and the next tick then comes at once: two of its ticks took no time.
 */
export function promisedTicks({ electionTimeoutTicks }: RaftLimits): number {
  return electionTimeoutTicks - 2
}

/** How long a lease is, in ticks of the leader's clock: three quarters of that promise, since clocks run apart. */
export function leaseTicks(limits: RaftLimits): number {
  return promisedTicks(limits) * 0.75
}

/** Whatever role or term it came to since, this node's answer may be what a leader's lease stands on. */
export function isPromised(state: RaftState): boolean {
  return state.leaderElapsedTicks < state.limits.electionTimeoutTicks
}

/** The rounds that were begun leave now: a lease counts from here, and not from when an answer comes. */
export function noteRoundsSent({ leadership, limits }: LeaderState, now: number): void {
  const { heartbeatRound: round, sentRounds, isLeaseGivenUp } = leadership
  // Without a lease each read has a round of its own, and none of them is needed.
  if (isLeaseGivenUp || sentRounds.at(-1)?.round === round) return
  const fresh = sentRounds.filter(({ at }) => now < at + leaseTicks(limits))
  leadership.sentRounds = [...fresh, { round, at: now }]
}

/** True when no other node can lead at `now`, in ticks of this leader's clock. */
export function holdsLease(state: LeaderState, now: number): boolean {
  if (state.leadership.isLeaseGivenUp) return false
  const answered = answeredRound(state)
  const sent = state.leadership.sentRounds.findLast(({ round }) => round <= answered)
  return sent !== undefined && now < sent.at + leaseTicks(state.limits)
}

/** The latest round of heartbeats that a majority of the voters answered. */
export function answeredRound({ id: self, log, leadership }: LeaderState): number {
  const { heartbeatRound, progress } = leadership
  const answeredBy = (id: NodeId) => (id === self ? heartbeatRound : (progress.get(id)?.ackedRound ?? 0))
  return quorumIndex(log.membership, answeredBy)
}
