/** What a seed stands for: the size of the cluster, its limits, its load and what goes wrong with it. */

import type { ReadConfirmation } from '../driver/index.js'
import { Dice } from '../faults/index.js'
import type { CallShape } from '../proof/index.js'
import type { LogBounds, NodeId, RaftLimits } from '../raft/index.js'
import { deriveSeed, diceOf } from './dice.js'
import { type MomentName, momentNames } from './moments.js'
import type { NetworkConditions, PortConditions } from './network.js'
import type { DiskConditions } from './node-disk.js'

/** The most nodes that a run starts. */
export const nodesMax = 24

/** Which faults a run has. */
export const faultKinds = ['messages', 'cuts', 'crashes', 'pauses', 'disks', 'clocks'] as const
export type FaultKind = (typeof faultKinds)[number]

/** `calm` has no faults at all; `everything` has all kinds, at one time. */
export type Weather = 'calm' | FaultKind | 'everything'

export interface Workload extends CallShape {
  readonly clients: number
  /** Mean time from an answer to the client's next request. */
  readonly thinkMs: number
  readonly timeoutMs: number
  /** Share of requests that go to any node, and not to the one taken for the leader: who reads where nobody leads? */
  readonly roamingShare: number
  /** Share of reads that any node is to serve, mostly linearizable, else stale. */
  readonly elsewhereShare: number
  /** The timeout of the sessions in which clients write. 0: they have none, and never ask again. */
  readonly sessionMs: number
  /** Two more clients for each node, of which one reads there and one writes: whoever wrongly answers is found out. */
  readonly hasSentinels: boolean
}

export interface Plan {
  readonly weather: Weather
  readonly faults: readonly FaultKind[]
  readonly nodes: number
  readonly tickMs: number
  readonly reads: ReadConfirmation
  /** By how much of itself a node's clock may be slow or fast. */
  readonly clockDrift: number
  /** Disks are also wiped, swapped and put back from older copies, where the faults of disks are drawn. */
  readonly losesDisks: boolean
  readonly turnMs: number
  readonly limits: Partial<RaftLimits>
  readonly bounds: LogBounds
  /** Mostly so small that several queries are answered in parts. */
  readonly resultBytesMax: number
  readonly snapshotPieceBytes: number
  readonly network: NetworkConditions
  readonly disk: DiskConditions
  readonly load: Workload
  /** How long faults go on, and the mean time from one to the next. */
  readonly stormMs: number
  readonly faultGapMs: number
  /** Mean time from one change of the members, or transfer of leadership, to the next; 0: there are none. */
  readonly changeGapMs: number
  /** The nodes of priority 0, among the first ones and those that are added. */
  readonly neverLeading: readonly NodeId[]
  /** The moments of the nodes' work at which faults strike, where crashes are drawn: about half of all. */
  readonly moments: readonly MomentName[]
  /** Records of disks are also damaged, where the faults of disks are drawn. */
  readonly damagesDisks: boolean
  /** About half of the faults of its kinds, drawn one by one, never happen in the run. */
  readonly isSwarm: boolean
}

export function planOf(seed: number): Plan {
  const dice = new Dice(deriveSeed(seed, diceOf.plan))
  const weather = weatherOf(dice)
  const faults = weather === 'everything' ? faultKinds : faultKinds.filter((kind) => kind === weather)
  const nodes = dice.pick([3, 3, 3, 3, 5, 5, 5, 1, 7])
  const tickMs = dice.pick([5, 10, 10, 20])
  const limits = limitsOf(dice)
  const isLong = dice.chance(0.05)
  const plan = {
    weather,
    faults,
    nodes,
    tickMs,
    turnMs: dice.pick([0.05, 0.2, 1]),
    limits,
    bounds: boundsOf(dice),
    snapshotPieceBytes: dice.pick([64, 300, 4096]),
    network: networkOf(dice, faults.includes('messages')),
    disk: dice.pick([
      { flushMs: 0.2, flushJitterMs: 0.3, isQuick: true },
      { flushMs: 5, flushJitterMs: 30, isQuick: true },
      { flushMs: 0.2, flushJitterMs: 0.3, isQuick: false },
      { flushMs: 1, flushJitterMs: 2, isQuick: false },
      { flushMs: 4, flushJitterMs: 8, isQuick: false },
      { flushMs: 5, flushJitterMs: 30, isQuick: false },
    ]),
    load: {
      clients: dice.pick([1, 3, 4, 6]),
      thinkMs: dice.pick([2, 20, 60]),
      keys: dice.pick([2, 5, 16]),
      valueBytesMax: dice.pick([8, 40, 200]),
      batchMax: dice.pick([1, 1, 4]),
      readShare: dice.pick([0.2, 0.4, 0.6]),
      timeoutMs: dice.pick([50, 300, 1000]),
      roamingShare: dice.pick([0, 0.1, 0.4]),
      hasSentinels: dice.chance(0.5),
      sessionMs: 0,
    },
    stormMs: isLong ? dice.between(15_000, 40_000) : dice.between(1500, 5000),
    faultGapMs: dice.pick([60, 150, 300]),
    resultBytesMax: dice.pick([1, 100, 400, 1 << 20]),
  }
  // What is new is drawn last, so that every seed goes on to stand for what it stood for.
  const logMemoryBytesMax = dice.pick([1, 600, 4000, 1 << 20])
  const reads = dice.pick<ReadConfirmation>(['lease', 'lease', 'lease', 'readIndex'])
  // A lease allows for a clock that is a third faster than another; with 0.12 it may be by 27 %.
  const clockDrift = dice.pick([0.03, 0.03, 0.12])
  const isFaulty = faults.includes('messages')
  const network = { ...plan.network, ...portsOf(dice, isFaulty, limits.electionTimeoutTicks * tickMs) }
  const losesDisks = dice.chance(0.3)
  const load = { ...plan.load, sessionMs: dice.pick([0, 0, 150, 1000, 60_000]) }
  const changeGapMs = dice.chance(0.6) ? dice.pick([20, 50, 120]) : 0
  const elsewhereShare = dice.pick([0, 0.3, 0.7])
  const neverLeading = dice.chance(0.3) ? neverLeadingOf(dice) : []
  const ofLog = { limits: { ...limits, logMemoryBytesMax }, reads, clockDrift, losesDisks }
  const ofMembers = { changeGapMs, neverLeading }
  const moments = momentNames.filter(() => dice.chance(0.5))
  const added = { moments, damagesDisks: dice.chance(0.5), isSwarm: dice.chance(0.4) }
  return { ...plan, load: { ...load, elsewhereShare }, network, ...ofLog, ...ofMembers, ...added }
}

