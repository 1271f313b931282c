/** A node's disk: it outlives the node, takes its time, and fails when it is told to. */

import { RaftError } from '../errors/index.js'
import type { Dice, DiskFault, Fault, StandingFault } from '../faults/index.js'
import type { LogBounds, LogIndex, LogRun, Membership, NodeId, Term } from '../raft/index.js'
import {
  DamageError,
  type DiskMoment,
  FaultyStore,
  isCatchingUp,
  isDiskFull,
  MemoryDisk,
  newPledge,
  type OpenStore,
  openMemoryStore,
  type Pledge,
  PledgedStore,
  type PledgePlace,
  renewedPledge,
} from '../storage/index.js'
import { type DamageName, damageDisk } from './damage.js'
import { DurableView } from './durable.js'
import { LogSize } from './log-size.js'
import type { World } from './world.js'

export interface DiskConditions {
  /** Shortest time of a flush, in milliseconds. */
  readonly flushMs: number
  /** Mean of what comes on top of it, by chance. */
  readonly flushJitterMs: number
  /** The log's own writes take no time at all as long as nothing else is being flushed. Default: not. */
  readonly isQuick?: boolean
}

interface StandingDiskFault {
  readonly id: number
  readonly fault: DiskFault
}

/**
 * The pledge of a node, which outlives its disk. None of it is ever lost, though a power loss could
 * take what was not flushed: a pledge that is ahead of its disk would be a false alarm.
 */
class PledgeInMemory implements PledgePlace {
  pledge: Pledge
  #lives = 0

  constructor(pledge: Pledge) {
    this.pledge = pledge
  }

  newLife(): string {
    return `start ${++this.#lives}`
  }

  keep(pledge: Pledge): void {
    this.pledge = pledge
  }

  hold(index: LogIndex, term: Term): void {
    this.pledge = { ...this.pledge, held: { index, term } }
  }

  close(): void {}
}

export class NodeDisk {
  disk: MemoryDisk
  durable: DurableView
  /** Watches the size of the log on this disk. */
  logSize: LogSize
  /** The disk is not the one that the node had, or an older copy of it, which may happen to hold as much. */
  lost: 'other' | 'copy' | undefined
  readonly #nodeId: NodeId
  readonly #membership: Membership
  readonly #place: PledgeInMemory
  readonly #world: World
  readonly #dice: Dice
  readonly #conditions: DiskConditions
  readonly #bounds: LogBounds
  #store: FaultyStore | undefined
  #renewals = 0
  /** The faults of disks that stand at the node. */
  #faults: readonly StandingDiskFault[] = []
  /** Bytes that still fit on a disk that is filling, by each fault, from one life of the node to the next. */
  #bytesLeft: ReadonlyMap<number, number> = new Map()
  /** The latest fault that has failed a flush: a fault fails one flush only. */
  #spentId = 0

  constructor(
    world: World,
    dice: Dice,
    conditions: DiskConditions,
    nodeId: NodeId,
    membership: Membership,
    bounds: LogBounds,
  ) {
    this.#nodeId = nodeId
    this.#membership = membership
    this.#place = new PledgeInMemory(newPledge(nodeId, this.#newIdentity()))
    this.#world = world
    this.#dice = dice
    this.#conditions = conditions
    this.disk = new MemoryDisk(membership)
    this.durable = new DurableView(this.disk)
    this.#bounds = bounds
    this.logSize = new LogSize(world, nodeId, bounds)
  }

  /** Opens the disk, or tells why the node cannot start with it: that is a finding, unless the disk was lost. */
  start(): OpenStore | Error {
    const { checker, counts } = this.#world
    const where = `node ${this.#nodeId}`
    try {
      const opened = this.#open()
      if (this.lost === 'other') checker.report('a lost disk is refused', `${where} starts with another disk`)
      this.lost = undefined
      if (this.isDamaged) counts.damageUnread++
      // The start has read all that the node needs. What is left is never read.
      this.disk.damagedRows.clear()
      return opened
    } catch (error) {
      const isOfDisk = error instanceof DamageError || isDiskLost(error)
      if (this.isDamaged && this.lost !== 'other' && isOfDisk) return this.#refused(error as Error)
      if (isDiskLost(error) && this.lost !== undefined) counts.lostDisksRefused++
      else checker.report('the disk cannot be opened', `${where}: ${(error as Error).message}`)
      return error as Error
    }
  }

