/** What all parts of one run share. */
import type { Checker } from './checker.js'
import type { Fingerprint } from './fingerprint.js'
import type { Tracer } from './tracer.js'
import type { VirtualTime } from './virtual-time.js'

/** What happened how often: faults by name, and what they brought about. */
export interface Counts {
  messages: number
  /** Lost by chance, or by a rule of a test. */
  dropped: number
  /** Lost at a cut. */
  cutOff: number
  duplicated: number
  /** Arrived before one that was sent earlier on the same way. */
  reordered: number
  /** Arrived far later than usual. */
  heldUp: number
  /** Did not fit into the queue of a node that did not take its messages. */
  overflowed: number
  cuts: number
  partitions: number
  crashes: number
  restarts: number
  /** Writes that were not flushed at a crash and were gone afterwards, and those that were there all the same. */
  writesLost: number
  writesSurvived: number
  pauses: number
  slowDisks: number
  stalledDisks: number
  failedDisks: number
  fullDisks: number
  elections: number
  stepDowns: number
  truncations: number
  snapshotsTaken: number
  snapshotsInstalled: number
  requests: number
  applied: number
  read: number
  refused: number
  unknown: number
  timedOut: number
}

export function noCounts(): Counts {
  return {
    messages: 0,
    dropped: 0,
    cutOff: 0,
    duplicated: 0,
    reordered: 0,
    heldUp: 0,
    overflowed: 0,
    cuts: 0,
    partitions: 0,
    crashes: 0,
    restarts: 0,
    writesLost: 0,
    writesSurvived: 0,
    pauses: 0,
    slowDisks: 0,
    stalledDisks: 0,
    failedDisks: 0,
    fullDisks: 0,
    elections: 0,
    stepDowns: 0,
    truncations: 0,
    snapshotsTaken: 0,
    snapshotsInstalled: 0,
    requests: 0,
    applied: 0,
    read: 0,
    refused: 0,
    unknown: 0,
    timedOut: 0,
  }
}

export interface World {
  readonly time: VirtualTime
  readonly tracer: Tracer
  readonly fingerprint: Fingerprint
  readonly checker: Checker
  readonly counts: Counts
}
