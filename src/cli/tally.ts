/** What clients saw, and how long it took: everything after the warm-up and before the end. */
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks'
import { RaftError } from '../cluster/index.js'
import type * as workload from './workload.js'

/** A plain put, or an operation of a workload. */
export type OperationName = workload.OperationName | 'put'

export interface Latencies {
  readonly count: number
  readonly p50ms: number
  readonly p99ms: number
  readonly p999ms: number
  readonly maxMs: number
}

/** Before a client asks again after an error, so that it does not spin while nobody leads. */
const pauseMs = 10

export class Tally {
  /** Clients make no more calls. */
  isStopped = false
  /** Commands acknowledged, warm-up included: for progress. */
  commandsSoFar = 0
  /** Calls answered, warm-up included. */
  callsSoFar = 0
  /** Within the window: */
  commands = 0
  notApplied = 0
  unknown = 0
  /** The clock of all latencies, in milliseconds. */
  readonly now: () => number
  /** Microseconds, up to the last cut and since then: a call costs the clients one record, not two. */
  readonly #latencies = new Map<OperationName, RecordableHistogram>()
  readonly #sinceCut = new Map<OperationName, RecordableHistogram>()
  /** Those of the call before, which is mostly of the same kind. */
  #lastOp: OperationName | undefined
  #lastHistogram: RecordableHistogram | undefined
  #commandsAtCut = 0
  readonly #broken = new AbortController()
  #isOpen = false

  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  /** Aborted, with the error as its reason, when going on is pointless. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  open(): void {
    this.#isOpen = true
  }

  close(): void {
    this.#isOpen = false
    this.cut()
  }

  /** Ends a stretch of the window: what was acknowledged since the last cut, and how fast. */
  cut(): { readonly commands: number; readonly p99ms: number } {
    const stretch = createHistogram()
    for (const [op, histogram] of this.#sinceCut) {
      stretch.add(histogram)
      histogramOf(this.#latencies, op).add(histogram)
      histogram.reset()
    }
    const commands = this.commands - this.#commandsAtCut
    this.#commandsAtCut = this.commands
    return { commands, p99ms: latenciesOf(stretch).p99ms }
  }

  /** A call that counts from `startMs` was answered at `endMs`, and `commands` writes in it were acknowledged. */
  answered(op: OperationName, startMs: number, endMs: number, commands: number): void {
    this.callsSoFar++
    this.commandsSoFar += commands
    if (!this.#isOpen) return
    this.commands += commands
    if (op !== this.#lastOp || this.#lastHistogram === undefined) {
      this.#lastOp = op
      this.#lastHistogram = histogramOf(this.#sinceCut, op)
    }
    // A histogram of microseconds counts from 1.
    this.#lastHistogram.record(Math.max(1, Math.round((endMs - startMs) * 1000)))
  }

  /** Counts what may be tried again, and pauses; anything else ends the run. */
  async failed(error: unknown): Promise<void> {
    if (this.isStopped) return
    const isKnown = error instanceof RaftError && error.mayHaveHappened === 'no'
    if (!(error instanceof RaftError) || (isKnown && !error.isRetryable)) {
      this.giveUp(error)
      return
    }
    if (this.#isOpen && isKnown) this.notApplied++
    else if (this.#isOpen) this.unknown++
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }

  giveUp(error: unknown): void {
    this.isStopped = true
    this.#broken.abort(error)
  }

  /** Of all calls, whatever they were. */
  get latencies(): Latencies {
    const all = createHistogram()
    for (const histogram of this.#latencies.values()) all.add(histogram)
    return latenciesOf(all)
  }

  get latenciesByOperation(): Partial<Record<OperationName, Latencies>> {
    return Object.fromEntries([...this.#latencies].map(([op, histogram]) => [op, latenciesOf(histogram)]))
  }

  /** In microseconds, for each operation: of the window once it is closed. */
  get histograms(): ReadonlyMap<OperationName, RecordableHistogram> {
    return this.#latencies
  }
}

function histogramOf(
  histograms: Map<OperationName, RecordableHistogram>,
  op: OperationName,
): RecordableHistogram {
  let histogram = histograms.get(op)
  if (histogram === undefined) {
    histogram = createHistogram()
    histograms.set(op, histogram)
  }
  return histogram
}

function latenciesOf(histogram: RecordableHistogram): Latencies {
  const { count } = histogram
  const at = (percent: number): number => (count === 0 ? 0 : histogram.percentile(percent) / 1000)
  return { count, p50ms: at(50), p99ms: at(99), p999ms: at(99.9), maxMs: at(100) }
}
