/** Drives a network by chance: everything that may happen to nodes, disks and messages, from one seed. */

import {
  isJoint,
  isVoter,
  type MembershipChange,
  type Message,
  membersOf,
  type NodeId,
  Random,
} from '../../../src/raft/index.js'
import type { NetworkNode, RaftNetwork } from '../../../src/testing/index.js'
import { WatchedNetwork } from './watched-network.js'

const limits = {
  electionTimeoutTicks: 6,
  heartbeatTicks: 2,
  appendBytesMax: 320,
  inflightMessagesMax: 4,
  inflightBytesMax: 400,
  uncommittedBytesMax: 4000,
  logMemoryBytesMax: 600,
  snapshotChunkBytes: 200,
  waitingReadsMax: 5,
}

interface Read {
  readonly node: number
  /** How much was known to be committed anywhere when it was asked for. */
  readonly committedBefore: number
}

/** What a run did, so that a test can tell that it did something. */
export interface Tally {
  steps: number
  committed: number
  terms: number
  crashes: number
  strays: number
  snapshots: number
  installs: number
  truncations: number
  readsServed: number
  /** Changes of the members that a leader took, and handings over that ended with another leader. */
  changes: number
  transfers: number
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return {
    ...{ steps: 0, committed: 0, terms: 0, crashes: 0, strays: 0, snapshots: 0, installs: 0 },
    ...{ truncations: 0, readsServed: 0, changes: 0, transfers: 0 },
  }
}

/** Nodes that are there from the beginning: the first is a learner, and the others are no members before a change adds them. */
const spareCount = 3

