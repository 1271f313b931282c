/** The counters of a run. */
import type { Hit } from '../faults/index.js'
import { changeNames } from '../proof/index.js'
import { damageNames } from './damage.js'
import { momentNames } from './moments.js'

/** Each counts what faults did, not how many were begun. */
export const faultNames = [
  /** By the network: lost by chance or by a rule of a test, arrived twice. */
  'lost',
  'repeated',
  /** Arrived before a message that was sent earlier on the same way. */
  'reordered',
  /** Left the order of its port, and arrived up to several election timeouts later. */
  'strayed',
  /** Arrived far later than usual. */
  'heldUp',
  /** Did not fit into the queue of a node that took none, or of a link that was too slow. */
  'overflowed',
  /** By faults of links between nodes: at a cut, a partition or an isolated node, and then one for each verb. */
  'cutOff',
  'dropped',
  'duplicated',
  'overtaken',
  'delayed',
  'throttled',
  /** By faults of the links to the clients: requests and answers. */
  'clientsCutOff',
  'clientsDelayed',
  'kills',
  'powerLosses',
  'restarts',
  /** Under way to the disk at a power loss: gone, or there all the same. */
  'writesLost',
  'writesSurvived',
  /** Nodes that went on after a pause and had missed something. */
  'pauses',
  /** Flushes that took longer, and writes that a stalled disk held back. */
  'slowFlushes',
  'stalledWrites',
  /** Nodes that their disk stopped. */
  'failedDisks',
  'fullDisks',
  /** Readings of a clock that was set. */
  'skewedReadings',
  /** Emptied, exchanged with another node's, put back from an older copy. */
  'wipedDisks',
  'swappedDisks',
  'rolledBackDisks',
  /** Records of a node's disk: a bit turned, cut short, put where another belongs, never written. */
  ...damageNames,
  /** Of these, those below a node that ran. */
  'damagedBelow',
  /** Snapshots that were wished for at a moment of a node's work, and came. */
  'snapshotsWished',
  /** By operators: changes of the members, and nodes that were removed. */
  ...changeNames,
  'changesRefused',
  'changesUnknown',
  /** Removed nodes that went on, or came back with their old disks. */
  'removedWentOn',
  'removedCameBack',
  /** Transfers of leadership: another leads, nobody took over in time, and those that the leader did not begin. */
  'transfersDone',
  'transfersGivenUp',
  'transfersRefused',
  /** Nodes that were killed or lost their power at a moment of their work. */
  ...momentNames.map((moment) => `at ${moment}` as const),
] as const

const namesOfHits = {
  cut: ['cutOff', 'clientsCutOff'],
  drop: ['dropped', 'clientsCutOff'],
  duplicate: ['duplicated', 'duplicated'],
  reorder: ['overtaken', 'clientsDelayed'],
  delay: ['delayed', 'clientsDelayed'],
  throttle: ['throttled', 'clientsDelayed'],
  overflow: ['overflowed', 'overflowed'],
} as const satisfies Record<Parameters<Hit>[0], readonly [FaultName, FaultName]>

/** The counter of what a fault did to a message, or to a request or an answer of clients. */
export function nameOfHit(what: Parameters<Hit>[0], isOfClients: boolean): FaultName {
  return namesOfHits[what][isOfClients ? 1 : 0]
}

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
  /** Starts that were refused since a record was damaged, and damage that no start had to read. */
  'damageRefused',
  'damageUnread',
  /** Nodes that read a damaged record while they ran, and stopped. */
  'damageMet',
  'renewedDisks',
  /** Runs that the log had left to the store and that were needed again. */
  'runsReadBack',
  'requests',
  'applied',
  'read',
  /** Of these, those that left queries to be asked again. */
  'readInPart',
  /** Of these, those that a node served whether it led or not, and those that were stale. */
  'readHere',
  'readStale',
  /** Requests for reads that came to a leader while it held its lease. */
  'readUnderLease',
  'refused',
  'unknown',
  'timedOut',
] as const

export type FaultName = (typeof faultNames)[number]
export type Counts = Record<FaultName | (typeof outcomeNames)[number], number>

/** The counts in the groups in which they are told: what went wrong, and what came of it. */
export interface CountsInGroups {
  readonly messages: number
  readonly faults: Readonly<Record<FaultName, number>>
  readonly happened: Readonly<Record<Exclude<keyof Counts, FaultName | 'messages'>, number>>
}

export function inGroups(counts: Counts): CountsInGroups {
  const { messages, ...others } = counts
  const isFault = new Set<string>(faultNames)
  const entries = Object.entries(others)
  return {
    messages,
    faults: Object.fromEntries(entries.filter(([name]) => isFault.has(name))) as CountsInGroups['faults'],
    happened: Object.fromEntries(
      entries.filter(([name]) => !isFault.has(name)),
    ) as CountsInGroups['happened'],
  }
}

export function noCounts(): Counts {
  return Object.fromEntries([...outcomeNames, ...faultNames].map((name) => [name, 0])) as Counts
}
