/** Lets things go wrong, one after the other and often several at a time, and takes each back after a while. */
import type { Dice } from '../faults/index.js'
import { encode, writePut } from '../machine/index.js'
import type { NodeId } from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'
import { describeLink } from './describe.js'
import { type Fault, victimOf } from './fault.js'
import { rollingBack, swapping, wiping } from './lost-disks.js'
import { calmNetwork } from './network.js'
import type { FaultKind, Plan } from './plan.js'

const faultsOf: Readonly<Record<FaultKind, readonly [Fault, ...Fault[]]>> = {
  messages: [losing, holding, holding, crossing, contesting, contesting],
  cuts: [
    cuttingOne,
    isolating,
    deposing,
    deposing,
    usurping,
    usurping,
    hoarding,
    splitting,
    ringing,
    bridging,
  ],
  crashes: [crashing, crashing, crashing, crashingMany, crashingTwice],
  pauses: [pausing],
  disks: [slowing, slowing, stalling, failing, filling],
}

/** How long a fault lasts on the average, in election timeouts. */
const lastsTimeouts = [0.2, 1, 2, 6] as const

export class Nemesis {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #plan: Plan
  readonly #undo = new Set<() => void>()
  #hasStopped = false

  constructor(cluster: SimulatedCluster, dice: Dice, plan: Plan) {
    this.#cluster = cluster
    this.#dice = dice
    this.#plan = plan
    if (plan.faults.length > 0) this.#next()
  }

  /** Nothing goes wrong any more, and all that did is taken back. */
  stop(): void {
    this.#hasStopped = true
    for (const undo of this.#undo) undo()
    this.#undo.clear()
    this.#cluster.heal()
    this.#cluster.network.letAllGo()
    this.#cluster.network.conditions = calmNetwork
    for (const { id } of this.#cluster.nodes) {
      this.#cluster.releaseDisk(id)
      this.#cluster.slowDisk(id, undefined)
      this.#cluster.resume(id)
      this.#cluster.restart(id)
    }
  }

  #next(): void {
    const { time } = this.#cluster.world
    time.after(1000 * this.#dice.around(this.#plan.faultGapMs), () => {
      if (this.#hasStopped) return
      this.#begin()
      this.#next()
    })
  }

  #begin(): void {
    const kind = this.#dice.pick(this.#plan.faults)
    if (kind === undefined) return
    const ofKind = faultsOf[kind]
    const isMore = kind === 'disks' && this.#plan.losesDisks
    const faults = isMore ? ([...ofKind, wiping, wiping, swapping, rollingBack] as const) : ofKind
    const undo = this.#dice.pick(faults)(this.#cluster, this.#dice)
    this.#undo.add(undo)
    const { tickMs, limits, world } = this.#cluster
    const meanMs = this.#dice.pick(lastsTimeouts) * limits.electionTimeoutTicks * tickMs
    world.time.after(1000 * this.#dice.around(meanMs), () => {
      if (this.#undo.delete(undo)) undo()
    })
  }
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
  const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== one && dice.chance(0.7))
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

/** One link, in one direction or in both. */
function cuttingOne(cluster: SimulatedCluster, dice: Dice): () => void {
  const one = victimOf(cluster, dice)
  const other = 1 + dice.below(cluster.nodes.length)
  if (one === other) return () => undefined
  const direction = dice.pick(['both', 'to', 'from'] as const)
  cluster.cut(one, other, { direction })
  return () => cluster.mend(one, other, { direction })
}

/** One node neither hears nor is heard, or one of both. */
function isolating(cluster: SimulatedCluster, dice: Dice): () => void {
  const one = victimOf(cluster, dice)
  const direction = dice.pick(['both', 'to', 'from'] as const)
  const others = cluster.nodes.filter(({ id }) => id !== one)
  for (const { id } of others) cluster.cut(one, id, { direction })
  return () => {
    for (const { id } of others) cluster.mend(one, id, { direction })
  }
}

/** The leader alone, or with one other, so that the rest chooses another while it still takes itself for one. */
function deposing(cluster: SimulatedCluster, dice: Dice): () => void {
  const leaderId = cluster.leader?.id
  const others = dice.shuffled(cluster.nodes.map(({ id }) => id).filter((id) => id !== leaderId))
  if (leaderId === undefined) return isolating(cluster, dice)
  const companions = dice.below(Math.ceil(others.length / 2))
  const left = [leaderId, ...others.slice(0, companions)]
  return cutting(cluster, left, others.slice(companions))
}

/**
 * One follower hears the leader no more. Once it wants the leader's place the others do not hear the leader either, and
 * some of them start again. Meanwhile no entries leave the leader, so that the follower's log is as good as theirs: they
 * vote for it as early as they may, while the leader still holds its lease.
 */
