/**
 * Operators of a cluster in a storm: they add, promote, demote, remove and replace nodes, and hand leadership over, mostly
 * with reason and now and then without. Their requests may be refused, come to a node that does not lead, or
 * end in another way than they are told.
 */
import type { Dice } from '../faults/index.js'
import {
  changed,
  isMember,
  type Membership,
  type MembershipChange,
  membersOf,
  type NodeId,
} from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'
import { canDecide } from './lost-disks.js'
import { nodesMax, type Plan } from './plan.js'

/** The most members that a run lets a cluster have. */
const membersMax = 7

type Draw = (membership: Membership) => readonly MembershipChange[]

export class Operator {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #gapMs: number
  readonly #breaks: boolean
  readonly #waits: boolean
  readonly #draws: readonly Draw[] = [
    () => this.#adding(),
    () => this.#adding(),
    ({ learners }) => promotions(this.#few(learners)),
    ({ learners }) => promotions(this.#few(learners)),
    ({ learners }) => promotions(this.#few(learners)),
    ({ voters }) => this.#hitting('demote', voters),
    (membership) => this.#hitting('remove', membersOf(membership)),
    (membership) => this.#replacing(membership),
    (membership) => this.#replacing(membership),
    (membership) => this.#several(membership),
  ]
  /** The nodes that somebody was asked to add. */
  readonly #asked = new Set<NodeId>()
  #hasStopped = false

  constructor(cluster: SimulatedCluster, dice: Dice, { changeGapMs, faults, neverLeading }: Plan) {
    this.#cluster = cluster
    this.#dice = dice
    this.#gapMs = changeGapMs
    this.#breaks = faults.length > 0
    this.#waits = neverLeading.length > 0
    this.#next()
  }

  stop(): void {
    this.#hasStopped = true
  }

  #next(): void {
    this.#cluster.later(this.#dice.around(this.#gapMs), () => {
      if (this.#hasStopped) return
      this.#act()
      this.#next()
    })
  }

  #act(): void {
    this.#tidyUp()
    const chance = this.#dice.next()
    if (chance < 0.2) this.#transfer()
    else if (chance < 0.25) this.#bringOneBack()
    else if (chance < 0.3 && this.#breaks) this.#breakOne()
    else this.#change()
  }

  /** Removed nodes are ended, at once or after a while in which they do not know it. */
  #tidyUp(): void {
    const { members, world } = this.#cluster
    const { removed } = world.checker.configurations
    for (const id of members.ids.filter((each) => removed.has(each))) {
      if (this.#dice.chance(0.5)) world.counts.removedWentOn++
      else members.discard(id, true, () => undefined)
    }
  }

  /** A voter is down, for so long that it is worth a replacement. */
  #breakOne(): void {
    const { members, faults, electionTimeoutMs } = this.#cluster
    const { voters = [] } = members.configuration?.membership ?? {}
    const areUp = voters.every((id) => this.#cluster.node(id).isUp)
    const nodeId = this.#dice.pick(voters)
    if (nodeId !== undefined && areUp && voters.length > 2)
      faults.begin({ type: 'kill', nodes: [nodeId] }, electionTimeoutMs * this.#dice.pick([4, 10, 30]))
  }

  /** An operator who starts a removed node again does not know that it was removed. */
  #bringOneBack(): void {
    const { members, world } = this.#cluster
    const gone = this.#dice.pick(members.all.filter(({ id }) => !members.isPresent(id)))
    if (gone === undefined) return
    world.counts.removedCameBack++
    members.comeBack(gone.id)
  }

  #transfer(): void {
    const { members } = this.#cluster
    const to = this.#dice.chance(0.4) ? undefined : this.#dice.pick(members.all)?.id
    members.handOver(this.#addressee(), to, this.#patienceMs(), () => undefined)
  }

