/** Makes traces of calls and of happenings, and of the rows of nodes, which are read without asking the nodes. */
import { lastStepOf, type RoleChange, type Timeline, timelineOf } from '../explain/index.js'
import type { NodeId } from '../raft/index.js'
import { type Happened, type StageReader, StageTail, storyNow } from '../telemetry/index.js'
import { commandTrace, type EndedCall } from './command-spans.js'
import { Configurations } from './configurations.js'
import { electionTrace } from './election-spans.js'
import type { Outbox } from './outbox.js'
import type { Done, News, ToWorker } from './protocol.js'
import { Snapshots } from './snapshot-spans.js'
import { Tracks } from './tracks.js'

/** A trace is made so long after its end, when the followers have come as far as the leader. */
const settleMs = 250
/** Rows are kept for so long: a call waits for its answer at most as long, in most clusters. */
const rowsKeptMs = 10_000
const happenedMax = 4000
/** Calls beyond this number wait for the next look, so that none takes long. */
const callsPerLook = 256

export class Tracing {
  readonly #outbox: Outbox
  readonly #tracks = new Tracks()
  readonly #tail: StageTail
  readonly #snapshots: Snapshots
  readonly #warn: (line: string) => void
  #cluster = { heartbeatIntervalMs: 100, electionTimeoutMs: 500 }
  readonly #configurations = new Configurations()
  readonly #nodeIds = new Set<NodeId>()
  #happened: Happened[] = []
  readonly #calls: EndedCall[] = []
  /** Elections that were won and are to be told. */
  readonly #won: RoleChange[] = []
  #callsDone = 0
  #spansLost = 0

  constructor(outbox: Outbox, warn: (line: string) => void) {
    this.#outbox = outbox
    this.#warn = warn
    this.#snapshots = new Snapshots(this.#tracks, (spans) => outbox.add(spans))
    const reader: StageReader = {
      passed: (...row) => this.#tracks.passed(...row),
      chunkAnswered: (...answer) => this.#snapshots.chunkAnswered(...answer),
      lost: (nodeId) => this.#tracks.lost(nodeId),
    }
    this.#tail = new StageTail(reader)
  }

  take(message: Exclude<ToWorker, { type: 'close' }>): void {
    switch (message.type) {
      case 'cluster':
        this.#cluster = message
        this.#configurations.begin(message.configuration)
        return
      case 'node':
        this.#nodeIds.add(message.nodeId)
        return this.#tail.add(message.nodeId, message.memory, message.isNew)
      case 'nodeGone':
        this.#nodeIds.delete(message.nodeId)
        this.#tail.remove(message.nodeId)
        return this.#tracks.forget(message.nodeId)
      case 'news':
        return this.#hear(message)
    }
  }

  #hear({ calls, happened }: News): void {
    this.#calls.push(...calls)
    for (const event of happened) {
      this.#happened.push(event)
      this.#snapshots.happened(event)
      this.#configurations.happened(event)
      if (event.type === 'role' && event.role === 'leader') this.#won.push(event)
    }
    if (this.#happened.length > 2 * happenedMax) this.#happened = this.#happened.slice(-happenedMax)
  }

  /** Reads what the nodes told since the last look, and makes the traces that are due. */
  look(nowMs = storyNow(), callsMax = callsPerLook): void {
    this.#tail.read()
    const dueMs = nowMs - settleMs
    for (const call of takeWhile(this.#calls, callsMax, ({ endedAtMs }) => endedAtMs <= dueMs))
      this.#traceCall(call)
    this.#traceElections(takeWhile(this.#won, Number.POSITIVE_INFINITY, ({ atMs }) => atMs <= dueMs))
    this.#snapshots.look(dueMs)
    if (nowMs === Number.POSITIVE_INFINITY) return
    this.#tracks.forgetBefore(nowMs - rowsKeptMs)
    this.#snapshots.forgetBefore(nowMs - rowsKeptMs)
  }

  /** When all that has ended by now is due. */
  get dueMs(): number {
    return Math.max(this.#calls.at(-1)?.endedAtMs ?? 0, this.#won.at(-1)?.atMs ?? 0) + settleMs
  }

  /** Traces what did not come to an end. */
  close(): void {
    this.look(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    this.#snapshots.close(storyNow())
    const timeline = this.#timeline()
    const last = lastStepOf(timeline, undefined)
    if (last !== undefined && last.role !== 'leader') this.#outbox.add(electionTrace(timeline, last))
  }

  get nodes(): number {
    return this.#nodeIds.size
  }

  get done(): Done {
    const { sent, dropped } = this.#outbox
    return { calls: this.#callsDone, spansSent: sent, spansDropped: dropped + this.#spansLost }
  }

  /** One timeline serves all of them: it orders all that happened. */
  #traceElections(won: readonly RoleChange[]): void {
    if (won.length === 0) return
    const timeline = this.#timeline()
    for (const each of won) this.#outbox.add(electionTrace(timeline, each))
  }

  #traceCall(call: EndedCall): void {
    this.#callsDone++
    const { spans, missing } = commandTrace(call, this.#tracks, (nodeId, atMs) =>
      this.#configurations.at(nodeId, atMs),
    )
    this.#outbox.add(spans)
    if (missing === 0) return
    if (this.#spansLost === 0)
      this.#warn('traces lack spans, which are counted: rows of nodes were overwritten before they were read')
    this.#spansLost += missing
  }

  #timeline(): Timeline {
    const { heartbeatIntervalMs, electionTimeoutMs } = this.#cluster
    const times = { heartbeatIntervalMs, electionTimeoutMs, tickMs: heartbeatIntervalMs }
    const { configuration } = this.#configurations
    const told = { configuration, happened: this.#happened, passed: [], carried: [] }
    return timelineOf({ nodeIds: [...this.#nodeIds], ...times, ...told })
  }
}

/** Takes the first ones off a list, as long as the rule holds. */
function takeWhile<T>(list: T[], most: number, isDue: (one: T) => boolean): T[] {
  const first = list.findIndex((one, at) => at === most || !isDue(one))
  return list.splice(0, first < 0 ? list.length : first)
}
