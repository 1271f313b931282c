/** What clients saw, and how long it took: everything after the warm-up and before the end. */
import { performance } from 'node:perf_hooks'
import { RaftError } from '../cluster/index.js'
import { LatencyHistogram } from '../telemetry/index.js'
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

/** The first calls, slower than later ones: short programs, such as tests, make no others. */
const firstCalls = 100

/** Before a client asks again after an error, so that it does not spin while nobody leads. */
const pauseMs = 10

export class Tally {
  /** Clients make no more calls. */
  isStopped = false
  /** Calls within the window that did not happen, or of which nobody knows. */
  notApplied = 0
  unknown = 0
  /** The clock of all latencies, in milliseconds. */
  readonly now: () => number
  #callsSoFar = 0
  #commandsSoFar = 0
  #commands = 0
  /** Up to the last cut and since then: a call costs the clients one record, not two. */
  readonly #latencies = new Map<OperationName, LatencyHistogram>()
  readonly #sinceCut = new Map<OperationName, LatencyHistogram>()
  /** Calls that are alike and not in the figures yet: those that come together are mostly of those that went together. */
  readonly #alike = { calls: 0, op: 'put' as OperationName, startMs: 0, endMs: 0, commands: 0 }
  #commandsAtCut = 0
  #lastAnswerMs = 0
  #longestSilenceMs = 0
  readonly #broken = new AbortController()
  #isOpen = false
  readonly #first = new LatencyHistogram()

  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  /** Aborted, with the error as its reason, when going on is pointless. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** Calls answered, warm-up included. */
  get callsSoFar(): number {
    this.#countAlike()
    return this.#callsSoFar
  }

  /** Commands acknowledged, warm-up included: for progress. */
  get commandsSoFar(): number {
    this.#countAlike()
    return this.#commandsSoFar
  }

  /** Commands acknowledged within the window. */
  get commands(): number {
    this.#countAlike()
    return this.#commands
  }

  /** The longest time within the window in which no call was answered. */
  get unavailableMs(): number {
    return Math.max(this.#longestSilenceMs, this.#isOpen ? this.now() - this.#lastAnswerMs : 0)
  }

  open(): void {
    this.#countAlike()
    this.#lastAnswerMs = this.now()
    this.#isOpen = true
  }

  close(): void {
    this.cut()
    this.#longestSilenceMs = this.unavailableMs
    this.#isOpen = false
  }

  /** Ends a stretch of the window: what was acknowledged since the last cut, and how fast. */
  cut(): { readonly commands: number; readonly p99ms: number } {
    this.#countAlike()
    const stretch = new LatencyHistogram()
    for (const [op, histogram] of this.#sinceCut) {
      stretch.add(histogram)
      histogramOf(this.#latencies, op).add(histogram)
    }
    this.#sinceCut.clear()
    const commands = this.#commands - this.#commandsAtCut
    this.#commandsAtCut = this.#commands
    return { commands, p99ms: latenciesOf(stretch).p99ms }
  }

  /** A call that counts from `startMs` was answered at `endMs`, and `commands` writes in it were acknowledged. */
  answered(op: OperationName, startMs: number, endMs: number, commands: number): void {
    const alike = this.#alike
    const isAlike =
      op === alike.op && startMs === alike.startMs && endMs === alike.endMs && commands === alike.commands
    if (!isAlike) {
      this.#countAlike()
      if (this.#isOpen) this.#longestSilenceMs = Math.max(this.#longestSilenceMs, endMs - this.#lastAnswerMs)
      this.#lastAnswerMs = endMs
      alike.op = op
      alike.startMs = startMs
      alike.endMs = endMs
      alike.commands = commands
    }
    alike.calls++
  }

  /** A record of a workload is in its place: progress, and no call of a client. */
  filled(): void {
    this.#callsSoFar++
    this.#commandsSoFar++
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

  /** Of the first hundred calls, warm-up included: most of their code has not been compiled yet. */
  get firstHundredP50ms(): number {
    this.#countAlike()
    return latenciesOf(this.#first).p50ms
  }

  /** Of all calls, whatever they were. */
  get latencies(): Latencies {
    const all = new LatencyHistogram()
    for (const histogram of this.#latencies.values()) all.add(histogram)
    return latenciesOf(all)
  }

  get latenciesByOperation(): Partial<Record<OperationName, Latencies>> {
    return Object.fromEntries([...this.#latencies].map(([op, histogram]) => [op, latenciesOf(histogram)]))
  }

  /** In microseconds, for each operation: of the window once it is closed. */
  get histograms(): ReadonlyMap<OperationName, LatencyHistogram> {
    return this.#latencies
  }

  #countAlike(): void {
    const { calls, op, startMs, endMs, commands } = this.#alike
    if (calls === 0) return
    this.#alike.calls = 0
    this.#callsSoFar += calls
    this.#commandsSoFar += calls * commands
    const young = Math.min(calls, firstCalls - this.#first.count)
    if (young > 0) this.#first.record(Math.round((endMs - startMs) * 1000), young)
    if (!this.#isOpen) return
    this.#commands += calls * commands
    histogramOf(this.#sinceCut, op).record(Math.round((endMs - startMs) * 1000), calls)
  }
}

function histogramOf(histograms: Map<OperationName, LatencyHistogram>, op: OperationName): LatencyHistogram {
  let histogram = histograms.get(op)
  if (histogram === undefined) {
    histogram = new LatencyHistogram()
    histograms.set(op, histogram)
  }
  return histogram
}

function latenciesOf(histogram: LatencyHistogram): Latencies {
  const at = (percent: number): number => histogram.percentile(percent) / 1000
  return { count: histogram.count, p50ms: at(50), p99ms: at(99), p999ms: at(99.9), maxMs: at(100) }
}
