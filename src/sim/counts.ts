/** The counters of a run. */

/** Faults of a run. */
export const faultNames = [
  /** Lost by chance, or by a rule of a test. */
  'dropped',
  /** Lost at a cut. */
  'cutOff',
  'duplicated',
  /** Arrived before a message that was sent earlier on the same way. */
  'reordered',
  /** Left the order of its port, and arrived up to several election timeouts later. */
  'strayed',
  /** Arrived far later than usual. */
  'heldUp',
  /** Did not fit into the queue of a node that took none. */
  'overflowed',
  'cuts',
  'partitions',
  'crashes',
  'restarts',
  /** Under way to the disk at a crash: gone, or there all the same. */
  'writesLost',
  'writesSurvived',
  'pauses',
  'slowDisks',
  'stalledDisks',
  'failedDisks',
  'fullDisks',
  /** Emptied, exchanged with another node's, put back from an older copy. */
  'wipedDisks',
  'swappedDisks',
  'rolledBackDisks',
] as const

/** Events and outcomes of a run. */
const outcomeNames = [
  'messages',
  'elections',
  'stepDowns',
  'truncations',
  'snapshotsTaken',
  'snapshotsInstalled',
  /** Starts that were refused since the disk was not the one that the node had. */
  'lostDisksRefused',
  'renewedDisks',
  /** Runs that the log had left to the store and that were needed again. */
  'runsReadBack',
  'requests',
  'applied',
  'read',
  /** Of these, those that left queries to be asked again. */
  'readInPart',
  /** Requests for reads that came to a leader while it held its lease. */
  'readUnderLease',
  'refused',
  'unknown',
  'timedOut',
] as const

export type FaultName = (typeof faultNames)[number]
export type Counts = Record<FaultName | (typeof outcomeNames)[number], number>

export function noCounts(): Counts {
  return Object.fromEntries([...outcomeNames, ...faultNames].map((name) => [name, 0])) as Counts
}
