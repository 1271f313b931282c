/** The nodes of a simulated cluster as they come and go, and what operators ask of them. */
import type { ChangeOutcome, Driver, TransferOutcome } from '../driver/index.js'
import { RaftError, type Result } from '../errors/index.js'
import type { Faults, StandingFault } from '../faults/index.js'
import type { Changeable, KnownConfiguration } from '../membership/index.js'
import { isJoint, isSameMembership, type MembershipChange, type NodeId } from '../raft/index.js'
import type { SimulatedNode } from './node.js'
import type { World } from './world.js'

/** Mean of the way between an operator and a node of the same process, in microseconds. */
const wayUs = 100

interface Operation {
  readonly nodeId: NodeId
  /** Its node ended: it never answers. */
  readonly ended: () => void
}

/** The cluster around the nodes, as far as operators need it. */
export interface Around {
  readonly faults: Faults
  show(nodeId: NodeId, standing: readonly StandingFault[]): void
  later(ms: number, run: () => void): () => void
  readonly leader: SimulatedNode | undefined
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
}

export class Members implements Changeable {
  /** All that ever were, by their ids. */
  readonly all: SimulatedNode[]
  /** The nodes that are there, members or not, in the order of their ids. Both lists stay the same objects. */
  readonly present: SimulatedNode[] = []
  readonly ids: NodeId[] = []
  nodesJoining = 0
  readonly #world: World
  readonly #cluster: Around
  readonly #make: (id: NodeId) => SimulatedNode
  readonly #open = new Set<Operation>()

  constructor(world: World, cluster: Around, all: SimulatedNode[], make: (id: NodeId) => SimulatedNode) {
    this.#world = world
    this.#cluster = cluster
    this.all = all
    this.#make = make
  }

  /** Makes the node with the next id. The node is not started yet. */
  add(): SimulatedNode {
    const node = this.#make(this.all.length + 1)
    this.all.push(node)
    this.#enter(node)
    return node
  }

  node(id: NodeId): SimulatedNode {
    const node = this.all[id - 1]
    if (node === undefined) throw new RangeError(`there is no node ${id}`)
    return node
  }

  isPresent(id: NodeId): boolean {
    return this.ids.includes(id)
  }