/** Less than half of the first nodes, however many there are, and some of those that are added. */
function neverLeadingOf(dice: Dice): readonly NodeId[] {
  const drawn: NodeId[] = []
  for (let id = 1; id <= nodesMax; id++) if (dice.chance(0.5) && 2 * (drawn.length + 1) < id) drawn.push(id)
  return drawn
}

function weatherOf(dice: Dice): Weather {
  const chance = dice.next()
  if (chance < 0.06) return 'calm'
  if (chance < 0.5) return dice.pick(faultKinds)
  return 'everything'
}

/** Small windows and messages, so that few entries are many steps. */
function limitsOf(dice: Dice): Partial<RaftLimits> & Pick<RaftLimits, 'electionTimeoutTicks'> {
  const electionTimeoutTicks = dice.pick([9, 12, 20])
  return {
    electionTimeoutTicks,
    heartbeatTicks: dice.pick([1, 2, 3]),
    appendBytesMax: dice.pick([64, 400, 4096, 1 << 20]),
    inflightMessagesMax: dice.pick([1, 2, 8, 256]),
    inflightBytesMax: dice.pick([500, 4000, 1 << 20]),
    uncommittedBytesMax: dice.pick([3000, 20_000, 1 << 20]),
    snapshotChunkBytes: dice.pick([64, 250, 2000]),
    waitingReadsMax: dice.pick([2, 64]),
  }
}

/** Mostly so small that logs are cut all the time. */
function boundsOf(dice: Dice): LogBounds {
  const logBytesMax = dice.pick([2000, 6000, 20_000, 1 << 20])
  return { logBytesMax, trailingBytes: dice.pick([0, Math.floor(logBytesMax / 4)]) }
}

/** Mostly each port keeps its order, as between threads; now and then a message comes in a later election. */
function portsOf(dice: Dice, isFaulty: boolean, electionTimeoutMs: number): PortConditions {
  const isOrdered = dice.chance(0.6)
  const strayRate = dice.pick([0, 0.005, 0.03])
  const strayMs = electionTimeoutMs * dice.pick([0.5, 1.5, 4])
  return { isOrdered, strayRate: isFaulty ? strayRate : 0, strayMs }
}

function networkOf(dice: Dice, isFaulty: boolean): Omit<NetworkConditions, keyof PortConditions> {
  const ways = dice.pick([
    { delayMs: 0.1, jitterMs: 0.1 },
    { delayMs: 0.3, jitterMs: 1 },
    { delayMs: 2, jitterMs: 4 },
    // So slow that elections are contested, and votes come late.
    { delayMs: 5, jitterMs: 15 },
  ])
  if (!isFaulty) return { ...ways, lossRate: 0, duplicationRate: 0, spikeRate: 0, spikeMs: 0 }
  return {
    ...ways,
    lossRate: dice.pick([0, 0.01, 0.1, 0.25]),
    duplicationRate: dice.pick([0, 0.02, 0.2]),
    spikeRate: dice.pick([0.002, 0.02, 0.1]),
    spikeMs: dice.pick([20, 200, 1000]),
  }
}
