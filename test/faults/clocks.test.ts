/** Clocks that are set: what they say, and how far they may be set. */
import { expect, test } from 'vitest'
import {
  clockBoundsOf,
  driftMax,
  offsetMsMax,
  type Skew,
  SkewedClock,
  whySkewsBreakLease,
} from '../../src/faults/index.js'
import { defaultLimits } from '../../src/raft/index.js'

/** A true clock that a test sets, and the skewed one. */
function clockOf() {
  const time = { nowMs: 1000 }
  const clock = new SkewedClock(() => time.nowMs)
  const set = (...skews: Skew[]) =>
    clock.set(
      skews.map((skew, id) => ({
        id,
        fault: { type: 'skew', nodes: [1], ...skew },
        sinceMs: 0,
        untilMs: undefined,
      })),
    )
  return { time, clock, set }
}

test('a clock without a skew is the true one', () => {
  const { time, clock, set } = clockOf()
  set()
  time.nowMs = 1234.5
  expect(clock.now()).toBe(1234.5)
})

test('an offset sets a clock ahead at once; taken back, the clock stands still until it is right', () => {
  const { time, clock, set } = clockOf()
  set({ offsetMs: 50, drift: 0 })
  expect(clock.now()).toBe(1050)
  time.nowMs = 1010
  expect(clock.now()).toBe(1060)
  set()
  for (const nowMs of [1010, 1030, 1060]) {
    time.nowMs = nowMs
    expect(clock.now()).toBe(1060)
  }
  time.nowMs = 1061
  expect(clock.now()).toBe(1061)
})

test('a clock that nobody sets goes on alike, whatever the offset, and as fast as the drift says', () => {
  const { time, clock, set } = clockOf()
  const stepsMs: number[] = []
  for (const offsetMs of [3_600_000, -3_600_000, 0]) {
    set({ offsetMs, drift: 0.5 })
    const beforeMs = clock.steady()
    time.nowMs += 100
    stepsMs.push(clock.steady() - beforeMs)
  }
  expect(stepsMs).toEqual([150, 150, 150])
})

test('a clock that is set back never falls', () => {
  const { time, clock, set } = clockOf()
  expect(clock.now()).toBe(1000)
  set({ offsetMs: -50, drift: 0 })
  time.nowMs = 1040
  expect(clock.now()).toBe(1000)
  time.nowMs = 1060
  expect(clock.now()).toBe(1010)
  set()
  expect(clock.now()).toBe(1060)
})

test('a drift adds to the pace, and what it gained stays once it is healed', () => {
  const { time, clock, set } = clockOf()
  set({ offsetMs: 0, drift: 0.1 }, { offsetMs: 0, drift: 0.1 })
  expect(clock.drift).toBeCloseTo(0.2)
  time.nowMs = 2000
  expect(clock.now()).toBeCloseTo(2200)
  set()
  time.nowMs = 3000
  expect(clock.now()).toBeCloseTo(3200)
})

const bounds = clockBoundsOf(defaultLimits, 10)

test('a clock within the bounds ends a lease before the promise that the lease rests on', () => {
  for (const drift of [0, driftMax(bounds) / 2, driftMax(bounds)]) {
    const { aheadMs, behindMs } = offsetMsMax(bounds, drift)
    // The leader's clock is slow and stands still, and the follower's is fast.
    const leaseMs = (bounds.leaseMs + aheadMs + behindMs) / (1 - drift)
    expect(leaseMs).toBeLessThanOrEqual(bounds.promisedMs / (1 + drift) + 1e-9)
  }
  expect(offsetMsMax(bounds, 0).behindMs).toBeGreaterThan(0)
})

test('the drift that clocks have of their own counts', () => {
  const own = clockBoundsOf(defaultLimits, 10, { ownDrift: 0.12 })
  expect(driftMax(own)).toBeCloseTo(1 / 7 - 0.12)
  expect(offsetMsMax(own, 0).aheadMs).toBeLessThan(offsetMsMax(bounds, 0).aheadMs)
  expect(driftMax({ ...own, ownDrift: 0.5 })).toBe(0)
})

test('what is told of a skew that is too large names a bound that holds', () => {
  expect(whySkewsBreakLease(bounds, [{ offsetMs: 0, drift: 0.2 }])).toMatch(/a drift over 14.2%/)
  expect(whySkewsBreakLease(bounds, [{ offsetMs: 40, drift: 0 }])).toMatch(/outside of -13.5ms to \+31.4ms/)
  expect(whySkewsBreakLease(bounds, [{ offsetMs: 31.4, drift: 0 }])).toBeUndefined()
  expect(whySkewsBreakLease(bounds, [{ offsetMs: 31, drift: 0.1 }])).toMatch(/an offset outside/)
})
