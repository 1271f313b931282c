/** Calls of clients in virtual time. A client waits for a leader, and asks it, as one of threads does. */
import type { ReadFrom } from '../cluster/index.js'
import type { ErrorDetails } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { Outcome, SimulatedCluster } from '../sim/index.js'

/** A client that finds no leader looks again after so many milliseconds. */
const lookAgainMs = 10

/** The reason for which a call was not sent, or a read not answered. */
export interface NotDone {
  readonly outcome: 'notDone'
  readonly code: 'NO_LEADER' | 'READ_TIMEOUT' | 'STOPPED'
  readonly details?: ErrorDetails
}

/** The kinds of calls on a node. */
export type CallType = Parameters<SimulatedCluster['send']>[1]

type Done = (outcome: Outcome | NotDone) => void

export class SimulatedCalls {
  readonly #cluster: SimulatedCluster
  readonly timeoutMs: number
  #lastNode = 0

  constructor(cluster: SimulatedCluster, timeoutMs: number) {
    this.#cluster = cluster
    this.timeoutMs = timeoutMs
  }

  /** `done` is called once, in a later step. */
  call(type: CallType, command: Uint8Array, done: Done, from: ReadFrom = 'leader'): void {
    this.#callUntil(this.#cluster.nowMs + this.timeoutMs, type, command, done, from)
  }

  #callUntil(deadlineMs: number, type: CallType, command: Uint8Array, done: Done, from: ReadFrom): void {
    const again = (code: NotDone['code']): void => {
      if (this.#cluster.nowMs + lookAgainMs >= deadlineMs) return done({ outcome: 'notDone', code })
      this.#cluster.later(lookAgainMs, () => this.#callUntil(deadlineMs, type, command, done, from))
    }
    const nodeId = this.#nodeFor(from)
    if (nodeId === undefined) {
      const stopped = { outcome: 'notDone', code: 'STOPPED', details: { what: `node ${from}` } } as const
      const isNamed = from !== 'leader' && from !== 'any'
      return void this.#cluster.later(0, () => (isNamed ? done(stopped) : again('NO_LEADER')))
    }
    const told = (outcome: Outcome): void => {
      // A read changes nothing, so that it can be asked again. A write that a node refuses is not done.
      const isUnanswered = outcome.outcome === 'refused' || outcome.outcome === 'unknown'
      if (type !== 'propose' && isUnanswered) again('READ_TIMEOUT')
      else done(outcome)
    }
    this.#cluster.send(nodeId, type, [command], told, deadlineMs - this.#cluster.nowMs)
  }

  /** A node that is up; those that may be any are taken in turn. */
  #nodeFor(from: ReadFrom): NodeId | undefined {
    if (from === 'leader') return this.#cluster.leaderId
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp).map(({ id }) => id)
    if (from === 'any') return up[this.#lastNode++ % up.length]
    return up.find((id) => id === from)
  }
}
