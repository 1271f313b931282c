/**
 * All watches of one member. Watchers are in step or behind. Watchers in step have been told all up to the hub's position:
 * one read of the member's history serves all of them. Each watcher behind has a position of its own: watchers whose
 * client reads slowly, or asked for the past. Pieces of history bring them up, in turn, until they are in step.
 *
 * The numbers, each a revision but the last one:
 *
 *     watcher.next     the first revision that the client of a watcher behind has yet to be told of
 *     #position        what all watchers in step have been told up to; never falls
 *     #nodeRevision    what the node's store had when it answered last: #position follows it. Falls when a node restarts
 *                      with less applied; watchers in step then wait until the node has passed #position again
 *     #progress        the revisions of requests for progress: each is answered once #position has passed it and no
 *                      watcher of its stream is behind
 *     #appliedIndex    the place in the log that the node had applied when it was asked last: nothing new while it is equal
 *
 * One loop (`#run`) does all the work while there is some. In each round it first reads what is new, if the node has
 * applied more or a client asks (`#readOn`: tells the watchers in step, moves #position, then serves the requests that
 * waited); and then one piece of the past for the first watcher behind whose client has room (`#catchUp`), and for all
 * watchers that want a part of the same piece. A watcher in step whose client has no room falls behind with `next` at the
 * first event that it was not told. A watcher behind is in step once its `next` is past #position.
 */
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { type History, readHistory, type WatchEvent } from './history.js'
import { Ranges } from './ranges.js'
import { type Listener, type Watcher, wants } from './watcher.js'

/** Bytes of history that a read asks for. A single revision may have more. */
const historyBytes = 256 * 1024
/** So many pairs of a watcher and an event are held at once: many watchers of the same keys match every event. */
const matchesMax = 64 * 1024
/** After so many responses, other work of this thread has its turn. */
const responsesOfTurn = 256
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
/** A read behind every revision: the answer has the store's revision and no event. */
const noHistory = Number.MAX_SAFE_INTEGER
/** etcd's compacted revision of a store that was never compacted. */
const neverCompacted = -1
/** A node that could not answer is asked again after this time, or as soon as it has applied more. */
const retryMs = 100

export interface WatchFigures {
  readonly streams: number
  readonly watchers: number
  /** Watchers that are not in step. */
  readonly slowWatchers: number
  /** Events sent since the start. */
  readonly events: number
}

export class WatchHub {
  readonly #member: Pick<Member, 'readLocal' | 'look' | 'header' | 'onProgress'>
  readonly #listeners = new Set<Listener>()
  readonly #inStep = new Ranges<Watcher>()
  /** In the order in which they are served. */
  readonly #behind = new Ranges<Watcher>()
  /** Watchers that want key-values before a change. */
  #prevKvs = 0
  /** Watchers in step have been told all up to this revision, which never falls. */
  #position = 0
  /** The revision that the node told last. A node that restarts may be behind what it told before. */
  #nodeRevision = 0
  /** Whether the node has applied more since it was asked last. */
  #isStale = false
  /** The last index that the node had applied when it was asked last. */
  #appliedIndex = 0
  /** The place in the log up to which watchers in step were told of all, and who waits for more. */
  #toldIndex = 0
  readonly #waiting: (() => void)[] = []
  /** Listeners with requests that wait for a read. */
  #asking = new Set<Listener>()
  /** Requests for progress, each with the revision that it waits for. */
  readonly #progress = new Map<Listener, number[]>()
  #isRunning = false
  #retry: NodeJS.Timeout | undefined
  #stopListening: (() => void) | undefined
  #events = 0

  constructor(member: Pick<Member, 'readLocal' | 'look' | 'header' | 'onProgress'>) {
    this.#member = member
  }

  get figures(): WatchFigures {
    return {
      streams: this.#listeners.size,
      watchers: this.#inStep.all.size + this.#behind.all.size,
      slowWatchers: this.#behind.all.size,
      events: this.#events,
    }
  }

