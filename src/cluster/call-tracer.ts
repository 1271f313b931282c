/** Calls that are followed on their way, for traces. */
import type { ErrorCode } from '../errors/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import type { WaymarkMemory } from '../telemetry/index.js'

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

export interface CallTracing {
  /** The memory in which each node tells how far its log came. */
  readonly memories: ReadonlyMap<NodeId, WaymarkMemory>
  /** Takes the tracer off: no call is told to it any more. */
  readonly end: () => void
}

export interface TracesTold {
  /** Calls of which a trace was begun. */
  readonly calls: number
  /** Calls without a trace, since too many waited for theirs, or since the traces ended before the call did. */
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
