/**
 * How far the clocks of nodes may be set without breaking a leader's lease (thesis §6.4.1). A lease ends by the leader's
 * clock before a follower's promise to vote for nobody ends by its own. So a clock that stands still, or that is slow
 * where another one is fast, may use up no more than what the lease leaves of the promise.
 */
import { leaseTicks, promisedTicks, type RaftLimits } from '../raft/index.js'

/** The bounds of skews in a cluster whose reads rest on leases. */
export interface ClockBounds {
  readonly leaseMs: number
  readonly promisedMs: number
  /** By how much of itself a clock of this cluster may be slow or fast without any fault. */
  readonly ownDrift: number
}

/** How far a clock is set: milliseconds ahead (behind, below 0), and by how much of itself it is too fast (too slow). */
export interface Skew {
  readonly offsetMs: number
  readonly drift: number
}

/** An offset that is taken back sets a clock back as well, so what is ahead and what is behind share what there is. */
const aheadShare = 0.7

/** `earlyMs`: a timer of this cluster may end so much too early. */
export function clockBoundsOf(
  limits: RaftLimits,
  tickMs: number,
  { ownDrift = 0, earlyMs = 0 }: { ownDrift?: number; earlyMs?: number } = {},
): ClockBounds {
  const promisedMs = promisedTicks(limits) * tickMs - earlyMs
  return { leaseMs: leaseTicks(limits) * tickMs, promisedMs, ownDrift }
}

/** The largest drift, of a clock that has no offset. */
export function driftMax({ leaseMs, promisedMs, ownDrift }: ClockBounds): number {
  return Math.max(0, (promisedMs - leaseMs) / (promisedMs + leaseMs) - ownDrift)
}

/** The largest offsets of a clock with this drift, in milliseconds. */
export function offsetMsMax(bounds: ClockBounds, drift: number): { aheadMs: number; behindMs: number } {
  const { leaseMs, promisedMs, ownDrift } = bounds
  // The worst case: the leader's clock is as slow as it may be, and that of the follower as fast.
  const apart = Math.abs(drift) + ownDrift
  const leftMs = Math.max(0, (promisedMs * (1 - apart)) / (1 + apart) - leaseMs)
  return { aheadMs: aheadShare * leftMs, behindMs: (1 - aheadShare) * leftMs }
}

/** Why the skews, all of one node, could break a lease; `undefined`: they cannot. */
export function whySkewsBreakLease(bounds: ClockBounds, skews: readonly Skew[]): string | undefined {
  const sum = (of: (skew: Skew) => number): number => skews.reduce((total, skew) => total + of(skew), 0)
  const drift = sum((skew) => Math.abs(skew.drift))
  const most = driftMax(bounds)
  if (drift > most) return `a drift over ${inPercent(most)} could break a lease, and let a read be stale`
  const { aheadMs, behindMs } = offsetMsMax(bounds, drift)
  const isWithin =
    sum(({ offsetMs }) => Math.max(0, offsetMs)) <= aheadMs &&
    sum(({ offsetMs }) => Math.max(0, -offsetMs)) <= behindMs
  if (isWithin) return undefined
  const range = `-${inMs(behindMs)} to +${inMs(aheadMs)}`
  return `an offset outside of ${range} could break a lease, and let a read be stale`
}

/** Rounded down, so that the figure that is told is within the bound. */
function inPercent(share: number): string {
  return `${Math.floor(share * 1000) / 10}%`
}

function inMs(ms: number): string {
  return `${Math.floor(ms * 10) / 10}ms`
}
