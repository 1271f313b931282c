/** Traces of a cluster. The program's thread chooses the calls that are followed; a thread of the traces does all else. */
import { Worker } from 'node:worker_threads'
import type { CallTracer, ChosenCall, Cluster, TracesTold } from '../cluster/index.js'
import { checkOptions, type ErrorCode, RaftError, reasonOf } from '../errors/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import { type Happened, storyTimeOf } from '../telemetry/index.js'
import type { EndedCall } from './command-spans.js'
import { placeOf } from './place.js'
import type { Done, FromWorker, ToWorker } from './protocol.js'
import { type CallersSpan, callersSpanOf } from './traceparent.js'

/** How often ended calls and happenings are handed on. */
const handEveryMs = 50
/** Calls that are followed at a time, until their traces are made. */
const callsMax = 8192
const closeWithinMs = 5000

export interface TraceOptions {
  /**
   * A collector's URL, whose path is `/v1/traces` where it has none, or the path of a file. Default: the URL that
   * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT names.
   */
  readonly to?: string
  /**
   * The share of the calls with commands that is followed, 0 to 1. Default 1. A call within a caller's own span is followed
   * if that one is recorded, whatever the share.
   */
  readonly share?: number
}

interface Followed extends ChosenCall {
  readonly callers: CallersSpan | undefined
}

export class Traces implements CallTracer {
  readonly #worker: Worker
  readonly #share: number
  /** The span in the active context of `@opentelemetry/api`, where that package is there. */
  readonly #active: () => CallersSpan | undefined
  /** The span that a `traceparent` names, while calls within it are made. */
  #within: CallersSpan | undefined
  #calls: EndedCall[] = []
  #happened: Happened[] = []
  #chosen = 0
  #callsDropped = 0
  /** Chosen calls that were not traced when the traces ended. */
  #callsLost = 0
  #done: Done = { calls: 0, spansSent: 0, spansDropped: 0 }
  #hand: () => void = () => undefined
  /** Follows the cluster no more. */
  #leave: () => void = () => undefined
  #isOver = false
  #closing: Promise<TracesTold> | undefined

  private constructor(worker: Worker, share: number, active: () => CallersSpan | undefined) {
    this.#worker = worker
    this.#share = share
    this.#active = active
  }

