/** Happenings in a cluster: read from the memory of its nodes, told to listeners in order, and kept. */
import { EventEmitter } from 'node:events'
import type { NodeId } from '../raft/index.js'
import {
  allocateStory,
  Chronicle,
  type Happening,
  MessageTail,
  readWaymarks,
  Sequence,
  SharedHistogram,
  type Story,
  type StoryMemory,
  storyNow,
} from '../telemetry/index.js'
import type { ClusterEvent, ClusterEvents } from './events.js'
import { callForeign } from './foreign-code.js'
import type { ClusterLook } from './look.js'
import type { ResolvedOptions } from './options.js'
import { Warnings } from './warnings.js'

/** How often it is looked whether this thread's event loop goes on, and how late it may be. */
const loopLookMs = 25
const loopLateMs = 50
/** Removed nodes whose story is kept: it takes some megabytes each. */
const removedMax = 4

export class ClusterStory {
  #nodeIds: readonly NodeId[] = []
  readonly events: ClusterEvents = new EventEmitter()
  readonly #options: ResolvedOptions
  readonly #sequence = Sequence.allocate()
  readonly #memories = new Map<NodeId, StoryMemory>()
  /** Nodes that were removed, the oldest first, whose story is still kept. */
  readonly #removed: NodeId[] = []
  readonly #chronicle: Chronicle
  readonly #roleChanged: () => void
  readonly #warnings: Warnings
  /** How late the event loop of this thread took its turns. */
  readonly #loopLate = new SharedHistogram(new ArrayBuffer(SharedHistogram.byteLength))
  #loopWatch: NodeJS.Timeout | undefined
  /** Events from before anybody could listen. `undefined`: listeners are told at once. */
  #held: ClusterEvent[] | undefined = []

  /** `roleChanged` is called when another node may lead. */
  constructor(nodeIds: readonly NodeId[], options: ResolvedOptions, roleChanged: () => void) {
    this.#options = options
    this.#roleChanged = roleChanged
    this.#warnings = new Warnings(options, (line) => process.emitWarning(line, 'RaftboxWarning'))
    // A program may have any number of listeners: none of them is a leak.
    this.events.setMaxListeners(0)
    this.#chronicle = new Chronicle(new Sequence(this.#sequence), (event) => this.#hear(event))
    for (const nodeId of nodeIds) this.add(nodeId)
  }

  /** From now on a node tells its story as well. */
  add(nodeId: NodeId): void {
    const ofNode = allocateStory(this.#sequence)
    this.#memories.set(nodeId, ofNode)
    this.#chronicle.follow(nodeId, ofNode.happened)
    this.#nodeIds = [...this.#nodeIds, nodeId]
  }

  /** The node has told its last. The stories of the nodes that were removed last are kept. */
  remove(nodeId: NodeId): void {
    this.#chronicle.nodeIsGone(nodeId)
    this.#removed.push(nodeId)
    const forgotten = this.#removed.length > removedMax ? this.#removed.shift() : undefined
    if (forgotten === undefined) return
    this.#chronicle.forget(forgotten)
    this.#memories.delete(forgotten)
    this.#nodeIds = this.#nodeIds.filter((each) => each !== forgotten)
  }

  /** The memory that all lives of a node tell their story in. */
  memoryOf(nodeId: NodeId): StoryMemory {
    const memory = this.#memories.get(nodeId)
    if (memory === undefined) throw new RangeError(`there is no node ${nodeId}`)
    return memory
  }

  /** Tells a happening that the nodes do not know themselves. `nodeId` 0: of no node. Returns its sequence number. */
  tell(nodeId: NodeId, happening: Happening): number {
    return this.#chronicle.tell(nodeId, happening, storyNow())
  }

  /** A node has called: something happened there. */
  read(): void {
    this.#chronicle.read()
  }

  nodeIsGone(nodeId: NodeId): void {
    this.#chronicle.nodeIsGone(nodeId)
  }

  /** The cluster has started. A program that awaited that can listen first, and then hears all since the beginning. */
  begin(): void {
    setImmediate(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const event of held) this.#emit(event)
    })
    this.#warnings.begins(this.#nodeIds.length)
    let lookedAtMs = performance.now()
    this.#loopWatch = setInterval(() => {
      const forMs = performance.now() - lookedAtMs - loopLookMs
      lookedAtMs += forMs + loopLookMs
      this.#loopLate.record(Math.max(0, forMs) * 1000)
      if (forMs > loopLateMs) this.tell(0, { type: 'hostBlocked', forMs })
    }, loopLookMs).unref()
  }

  look(): Pick<ClusterLook, 'loopLate' | 'happeningsMissed'> {
    return { loopLate: this.#loopLate.read(), happeningsMissed: this.#chronicle.missed }
  }

  close(): void {
    clearInterval(this.#loopWatch)
  }

  /** The story until now, read without asking any node. */
  story(): Story {
    this.read()
    const { heartbeatIntervalMs, electionTimeoutMs } = this.#options
    return {
      nodeIds: this.#nodeIds,
      heartbeatIntervalMs,
      electionTimeoutMs,
      tickMs: heartbeatIntervalMs,
      configuration: this.#chronicle.configuration,
      happened: this.#chronicle.happened,
      ...readWaymarks(this.#memories),
      askedMs: storyNow(),
    }
  }

  /** The memory in which the nodes tell how far their logs came. */
  get memories(): ReadonlyMap<NodeId, StoryMemory> {
    return this.#memories
  }

  /** A reader of the messages between nodes from now on. */
  messages(): MessageTail {
    return new MessageTail(() => this.#memories)
  }

  /** Listeners are foreign code, which may throw or call the cluster: they run in a turn in which nothing is half done. */
  #hear(event: ClusterEvent): void {
    if (event.type === 'role') this.#roleChanged()
    this.#warnings.heard(event)
    if (this.#held !== undefined) this.#held.push(event)
    else queueMicrotask(() => this.#emit(event))
  }

  /** An error of one listener is told to the process as a warning; the other listeners hear of the event all the same. */
  #emit(event: ClusterEvent): void {
    for (const listener of this.events.rawListeners('event'))
      callForeign("a listener of a cluster's events", event.type, () =>
        Reflect.apply(listener, this.events, [event]),
      )
  }
}