function usurping(cluster: SimulatedCluster, dice: Dice): () => void {
  const leaderId = cluster.leader?.id
  const ids = dice.shuffled(cluster.nodes.map(({ id }) => id).filter((id) => id !== leaderId))
  const [contender, ...others] = ids
  if (leaderId === undefined || contender === undefined) return isolating(cluster, dice)
  const { network } = cluster
  for (const id of ids) network.hold(leaderId, id, ['bulk'])
  const undo = [cutting(cluster, [leaderId], [contender])]
  let isOver = false
  const strike = (): void => {
    if (isOver) return
    if (cluster.node(contender).state?.role !== 'preCandidate') return wait()
    undo.push(cutting(cluster, [leaderId], others))
    for (const id of others) if (dice.chance(0.5)) replaced(cluster, id)
  }
  const wait = (): void => cluster.world.time.after(1000 * cluster.tickMs, strike)
  wait()
  return () => {
    isOver = true
    for (const each of undo) each()
    for (const id of ids) network.letGo(leaderId, id, ['bulk'])
  }
}

/** A leader that is alone takes many commands, so that its log is the longest and ends in what nobody else has. */
function hoarding(cluster: SimulatedCluster, dice: Dice): () => void {
  const leaderId = cluster.leader?.id
  const undo = deposing(cluster, dice)
  if (leaderId === undefined) return undo
  for (let left = dice.below(60); left > 0; left--) {
    const command = encode(writePut, 'hoarded', `${cluster.nowMs} ${left}`)
    cluster.send(leaderId, 'propose', [command], () => undefined)
  }
  return undo
}

/** Two groups of any sizes. */
function splitting(cluster: SimulatedCluster, dice: Dice): () => void {
  const ids = dice.shuffled(cluster.nodes.map(({ id }) => id))
  const at = dice.below(ids.length)
  return cutting(cluster, ids.slice(0, at), ids.slice(at))
}

function cutting(cluster: SimulatedCluster, left: readonly NodeId[], right: readonly NodeId[]): () => void {
  cluster.partition(left, right)
  return () => {
    for (const one of left) for (const other of right) cluster.mend(one, other)
  }
}

/** Each node sees its two neighbours only. */
function ringing(cluster: SimulatedCluster, dice: Dice): () => void {
  const ids = dice.shuffled(cluster.nodes.map(({ id }) => id))
  return cutWhere(cluster, ids, (one, other) => {
    const distance = Math.abs(one - other)
    return distance !== 1 && distance !== ids.length - 1
  })
}

/** Two sides that have one node in common. */
function bridging(cluster: SimulatedCluster, dice: Dice): () => void {
  const ids = dice.shuffled(cluster.nodes.map(({ id }) => id))
  const bridge = Math.floor(ids.length / 2)
  return cutWhere(cluster, ids, (one, other) => one < bridge && other > bridge)
}

/** Cuts each pair for whose positions the rule is true. */
function cutWhere(
  cluster: SimulatedCluster,
  ids: readonly NodeId[],
  rule: (one: number, other: number) => boolean,
): () => void {
  const pairs: [NodeId, NodeId][] = []
  for (const [at, one] of ids.entries()) {
    for (const [otherAt, other] of ids.entries()) {
      if (at < otherAt && rule(at, otherAt)) pairs.push([one, other])
    }
  }
  cluster.world.counts.partitions++
  for (const [one, other] of pairs) cluster.cut(one, other)
  return () => {
    for (const [one, other] of pairs) cluster.mend(one, other)
  }
}

function crashing(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.crash(id)
  return () => cluster.restart(id)
}

/** Up to all of them at once. */
function crashingMany(cluster: SimulatedCluster, dice: Dice): () => void {
  const ids = dice.shuffled(cluster.nodes.map(({ id }) => id)).slice(dice.below(cluster.nodes.length))
  for (const id of ids) cluster.crash(id)
  return () => {
    for (const id of ids) cluster.restart(id)
  }
}

/** Back at once, and once more: what was sent before finds another incarnation. */
function crashingTwice(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.crash(id)
  cluster.restart(id)
  cluster.world.time.after(1000 * dice.around(3), () => {
    cluster.crash(id)
    cluster.restart(id)
  })
  return () => undefined
}

function pausing(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.pause(id)
  return () => cluster.resume(id)
}

function slowing(cluster: SimulatedCluster, dice: Dice): () => void {
  const ids = dice.chance(0.2) ? cluster.nodes.map(({ id }) => id) : [victimOf(cluster, dice)]
  const meanMs = dice.pick([5, 50, 200])
  for (const id of ids) cluster.slowDisk(id, meanMs)
  return () => {
    for (const id of ids) cluster.slowDisk(id, undefined)
  }
}

function stalling(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.stallDisk(id)
  return () => cluster.releaseDisk(id)
}

function failing(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.failDisk(id)
  return () => replaced(cluster, id)
}

function filling(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  cluster.node(id).disk.fill()
  cluster.tell(`fills the disk of node ${id}`)
  return () => replaced(cluster, id)
}

/** Whoever looks after the node starts it again, also when nothing had been written since. */
function replaced(cluster: SimulatedCluster, id: NodeId): void {
  cluster.crash(id)
  cluster.restart(id)
}
