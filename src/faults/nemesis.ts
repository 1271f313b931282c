/**
 * Lets things go wrong with a cluster, on threads and in virtual time alike: it draws faults by chance, several at a
 * time, and how long each of them stands.
 */
import { quoted, RaftError } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import { type ClockBounds, driftMax, offsetMsMax } from './clock-bounds.js'
import type { Dice } from './dice.js'
import { bothWays, type Fault, type FaultType, type MessageKind, type Way } from './fault.js'
import type { Begun, Breakable, Faults } from './standing.js'

/** The cluster as the nemesis knows it. */
export interface Prey extends Breakable {
  readonly leaderId: NodeId | undefined
  /** The nodes that have a vote, by the leader's configuration. */
  readonly voters: readonly NodeId[]
  readonly electionTimeoutMs: number
  /** Within these no skew breaks a lease. `undefined`: no read rests on a lease. */
  readonly clockBounds: ClockBounds | undefined
}

/** Draws one fault; `undefined` when this cluster cannot have it now. */
type Draw = (prey: Prey, dice: Dice) => Fault | undefined

const draws = {
  cut: cutting,
  /** No message passes to a node, or none from it. */
  deafen: deafening,
  isolate: (prey, dice) => ({ type: 'isolate', nodes: [victimOf(prey, dice)] }),
  partition: parting,
  /** The leader is parted from a majority, which chooses another while the former still takes itself for one. */
  depose: deposing,
  /** Each node hears its two neighbours only. */
  ring: ringing,
  /** Two sides have one node in common. */
  bridge: bridging,
  cutClients: (prey, dice) => ({ type: 'cut', ways: clientWays(prey, dice) }),
  delayClients: (prey, dice) => ({ type: 'delay', ways: clientWays(prey, dice), ...delays(prey, dice) }),
  delay: (prey, dice) => ({ type: 'delay', ...hit(prey, dice), ...delays(prey, dice) }),
  drop: (prey, dice) => ({ type: 'drop', ...hit(prey, dice), share: dice.pick([0.1, 0.3, 0.7]) }),
  duplicate: (prey, dice) => ({ type: 'duplicate', ...hit(prey, dice), share: dice.pick([0.05, 0.3]) }),
  reorder: (prey, dice) => ({ type: 'reorder', ...hit(prey, dice), share: dice.pick([0.05, 0.3]) }),
  throttle: (prey, dice) => ({
    type: 'throttle',
    ways: someWays(prey, dice),
    bytesPerSecond: dice.pick([2_000, 20_000, 1_000_000]),
  }),
  slowDisk: (prey, dice) => ({ type: 'slowDisk', nodes: few(prey, dice), flushMs: dice.pick([5, 50, 200]) }),
  stallDisk: (prey, dice) => ({ type: 'stallDisk', nodes: [victimOf(prey, dice)] }),
  failDisk: (prey, dice) => ({ type: 'failDisk', nodes: [victimOf(prey, dice)] }),
  fullDisk: (prey, dice) => ({
    type: 'fullDisk',
    nodes: [victimOf(prey, dice)],
    bytesLeft: dice.pick([0, 300, 5_000]),
  }),
  kill: (prey, dice) => ({ type: 'kill', nodes: few(prey, dice) }),
  losePower: (prey, dice) => ({ type: 'losePower', nodes: few(prey, dice) }),
  pause: (prey, dice) => ({ type: 'pause', nodes: [victimOf(prey, dice)] }),
  skew: skewing,
} satisfies Record<string, Draw>

/** The names that the nemesis draws from: each type of fault, and some shapes of cuts apart. */
export type DrawName = keyof typeof draws
export const drawNames = Object.keys(draws) as DrawName[]

/** Faults that the nemesis lets stand at once. */
const atOnceMax = 6
const gapMsMax = 3_600_000
/** How long a fault stands on the average, in election timeouts. */
const lastsTimeouts = [0.2, 1, 2, 6] as const
const kinds: readonly MessageKind[] = ['appendEntries', 'appendEntriesResponse', 'heartbeat', 'requestVote']

export class Nemesis {
  readonly #prey: Prey
  readonly #faults: Faults
  readonly #dice: Dice
  readonly #begun = new Map<FaultType, number>()
  #cancel: (() => void) | undefined

  constructor(prey: Prey, faults: Faults, dice: Dice) {
    this.#prey = prey
    this.#faults = faults
    this.#dice = dice
  }

  /** How many faults of each type were begun. */
  get begun(): ReadonlyMap<FaultType, number> {
    return this.#begun
  }