  /** Nobody starts a node with a disk that it refused: an empty one takes its place. */
  #refused(error: Error): Error {
    this.#world.counts.damageRefused++
    this.#world.checker.diskLost(this.#nodeId)
    this.wipe()
    return error
  }

  #open(): OpenStore {
    const { flushMs, flushJitterMs, isQuick = false } = this.#conditions
    const behaviour = {
      defer: (flush: () => void) =>
        this.#world.time.after(1000 * (flushMs + this.#dice.around(flushJitterMs)), flush),
      isQuick,
      heard: (moment: DiskMoment) => this.#world.diskMoment?.(this.#nodeId, moment),
    }
    this.logSize.begins()
    const { store, recovered } = openMemoryStore(this.disk, behaviour, this.#place)
    this.#store = new FaultyStore(store)
    this.#apply([])
    return { store: new PledgedStore(this.#store, this.#place), recovered }
  }

  /** The node must not vote, by what the directory knows: its disk is lost, or was renewed and has not caught up. */
  get isWithoutVote(): boolean {
    return this.lost !== undefined || isCatchingUp(this.#place.pledge)
  }

  /** Another disk takes the place of this one, which is returned. The node is down. */
  exchange(disk: MemoryDisk, lost: NodeDisk['lost']): MemoryDisk {
    const before = this.disk
    this.disk = disk
    this.durable = new DurableView(disk)
    this.logSize = new LogSize(this.#world, this.#nodeId, this.#bounds)
    this.lost = lost
    return before
  }

  /** Damages a record of the disk, or of the newest ones, also below a node that runs. False when there is none. */
  damage(name: DamageName, newest?: number): boolean {
    return damageDisk(this.disk, name, this.#dice, newest)
  }

  /** A record of the disk is damaged: the node refuses it where it reads it. */
  get isDamaged(): boolean {
    return this.disk.damagedRows.size > 0
  }

  wipe(): void {
    this.exchange(new MemoryDisk(this.#membership), 'other')
  }

  /** The node may begin anew, with an empty disk under another identity. */
  renew(): void {
    this.wipe()
    this.lost = undefined
    this.#place.keep(renewedPledge(this.#place.pledge, this.#newIdentity()))
  }

  /** The run with its bytes, if the log has left them to the store and the store has not cut them off. */
  readBack(run: LogRun): LogRun {
    if (run.bytes !== undefined) return run
    return this.disk.asWritten(() => this.#store?.readEntries(run)) ?? run
  }

  /** The process is gone, and what it has written stays. Writes that waited for a slow or stalled disk never come. */
  kill(): void {
    this.#letGo()
    this.disk.crash(this.disk.unflushedCount)
  }

  /** The power is gone. What was not flushed is lost, except for a part that had just reached the disk. */
  losePower(): void {
    this.#letGo()
    const { counts } = this.#world
    const { unflushedCount } = this.disk
    const kept = this.#dice.below(unflushedCount + 1)
    counts.writesSurvived += kept
    counts.writesLost += unflushedCount - kept
    this.disk.crash(kept)
  }

  #letGo(): void {
    const failure = this.#store?.failure
    if (failure !== undefined) {
      const isFull = isDiskFull(failure)
      this.#world.counts[isFull ? 'fullDisks' : 'failedDisks']++
      if (!isFull) this.#spentId = Math.max(this.#spentId, failingOf(this.#faults))
    }
    if (this.#store !== undefined) this.#bytesLeft = this.#store.bytesLeft
    this.#store?.losePower()
    this.#store = undefined
  }

  /** From now on these faults of disks stand at the node. */
  set(standing: readonly StandingFault[]): void {
    const before = this.#faults
    this.#faults = standing.flatMap(({ id, fault }) => (isDiskFault(fault) ? [{ id, fault }] : []))
    if (before.length + this.#faults.length > 0) this.#apply(before)
  }

  /** A fault has failed a flush: the next failure of the node is this disk's, and no finding. */
  get hasFailed(): boolean {
    return this.#store?.failure !== undefined
  }

  /** The node stops since it has read a damaged record, which is counted: that is no finding. */
  met(error: unknown): boolean {
    const isMet = error instanceof DamageError && this.isDamaged
    if (isMet) this.#world.counts.damageMet++
    return isMet
  }

  /** The write is held back: no flush begins. */
  get isStalled(): boolean {
    return isStalledBy(this.#faults)
  }

  #newIdentity(): string {
    return `disk ${++this.#renewals} of node ${this.#nodeId}`
  }

  /** Hands the store what has changed, since a disk that is filling goes on to fill. */
  #apply(before: readonly StandingDiskFault[]): void {
    const faults = this.#faults
    const slowMs = slowMsOf(faults)
    if (slowMs !== slowMsOf(before))
      this.#store?.delayFlushes(slowMs === 0 ? undefined : (begin) => this.#delay(slowMs, begin))
    const failing = failingOf(faults)
    if (failing <= this.#spentId) this.#store?.failNextFlush(undefined)
    // Nobody can tell whether a flush that fails was written.
    else if (failing !== failingOf(before))
      this.#store?.failNextFlush(this.#dice.chance(0.5) ? 'written' : 'lost')
    const bounds = faults.flatMap(({ id, fault }) =>
      fault.type === 'fullDisk' ? [[id, this.#bytesLeft.get(id) ?? fault.bytesLeft] as const] : [],
    )
    this.#store?.fillDisk(new Map(bounds))
    if (this.isStalled) this.#store?.stallFlushes()
    else if (isStalledBy(before)) this.#store?.releaseFlushes()
  }

  #delay(slowMs: number, begin: () => void): void {
    this.#world.counts.slowFlushes++
    this.#world.time.after(1000 * slowMs, begin)
  }
}

function slowMsOf(faults: readonly StandingDiskFault[]): number {
  return faults.reduce((sum, { fault }) => sum + (fault.type === 'slowDisk' ? fault.flushMs : 0), 0)
}

/** The latest fault by which a flush fails; 0: none stands. */
function failingOf(faults: readonly StandingDiskFault[]): number {
  return faults.findLast(({ fault }) => fault.type === 'failDisk')?.id ?? 0
}

function isStalledBy(faults: readonly StandingDiskFault[]): boolean {
  return faults.some(({ fault }) => fault.type === 'stallDisk')
}

function isDiskFault(fault: Fault): fault is DiskFault {
  return ['slowDisk', 'stallDisk', 'failDisk', 'fullDisk'].includes(fault.type)
}

function isDiskLost(error: unknown): boolean {
  return error instanceof RaftError && error.code === 'DISK_LOST'
}
