/**
 * Lets things go wrong, one after the other and often several at a time, and takes each back after a while. Most faults
 * are those of real threads, drawn by the same nemesis; those that only virtual time has are here.
 */
import { type Dice, type DrawName, Nemesis, victimOf } from '../faults/index.js'
import { encode, writePut } from '../machine/index.js'
import type { NodeId } from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'
import { describeLink } from './describe.js'
import { damaging, rollingBack, rotting, rottingBehind, swapping, wiping } from './lost-disks.js'
import { calmNetwork } from './network.js'
import type { FaultKind, Plan } from './plan.js'

/** Begins a fault that only virtual time has. The answer takes it back. */
type SimulatedFault = (cluster: SimulatedCluster, dice: Dice) => () => void

const faultsOf: Readonly<Record<FaultKind, readonly (DrawName | SimulatedFault)[]>> = {
  messages: [
    'drop',
    'duplicate',
    'reorder',
    'delay',
    'delay',
    'throttle',
    'delayClients',
    losing,
    holding,
    holding,
    crossing,
    contesting,
    contesting,
  ],
  cuts: [
    'cut',
    'deafen',
    'isolate',
    'depose',
    'depose',
    'partition',
    'ring',
    'bridge',
    'cutClients',
    usurping,
    usurping,
    hoarding,
  ],
  crashes: ['kill', 'losePower', 'losePower', crashingTwice],
  pauses: ['pause'],
  disks: ['slowDisk', 'slowDisk', 'stallDisk', 'failDisk', 'fullDisk'],
  clocks: ['skew'],
}

/** How long a fault of virtual time lasts on the average, in election timeouts. */
const lastsTimeouts = [0.2, 1, 2, 6] as const

export class SimulatedNemesis {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #plan: Plan
  readonly #nemesis: Nemesis
  readonly #undo = new Set<() => void>()
  readonly #swarmDice: Dice
  /** Whether each fault that was drawn is left out of this run. */
  readonly #spared = new Map<string, boolean>()
  #hasStopped = false

  constructor(cluster: SimulatedCluster, dice: Dice, swarmDice: Dice, plan: Plan) {
    this.#cluster = cluster
    this.#swarmDice = swarmDice
    this.#dice = dice
    this.#plan = plan
    this.#nemesis = new Nemesis(cluster, cluster.faults, dice)
    if (plan.faults.length > 0) this.#next()
  }

  /** Nothing goes wrong any more, and all that did is taken back. */
  stop(): void {
    this.#hasStopped = true
    for (const undo of this.#undo) undo()
    this.#undo.clear()
    void this.#nemesis.stop()
    this.#cluster.network.letAllGo()
    this.#cluster.network.conditions = calmNetwork
    for (const id of this.#cluster.nodeIds) this.#cluster.restart(id)
  }

  #next(): void {
    this.#cluster.later(this.#dice.around(this.#plan.faultGapMs), () => {
      if (this.#hasStopped) return
      this.#begin()
      this.#next()
    })
  }

  #begin(): void {
    const kind = this.#dice.pick(this.#plan.faults)
    if (kind === undefined) return
    const fault = this.#dice.pick([...faultsOf[kind], ...moreOf(kind, this.#plan)])
    if (fault === undefined || this.#isSpared(typeof fault === 'string' ? fault : fault.name)) return
    if (typeof fault === 'string') this.#nemesis.strike([fault])
    else this.#beginOwn(fault)
  }

  /** Runs in which a fault never happens let the others go further: each is left out of half of the swarm. */
  #isSpared(name: string): boolean {
    const isSpared = this.#spared.get(name) ?? (this.#plan.isSwarm && this.#swarmDice.chance(0.5))
    this.#spared.set(name, isSpared)
    return isSpared
  }

  #beginOwn(fault: SimulatedFault): void {
    const undo = fault(this.#cluster, this.#dice)
    this.#undo.add(undo)
    const meanMs = this.#dice.pick(lastsTimeouts) * this.#cluster.electionTimeoutMs
    this.#cluster.later(this.#dice.around(meanMs), () => {
      if (this.#undo.delete(undo)) undo()
    })
  }
}

