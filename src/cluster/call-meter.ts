/** Counts the calls of all clients, and how long they took: once a frame of calls, not once a call. */
import { type ErrorCode, RaftError } from '../errors/index.js'
import type { LogIndex } from '../raft/index.js'
import { SharedHistogram } from '../telemetry/index.js'
import type { CallTracer } from './call-tracer.js'
import type { CallsTold } from './look.js'
import type { Request } from './requests.js'

export class CallMeter {
  readonly #answered = new SharedHistogram(new ArrayBuffer(SharedHistogram.byteLength))
  readonly #failed = new Map<ErrorCode, number>()

  #tracer: CallTracer | undefined

  /** Follows calls into traces. */
  get tracer(): CallTracer | undefined {
    return this.#tracer
  }

  /** Returns what takes the tracer off. */
  traceBy(tracer: CallTracer): () => void {
    if (this.#tracer !== undefined)
      throw new RaftError('INVALID_OPTION', {
        option: 'tracer',
        expected: 'one at a time: close the Traces that follow this cluster',
        actual: 'a second one',
      })
    this.#tracer = tracer
    return () => {
      if (this.#tracer === tracer) this.#tracer = undefined
    }
  }

  /** `firstIndex`: the place of the first command in the log. */
  answered({ outcomes, packedAtMs, chosen }: Request, firstIndex: LogIndex, nowMs: number): void {
    this.#answered.record((nowMs - packedAtMs) * 1000, outcomes.length)
    if (chosen === undefined) return
    for (const { call, place } of chosen) this.#tracer?.answered(call, firstIndex + place, nowMs)
  }

  failed({ outcomes, chosen }: Request, { code }: RaftError): void {
    this.#count(code, outcomes.length)
    if (chosen === undefined) return
    for (const { call } of chosen) this.#tracer?.failed(call, code)
  }

  /** A call was refused as it was made. */
  refused({ code }: RaftError): void {
    this.#count(code, 1)
  }

  #count(code: ErrorCode, calls: number): void {
    this.#failed.set(code, (this.#failed.get(code) ?? 0) + calls)
  }

  read(): CallsTold {
    return { answered: this.#answered.read(), failed: new Map(this.#failed), traces: this.#tracer?.told }
  }
}
