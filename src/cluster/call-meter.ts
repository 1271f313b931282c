/** Counts the calls of all clients, and how long they took: once a frame of calls, not once a call. */
import type { ErrorCode, RaftError } from '../errors/index.js'
import { SharedHistogram } from '../telemetry/index.js'
import type { CallsTold } from './look.js'
import type { Request } from './requests.js'

export class CallMeter {
  readonly #answered = new SharedHistogram(new ArrayBuffer(SharedHistogram.byteLength))
  readonly #failed = new Map<ErrorCode, number>()

  answered({ outcomes, packedAtMs }: Request, nowMs: number): void {
    this.#answered.record((nowMs - packedAtMs) * 1000, outcomes.length)
  }

  failed({ code }: RaftError, calls: number): void {
    this.#failed.set(code, (this.#failed.get(code) ?? 0) + calls)
  }

  read(): CallsTold {
    return { answered: this.#answered.read(), failed: new Map(this.#failed) }
  }
}
