/** Looks at a running cluster regularly, keeps the frames for a while and hands them to who watches. */
import { randomUUID } from 'node:crypto'
import type { Cluster } from '../cluster/index.js'
import { storyNow } from '../telemetry/index.js'
import { frameOf } from './assemble.js'
import type { Frame, FrameHead } from './frame.js'
import { FrameHistory } from './history.js'

/** The time between two looks while somebody watches, and while nobody does. */
const watchedEveryMs = 100
const unwatchedEveryMs = 1000

export type Watcher = (frame: Frame) => void

export class Observer {
  readonly head: FrameHead
  readonly #cluster: Cluster
  readonly #loadClients: () => number
  readonly #history = new FrameHistory()
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #number = 0

  /** `loadClients` tells how many clients the load in the background has. */
  constructor(cluster: Cluster, loadClients: () => number = () => 0) {
    const { heartbeatIntervalMs, electionTimeoutMs } = cluster.options
    this.#cluster = cluster
    this.#loadClients = loadClients
    this.head = {
      run: randomUUID(),
      ...{ heartbeatIntervalMs, electionTimeoutMs },
      tickMs: heartbeatIntervalMs,
      dir: cluster.dir,
    }
    this.#look()
  }

  /** The frames that are kept, oldest first. */
  get frames(): readonly Frame[] {
    return this.#history.frames
  }

  /** Calls `watcher` with each new frame, ten times a second, until the function that comes back is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    // What nobody watched was looked at rarely, and the next look may be far.
    if (this.#watchers.size === 1) this.#lookIn(0)
    return () => void this.#watchers.delete(watcher)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#watchers.clear()
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), ms).unref()
  }

  #look(): void {
    this.#lookIn(this.#watchers.size > 0 ? watchedEveryMs : unwatchedEveryMs)
    const cluster = this.#cluster
    const frame = frameOf(++this.#number, {
      atMs: storyNow(),
      electionTimeoutMs: cluster.options.electionTimeoutMs,
      leaderId: cluster.leaderId,
      membership: cluster.membership,
      nodes: cluster.status(),
      faults: cluster.faults,
      loadClients: this.#loadClients(),
    })
    this.#history.add(frame)
    for (const watcher of this.#watchers) watcher(frame)
  }
}
