/** A node's disk: it outlives the node, takes its time, and fails when it is told to. */

import { RaftError } from '../errors/index.js'
import type { Dice } from '../faults/index.js'
import type { LogIndex, LogRun, Membership, NodeId, Term } from '../raft/index.js'
import {
  FaultyStore,
  isCatchingUp,
  MemoryDisk,
  newPledge,
  type OpenStore,
  openMemoryStore,
  type Pledge,
  PledgedStore,
  type PledgePlace,
  renewedPledge,
} from '../storage/index.js'
import { DurableView } from './durable.js'
import type { World } from './world.js'

export interface DiskConditions {
  /** Shortest time of a flush, in milliseconds. */
  readonly flushMs: number
  /** Mean of what comes on top of it, by chance. */
  readonly flushJitterMs: number
  /** The log's own writes take no time at all as long as nothing else is being flushed. Default: not. */
  readonly isQuick?: boolean
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
  /** The disk is not the one that the node had, or an older copy of it, which may happen to hold as much. */
  lost: 'other' | 'copy' | undefined
  readonly #nodeId: NodeId
  readonly #membership: Membership
  readonly #place: PledgeInMemory
  readonly #world: World
  readonly #dice: Dice
  readonly #conditions: DiskConditions
  #store: FaultyStore | undefined
  #renewals = 0
  #slowMs: number | undefined
  #isStalled = false
  /** The next failure of the node is this disk's, and no finding. */
  hasFailed = false

  constructor(world: World, dice: Dice, conditions: DiskConditions, nodeId: NodeId, membership: Membership) {
    this.#nodeId = nodeId
    this.#membership = membership
    this.#place = new PledgeInMemory(newPledge(nodeId, this.#newIdentity()))
    this.#world = world
    this.#dice = dice
    this.#conditions = conditions
    this.disk = new MemoryDisk(membership)
    this.durable = new DurableView(this.disk)
  }

  /** Opens the disk, or tells why the node cannot start with it: that is a finding, unless the disk was lost. */
  start(): OpenStore | Error {
    const { checker, counts } = this.#world
    const where = `node ${this.#nodeId}`
    try {
      const opened = this.#open()
      if (this.lost === 'other') checker.report('a lost disk is refused', `${where} starts with another disk`)
      this.lost = undefined
      return opened
    } catch (error) {
      const isRefusal = error instanceof RaftError && error.code === 'DISK_LOST' && this.lost !== undefined
      if (isRefusal) counts.lostDisksRefused++
      else checker.report('the disk cannot be opened', `${where}: ${(error as Error).message}`)
      return error as Error
    }
  }

  #open(): OpenStore {
    const { flushMs, flushJitterMs, isQuick = false } = this.#conditions
    const behaviour = {
      defer: (flush: () => void) =>
        this.#world.time.after(1000 * (flushMs + this.#dice.around(flushJitterMs)), flush),
      isQuick,
    }
    const { store, recovered } = openMemoryStore(this.disk, behaviour, this.#place)
    this.#store = new FaultyStore(store)
    this.hasFailed = false
    this.#delay()
    if (this.#isStalled) this.#store.stallFlushes()
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
    this.lost = lost
    return before
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
    return run.bytes === undefined ? (this.#store?.readEntries(run) ?? run) : run
  }

  /** The power is gone. What was not flushed is lost, except for a part that had just reached the disk. */
  crash(): void {
    const { counts } = this.#world
    this.#store?.losePower()
    this.#store = undefined
    const { unflushedCount } = this.disk
    const kept = this.#dice.below(unflushedCount + 1)
    counts.writesSurvived += kept
    counts.writesLost += unflushedCount - kept
    this.disk.crash(kept)
  }

  /** Every flush takes about `meanMs` longer; `undefined`: no longer. */
  slow(meanMs: number | undefined): void {
    if (meanMs !== undefined) this.#world.counts.slowDisks++
    this.#slowMs = meanMs
    this.#delay()
  }

  stall(): void {
    this.#world.counts.stalledDisks++
    this.#isStalled = true
    this.#store?.stallFlushes()
  }

  release(): void {
    if (!this.#isStalled) return
    this.#isStalled = false
    this.#store?.releaseFlushes()
  }

  /** The next flush fails, and nobody can tell whether it was written. */
  fail(): void {
    this.#world.counts.failedDisks++
    this.hasFailed = true
    this.#store?.failNextFlush(this.#dice.chance(0.5) ? 'written' : 'lost')
  }

  fill(): void {
    this.#world.counts.fullDisks++
    this.hasFailed = true
    this.#store?.fillDisk(0)
  }

  #newIdentity(): string {
    return `disk ${++this.#renewals} of node ${this.#nodeId}`
  }

  #delay(): void {
    const slowMs = this.#slowMs
    const delay = (begin: () => void): void =>
      this.#world.time.after(1000 * this.#dice.around(slowMs ?? 0), begin)
    this.#store?.delayFlushes(slowMs === undefined ? undefined : delay)
  }
}