  open(listener: Listener): void {
    this.#listeners.add(listener)
    this.#stopListening ??= this.#member.onProgress(() => {
      if (this.#member.look().lastApplied === this.#appliedIndex) return
      this.#isStale = true
      this.wake()
    })
  }

  /** The listener's watchers have been deleted. */
  close(listener: Listener): void {
    this.#listeners.delete(listener)
    this.#asking.delete(listener)
    this.#progress.delete(listener)
    if (this.#listeners.size > 0) return
    clearTimeout(this.#retry)
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** The listener's requests will be served with a revision that is no older than this call. */
  ask(listener: Listener): void {
    this.#asking.add(listener)
    this.wake()
  }

  /** Adds a watcher from `watcher.next` on. */
  add(watcher: Watcher): void {
    if (watcher.prevKv) this.#prevKvs++
    this.#place(watcher)
    this.wake()
  }

  #place(watcher: Watcher): void {
    const group = watcher.next > this.#position ? this.#inStep : this.#behind
    group.add(watcher)
  }

  delete(watcher: Watcher): void {
    if (!this.#inStep.delete(watcher) && !this.#behind.delete(watcher)) return
    if (watcher.prevKv) this.#prevKvs--
    this.#lookAgain()
  }

  get hasInStep(): boolean {
    return this.#inStep.all.size > 0
  }

  /** Resolves once watchers in step were told of all up to a place in the log that the node has applied; or by `signal`. */
  async told(index: number, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#lookAgain(), { once: true })
    while (this.hasInStep && this.#toldIndex < index && !signal.aborted) {
      this.#isStale = true
      this.wake()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #lookAgain(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Whether the client was told all that the node told. */
  isInStep(watcher: Watcher): boolean {
    return this.#inStep.all.has(watcher) && this.#position >= this.#nodeRevision
  }

  headerOf(revision: number): Buffer {
    return this.#member.header(revision)
  }

  /** The header of a response that tells all up to the hub's position. */
  header(): Buffer {
    return this.headerOf(this.#position)
  }

  /** Tells the listener's progress once all its watchers have been told what happened up to `revision`. */
  askProgress(listener: Listener, revision: number): void {
    const waiting = this.#progress.get(listener)
    if (waiting === undefined) this.#progress.set(listener, [revision])
    else waiting.push(revision)
  }

  /** A listener has room, or asks: something may have to be done. */
  wake(): void {
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    clearTimeout(this.#retry)
    try {
      // No wait is between the last look for work and the end, so that no call to wake is lost.
      while (this.#hasWork()) {
        if (this.#hasToRead()) await this.#readOn()
        const first = this.#firstBehind()
        if (first !== undefined) await this.#catchUp(first)
      }
    } catch (error) {
      if (error instanceof EtcdError) this.#retryLater()
      else for (const listener of this.#listeners) listener.fail(error)
    } finally {
      this.#isRunning = false
    }
  }

  /** Without listeners, a timer would only keep the process alive. */
  #retryLater(): void {
    if (this.#listeners.size > 0) this.#retry = setTimeout(() => this.wake(), retryMs)
  }

  #hasToRead(): boolean {
    return this.#asking.size > 0 || (this.#isStale && this.#inStep.all.size + this.#behind.all.size > 0)
  }

  #hasWork(): boolean {
    this.#tellProgress()
    return this.#hasToRead() || this.#firstBehind() !== undefined
  }

  async #readOn(): Promise<void> {
    const asking = [...this.#asking].map((listener) => ({ listener, count: listener.requests.length }))
    const from = this.hasInStep ? this.#position + 1 : noHistory
    const index = this.#member.look().lastApplied
    let history: History
    this.#asking = new Set()
    this.#isStale = false
    try {
      history = await this.#read(from)
    } catch (error) {
      this.#isStale = true
      this.#askAgain(asking)
      throw error
    }
    if (history.compactRevision !== undefined) {
      this.#compacted(this.#inStep, history.compactRevision)
      this.#position = Math.max(this.#position, history.compactRevision - 1)
      this.#isStale = true
      this.#askAgain(asking)
      return
    }
    if (await this.#advance(from, history)) this.#toldIndex = Math.max(this.#toldIndex, index)
    this.#lookAgain()
    let served = 0
    for (const { listener, count } of asking) {
      if (!this.#listeners.has(listener)) continue
      listener.serve(count, history.revision)
      served += count
      if (served < responsesOfTurn) continue
      served = 0
      await turn()
    }
  }

  /** A listener that was closed during the read asks for nothing. */
  #askAgain(asking: readonly { readonly listener: Listener }[]): void {
    for (const { listener } of asking) if (this.#listeners.has(listener)) this.#asking.add(listener)
  }

  async #read(from: number): Promise<History> {
    this.#appliedIndex = this.#member.look().lastApplied
    const history = await readHistory(this.#member, from, historyBytes, this.#prevKvs > 0)
    if (history.compactRevision === undefined) this.#nodeRevision = history.revision
    return history
  }

  /** Whether that was all that the node told. */
  async #advance(from: number, { events, revision }: History): Promise<boolean> {
    const last = events.at(-1)
    if (from === noHistory) this.#position = Math.max(this.#position, revision)
    if (last === undefined) return true
    // Every revision has events: the history ends early only for want of room.
    const isWhole = last.revision >= revision
    if (!isWhole) this.#isStale = true
    await this.#deliver(events, this.#inStep, undefined, (watcher, next) => {
      watcher.next = next
      this.#inStep.delete(watcher)
      this.#behind.add(watcher)
    })
    this.#position = last.revision
    return isWhole
  }

  /** The first watcher behind that can be served. */
  #firstBehind(): Watcher | undefined {
    for (const watcher of this.#behind.all)
      if (watcher.listener.hasRoom && watcher.next <= this.#nodeRevision) return watcher
    return undefined
  }

  /** Serves the piece of history that `first` wants next, and with it all watchers that start within. */
  async #catchUp(first: Watcher): Promise<void> {
    const from = Math.max(first.next, 1)
    const { revision, events, compactRevision } = await this.#read(from)
    if (compactRevision !== undefined) return this.#compacted(this.#behind, compactRevision)
    if (first.next < 0) return this.#beforeHistory(revision)
    const last = events.at(-1)?.revision ?? revision
    const served = new Set<Watcher>()
    for (const watcher of this.#behind.all)
      if (watcher.next >= from && watcher.next <= last) served.add(watcher)
    await this.#deliver(events, this.#behind, served, (watcher, next) => {
      watcher.next = next
      served.delete(watcher)
    })
    for (const watcher of served) {
      if (!this.#behind.delete(watcher)) continue
      watcher.next = last + 1
      this.#place(watcher)
    }
  }

  /** A watch from a negative revision: etcd takes -1 for the present, and what is before as compacted at -1. */
  #beforeHistory(revision: number): void {
    this.#compacted(this.#behind, neverCompacted)
    for (const watcher of [...this.#behind.all].filter(({ next }) => next === neverCompacted)) {
      watcher.next = Math.max(this.#position, revision) + 1
      this.#behind.delete(watcher)
      this.#inStep.add(watcher)
    }
  }

  /**
   * Gives each watcher its events in one response. `late` takes a watcher whose client has no room, with the first
   * revision that the client has not got.
   */
  async #deliver(
    events: readonly WatchEvent[],
    group: Ranges<Watcher>,
    served: ReadonlySet<Watcher> | undefined,
    late: (watcher: Watcher, next: number) => void,
  ): Promise<void> {
    let matches = 0
    let batches = new Map<Watcher, WatchEvent[]>()
    for (const [at, event] of events.entries()) {
      group.forEachAt(event.key, (watcher) => {
        if (!wants(watcher, event) || served?.has(watcher) === false) return
        matches++
        const batch = batches.get(watcher)
        if (batch === undefined) batches.set(watcher, [event])
        else batch.push(event)
      })
      // Events of one revision stay together.
      const next = events[at + 1]
      if (next !== undefined && (matches < matchesMax || next.revision === event.revision)) continue
      await this.#send(batches, group, event.revision, late)
      matches = 0
      batches = new Map()
    }
  }

  /** Watchers may be deleted between two turns. */
  async #send(
    batches: ReadonlyMap<Watcher, readonly WatchEvent[]>,
    group: Ranges<Watcher>,
    revision: number,
    late: (watcher: Watcher, next: number) => void,
  ): Promise<void> {
    const header = this.#member.header(revision)
    let sent = 0
    for (const [watcher, events] of batches) {
      if (!group.all.has(watcher)) continue
      if (!watcher.listener.hasRoom) {
        late(watcher, events[0]!.revision)
        continue
      }
      watcher.listener.sendEvents(watcher, header, events)
      watcher.hasSent = true
      this.#events += events.length
      if (++sent % responsesOfTurn === 0) await turn()
    }
  }

  /** The history before `compactRevision` is gone. A client without room is told later. */
  #compacted(group: Ranges<Watcher>, compactRevision: number): void {
    // etcd's response says no revision of the store.
    const header = this.headerOf(0)
    for (const watcher of [...group.all]) {
      if (watcher.next >= compactRevision) continue
      group.delete(watcher)
      if (watcher.listener.hasRoom) {
        if (watcher.prevKv) this.#prevKvs--
        watcher.listener.sendCompacted(watcher, header, compactRevision)
      } else this.#behind.add(watcher)
    }
  }

  #tellProgress(): void {
    if (this.#progress.size === 0) return
    const late = new Set([...this.#behind.all].map(({ listener }) => listener))
    for (const [listener, revisions] of this.#progress) {
      while (revisions[0]! <= this.#position && listener.hasRoom && !late.has(listener)) {
        listener.sendProgress(this.header())
        revisions.shift()
        if (revisions.length === 0) {
          this.#progress.delete(listener)
          break
        }
      }
    }
  }
}
