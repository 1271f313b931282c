/** The parts of which a node is made, as its host hands them to the driver. */
import type { StateMachine } from '../machine/index.js'
import type { LogBounds, RaftOptions, Recorder } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Probe } from '../telemetry/index.js'
import type { Links, Settlements } from '../transport/index.js'
import type { Clock } from './clock.js'

/**
 * How a leader makes sure before it answers reads that it still leads. `lease`: by its clock, once a majority answered
 * it so lately that no other can lead yet (thesis §6.4.1). `readIndex`: a majority answers a round for them (§6.4).
 */
export type ReadConfirmation = 'lease' | 'readIndex'

/** Everything outside of the protocol that a node is made of. */
export interface DriverOptions {
  readonly raft: RaftOptions
  readonly bounds: LogBounds
  /** Bytes of results after which a turn ends, and a request is answered in part; a single one may be larger. */
  readonly resultBytesMax: number
  readonly store: LogStore
  readonly machine: StateMachine
  readonly links: Links
  readonly clock: Clock
  readonly probe: Probe
  /** Milliseconds of one tick of the protocol. */
  readonly tickMs: number
  readonly reads: ReadConfirmation
  /** Writes down all that the protocol is told. Left out: nobody does. */
  readonly recorder?: Recorder | undefined
  /** One message a turn to the clients, when there is something to tell. */
  settle(settlements: Settlements): void
  /** Whether so much lies unread at the clients that nothing more is to be answered. Left out: they are never behind. */
  areClientsBehind?(): boolean
}
