/** Happenings as the fields of lines: which node, in which term, why, and what led to it. */
import type { ClusterEvent } from '../cluster/index.js'
import type { NodeId, Term } from '../raft/index.js'
import { ToldHappenings } from '../telemetry/index.js'
import { type Level, levelOf } from './levels.js'

/** A line is one object. `msg` says the same as its fields, in words. */
export interface Line {
  readonly level: Level
  readonly fields: Readonly<Record<string, unknown>>
  readonly msg: string
}

export class Lines {
  readonly #told: ToldHappenings
  /** The terms of nodes, as their changes of role told. */
  readonly #terms = new Map<NodeId, Term>()

  constructor(tickMs: number) {
    this.#told = new ToldHappenings(tickMs)
  }

  of(event: ClusterEvent): Line {
    const { type, sequence, atMs, nodeId, cause, ...figures } = event
    if (event.type === 'role') this.#terms.set(nodeId, event.term)
    if (event.type === 'removed') this.#terms.delete(nodeId)
    const fields = {
      time: Math.round(atMs),
      // Node 0 stands for no node.
      node: nodeId === 0 ? undefined : nodeId,
      ...{ event: type, sequence, cause },
      ...figures,
      term: this.#terms.get(nodeId),
      // A voter is asked for a term that it may not be in.
      electionTerm: event.type === 'voteAnswered' ? event.term : undefined,
    }
    return { level: levelOf(event), fields, msg: this.#told.wordsOf(event) }
  }
}
