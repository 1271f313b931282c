/** Parts of plans that are fixed for mistakes which few of the drawn plans could show. */
import type { FixedPlan } from '../mutant.js'

/** Neither changes of the members nor sessions nor reads elsewhere are in the way. */
const withoutChanges: FixedPlan = {
  changeGapMs: 0,
  neverLeading: [],
  moments: [],
  damagesDisks: false,
  isSwarm: false,
  load: { sessionMs: 0, elsewhereShare: 0 },
}

/** Leaders are cut off and stand still, clocks run apart, and reads are served by leases. */
export const leasesInDanger: FixedPlan = {
  ...withoutChanges,
  faults: ['cuts', 'pauses'],
  nodes: 3,
  reads: 'lease',
  clockDrift: 0.12,
}

/** Clocks are set ahead and back, and leaders are cut off and stand still meanwhile. */
export const clocksInDanger: FixedPlan = {
  ...leasesInDanger,
  faults: ['cuts', 'pauses', 'clocks'],
  clockDrift: 0.03,
}

/** Leaders hand over all the time, and reads are served by leases. */
export const transfersUnderLeases: FixedPlan = {
  faults: ['messages', 'cuts'],
  nodes: 3,
  reads: 'lease',
  changeGapMs: 20,
  neverLeading: [],
}

/** Nodes start again while messages of earlier elections are on their way. */
export const restartsAndStrays: FixedPlan = {
  ...withoutChanges,
  faults: ['messages', 'crashes'],
  nodes: 3,
}

/** Disks are emptied, exchanged and put back from older copies. */
export const lostDisks: FixedPlan = { faults: ['disks', 'cuts'], losesDisks: true }

/** Messages come late and in any order, logs are cut all the time, and leaders hand over. */
export const lateMessages: FixedPlan = {
  faults: ['messages', 'cuts'],
  changeGapMs: 20,
  bounds: { logBytesMax: 2000, trailingBytes: 0 },
}

/** Leaders of three stand still while a round confirms their reads. */
export const pausedLeaders: FixedPlan = {
  ...withoutChanges,
  faults: ['pauses'],
  nodes: 3,
  reads: 'readIndex',
}
