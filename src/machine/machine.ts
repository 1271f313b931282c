/**
 * The replicated state machine (§2) as a user implements it, in a module of their own whose default export is a
 * `MachineFactory`. A machine is deterministic: it uses nothing but its commands, no clock and no random numbers, so
 * that equal logs make equal states. If `apply` throws, the node of the machine stops; if `read` throws, the query is
 * refused.
 */
import type { Frame, LogIndex, Term } from '../raft/index.js'

/**
 * A run of commands in log order; walk it with `forEachCommand`. Index, term and time stand in the log, so they are the
 * same on every node.
 */
export interface CommandRun extends Frame {
  /** Log index of the first command. */
  readonly index: LogIndex
  /** The term of the leader that took the commands. */
  readonly term: Term
  /**
   * The log's time, in milliseconds: 0 before it is told first. Leaders tell it while there are sessions of clients, or while
   * the machine waits for time, about sixty times in the shortest timeout and once a heartbeat at most. The time never falls, stands still while nobody
   * leads, and counts from no date. A command comes later than the last time that was told before it, and earlier than the next.
   */
  readonly timeMs: number
}

/** An entry in which a leader told the log's time. Index, term and time are the same on every node. */
export interface TimeTelling {
  readonly index: LogIndex
  /** The term of the leader that told the time. */
  readonly term: Term
  /** The log's time from this entry on. */
  readonly timeMs: number
}

/** Takes one result for each command or query, in order. */
export interface ResultWriter {
  append(result: Uint8Array): void
  /**
   * Makes room for a result of `length` bytes and returns its offset in `bytes`. While queries are answered, this and
   * `append` throw once all answers together would be too large for one message. A machine lets that error through.
   */
  reserve(length: number): number
  /** The buffer of the results. Each `reserve` may replace it by another. */
  readonly bytes: Uint8Array
}

export interface StateMachine {
  /**
   * The machine's name, at most 100 characters. A directory remembers the first name that its machine has, and refuses a
   * machine with another name or with none. A machine may leave it out.
   */
  readonly name?: string

  /**
   * Applies the commands. When a client of this node waits for the results, or a session remembers them, `results` is
   * given, and the machine appends exactly one result for each command. The results that a session remembers are a part
   * of the state, so results are as deterministic as the machine. `run.bytes` is reused after the call: a machine copies
   * the bytes that it keeps.
   */
  apply(run: CommandRun, results: ResultWriter | undefined): void

  /**
   * Answers queries from the present state and changes nothing; `forEachCommand` walks them. The machine appends
   * exactly one result for each query, in their order. A query at which `read` throws is refused, and the others are
   * read again. `queries.bytes` is reused after the call. `results` may end the call early by an error: the queries
   * without an answer are asked again.
   */
  read(queries: Frame, results: ResultWriter): void

  /**
   * The state at the moment of the call, piece by piece. The first piece is pulled at once. Commands are applied between
   * two later ones, and a piece must not show them: a generator copies what it needs before it yields its first piece.
   * Only one snapshot is taken at a time. `return()` ends a snapshot early.
   */
  snapshot(): Iterator<Uint8Array>

  /** Replaces the state by that of a snapshot. The pieces may be cut at other places than `snapshot` cut them. */
  restore(pieces: Iterable<Uint8Array>): void

  /**
   * A hash of the state: equal for equal states, whatever commands led to them, and as good as surely unequal for
   * others.
   */
  hash(): string

  /**
   * The shortest time for which the machine waits, in milliseconds, as its state says; infinite while it waits for none.
   * Leaders then tell the log's time about sixty times in it, and once a heartbeat at most. A machine that waits for no time
   * leaves it out.
   */
  readonly leastTimeoutMs?: number

  /** Called where the log's time is told, in log order with the commands. The machine may change its state. */
  timeTold?(telling: TimeTelling): void

  /** Figures of the state by their names, such as the number of keys: for people. A machine may leave it out. */
  summary?(): Readonly<Record<string, number>>
}

export type MachineFactory = () => StateMachine
