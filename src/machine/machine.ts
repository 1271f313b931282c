/**
 * The replicated state machine (§2) as a user implements it, in a module of their own whose default export
 * is a `MachineFactory`. A machine is deterministic: it knows nothing but what it was handed, no clock, no
 * dice, no order of object keys, so that equal logs make equal states. If `apply` throws, its node stops.
 */
import type { Frame, LogIndex } from '../raft/index.js'

/** A run of commands in log order; walk it with `forEachCommand`. */
export interface CommandRun extends Frame {
  /** Log index of the first command. */
  readonly index: LogIndex
}

/** Takes one result for each command or query, in order. */
export interface ResultWriter {
  append(result: Uint8Array): void
  /**
   * Room for a result of `length` bytes; returns the offset in `bytes` where it goes. To a query this throws, as
   * `append` does, where all answers together become too large for one message: let the error through.
   */
  reserve(length: number): number
  /** Another one after each `reserve`. */
  readonly bytes: Uint8Array
}

export interface StateMachine {
  /**
   * Applies the commands. `results` is there when a client waits for them on this node: then exactly one
   * result a command must be appended. `run.bytes` must not be kept: copy what shall stay.
   */
  apply(run: CommandRun, results: ResultWriter | undefined): void

  /**
   * Answers queries from the present state and changes nothing; walk them with `forEachCommand`. Exactly one result
   * a query must be appended, in their order; a malformed one gets an answer that says so. `queries.bytes` must not
   * be kept. `results` may end it early, by an error: the queries not answered by then are asked again.
   */
  read(queries: Frame, results: ResultWriter): void

  /**
   * The state at the moment of the call, piece by piece. Pieces are pulled between commands, so later
   * commands must not show in them. Only one snapshot is taken at a time; `return()` ends it early.
   */
  snapshot(): Iterator<Uint8Array>

  /** Replaces the state by that of a snapshot. Pieces come cut at other places than they were made. */
  restore(pieces: Iterable<Uint8Array>): void

  /** Equal for equal states, however they came about; unequal otherwise, to a good hash's certainty. */
  hash(): string
}

export type MachineFactory = () => StateMachine