  /** Rejects with a `RaftError` when an option does not fit, a file cannot be written, or packages are missing. */
  static async open(options: TraceOptions = {}): Promise<Traces> {
    checkOptions('Traces.open', options, ['to', 'share'])
    const { to, share = 1 } = options
    if (!(typeof share === 'number' && share >= 0 && share <= 1))
      throw new RaftError('INVALID_OPTION', {
        option: 'share',
        expected: 'a number from 0 to 1',
        actual: String(share),
      })
    const place = placeOf(to, process.env)
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: place, execArgv: [] })
    worker.unref()
    try {
      await answerOf(worker, 'ready')
    } catch (error) {
      await worker.terminate()
      const expected = `what can take traces (${reasonOf(error)})`
      const actual = to ?? 'what the environment names'
      throw new RaftError('INVALID_OPTION', { option: 'to', expected, actual })
    }
    const traces = new Traces(worker, share, await activeSpan())
    traces.#listen()
    return traces
  }

  /** Follows the calls and the happenings of a cluster. A `Traces` follows one cluster, and none once it is being closed. */
  follow(cluster: Cluster): void {
    // Nothing would take it off the cluster again.
    if (this.#closing !== undefined)
      throw new RaftError('INVALID_OPTION', {
        option: 'follow',
        expected: 'Traces that are open',
        actual: 'closed ones: open others for the cluster',
      })
    const { memories, end } = cluster.trace(this)
    const { heartbeatIntervalMs, electionTimeoutMs } = cluster.options
    const configuration = cluster.membership
    this.#post({ type: 'cluster', heartbeatIntervalMs, electionTimeoutMs, configuration })
    const hear = (event: Happened): void => void this.#happened.push(event)
    cluster.events.on('event', hear)
    this.#leave = () => {
      end()
      cluster.events.off('event', hear)
      clearInterval(timer)
    }
    const known = new Set<NodeId>()
    const compare = (isNew: boolean): void => {
      for (const [nodeId, { busy, calm }] of memories) {
        if (known.has(nodeId)) continue
        known.add(nodeId)
        this.#post({ type: 'node', nodeId, memory: { busy, calm }, isNew })
      }
      for (const nodeId of known) {
        if (memories.has(nodeId)) continue
        known.delete(nodeId)
        this.#post({ type: 'nodeGone', nodeId })
      }
    }
    compare(false)
    this.#hand = () => {
      compare(true)
      this.#handOn()
    }
    const timer = setInterval(this.#hand, handEveryMs).unref()
  }

  /** Calls that `run` makes at once are followed as parts of the caller's own span that a W3C traceparent names. */
  within<T>(traceparent: string, run: () => T): T {
    const before = this.#within
    this.#within = callersSpanOf(traceparent)
    try {
      return run()
    } finally {
      this.#within = before
    }
  }

  get told(): TracesTold {
    const { spansSent, spansDropped } = this.#done
    const callsDropped = this.#callsDropped + this.#callsLost
    return { calls: this.#chosen - this.#callsLost, callsDropped, spansSent, spansDropped }
  }

  choose(): Followed | undefined {
    if (this.#isOver) return undefined
    const callers = this.#within ?? this.#active()
    if (callers === undefined ? Math.random() >= this.#share : !callers.isSampled) return undefined
    if (this.#chosen - this.#done.calls >= callsMax) {
      if (this.#callsDropped === 0)
        warn('calls come faster than they can be traced: some have no trace, and are counted')
      this.#callsDropped++
      return undefined
    }
    this.#chosen++
    return { calledAtMs: performance.now(), callers }
  }

  answered(call: Followed, index: LogIndex, atMs: number): void {
    this.#ended(call, atMs, index, undefined)
  }

  failed(call: Followed, code: ErrorCode): void {
    this.#ended(call, performance.now(), undefined, code)
  }

  /** Sends what is left, within five seconds; what is left then is dropped, and counted. */
  close(): Promise<TracesTold> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<TracesTold> {
    this.#hand()
    this.#leave()
    this.#post({ type: 'close', withinMs: closeWithinMs })
    const wasOver = this.#isOver
    this.#isOver = true
    this.#worker.ref()
    if (!wasOver) await answerOf(this.#worker, 'closed').catch(() => undefined)
    await this.#worker.terminate()
    this.#loseRest()
    return this.told
  }

  /** Of the chosen calls, those that the thread is not through with have no trace. */
  #loseRest(): void {
    this.#callsLost = this.#chosen - this.#done.calls
  }

  #ended({ calledAtMs, callers }: Followed, endedMs: number, index?: LogIndex, error?: ErrorCode): void {
    const times = { calledAtMs: storyTimeOf(calledAtMs), endedAtMs: storyTimeOf(endedMs) }
    this.#calls.push({ callers, ...times, index, error })
  }

  #handOn(): void {
    if (this.#calls.length === 0 && this.#happened.length === 0) return
    this.#post({ type: 'news', calls: this.#calls, happened: this.#happened })
    this.#calls = []
    this.#happened = []
  }

  #listen(): void {
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'warning') warn(message.line)
      else if (message.type === 'done') this.#done = message
    })
    this.#worker.on('error', (error) => {
      this.#isOver = true
      this.#loseRest()
      warn(`the thread of the traces has failed, and no more are made: ${String(error)}`)
    })
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }
}

function warn(line: string): void {
  process.emitWarning(line, 'RaftboxWarning')
}

/** Resolves when the thread tells so. Rejects when it fails, ends, or takes too long. */
function answerOf(worker: Worker, type: 'ready' | 'closed'): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(timer)
      worker.off('message', heard).off('error', end).off('exit', exited)
      if (error === undefined) resolve()
      else reject(error)
    }
    const heard = (message: FromWorker): void => {
      if (message.type === type) end()
      else if (message.type === 'failed') end(new Error(message.why))
    }
    const exited = (): void => end(new Error('the thread of the traces has ended'))
    const timer = setTimeout(
      () => end(new Error('the thread of the traces does not answer')),
      4 * closeWithinMs,
    )
    worker.on('message', heard).on('error', end).on('exit', exited)
  })
}

/** How the caller's span is found among those of `@opentelemetry/api`. Without the package there is none. */
async function activeSpan(): Promise<() => CallersSpan | undefined> {
  try {
    const { trace, isSpanContextValid } = await import('@opentelemetry/api')
    return () => {
      const own = trace.getActiveSpan()?.spanContext()
      if (own === undefined || !isSpanContextValid(own)) return undefined
      const { traceId, spanId, traceFlags } = own
      return { traceId, spanId, isSampled: (traceFlags & 1) === 1 }
    }
  } catch {
    return () => undefined
  }
}
