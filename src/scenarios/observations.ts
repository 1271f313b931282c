/** Happenings since the steps of a scenario began, of which its conditions are asked. */
import type { NodeId } from '../raft/index.js'
import { causesOf, electionsSince, explainedIn } from './causes.js'
import type { Host, HostEvent, NodeSeen } from './host.js'
import type { Ledger } from './ledger.js'
import type { LoadClients } from './load-clients.js'
import type { Outages } from './outages.js'
import { latestTerm, type Situation } from './words.js'

export interface Parts {
  readonly host: Host
  readonly ledger: Ledger
  readonly outages: Outages
  readonly clients: LoadClients
  /** The node that a word means; `undefined` while it means none. */
  resolve(word: string): NodeId | undefined
}

export class Observations {
  readonly #parts: Parts
  #elections = 0
  #leaderChanges = 0
  #lastLeaderId: NodeId | undefined
  #leaderAtStart: NodeId | undefined
  #startMs = 0
  #termBefore = 0
  #acknowledgedBefore = 0
  readonly #installing = new Set<NodeId>()
  isEqual: boolean | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get elections(): number {
    return this.#elections
  }

  get leaderChanges(): number {
    return this.#leaderChanges
  }

  /** Counts begin anew: those so far were of the cluster's own start. */
  begin(): void {
    const { host } = this.#parts
    this.#elections = 0
    this.#leaderChanges = 0
    this.#startMs = host.now()
    this.#leaderAtStart = host.leaderId
    this.#lastLeaderId = host.leaderId
    this.#installing.clear()
    this.aboutToDo()
  }

  happened({ happened, nodeId }: HostEvent): void {
    if (happened === 'candidate') this.#elections++
    if (happened === 'snapshotInstalling') this.#installing.add(nodeId)
    if (happened !== 'leader') return
    if (nodeId !== this.#lastLeaderId) this.#leaderChanges++
    this.#lastLeaderId = nodeId
  }

  /** A verb is about to be carried out. */
  aboutToDo(): void {
    const { host } = this.#parts
    this.#termBefore = latestTerm({ nodes: host.nodes(), leaderId: host.leaderId }) || this.#termBefore
  }

  stepBegan(): void {
    this.#acknowledgedBefore = this.#parts.ledger.acknowledged
  }

  /** The elections since the steps began, and why they were held, in a few lines. */
  explained(): readonly string[] {
    return explainedIn(this.#parts.host.story(), this.#startMs)
  }

  situation(): Situation {
    const { host, ledger, outages, clients, resolve } = this.#parts
    const nodes = host.nodes()
    const seen = (nodeId: NodeId | undefined): NodeSeen | undefined =>
      nodes.find((node) => node.nodeId === nodeId)
    return {
      nodes,
      leaderId: host.leaderId,
      heartbeatIntervalMs: host.heartbeatIntervalMs,
      electionTimeoutMs: host.electionTimeoutMs,
      termBefore: this.#termBefore,
      leaderAtStart: this.#leaderAtStart,
      node: (word) => seen(resolve(word)),
      acknowledgedInStep: ledger.acknowledged - this.#acknowledgedBefore,
      acknowledged: ledger.acknowledged,
      elections: this.#elections,
      leaderChanges: this.#leaderChanges,
      refusals: clients.refusals,
      longestOutageMs: outages.longestAt(host.now()).forMs,
      lost: ledger.lost,
      isEqual: this.isEqual,
      installing: this.#installing,
      causes: () => causesOf(electionsSince(host.story(), this.#startMs)),
    }
  }
}
