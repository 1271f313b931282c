/** Calls of clients in virtual time. A client waits for a leader, and asks it, as one of threads does. */
import type { NodeId } from '../raft/index.js'
import type { Outcome, SimulatedCluster } from '../sim/index.js'

/** A client that finds no leader looks again after so many milliseconds. */
const lookAgainMs = 10

/** The reason for which a call was not sent, or a read not answered. */
export interface NotDone {
  readonly outcome: 'notDone'
  readonly code: 'NO_LEADER' | 'READ_TIMEOUT'
}

export class SimulatedCalls {
  readonly #cluster: SimulatedCluster
  readonly timeoutMs: number

  constructor(cluster: SimulatedCluster, timeoutMs: number) {
    this.#cluster = cluster
    this.timeoutMs = timeoutMs
  }

  /** `done` is called once, in a later step. */
  call(type: 'propose' | 'read', command: Uint8Array, done: (outcome: Outcome | NotDone) => void): void {
    this.#callUntil(this.#cluster.nowMs + this.timeoutMs, type, command, done)
  }

  #callUntil(
    deadlineMs: number,
    type: 'propose' | 'read',
    command: Uint8Array,
    done: (outcome: Outcome | NotDone) => void,
  ): void {
    const again = (code: NotDone['code']): void => {
      if (this.#cluster.nowMs + lookAgainMs >= deadlineMs) return done({ outcome: 'notDone', code })
      this.#cluster.later(lookAgainMs, () => this.#callUntil(deadlineMs, type, command, done))
    }
    const leaderId: NodeId | undefined = this.#cluster.leaderId
    if (leaderId === undefined) return void this.#cluster.later(0, () => again('NO_LEADER'))
    const told = (outcome: Outcome): void => {
      // A read changes nothing, so that it can be asked again. A write that a node refuses is not done.
      const isUnanswered = outcome.outcome === 'refused' || outcome.outcome === 'unknown'
      if (type === 'read' && isUnanswered) again('READ_TIMEOUT')
      else done(outcome)
    }
    this.#cluster.send(leaderId, type, [command], told, deadlineMs - this.#cluster.nowMs)
  }
}