  #change(): void {
    const { members, world } = this.#cluster
    // Two changes, each of which leaves a majority that may lead, could together leave none.
    if (this.#waits && members.unanswered.length > 0) return
    const membership = members.configuration?.membership ?? world.checker.ledger.last.membership
    const isOneDown = membership.learners.length > 0 && this.#downOf(membership).length > 0
    const isReplacing = isOneDown && this.#dice.chance(0.5)
    const changes = isReplacing ? this.#replacing(membership) : this.#dice.pick(this.#draws)?.(membership)
    if (
      changes === undefined ||
      changes.length === 0 ||
      !canDecide(this.#cluster, changed(membership, changes))
    )
      return
    members.change(this.#addressee(), changes, this.#patienceMs(), () => undefined)
    // An operator who does not wait, or another one.
    if (this.#dice.chance(0.1)) this.#change()
  }

  /** A node that was started for this cluster, and never was a member of it. */
  #adding(): readonly MembershipChange[] {
    const { members, world } = this.#cluster
    const { ledger, configurations } = world.checker
    const known = membersOf(members.configuration?.membership ?? ledger.last.membership)
    if (known.length >= membersMax) return []
    // A request that is still on its way could make a node a member again that was removed meanwhile.
    const isFree = (id: NodeId): boolean => members.unanswered.length === 0 || !this.#asked.has(id)
    // The leader's configuration may leave out a committed member whose removal is not known to be committed yet.
    const wasMember = (id: NodeId): boolean =>
      configurations.removed.has(id) || isMember(ledger.last.membership, id)
    const isNew = (id: NodeId): boolean => !known.includes(id) && !wasMember(id) && isFree(id)
    let nodeId = members.ids.find(isNew)
    if (nodeId === undefined && members.all.length < nodesMax)
      members.launch((launched) => {
        if (launched.ok) nodeId = launched.value
      })
    if (nodeId === undefined) return []
    this.#asked.add(nodeId)
    return [{ type: 'addLearner', nodeId }]
  }

  /** Half of the time the leader. */
  #hitting(type: 'demote' | 'remove', ids: readonly NodeId[]): readonly MembershipChange[] {
    const { leaderId } = this.#cluster
    const isLeader = leaderId !== undefined && ids.includes(leaderId) && this.#dice.chance(0.5)
    const nodeId = isLeader ? leaderId : this.#dice.pick(ids)
    return nodeId === undefined ? [] : [{ type, nodeId }]
  }

  /** A learner takes the place of a voter: of one that is down, if there is any. */
  #replacing(membership: Membership): readonly MembershipChange[] {
    const { voters, learners } = membership
    const down = this.#downOf(membership)
    const [promoted, removed] = [this.#dice.pick(learners), this.#dice.pick(down.length > 0 ? down : voters)]
    if (promoted === undefined || removed === undefined) return this.#adding()
    return [...promotions([promoted]), { type: 'remove', nodeId: removed }]
  }

  #downOf({ voters }: Membership): readonly NodeId[] {
    return voters.filter((id) => !this.#cluster.node(id).isUp)
  }

  #several({ voters, learners }: Membership): readonly MembershipChange[] {
    const types = { voter: ['demote', 'remove'], learner: ['promote', 'remove'] } as const
    const ofVoters = this.#few(voters).map((nodeId) => ({ type: this.#dice.pick(types.voter), nodeId }))
    const ofLearners = this.#few(learners).map((nodeId) => ({ type: this.#dice.pick(types.learner), nodeId }))
    return [...ofVoters, ...ofLearners, ...(this.#dice.chance(0.5) ? this.#adding() : [])]
  }

  /** A node or two, if there are any. */
  #few(ids: readonly NodeId[]): readonly NodeId[] {
    return this.#dice.shuffled(ids).slice(0, this.#dice.chance(0.7) ? 1 : 2)
  }

  /** Mostly the leader. */
  #addressee(): NodeId {
    const { leaderId, nodeIds } = this.#cluster
    if (leaderId !== undefined && this.#dice.chance(0.9)) return leaderId
    return this.#dice.pick(nodeIds) ?? 1
  }

  #patienceMs(): number {
    return this.#cluster.electionTimeoutMs * this.#dice.pick([0.5, 2, 4])
  }
}

function promotions(nodeIds: readonly NodeId[]): readonly MembershipChange[] {
  return nodeIds.map((nodeId) => ({ type: 'promote', nodeId }))
}
