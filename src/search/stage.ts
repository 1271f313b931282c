/** One run of a small cluster, step by step: each step is taken by the protocol itself, and each world is checked. */
import type { Message, NodeId, RaftEvent, RaftView } from '../raft/index.js'
import { electionTimeoutTicks, Member, type PlacedStep, type Step } from './member.js'
import { violationOf } from './parts.js'
import {
  brokenByPair,
  brokenByStep,
  brokenCommit,
  emptyHistory,
  type Facts,
  factsOf,
  type History,
  historyAfter,
  type Violation,
} from './rules.js'

interface OnStage {
  readonly member: Member
  facts: Facts
}

/** The outcome of a step: the messages that left the node, and its events with their reasons. */
export interface Taken {
  readonly sent: readonly Message[]
  readonly events: readonly RaftEvent[]
}

export interface ClusterSize {
  /** The nodes of the first configuration. A node of a higher id is one that may be added later. */
  readonly voters: number
  /** Bytes of entries in one message; a larger entry comes alone. */
  readonly appendBytesMax: number
}

export class Stage {
  readonly #size: ClusterSize
  readonly #nodes = new Map<NodeId, OnStage>()
  #history: History = emptyHistory
  /** Of the step that is taken. */
  #events: RaftEvent[] = []
  #broken: Violation | undefined

  constructor(size: ClusterSize) {
    this.#size = size
    for (let id = 1; id <= size.voters; id++) this.#node(id)
  }

  /** The first rule that did not hold. No step is to follow. */
  get broken(): Violation | undefined {
    return this.#broken
  }

  stateOf(id: NodeId): RaftView {
    return this.#node(id).member.state
  }

  take({ id, step, isHeld }: PlacedStep): Taken {
    const node = this.#node(id)
    const { member, facts: before } = node
    this.#events = []
    try {
      const sent = member.take(step, isHeld)
      node.facts = factsOf(member)
      this.#broken = brokenByStep(before, node.facts, step) ?? this.#brokenBy(node.facts)
      return { sent, events: withReasons(this.#events, step) }
    } catch (error) {
      this.#broken = violationOf(error)
      return { sent: [], events: withReasons(this.#events, step) }
    }
  }

  /** The rule that does not hold of all nodes together, after one of them has come to another state. */
  #brokenBy(facts: Facts): Violation | undefined {
    const history = historyAfter(this.#history, facts)
    if ('rule' in history) return history
    const committedBefore = this.#history.committed.length
    this.#history = history
    const all = [...this.#nodes.values()].map((each) => each.facts)
    for (const other of all) {
      const broken = other.id === facts.id ? undefined : brokenByPair(facts, other)
      if (broken !== undefined) return broken
    }
    return history.committed.length > committedBefore ? brokenCommit(facts, all, committedBefore) : undefined
  }

  #node(id: NodeId): OnStage {
    const known = this.#nodes.get(id)
    if (known !== undefined) return known
    const { voters, appendBytesMax } = this.#size
    const member = new Member(id, voters, { appendBytesMax, hear: (event) => this.#events.push(event) })
    const node = { member, facts: factsOf(member) }
    this.#nodes.set(id, node)
    return node
  }
}

/** A node that hears nobody begins its election as if it were asked to: the reason is the time that has passed. */
function withReasons(events: readonly RaftEvent[], { type }: Step): readonly RaftEvent[] {
  if (type !== 'timeOut') return events
  return events.map((event) =>
    event.type === 'role' && event.reason === 'campaign'
      ? { ...event, reason: 'electionTimeout', elapsedTicks: electionTimeoutTicks }
      : event,
  )
}
