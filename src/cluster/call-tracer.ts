/** Calls that are followed on their way, for traces. */
import type { ErrorCode } from '../errors/index.js'
import type { LogIndex } from '../raft/index.js'

/** A call that was chosen, in the hands of whoever chose it. */
export interface ChosenCall {
  /** When it was made, by `performance.now`. */
  readonly calledAtMs: number
}

/** Chooses the calls that are followed, and is told what comes of them. */
export interface CallTracer {
  /** A call with commands is made. `undefined`: it is not followed. */
  choose(): ChosenCall | undefined
  /** `index`: the place of its last command in the log. */
  answered(call: ChosenCall, index: LogIndex, atMs: number): void
  failed(call: ChosenCall, code: ErrorCode): void
  /** The traces and spans until now. */
  readonly told: TracesTold
}

export interface TracesTold {
  /** Calls of which a trace was begun. */
  readonly calls: number
  /** Calls that were chosen and have no trace, since too many waited for theirs. */
  readonly callsDropped: number
  readonly spansSent: number
  /** Spans that were not made since their rows were overwritten before they were read, or that were made in vain. */
  readonly spansDropped: number
}

/** A chosen call among the commands of its frame. */
export interface CallInFrame {
  readonly call: ChosenCall
  /** How many commands of the frame come before the last one of the call. */
  readonly place: number
}
