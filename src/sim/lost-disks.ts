/** Disks that are lost: emptied, exchanged, damaged, or put back from an older copy; and what an operator does about it. */
import { type Dice, victimOf } from '../faults/index.js'
import { isMajority } from '../proof/index.js'
import type { Membership, NodeId } from '../raft/index.js'
import type { MemoryDisk } from '../storage/index.js'
import type { SimulatedCluster } from './cluster.js'
import { type DamageName, damageNames } from './damage.js'

/** True when a majority of nodes that may vote is left without these: of each configuration that may come to count. */
export function mayLoseDisks(cluster: SimulatedCluster, ...ids: readonly NodeId[]): boolean {
  const { checker } = cluster.world
  const areThere = ids
    .map((id) => cluster.node(id).disk)
    .every((disk) => disk.lost === undefined && !disk.isDamaged)
  if (!areThere || cluster.members.unanswered.length > 0) return false
  const memberships = new Set(cluster.members.all.map(({ id }) => checker.tailOf(id).membership))
  memberships.add(checker.ledger.last.membership)
  return [...memberships].every((membership) => canDecide(cluster, membership, ids))
}

/**
 * True when a majority of the voters may vote, by what the directory knows of their disks, and lead, without those `lost`.
 * A majority that may only vote can be the only one that holds what it has committed: then no node is ever elected.
 */
export function canDecide(
  cluster: SimulatedCluster,
  membership: Membership,
  lost: readonly NodeId[] = [],
): boolean {
  return isMajority(membership, (id) => {
    const { disk, neverLeads } = cluster.node(id)
    return !neverLeads && !lost.includes(id) && !disk.isWithoutVote && !disk.isDamaged
  })
}

/** The node is down until it is restarted. */
function endNode(cluster: SimulatedCluster, id: NodeId): void {
  if (cluster.node(id).isUp) cluster.losePower(id)
}

/** The node is down, and its disk is empty. */
export function wipeDisk(cluster: SimulatedCluster, id: NodeId): void {
  const node = cluster.node(id)
  endNode(cluster, id)
  node.disk.wipe()
  cluster.world.counts.wipedDisks++
  diskLost(cluster, id, 'wipes the disk')
}

/** Two nodes are down, and each has the other's disk. */
export function swapDisks(cluster: SimulatedCluster, one: NodeId, other: NodeId): void {
  const [first, second] = [cluster.node(one), cluster.node(other)]
  for (const id of [one, other]) endNode(cluster, id)
  first.disk.exchange(second.disk.exchange(first.disk.disk, 'other'), 'other')
  cluster.world.counts.swappedDisks++
  for (const id of [one, other]) diskLost(cluster, id, 'swaps the disk')
}

/** Each of two nodes, which are down, has its own disk again. */
export function swapDisksBack(cluster: SimulatedCluster, one: NodeId, other: NodeId): void {
  const [first, second] = [cluster.node(one).disk, cluster.node(other).disk]
  first.exchange(second.exchange(first.disk, undefined), undefined)
  cluster.tell(`swaps the disks of nodes ${one} and ${other} back`)
}

/** The node is down, and its disk is put back from an older copy. Returns the newest one. */
export function rollBackDisk(cluster: SimulatedCluster, id: NodeId, copy: MemoryDisk): MemoryDisk {
  const node = cluster.node(id)
  endNode(cluster, id)
  cluster.world.counts.rolledBackDisks++
  diskLost(cluster, id, 'puts back an older copy of the disk')
  return node.disk.exchange(copy, 'copy')
}

/** The node, which is down, has the newest of its disks again. */
export function giveDiskBack(cluster: SimulatedCluster, id: NodeId, newest: MemoryDisk): void {
  cluster.node(id).disk.exchange(newest, undefined)
  cluster.tell(`puts the newest disk of node ${id} back`)
}

/** Starts a node; if it has lost its disk, it begins anew. */
export function renew(cluster: SimulatedCluster, id: NodeId): void {
  const { disk } = cluster.node(id)
  if (disk.lost !== undefined) {
    disk.renew()
    cluster.world.counts.renewedDisks++
    cluster.world.checker.diskRenewed(id)
    cluster.tell(`lets node ${id} begin anew`)
  }
  cluster.restart(id)
}

