/** A fault that cannot be begun is refused with one line, before anything has changed. */
import { expect, test } from 'vitest'
import {
  bothWays,
  checkFault,
  clockBoundsOf,
  driftMax,
  type Fault,
  type FaultSurroundings,
  offsetMsMax,
  standingFaultsMax,
} from '../../src/faults/index.js'
import { defaultLimits } from '../../src/raft/index.js'

const clockBounds = clockBoundsOf(defaultLimits, 10)
/** Three nodes, of which 3 is down. */
const surroundings: FaultSurroundings = {
  nodeIds: [1, 2, 3],
  isUp: (nodeId) => nodeId !== 3,
  standing: [],
  clockBounds,
}
const standingOf = (fault: Fault, count = 1) =>
  Array.from({ length: count }, (_, id) => ({ id, fault, sinceMs: 0, untilMs: undefined }))
const ways = [{ from: 1, to: 2 }]
const skew = (offsetMs: number, drift = 0): Fault => ({ type: 'skew', nodes: [1], offsetMs, drift })

test.each<[Fault, RegExp]>([
  [{ type: 'cut', ways: [{ from: 1, to: 1 }] }, /^cut.*: a link has two different ends/],
  [{ type: 'cut', ways: [] }, /a link has two different ends/],
  [{ type: 'cut', ways: [{ from: 1, to: 4 }] }, /there is no node 4/],
  [{ type: 'drop', ways, share: 1.2 }, /at most 100 %/],
  [{ type: 'reorder', ways, share: 0 }, /more than 0 %/],
  [{ type: 'delay', ways, delayMs: -1, jitterMs: 0 }, /number of milliseconds, 0 or more/],
  [{ type: 'delay', ways, delayMs: Number.NaN, jitterMs: 0 }, /number of milliseconds, 0 or more/],
  [{ type: 'throttle', ways, bytesPerSecond: 0 }, /at least one byte/],
  [
    { type: 'duplicate', ways: [{ from: 'clients', to: 1 }], share: 0.5 },
    /each request and each answer once/,
  ],
  [
    { type: 'cut', ways: bothWays('clients', 1), messages: 'heartbeat' },
    /^cut clients-1 heartbeat: requests and answers of clients are of no such kind: leave the kind out, or name nodes$/,
  ],
  [
    { type: 'drop', ways: [...ways, { from: 1, to: 'clients' }], share: 0.5, messages: 'appendEntries' },
    /requests and answers of clients are of no such kind/,
  ],
  [{ type: 'partition', groups: [[1, 2], []] }, /at least two groups/],
  [{ type: 'partition', groups: [[1, 2], [2]] }, /partition 1,2\|2: it names node 2 twice/],
  [{ type: 'partition', groups: [[1], [7]] }, /there is no node 7/],
  [{ type: 'isolate', nodes: [] }, /it hits no node/],
  [{ type: 'slowDisk', nodes: [1], flushMs: -5 }, /a flush takes a number of milliseconds, 0 or more/],
  [{ type: 'fullDisk', nodes: [1], bytesLeft: -1 }, /bytes that are left/],
  [{ type: 'kill', nodes: [1, 3] }, /^node 3 is stopped: restart it first$/],
  [{ type: 'pause', nodes: [9] }, /there is no node 9/],
  [skew(Number.POSITIVE_INFINITY), /a number of milliseconds/],
  [skew(0), /^skew 1: it sets no clock: give an offset such as \+50ms, or a drift such as \+10%$/],
  [skew(-0, -0), /it sets no clock/],
  [skew(1000), /an offset outside of .* could break a lease/],
  [skew(-1000), /an offset outside of .* could break a lease/],
  [skew(0, 0.5), /a drift over .* could break a lease/],
])('%j is refused', (fault, why) => {
  expect(() => checkFault(fault, surroundings)).toThrow(why)
})

test.each<Fault>([
  { type: 'cut', ways: [{ from: 'clients', to: 3 }] },
  { type: 'delay', ways: bothWays('clients', 1), messages: undefined, delayMs: 5, jitterMs: 0 },
  { type: 'cut', ways, messages: 'heartbeat' },
  { type: 'isolate', nodes: [3] },
  { type: 'losePower', nodes: [1, 2] },
  skew(offsetMsMax(clockBounds, 0).aheadMs),
  skew(-offsetMsMax(clockBounds, 0.05).behindMs, 0.05),
  skew(0, -driftMax(clockBounds)),
])('%j may be begun', (fault) => {
  expect(() => checkFault(fault, surroundings)).not.toThrow()
})

test('skews of one node add up, and where no read rests on a lease a clock may be set at will', () => {
  const most = skew(offsetMsMax(clockBounds, 0).aheadMs)
  const standing = standingOf(most)
  expect(() => checkFault(most, { ...surroundings, standing })).toThrow(/could break a lease/)
  expect(() => checkFault(most, { ...surroundings, standing, clockBounds: undefined })).not.toThrow()
  expect(() => checkFault({ ...most, nodes: [2] } as Fault, { ...surroundings, standing })).not.toThrow()
})

test('drifts that would stop a clock are refused: it would have no next tick', () => {
  const free = { ...surroundings, clockBounds: undefined }
  const half = skew(0, -0.5)
  expect(() => checkFault(half, free)).not.toThrow()
  expect(() => checkFault(half, { ...free, standing: standingOf(half) })).toThrow(
    /slow a clock by 99% at most/,
  )
  expect(() => checkFault(skew(0, -0.995), free)).toThrow(/slow a clock by 99% at most/)
  // What makes it faster may be healed first.
  const slowAndFast = [...standingOf(half), ...standingOf(skew(0, 0.5))]
  expect(() => checkFault(half, { ...free, standing: slowAndFast })).toThrow(/slow a clock by 99% at most/)
})

test('faults beyond the most that may stand are refused', () => {
  const cut: Fault = { type: 'cut', ways }
  const full = { ...surroundings, standing: standingOf(cut, standingFaultsMax) }
  expect(() => checkFault(cut, full)).toThrow(/100 faults stand already/)
})
