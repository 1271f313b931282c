/** Looks at a running cluster regularly, keeps the frames for a while and hands them to who watches. */
import { randomUUID } from 'node:crypto'
import type { Cluster } from '../cluster/index.js'
import { boundsOf } from '../explain/index.js'
import { type MessageTail, storyNow } from '../telemetry/index.js'
import { frameOf, type Moment } from './assemble.js'
import { Flights } from './flights.js'
import type { Frame, FrameHead } from './frame.js'
import { FrameHistory, type KeptFrame } from './history.js'

/** The time between two looks while somebody watches, and while nobody does. */
const watchedEveryMs = 100
const unwatchedEveryMs = 1000

/** Messages that are looked at of each node. */
const messagesOfNodeMax = 200

export type Watcher = (frame: Frame, kept: KeptFrame) => void

export class Observer {
  readonly head: FrameHead
  readonly #cluster: Cluster
  readonly #tail: MessageTail
  readonly #flights = new Flights()
  readonly #loadClients: () => number
  readonly #history = new FrameHistory()
  /** For each watcher, the call that tells it of the end. */
  readonly #watchers = new Map<Watcher, () => void>()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #number = 0
  #before: Moment | undefined

  /** `loadClients` tells how many clients the load in the background has. */
  constructor(cluster: Cluster, loadClients: () => number = () => 0) {
    const { heartbeatIntervalMs, electionTimeoutMs } = cluster.options
    this.#cluster = cluster
    this.#tail = cluster.messages()
    this.#loadClients = loadClients
    this.head = {
      run: randomUUID(),
      beganMs: boundsOf(cluster.story())[0],
      ...{ heartbeatIntervalMs, electionTimeoutMs },
      tickMs: heartbeatIntervalMs,
      dir: cluster.dir,
    }
    this.#look()
  }

  /** The frames that are kept, oldest first. */
  get frames(): readonly KeptFrame[] {
    return this.#history.frames
  }

  /**
   * Calls `watcher` with each new frame, ten times a second, until the function that comes back is called. `closed` is
   * called when there will be no more frames.
   */
  watch(watcher: Watcher, closed: () => void = () => undefined): () => void {
    if (this.#isClosed) closed()
    else this.#watchers.set(watcher, closed)
    // Without watchers, the next look may be a second away.
    if (this.#watchers.size === 1) this.#lookIn(0)
    return () => void this.#watchers.delete(watcher)
  }

  /** The frames stay. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const closed of this.#watchers.values()) closed()
    this.#watchers.clear()
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => this.#look(), ms).unref()
  }

  #look(): void {
    this.#lookIn(this.#watchers.size > 0 ? watchedEveryMs : unwatchedEveryMs)
    const cluster = this.#cluster
    const now = {
      ...cluster.look(),
      atMs: storyNow(),
      leaderId: cluster.leaderId,
      membership: cluster.membership,
      status: cluster.status(),
      faults: cluster.faults,
      loadClients: this.#loadClients(),
    }
    const flights = this.#flights.frame(this.#tail.take(messagesOfNodeMax))
    const frame = frameOf(++this.#number, this.head, this.#before, now, flights)
    this.#before = now
    const kept = { number: frame.number, atMs: frame.atMs, text: JSON.stringify(frame) }
    this.#history.add(kept)
    for (const watcher of this.#watchers.keys()) watcher(frame, kept)
  }
}