/** Beside changes of the members, changes are interrupted. */
function moreOf(kind: FaultKind, { losesDisks, damagesDisks, changeGapMs }: Plan): readonly SimulatedFault[] {
  if (kind === 'disks')
    return [
      ...(losesDisks ? [wiping, wiping, swapping, rollingBack] : []),
      ...(damagesDisks ? [...Array(4).fill(damaging), rotting, ...Array(4).fill(rottingBehind)] : []),
    ]
  const isInterrupting = changeGapMs > 0 && (kind === 'crashes' || kind === 'cuts')
  return isInterrupting ? Array(5).fill(interrupting) : []
}

function losing(cluster: SimulatedCluster, dice: Dice): () => void {
  const before = cluster.network.conditions
  const during = {
    ...before,
    lossRate: dice.pick([0, 0.3, 0.7]),
    duplicationRate: dice.pick([0, 0.3]),
    spikeRate: dice.pick([0, 0.2]),
    spikeMs: dice.pick([20, 300]),
  }
  cluster.network.conditions = during
  cluster.tell('makes the network worse')
  return () => {
    if (cluster.network.conditions === during) cluster.network.conditions = before
  }
}

/** What a node says, or is told, arrives much later and out of order: often in another term. */
function holding(cluster: SimulatedCluster, dice: Dice): () => void {
  const { network } = cluster
  const one = victimOf(cluster, dice)
  const others = cluster.nodeIds.filter((id) => id !== one && dice.chance(0.7))
  const isSpeech = dice.chance(0.5)
  const ways = others.map((other): [NodeId, NodeId] => (isSpeech ? [one, other] : [other, one]))
  for (const [from, to] of ways) {
    network.hold(from, to)
    cluster.tell(`holds ${describeLink(from, to)} up`)
  }
  return () => {
    for (const [from, to] of ways) {
      network.letGo(from, to)
      cluster.tell(`lets ${describeLink(from, to)} go`)
    }
  }
}

/** Nobody hears the leader, and what nodes say in one election arrives in the next ones, some of it twice. */
function contesting(cluster: SimulatedCluster, dice: Dice): () => void {
  const { network, limits, tickMs } = cluster
  const before = network.conditions
  const during = {
    ...before,
    duplicationRate: dice.pick([before.duplicationRate, 0.3]),
    strayRate: dice.pick([0.1, 0.3, 0.5]),
    strayMs: limits.electionTimeoutTicks * tickMs * dice.pick([0.3, 1, 2]),
  }
  network.conditions = during
  cluster.tell('lets messages stray')
  const undo = deposing(cluster, dice)
  return () => {
    undo()
    if (network.conditions === during) network.conditions = before
  }
}

/** One port of some links stands still, and the other goes on: its messages arrive several elections earlier. */
function crossing(cluster: SimulatedCluster, dice: Dice): () => void {
  const { network } = cluster
  const one = victimOf(cluster, dice)
  const port = dice.pick(['control', 'bulk'] as const)
  const ways = cluster.nodes
    .filter(({ id }) => id !== one && dice.chance(0.7))
    .map(({ id }): [NodeId, NodeId] => (dice.chance(0.5) ? [one, id] : [id, one]))
  for (const [from, to] of ways) {
    network.hold(from, to, [port])
    cluster.tell(`holds the ${port} port of ${describeLink(from, to)} up`)
  }
  return () => {
    for (const [from, to] of ways) {
      network.letGo(from, to, [port])
      cluster.tell(`lets the ${port} port of ${describeLink(from, to)} go`)
    }
  }
}

/**
 * One follower hears the leader no more. Once it wants the leader's place the others do not hear the leader either, and
 * some of them start again. Meanwhile no entries leave the leader, so that the follower's log is as good as theirs: they
 * vote for it as early as they may, while the leader still holds its lease.
 */
