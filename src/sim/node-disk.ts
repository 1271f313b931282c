/** A node's disk: it outlives the node, takes its time, and fails when it is told to. */
import type { LogRun, Membership } from '../raft/index.js'
import { FaultyStore, MemoryDisk, type OpenStore, openMemoryStore } from '../storage/index.js'
import type { Dice } from './dice.js'
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

export class NodeDisk {
  readonly disk: MemoryDisk
  readonly durable: DurableView
  readonly #world: World
  readonly #dice: Dice
  readonly #conditions: DiskConditions
  #store: FaultyStore | undefined
  #slowMs: number | undefined
  #isStalled = false
  /** The next failure of the node is this disk's, and no finding. */
  hasFailed = false

  constructor(world: World, dice: Dice, conditions: DiskConditions, membership: Membership) {
    this.#world = world
    this.#dice = dice
    this.#conditions = conditions
    this.disk = new MemoryDisk(membership)
    this.durable = new DurableView(this.disk)
  }

  open(): OpenStore {
    const { flushMs, flushJitterMs, isQuick = false } = this.#conditions
    const { store, recovered } = openMemoryStore(this.disk, {
      defer: (flush) => this.#world.time.after(1000 * (flushMs + this.#dice.around(flushJitterMs)), flush),
      isQuick,
    })
    this.#store = new FaultyStore(store)
    this.hasFailed = false
    this.#delay()
    if (this.#isStalled) this.#store.stallFlushes()
    return { store: this.#store, recovered }
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
    this.#store?.fillDisk()
  }

  #delay(): void {
    const slowMs = this.#slowMs
    const delay = (begin: () => void): void =>
      this.#world.time.after(1000 * this.#dice.around(slowMs ?? 0), begin)
    this.#store?.delayFlushes(slowMs === undefined ? undefined : delay)
  }
}
