/** How the members of a cluster on threads or inline are changed: nodes are asked by their control ports. */
import type { ChangeOutcome, TransferOutcome } from '../driver/index.js'
import { failure, RaftError, type Result, reasonOf } from '../errors/index.js'
import type { Cast } from '../faults/index.js'
import { type Changeable, type KnownConfiguration, MembershipMethods } from '../membership/index.js'
import type { ControlledNode } from '../node/index.js'
import { changed, type MembershipChange, type NodeId, whyNotChanges } from '../raft/index.js'
import type { Members } from './members.js'
import type { ResolvedOptions } from './options.js'
import { type Priorities, preferredTo, priorityOf, successorOf } from './priorities.js'

/** Election timeouts from one look at the priorities to the next. */
const looksAfterTimeouts = 3

export class Changing implements Changeable {
  readonly methods: MembershipMethods
  nodesJoining = 0
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly #members: Members
  readonly #priorities: Priorities
  /** The calls that are to be made later, by their timers. */
  readonly #later = new Map<NodeJS.Timeout, () => void>()

  constructor(members: Members, options: ResolvedOptions, cast: () => Cast) {
    this.#members = members
    this.#priorities = options.priorities
    this.heartbeatIntervalMs = options.heartbeatIntervalMs
    this.electionTimeoutMs = options.electionTimeoutMs
    this.methods = new MembershipMethods(this, cast, options.requestTimeoutMs)
  }

  get leaderId(): NodeId | undefined {
    return this.#members.leaderId
  }

  get failures(): string | undefined {
    return this.#members.failures
  }

  get configuration(): KnownConfiguration | undefined {
    return this.leaderId === undefined ? undefined : this.#members.configuration
  }

  now(): number {
    return performance.now()
  }