function usurping(cluster: SimulatedCluster, dice: Dice): () => void {
  const { leaderId } = cluster
  const ids = dice.shuffled(cluster.nodeIds.filter((id) => id !== leaderId))
  const [contender, ...others] = ids
  if (leaderId === undefined || contender === undefined) return () => undefined
  const { network } = cluster
  for (const id of ids) network.hold(leaderId, id, ['bulk'])
  const undo = [parting(cluster, [leaderId], [contender])]
  let isOver = false
  const strike = (): void => {
    if (isOver) return
    if (cluster.node(contender).state?.role !== 'preCandidate') return wait()
    undo.push(parting(cluster, [leaderId], others))
    for (const id of others) if (dice.chance(0.5)) replaced(cluster, id)
  }
  const wait = (): void => void cluster.later(cluster.tickMs, strike)
  wait()
  return () => {
    isOver = true
    for (const each of undo) each()
    for (const id of ids) network.letGo(leaderId, id, ['bulk'])
  }
}

/** A leader that is alone takes many commands, so that its log is the longest and ends in what nobody else has. */
function hoarding(cluster: SimulatedCluster, dice: Dice): () => void {
  const { leaderId } = cluster
  const undo = deposing(cluster, dice)
  if (leaderId === undefined) return undo
  for (let left = dice.below(60); left > 0; left--) {
    const command = encode(writePut, 'hoarded', `${cluster.nowMs} ${left}`)
    cluster.send(leaderId, 'propose', [command], () => undefined)
  }
  return undo
}

function parting(cluster: SimulatedCluster, one: readonly NodeId[], other: readonly NodeId[]): () => void {
  const [left, right] = [one, other].map((ids) => ids.filter((id) => cluster.members.isPresent(id)))
  if (left === undefined || right === undefined) return () => undefined
  if (left.length === 0 || right.length === 0) return () => undefined
  const { heal } = cluster.partition(left, right)
  return () => void heal()
}

/** The leader alone, or with one other, so that the rest chooses another while it still takes itself for one. */
function deposing(cluster: SimulatedCluster, dice: Dice): () => void {
  const { leaderId, nodeIds } = cluster
  if (leaderId === undefined) return () => undefined
  const others = dice.shuffled(nodeIds.filter((id) => id !== leaderId))
  const companions = dice.below(Math.ceil(others.length / 2))
  return parting(cluster, [leaderId, ...others.slice(0, companions)], others.slice(companions))
}

/**
 * The leader ends, or is parted from most others, shortly after it has appended a configuration: the next leader finds a
 * joint one in its log, or never sees the configuration.
 */
function interrupting(cluster: SimulatedCluster, dice: Dice): () => void {
  const undo: (() => void)[] = []
  let isOver = false
  const strike = (): void => {
    const { leaderId } = cluster
    if (isOver || leaderId === undefined) return
    if (dice.chance(0.5)) replaced(cluster, leaderId)
    else undo.push(deposing(cluster, dice))
  }
  const look = (): void => {
    const { configuration } = cluster.members
    if (isOver) return
    const isCalm = configuration === undefined || configuration.isCommitted
    cluster.later(isCalm ? cluster.tickMs / 20 : dice.around(1), isCalm ? look : strike)
  }
  look()
  return () => {
    isOver = true
    for (const each of undo) each()
  }
}

/** Back at once, and once more: what was sent before finds another incarnation. */
function crashingTwice(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  replaced(cluster, id)
  cluster.later(dice.around(3), () => replaced(cluster, id))
  return () => undefined
}

/** Whoever looks after the node ends it and starts it again. */
function replaced(cluster: SimulatedCluster, id: NodeId): void {
  if (!cluster.members.isPresent(id)) return
  if (cluster.node(id).isUp) cluster.losePower(id)
  cluster.restart(id)
}