function diskLost(cluster: SimulatedCluster, id: NodeId, what: string): void {
  cluster.world.checker.diskLost(id)
  cluster.tell(`${what} of node ${id}`)
}

/** Faults for the nemesis: the node is started with what is left, which has to be refused, and mended later. */
export function wiping(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  if (!mayLoseDisks(cluster, id)) return () => undefined
  wipeDisk(cluster, id)
  cluster.restart(id)
  return () => renew(cluster, id)
}

/** The node has to refuse a damaged disk, unless it needs nothing of what is damaged. */
export function damaging(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  const name = dice.pick(damageNames)
  if (!mayLoseDisks(cluster, id)) return () => undefined
  endNode(cluster, id)
  damageRecord(cluster, id, name)
  cluster.restart(id)
  return () => renew(cluster, id)
}

/** Of the newest records, how many a follower that was away for a moment may lack. */
const newestCount = 8

/**
 * Records are damaged while their node runs. The node stops where it reads one. It does not come to that where the
 * record is written again or removed before.
 */
export function rotting(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  return rot(cluster, id, dice) ? () => findDamage(cluster, id) : () => undefined
}

/** A leader's records are damaged that it has to read: a follower that was down lacks them. */
export function rottingBehind(cluster: SimulatedCluster, dice: Dice): () => void {
  const { leader } = cluster
  const follower = dice.pick(cluster.nodes.filter(({ id, isUp }) => isUp && id !== leader?.id))
  if (leader === undefined || follower === undefined) return () => undefined
  endNode(cluster, follower.id)
  let isRotten = false
  const mend = cluster.later(dice.around(cluster.electionTimeoutMs), () => {
    isRotten = rot(cluster, leader.id, dice)
    cluster.restart(follower.id)
  })
  return () => {
    mend()
    cluster.restart(follower.id)
    // Otherwise the node may have lost its disk to another fault, which mends it.
    if (isRotten) findDamage(cluster, leader.id)
  }
}

/** False where nothing was damaged. */
function rot(cluster: SimulatedCluster, id: NodeId, dice: Dice): boolean {
  if (!cluster.node(id).isUp || !mayLoseDisks(cluster, id)) return false
  const name = dice.pick(damageNames)
  const newest = dice.chance(0.5) ? newestCount : undefined
  const { counts } = cluster.world
  const before = counts.damagedBelow
  for (let left = dice.between(1, newestCount); left > 0; left--)
    if (damageRecord(cluster, id, name, newest)) counts.damagedBelow++
  return counts.damagedBelow > before
}

/** A start finds the damage that the node has not read. */
function findDamage(cluster: SimulatedCluster, id: NodeId): void {
  if (cluster.node(id).disk.isDamaged) {
    endNode(cluster, id)
    cluster.restart(id)
  }
  renew(cluster, id)
}

function damageRecord(cluster: SimulatedCluster, id: NodeId, name: DamageName, newest?: number): boolean {
  const isDone = cluster.node(id).disk.damage(name, newest)
  if (isDone) cluster.world.counts[name]++
  if (isDone) cluster.tell(`has ${name} on the disk of node ${id}`)
  return isDone
}

export function swapping(cluster: SimulatedCluster, dice: Dice): () => void {
  const one = victimOf(cluster, dice)
  const other = dice.pick(cluster.nodeIds) ?? one
  if (one === other || !mayLoseDisks(cluster, one, other)) return () => undefined
  swapDisks(cluster, one, other)
  const isMended = dice.chance(0.5)
  for (const id of [one, other]) cluster.restart(id)
  return () => {
    if (isMended) swapDisksBack(cluster, one, other)
    for (const id of [one, other]) renew(cluster, id)
  }
}

/** The copy is made as the fault begins, and put back as it ends: what the node promised meanwhile is not in it. */
export function rollingBack(cluster: SimulatedCluster, dice: Dice): () => void {
  const id = victimOf(cluster, dice)
  const copy = cluster.node(id).disk.disk.copy()
  const isMended = dice.chance(0.5)
  return () => {
    if (!mayLoseDisks(cluster, id)) return
    const newest = rollBackDisk(cluster, id, copy)
    cluster.restart(id)
    if (isMended && !cluster.node(id).isUp) giveDiskBack(cluster, id, newest)
    renew(cluster, id)
  }
}