  /** Strikes again and again, with `gapMs` in between on the average, until it is stopped. A second start counts alone. */
  start(gapMs: number, names: readonly DrawName[] = drawNames): void {
    checkGap(gapMs)
    checkNames(names)
    this.#cancel?.()
    this.#strikeLater(gapMs, [...names])
  }

  #strikeLater(gapMs: number, names: readonly DrawName[]): void {
    this.#cancel = this.#prey.later(this.#dice.around(gapMs), () => {
      this.strike(names)
      this.#strikeLater(gapMs, names)
    })
  }

  /** Draws a fault and how long it stands, and begins it; `undefined` when it does not fit to what stands already. */
  strike(names: readonly DrawName[] = drawNames): Begun | undefined {
    checkNames(names)
    const name = this.#dice.pick(names)
    const fault = name && draws[name](this.#prey, this.#dice)
    const forMs = this.#dice.around(this.#dice.pick(lastsTimeouts) * this.#prey.electionTimeoutMs)
    if (fault === undefined || this.#faults.standing.length >= atOnceMax) return undefined
    try {
      const begun = this.#faults.begin(fault, forMs)
      this.#begun.set(fault.type, (this.#begun.get(fault.type) ?? 0) + 1)
      // A node that could not notice has ended meanwhile, by another fault.
      begun.noticed.catch(ignore)
      return begun
    } catch (error) {
      // Such a node is down, or its clock is as far ahead as it may be.
      if (error instanceof RaftError) return undefined
      throw error
    }
  }

  /** Begins nothing more, and takes back all faults that stand. */
  stop(): Promise<unknown> {
    this.#cancel?.()
    return this.#faults.heal(() => true)
  }
}

function ignore(): void {}

function checkGap(gapMs: unknown): void {
  if (typeof gapMs === 'number' && gapMs >= 1 && gapMs <= gapMsMax) return
  const expected = `a number of milliseconds from 1 to ${gapMsMax}`
  throw new RaftError('INVALID_OPTION', { option: 'gapMs', expected, actual: quoted(gapMs) })
}

function checkNames(names: unknown): void {
  const isKnown = (name: unknown) => (drawNames as unknown[]).includes(name)
  if (Array.isArray(names) && names.length > 0 && names.every(isKnown)) return
  const unknown = Array.isArray(names) ? names.find((name) => !isKnown(name)) : names
  const actual = Array.isArray(names) && names.length === 0 ? 'an empty list' : quoted(unknown)
  throw new RaftError('INVALID_OPTION', { option: 'names', expected: `of ${drawNames.join(', ')}`, actual })
}

/** Half of the time the leader, since most of what can go wrong goes wrong there. */
export function victimOf({ leaderId, nodeIds }: Prey, dice: Dice): NodeId {
  if (leaderId !== undefined && dice.chance(0.5)) return leaderId
  return nodeIds[dice.below(nodeIds.length)] ?? 0
}

/** Mostly one node; now and then more, up to all of them. */
function few(prey: Prey, dice: Dice): readonly NodeId[] {
  const { nodeIds } = prey
  if (dice.chance(0.75)) return [victimOf(prey, dice)]
  return dice.shuffled(nodeIds).slice(dice.below(nodeIds.length))
}

/** One link, in one direction or in both. */
function oneLink(prey: Prey, dice: Dice): readonly Way[] {
  const one = victimOf(prey, dice)
  const other = dice.pick(prey.nodeIds.filter((nodeId) => nodeId !== one)) ?? one
  return directed(bothWays(one, other), dice)
}

/** One link, or all links of one node. */
function someWays(prey: Prey, dice: Dice): readonly Way[] {
  if (dice.chance(0.5)) return oneLink(prey, dice)
  const one = victimOf(prey, dice)
  return prey.nodeIds.filter((other) => other !== one).flatMap((other) => bothWays(one, other))
}

/** Whole ways, or one kind of message on them. */
function hit(prey: Prey, dice: Dice): { ways: readonly Way[]; messages: MessageKind | undefined } {
  return { ways: someWays(prey, dice), messages: dice.chance(0.25) ? dice.pick(kinds) : undefined }
}

function clientWays(prey: Prey, dice: Dice): readonly Way[] {
  return directed(bothWays('clients', victimOf(prey, dice)), dice)
}

function directed(ways: readonly Way[], dice: Dice): readonly Way[] {
  return dice.pick([ways, ways.slice(0, 1), ways.slice(1)])
}

/** Up to twice an election timeout: the node at the other end takes its leader for dead. */
function delays({ electionTimeoutMs }: Prey, dice: Dice): { delayMs: number; jitterMs: number } {
  const delayMs = electionTimeoutMs * dice.pick([0.02, 0.1, 0.5, 1.5])
  return { delayMs, jitterMs: delayMs * dice.pick([0, 0.3, 1]) }
}

function cutting(prey: Prey, dice: Dice): Fault {
  return { type: 'cut', ways: oneLink(prey, dice), messages: dice.chance(0.2) ? dice.pick(kinds) : undefined }
}

function deafening(prey: Prey, dice: Dice): Fault {
  const one = victimOf(prey, dice)
  const isDeaf = dice.chance(0.5)
  const others = prey.nodeIds.filter((other) => other !== one)
  return { type: 'cut', ways: others.map((to) => (isDeaf ? { from: to, to: one } : { from: one, to })) }
}

/** Two groups of any sizes. */
function parting({ nodeIds }: Prey, dice: Dice): Fault | undefined {
  const shuffled = dice.shuffled(nodeIds)
  return partitionAt(shuffled, 1 + dice.below(shuffled.length - 1))
}

/** Learners are on either side: they decide nothing. */
function deposing({ leaderId, nodeIds, voters }: Prey, dice: Dice): Fault | undefined {
  if (leaderId === undefined) return undefined
  const others = nodeIds.filter((nodeId) => nodeId !== leaderId)
  const deciding = dice.shuffled(others.filter((nodeId) => voters.includes(nodeId)))
  const spare = Math.max(1, Math.ceil(deciding.length - voters.length / 2))
  const left = deciding.slice(0, dice.below(spare))
  const followers = others.filter((nodeId) => !voters.includes(nodeId) && dice.chance(0.5))
  const group = [leaderId, ...left, ...followers]
  return partition([group, nodeIds.filter((nodeId) => !group.includes(nodeId))])
}

function partitionAt(nodeIds: readonly NodeId[], at: number): Fault | undefined {
  return partition([nodeIds.slice(0, at), nodeIds.slice(at)])
}

function partition(groups: readonly (readonly NodeId[])[]): Fault | undefined {
  return groups.some((group) => group.length === 0) ? undefined : { type: 'partition', groups }
}

function ringing({ nodeIds }: Prey, dice: Dice): Fault | undefined {
  return cutWhere(dice.shuffled(nodeIds), (one, other) => {
    const distance = other - one
    return distance !== 1 && distance !== nodeIds.length - 1
  })
}

function bridging({ nodeIds }: Prey, dice: Dice): Fault | undefined {
  const bridge = Math.floor(nodeIds.length / 2)
  return cutWhere(dice.shuffled(nodeIds), (one, other) => one < bridge && other > bridge)
}

/** Cuts each pair for whose positions, of which the first is the lower one, the rule is true. */
function cutWhere(
  nodeIds: readonly NodeId[],
  rule: (one: number, other: number) => boolean,
): Fault | undefined {
  const ways = nodeIds.flatMap((one, at) =>
    nodeIds.flatMap((other, otherAt) => (at < otherAt && rule(at, otherAt) ? bothWays(one, other) : [])),
  )
  return ways.length === 0 ? undefined : { type: 'cut', ways }
}

/** As far as leases allow, where reads rest on them. */
function skewing(prey: Prey, dice: Dice): Fault | undefined {
  const { clockBounds: bounds, electionTimeoutMs } = prey
  const drift = bounds === undefined ? 0.5 : driftMax(bounds)
  const signed = (most: number): number => dice.pick([-1, 1]) * most * dice.pick([0, 0.5, 1])
  const drawn = { drift: signed(drift), reach: dice.pick([-1, 0, 0.5, 1]) }
  const reach = offsetMsOf(bounds, drawn.drift, electionTimeoutMs)
  const offsetMs = drawn.reach < 0 ? drawn.reach * reach.behindMs : drawn.reach * reach.aheadMs
  const nodes = [victimOf(prey, dice)]
  const isNothing = offsetMs === 0 && drawn.drift === 0
  return isNothing ? undefined : { type: 'skew', nodes, offsetMs, drift: drawn.drift }
}

function offsetMsOf(bounds: ClockBounds | undefined, drift: number, electionTimeoutMs: number) {
  if (bounds !== undefined) return offsetMsMax(bounds, drift)
  return { aheadMs: 5 * electionTimeoutMs, behindMs: 5 * electionTimeoutMs }
}
