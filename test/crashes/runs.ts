/**
 * The runs whose power losses are gone through. They are short, and have what a disk is written for: elections, appends,
 * truncations, snapshots taken and installed, logs that are cut, members that come and go. Their disks have no faults, and
 * their own crashes and cuts go on beside the power loss that is gone through.
 */
import type { Plan } from '../../src/sim/index.js'
import type { Run } from './moments.js'

const plan = {
  weather: 'everything',
  faults: ['cuts'],
  nodes: 3,
  tickMs: 10,
  turnMs: 0.2,
  reads: 'lease',
  clockDrift: 0.03,
  losesDisks: false,
  resultBytesMax: 1 << 20,
  limits: { electionTimeoutTicks: 9, heartbeatTicks: 3, snapshotChunkBytes: 250 },
  bounds: { logBytesMax: 3000, trailingBytes: 300 },
  // A snapshot of five short values has several pieces, and a power loss can fall between two of them.
  snapshotPieceBytes: 100,
  network: {
    delayMs: 0.2,
    jitterMs: 0.3,
    lossRate: 0.02,
    duplicationRate: 0,
    spikeRate: 0.01,
    spikeMs: 60,
    isOrdered: true,
    strayRate: 0,
    strayMs: 0,
  },
  load: {
    clients: 3,
    thinkMs: 10,
    keys: 5,
    valueBytesMax: 60,
    batchMax: 4,
    readShare: 0.2,
    timeoutMs: 100,
    roamingShare: 0,
    elsewhereShare: 0.2,
    sessionMs: 1000,
    hasSentinels: false,
  },
  stormMs: 400,
  faultGapMs: 60,
  changeGapMs: 50,
  neverLeading: [],
} as const satisfies Partial<Plan>

function runsOf(isQuick: boolean, seeds: readonly number[]): Run[] {
  return seeds.map((seed) => ({ ...plan, seed, disk: { flushMs: 0.5, flushJitterMs: 1, isQuick } }))
}

/** Gone through from end to end by `npm test`: a leader is cut off, and its log is truncated. */
export const [wholeRun] = runsOf(false, [40]) as [Run]

/** `npm test` takes a part of these. A leader is removed in a joint configuration; the disks of the second are quick. */
export const partlyRuns = [...runsOf(false, [38]), ...runsOf(true, [54])]

/** Gone through from end to end by `npm run proof`. */
export const longRuns = [
  wholeRun,
  ...partlyRuns,
  ...runsOf(false, [1, 7, 16, 45, 54, 71]),
  ...runsOf(true, [38, 40, 62]),
]