export class Chaos {
  readonly network: RaftNetwork
  readonly watched: WatchedNetwork
  readonly tally = emptyTally()
  readonly #random: Random
  readonly #reads = new Map<number, Read>()
  readonly #readsSeen = new Map<number, number>()
  /** Messages that left their order, and arrive in some later step. */
  readonly #strays: Message[] = []
  #commands = 0
  #readIds = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
    const voterCount = 3 + this.#random.below(3)
    const ids = Array.from({ length: voterCount + spareCount }, (_, at) => at + 1)
    const nodes = Object.fromEntries(ids.map((id) => [id, { seed: seed * 7 + id }]))
    const membership = { voters: ids.slice(0, voterCount), learners: [voterCount + 1] }
    this.watched = new WatchedNetwork({ nodes, limits, membership })
    this.network = this.watched.network
  }

  /** One thing that may happen, and the check of everything. */
  step(): void {
    const { network } = this
    this.tally.steps++
    const lengths = network.nodes.map((node) => (node.isUp ? node.state.log.lastIndex : 0))
    this.#happen(this.#random.below(105))
    if (this.#strays.length > 0 && this.#random.chance(0.05)) {
      this.network.inject(...this.#strays.splice(this.#random.below(this.#strays.length), 1))
    }
    this.watched.check()
    this.#checkReads()
    network.nodes.forEach((node, at) => {
      if (node.isUp && node.state.log.lastIndex < (lengths[at] ?? 0)) this.tally.truncations++
    })
  }

  /** Mends everything, and expects that the nodes agree and take commands again. */
  recover(): void {
    const { network } = this
    network.heal()
    for (const node of network.nodes) {
      if (!node.isUp) this.watched.restart(node)
      node.releaseDisk()
    }
    for (let tick = 0; tick < 60; tick++) {
      network.tick()
      this.watched.check()
    }
    const [leader, ...others] = network.leaders
    if (leader === undefined || others.length > 0)
      throw new Error(`${network.leaders.length} leaders after recovery`)
    leader.propose('last')
    network.tick(10)
    this.watched.check()
    const { membership } = leader.state
    if (isJoint(membership)) throw new Error('the joint configuration is not left')
    for (const id of membersOf(membership)) {
      if (network.node(id).applied.at(-1)?.command !== 'last') throw new Error(`node ${id} did not catch up`)
    }
    this.watched.checkDisks()
    this.#staysCalm(leader)
    this.#count()
  }

  /** Nobody disturbs a leader that all members hear: neither nodes that were removed nor those that were not added. */
  #staysCalm({ id, state }: NetworkNode): void {
    const term = state.currentTerm
    this.network.tick(5 * limits.electionTimeoutTicks)
    this.watched.check()
    const leaders = this.network.leaders.map((node) => `${node.id} in ${node.state.currentTerm}`).join()
    if (leaders !== `${id} in ${term}`) throw new Error(`${id} led term ${term}, and then ${leaders}`)
  }

  #happen(what: number): void {
    const node = this.#someNode()
    if (what < 45) this.#message()
    else if (what < 68) {
      if (node.isUp) node.tick()
      else if (this.#random.chance(0.2)) this.watched.restart(node)
    } else if (what < 69) this.#silence()
    else if (what < 80) this.#propose()
    else if (what < 84) this.#read()
    else if (what < 91) {
      if (node.isUp) this.#disk(node)
    } else if (what < 94) this.#crash(node)
    else if (what < 96) this.#compact(node)
    else if (what < 100) this.#cut(what, node)
    else if (what < 104) this.#changeMembers()
    else this.#transfer(node)
  }

  /** One to three changes at once, most of which a leader takes. */
  #changeMembers(): void {
    for (const leader of this.network.leaders) {
      const ids = new Set([this.#someNode(), this.#someNode(), this.#someNode()].map(({ id }) => id))
      const changes = [...ids].flatMap((id) => this.#changeOf(leader, id))
      const some = changes.slice(0, 1 + this.#random.below(changes.length))
      if ('first' in leader.changeMembership(...some)) this.tally.changes++
    }
  }

  #changeOf({ state: { membership } }: NetworkNode, nodeId: NodeId): readonly MembershipChange[] {
    const isRare = this.#random.chance(0.3)
    if (isVoter(membership, nodeId)) return [{ type: isRare ? 'remove' : 'demote', nodeId }]
    if (membership.learners.includes(nodeId)) return [{ type: isRare ? 'remove' : 'promote', nodeId }]
    return this.watched.removed.has(nodeId) ? [] : [{ type: 'addLearner', nodeId }]
  }

  #transfer({ id }: NetworkNode): void {
    const to = this.#random.chance(0.5) ? id : undefined
    for (const leader of this.network.leaders) leader.transfer(to)
  }

  /** Time passes and nothing arrives: leaders are forgotten, and several nodes may campaign at once. */
  #silence(): void {
    const ticks = 1 + this.#random.below(2 * limits.electionTimeoutTicks)
    for (let tick = 0; tick < ticks; tick++) {
      for (const node of this.network.nodes) if (node.isUp && this.#random.chance(0.8)) node.tick()
    }
  }

  #cut(what: number, node: NetworkNode): void {
    const { network } = this
    const other = this.#someNode()
    if (what === 97) network.isolate(node.id)
    else if (what > 97) network.heal()
    else if (other !== node) network.link(node.id, other.id).drop()
  }

  #message(): void {
    const { network } = this
    const random = this.#random
    // A burst, so that what is in flight does not only grow.
    for (let left = 1 + random.below(8); left > 0 && network.inFlight.length > 0; left--) {
      // Mostly in order; now and then any of them, lost, or twice.
      const position = random.chance(0.7) ? 0 : random.below(network.inFlight.length)
      const picked = network.inFlight[position]
      if (picked === undefined) return
      const fate = random.below(10)
      if (fate === 0) network.take((message) => message === picked)
      else if (fate === 1) this.network.inject(picked)
      else if (fate === 2 && random.chance(0.3)) {
        this.#strays.push(...network.take((message) => message === picked))
        this.tally.strays++
      } else this.watched.deliver(picked)
      this.watched.check()
    }
  }

  #disk(node: NetworkNode): void {
    const random = this.#random
    if (!node.disk.isHeld) {
      node.disk.isHeld = true
      node.disk.writesInFlightMax = random.chance(0.5) ? 1 : 8
    } else if (random.chance(0.6)) node.flushNext()
    else node.releaseDisk()
  }

  #crash(node: NetworkNode): void {
    if (!node.isUp) return this.watched.restart(node)
    node.crash()
    this.tally.crashes++
    if (this.#random.chance(0.7)) this.watched.restart(node)
  }

  #compact(node: NetworkNode): void {
    if (!node.isUp) return
    const { log } = node.state
    const canCompact = log.lastApplied > (log.snapshot?.index ?? 0) && log.flushedIndex >= log.lastApplied
    if (!canCompact || node.disk.unflushedCount > 0) return
    node.compact(this.#random.below(4))
    this.tally.snapshots++
  }

  #propose(): void {
    for (const leader of this.network.leaders) {
      const count = 1 + this.#random.below(3)
      leader.propose(...Array.from({ length: count }, () => `c${this.#commands++}`))
    }
  }

  /** Of each leader, and of one node whether it leads or not. */
  #read(): void {
    const committedBefore = this.watched.committed
    for (const node of [...this.network.leaders, this.#someNode()]) {
      if (!node.isUp) continue
      const id = this.#readIds++
      if (node.readHere(id) === undefined) this.#reads.set(id, { node: node.id, committedBefore })
    }
  }

  /** A read that is served sees all that was committed anywhere when it was asked for (§8). */
  #checkReads(): void {
    for (const node of this.network.nodes) {
      const fresh = node.reads.slice(this.#readsSeen.get(node.id) ?? 0)
      this.#readsSeen.set(node.id, node.reads.length)
      for (const { ids, readIndex } of fresh) for (const id of ids) this.#checkRead(node, id, readIndex)
    }
  }

  #checkRead(node: NetworkNode, id: number, readIndex: number | undefined): void {
    const read = this.#reads.get(id)
    if (read === undefined || read.node !== node.id) throw new Error(`read ${id} was served twice`)
    this.#reads.delete(id)
    if (readIndex === undefined) return
    this.tally.readsServed++
    if (readIndex < read.committedBefore)
      throw new Error(`read ${id} is stale: ${readIndex} < ${read.committedBefore}`)
  }

  #someNode(): NetworkNode {
    const { nodes } = this.network
    const node = nodes[this.#random.below(nodes.length)]
    if (node === undefined) throw new Error('there are nodes')
    return node
  }

  #count(): void {
    const { network, tally } = this
    tally.committed = this.watched.committed
    tally.terms = Math.max(...network.nodes.map((node) => node.state.currentTerm))
    const events = network.nodes.flatMap((node) => node.events)
    tally.transfers = events.filter((event) => event.type === 'transferEnded' && event.isDone).length
    tally.installs = events.filter(({ type }) => type === 'snapshotInstalling').length
  }
}