  /** The nodes that operators asked, once for each question that is not answered yet. */
  get unanswered(): readonly NodeId[] {
    return [...this.#open].map(({ nodeId }) => nodeId)
  }

  get heartbeatIntervalMs(): number {
    return this.#cluster.heartbeatIntervalMs
  }

  get electionTimeoutMs(): number {
    return this.#cluster.electionTimeoutMs
  }

  get leaderId(): NodeId | undefined {
    return this.#cluster.leader?.id
  }

  /** The checks of the simulator tell of nodes that fail. */
  get failures(): undefined {
    return undefined
  }

  /** The configuration by which the leader goes, and whether the leader knows that it is committed. */
  get configuration(): KnownConfiguration | undefined {
    const { state } = this.#cluster.leader ?? {}
    if (state === undefined) return undefined
    const { membershipIndex: index, membership, log } = state
    return { index, membership, isCommitted: index <= log.commitIndex }
  }

  now(): number {
    return this.#world.time.nowMs
  }

  later(ms: number, run: () => void): void {
    this.#cluster.later(ms, run)
  }

  /** Virtual time has no end. */
  checkOpen(): void {}

  checkRuns(id: NodeId): void {
    if (!this.node(id).isUp) throw new RaftError('STOPPED', { what: `node ${id}` })
  }

  change(
    nodeId: NodeId,
    changes: readonly MembershipChange[],
    withinMs: number,
    answered: (outcome: ChangeOutcome) => void,
  ): void {
    const { counts, tracer } = this.#world
    const asked = changes.map(({ type, nodeId: of }) => `${type} ${of}`).join(', ')
    tracer.record(nodeId, { type: 'told', what: `is asked to ${asked}` })
    const ask = (driver: Driver, settle: (outcome: ChangeOutcome) => void): void => {
      this.#world.script?.askedToChange(nodeId, changes)
      driver.changeMembership(changes, settle)
    }
    const told = (outcome: ChangeOutcome): void => {
      if (outcome.outcome === 'refused') counts.changesRefused++
      else if (outcome.outcome === 'unknown') counts.changesUnknown++
      else this.#checkDone(nodeId, outcome)
      const why = 'why' in outcome ? `: ${outcome.why}` : ''
      tracer.record(nodeId, { type: 'told', what: `${asked}: ${outcome.outcome}${why}` })
      answered(outcome)
    }
    this.#ask(nodeId, ask, withinMs, { outcome: 'unknown', why: 'the node did not answer' }, told)
  }

  handOver(
    nodeId: NodeId,
    to: NodeId | undefined,
    withinMs: number,
    answered: (outcome: TransferOutcome | undefined) => void,
  ): void {
    const { counts, tracer } = this.#world
    tracer.record(nodeId, { type: 'told', what: `is asked to hand over to ${to ?? 'the best'}` })
    const ask = (driver: Driver, settle: (outcome: TransferOutcome | undefined) => void): void => {
      this.#world.script?.askedToHandOver(nodeId, to)
      driver.transfer(to, settle)
    }
    const told = (outcome: TransferOutcome | undefined): void => {
      if (outcome?.outcome === 'refused' && outcome.code !== 'timedOut') counts.transfersRefused++
      answered(outcome)
    }
    this.#ask(nodeId, ask, withinMs, undefined, told)
  }

  /** Starts a node with an empty disk and an id that no node had before. */
  launch(answered: (launched: Result<NodeId>) => void): void {
    const node = this.add()
    this.#world.script?.launched(node.id)
    this.#showFaults()
    node.start()
    answered({ ok: true, value: node.id })
  }

  end(id: NodeId, answered: (ended: Result<undefined>) => void): void {
    this.node(id).stop('stop')
    answered({ ok: true, value: undefined })
  }

  /** Ends a node for good. Its disk is kept, since a mistake may bring it back. */
  discard(id: NodeId, _keep: boolean, answered: (ended: Result<undefined>) => void): void {
    const node = this.node(id)
    if (node.isUp) node.stop('kill')
    const at = this.ids.indexOf(id)
    if (at >= 0) {
      this.ids.splice(at, 1)
      this.present.splice(at, 1)
      this.#showFaults()
    }
    answered({ ok: true, value: undefined })
  }

  /** Somebody starts a node that was ended for good, with the disk that it had. */
  comeBack(id: NodeId): void {
    if (this.isPresent(id)) return
    this.#enter(this.node(id))
    this.#showFaults()
    this.node(id).start()
  }

  /** The node no longer runs: what it was asked and did not answer, it never will. */
  stopped(id: NodeId): void {
    for (const operation of this.#open) if (operation.nodeId === id) operation.ended()
  }

  /** Faults hit the nodes that are there: of links to all, for one, those to a new node too. */
  #showFaults(): void {
    const { faults } = this.#cluster
    if (faults.standing.length === 0) return
    for (const id of this.ids) this.#cluster.show(id, faults.at(id))
  }

  #enter(node: SimulatedNode): void {
    const at = this.ids.findLastIndex((id) => id < node.id) + 1
    this.ids.splice(at, 0, node.id)
    this.present.splice(at, 0, node)
  }

  /** `told` is called once, in a later step: with what the node answers, or with `unanswered`. */
  #ask<Outcome>(
    nodeId: NodeId,
    ask: (driver: Driver, settle: (outcome: Outcome) => void) => void,
    withinMs: number,
    unanswered: Outcome,
    told: (outcome: Outcome) => void,
  ): void {
    const { time } = this.#world
    let isTold = false
    const tell = (outcome: Outcome): void => {
      if (isTold) return
      isTold = true
      time.after(wayUs, () => told(outcome))
    }
    const end = (outcome: Outcome): void => {
      if (!this.#open.delete(operation))
        this.#world.checker.report('settled exactly once', `node ${nodeId} answers an operator twice`)
      tell(outcome)
    }
    const operation: Operation = { nodeId, ended: () => end(unanswered) }
    time.after(1000 * withinMs, () => tell(unanswered))
    this.#open.add(operation)
    time.after(wayUs, () => {
      const node = this.node(nodeId)
      // A node that ended since then, and runs again, never hears of it.
      if (!this.#open.has(operation)) return
      if (node.isUp) node.operate((driver) => ask(driver, end))
      else operation.ended()
    })
  }

  #checkDone(nodeId: NodeId, { index, membership }: ChangeOutcome & { readonly outcome: 'done' }): void {
    const entry = this.#world.checker.ledger.committed[index]
    const isDone =
      entry !== undefined && isSameMembership(entry.membership, membership) && !isJoint(membership)
    if (!isDone)
      this.#world.checker.report('a change that is done is committed', `node ${nodeId} said so of ${index}`)
  }
}
