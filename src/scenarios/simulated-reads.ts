/** Reads of clients in virtual time. A client waits for a leader, and asks it, as one of threads does. */
import type { ReadFrom } from '../cluster/index.js'
import type { ErrorDetails } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { Outcome, SimulatedCluster } from '../sim/index.js'

/** A client that finds no leader looks again after so many milliseconds. */
const lookAgainMs = 10

/** The answer to a read, or the reason for which there is none. */
export type ReadEnd =
  | (Outcome & { readonly outcome: 'read' })
  | {
      readonly outcome: 'notDone'
      readonly code: 'NO_LEADER' | 'READ_TIMEOUT' | 'STOPPED'
      readonly details: ErrorDetails
    }

/** The kinds of reads at a node. */
export type ReadType = Exclude<Parameters<SimulatedCluster['send']>[1], 'propose'>

type Done = (end: ReadEnd) => void

export class SimulatedReads {
  readonly #cluster: SimulatedCluster
  readonly #timeoutMs: number
  #lastNode = 0

  constructor(cluster: SimulatedCluster, timeoutMs: number) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /** `done` is called once, in a later step. */
  read(type: ReadType, query: Uint8Array, done: Done, from: ReadFrom = 'leader'): void {
    this.#readUntil(this.#cluster.nowMs + this.#timeoutMs, type, query, done, from)
  }

  #readUntil(deadlineMs: number, type: ReadType, query: Uint8Array, done: Done, from: ReadFrom): void {
    const again = (code: 'NO_LEADER' | 'READ_TIMEOUT'): void => {
      if (this.#cluster.nowMs + lookAgainMs >= deadlineMs)
        return done({ outcome: 'notDone', code, details: { deadlineMs: this.#timeoutMs } })
      this.#cluster.later(lookAgainMs, () => this.#readUntil(deadlineMs, type, query, done, from))
    }
    const nodeId = this.#nodeFor(from)
    if (nodeId === undefined) {
      const stopped = { outcome: 'notDone', code: 'STOPPED', details: { what: `node ${from}` } } as const
      const isNamed = from !== 'leader' && from !== 'any'
      return void this.#cluster.later(0, () => (isNamed ? done(stopped) : again('NO_LEADER')))
    }
    const told = (outcome: Outcome): void => {
      // A read changes nothing, so that it can be asked again.
      if (outcome.outcome === 'read') done(outcome)
      else again('READ_TIMEOUT')
    }
    this.#cluster.send(nodeId, type, [query], told, deadlineMs - this.#cluster.nowMs)
  }

  /** A node that is up; those that may be any are taken in turn. */
  #nodeFor(from: ReadFrom): NodeId | undefined {
    if (from === 'leader') return this.#cluster.leaderId
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp).map(({ id }) => id)
    if (from === 'any') return up[this.#lastNode++ % up.length]
    return up.find((id) => id === from)
  }
}