  later(ms: number, run: () => void): void {
    // An answer may come after the close, and no timer is left behind it.
    if (this.#members.isClosed) return run()
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      run()
    }, ms)
    this.#later.set(timer, run)
  }

  checkOpen(): void {
    this.#members.checkOpen()
  }

  checkRuns(nodeId: NodeId): void {
    this.#members.checkRuns(nodeId)
  }

  change(
    nodeId: NodeId,
    changes: readonly MembershipChange[],
    withinMs: number,
    answered: (outcome: ChangeOutcome) => void,
  ): void {
    const why = this.#whyNeverLed(changes)
    if (why !== undefined) return answered({ outcome: 'refused', code: 'invalid', leaderId: nodeId, why })
    const ask = (node: ControlledNode) => node.changeMembership(changes, withinMs)
    void this.#asked(nodeId, ask).then(answered)
  }

  handOver(
    nodeId: NodeId,
    to: NodeId | undefined,
    withinMs: number,
    answered: (outcome: TransferOutcome | undefined) => void,
  ): void {
    if (to !== undefined && priorityOf(to, this.#priorities) === 0) {
      const why = `node ${to} has priority 0, and never leads`
      return answered({ outcome: 'refused', code: 'invalid', leaderId: nodeId, why })
    }
    // Without priorities the leader knows best: it has heard who answers.
    const successor =
      to ?? (this.#hasPriorities ? successorOf(nodeId, this.#members.status(), this.#priorities) : undefined)
    const ask = (node: ControlledNode) => node.transfer(successor, withinMs)
    void this.#asked(nodeId, ask).then((outcome) =>
      answered(outcome.outcome === 'unknown' ? undefined : outcome),
    )
  }

  launch(answered: (launched: Result<NodeId>) => void): void {
    void resultOf(this.#members.launch()).then(answered)
  }

  end(nodeId: NodeId, answered: (ended: Result<undefined>) => void): void {
    const runs = this.#members.running.includes(nodeId)
    const ended = runs ? this.#members.kill(nodeId, 'stop') : Promise.resolve()
    void resultOf(ended.then(() => undefined)).then(answered)
  }

  discard(nodeId: NodeId, keep: boolean, answered: (ended: Result<undefined>) => void): void {
    void resultOf(this.#members.discard(nodeId, keep).then(() => undefined)).then(answered)
  }

  /** The cluster has started. */
  begin(): void {
    this.#tidyUp()
    if (this.#hasPriorities) this.#prefer()
  }

  get #hasPriorities(): boolean {
    return Object.keys(this.#priorities).length > 0
  }

  /** Looks now and then whether a node leads that is preferred to none. Priorities are a wish: a refusal changes nothing. */
  #prefer(): void {
    if (this.#members.isClosed) return
    const again = (): void => this.later(looksAfterTimeouts * this.electionTimeoutMs, () => this.#prefer())
    const { leaderId } = this
    const to = leaderId && preferredTo(leaderId, this.#members.status(), this.#priorities)
    if (leaderId === undefined || to === undefined) return again()
    this.handOver(leaderId, to, this.electionTimeoutMs, again)
  }

  /**
   * Ends the nodes that are no members: an earlier life of the cluster came no further with adding or removing them. Once a
   * leader has committed an entry of its term, nothing of theirs is left in any log that could win (§5.4.2). Their folders
   * stay, since nobody asked for their end.
   */
  #tidyUp(): void {
    const members = this.#members
    const { strangers } = members
    if (strangers.length === 0) return
    const again = (): void => this.later(this.heartbeatIntervalMs, look)
    const look = (): void => {
      if (members.isClosed) return
      const { leaderId } = this
      if (leaderId === undefined) return again()
      this.#hasCommitted(leaderId, (isKnown) => {
        if (!isKnown) return again()
        const left = members.strangers.filter((nodeId) => strangers.includes(nodeId))
        for (const nodeId of left) this.discard(nodeId, true, () => undefined)
      })
    }
    look()
  }

  /** Voters of which none may lead could neither do anything nor be changed again. */
  #whyNeverLed(changes: readonly MembershipChange[]): string | undefined {
    const { configuration } = this
    if (configuration === undefined || whyNotChanges(configuration.membership, changes) !== undefined)
      return undefined
    const { voters } = changed(configuration.membership, changes)
    if (voters.some((nodeId) => priorityOf(nodeId, this.#priorities) > 0)) return undefined
    return `the voters that would be left (${voters.join(', ')}) have priority 0, and never lead`
  }

  /** A leader calls a change of nothing invalid as soon as it has committed an entry of its term, and no earlier. */
  #hasCommitted(leaderId: NodeId, answered: (isKnown: boolean) => void): void {
    this.change(leaderId, [], this.electionTimeoutMs, (outcome) =>
      answered(outcome.outcome === 'refused' && outcome.code === 'invalid'),
    )
  }

  /** Procedures that wait go on, and find the cluster closed. */
  close(): void {
    const waiting = [...this.#later]
    this.#later.clear()
    for (const [timer, run] of waiting) {
      clearTimeout(timer)
      run()
    }
  }

  /** A node that was not asked has changed nothing. A node that was asked and does not answer may have. */
  async #asked<Outcome>(
    nodeId: NodeId,
    ask: (node: ControlledNode) => Promise<Result<Outcome>>,
  ): Promise<Outcome | Extract<ChangeOutcome, { readonly outcome: 'refused' | 'unknown' }>> {
    let isAsked = false
    let why = `node ${nodeId} does not run`
    try {
      const outcome = await this.#members.ask(nodeId, (node) => {
        isAsked = true
        return ask(node)
      })
      if (outcome !== undefined) return outcome
    } catch (error) {
      why = reasonOf(error)
    }
    if (isAsked) return { outcome: 'unknown', why }
    return { outcome: 'refused', code: 'notLeader', leaderId: undefined, why }
  }
}

async function resultOf<Value>(work: Promise<Value>): Promise<Result<Value>> {
  try {
    return { ok: true, value: await work }
  } catch (error) {
    if (!(error instanceof RaftError)) throw error
    return failure(error.code, error.details)
  }
}
