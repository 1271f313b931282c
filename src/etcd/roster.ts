/** The members of the cluster, as clients of etcd's API know them, and how they change. */
import type { Cluster, NodeStatus } from '../cluster/index.js'
import { isLinkFault, type LinkFault, waysOf } from '../faults/index.js'
import { isVoter, type Membership, majorityOf, type NodeId } from '../raft/index.js'
import { EtcdError } from './errors.js'
import { inEtcdsWords, type Words } from './in-etcds-words.js'
import { inTime } from './in-time.js'
import { checkedPeerUrls } from './peer-url.js'
import { PeerUrls } from './peer-urls.js'

/** `Member` of the API. */
export interface MemberTold {
  readonly ID: NodeId
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  readonly isLearner: boolean
}

/** etcd allows one learner at a time. */
const learnersMax = 1
/** A learner with this share of the leader's log may be promoted. */
const readyShare = 0.9
/** A node that answers for its own removal has so long to let the answer leave. */
const endsAfterMs = 1000

export class Roster {
  readonly #cluster: Cluster
  readonly #clientUrlsOf: (nodeId: NodeId) => readonly string[]
  readonly #peerUrls: PeerUrls
  /** Of the members that are being added. */
  readonly #urlsToCome = new Set<string>()

  constructor(cluster: Cluster, clientUrlsOf: (nodeId: NodeId) => readonly string[]) {
    this.#cluster = cluster
    this.#clientUrlsOf = clientUrlsOf
    this.#peerUrls = new PeerUrls(cluster.dir)
  }

  /** The members in the order of their ids, by the configuration of node `by`. Left out: by that of the leader. */
  list(by?: NodeId): MemberTold[] {
    const membership = this.#membershipOf(by)
    const { voters, votersOutgoing, learners } = membership
    const nodeIds = [...new Set([...voters, ...votersOutgoing, ...learners])]
    return nodeIds
      .sort((one, other) => one - other)
      .map((nodeId) => this.#told(nodeId, !isVoter(membership, nodeId)))
  }

  /** The URLs of a member that may be added: etcd asks all voters to run. */
  checkAddition(by: NodeId, peerUrls: readonly string[]): readonly string[] {
    const urls = checkedPeerUrls(peerUrls)
    const { voters } = this.#membershipOf(by)
    if (this.#active(by, voters).length < voters.length) throw new EtcdError('unhealthy')
    return urls
  }

  /** Starts a node, which is a member once it has caught up. */
  async add(by: NodeId, peerUrls: readonly string[], isLearner: boolean): Promise<MemberTold> {
    const urls = this.checkAddition(by, peerUrls)
    const { learners } = this.#membershipOf(by)
    this.#checkNew(urls)
    if (isLearner && learners.length >= learnersMax) throw new EtcdError('tooManyLearners')
    for (const url of urls) this.#urlsToCome.add(url)
    try {
      const nodeId = await told(this.#cluster.addNode({ learner: isLearner }))
      this.#peerUrls.give(nodeId, urls)
      return this.#told(nodeId, isLearner)
    } finally {
      for (const url of urls) this.#urlsToCome.delete(url)
    }
  }

  /** Takes a member out of the cluster, and ends its node. The node that is asked ends a little later, as etcd does. */
  async remove(by: NodeId, nodeId: NodeId): Promise<void> {
    this.checkRemoval(by, nodeId)
    this.#checkMember(by, nodeId)
    if (nodeId === by) {
      await this.#removed(this.#cluster.changeMembership([{ type: 'remove', nodeId }]))
      // A cluster that is closed meanwhile ends the node as well.
      const end = (): void => void this.#cluster.removeNode(nodeId).catch(() => undefined)
      setTimeout(end, endsAfterMs).unref()
    } else await this.#removed(this.#cluster.removeNode(nodeId))
    this.#peerUrls.forget(nodeId)
  }

  update(by: NodeId, nodeId: NodeId, peerUrls: readonly string[]): void {
    this.#checkMember(by, nodeId)
    this.#checkNew(peerUrls, nodeId)
    this.#peerUrls.give(nodeId, peerUrls)
  }

  async promote(by: NodeId, nodeId: NodeId): Promise<void> {
    const member = this.#checkMember(by, nodeId)
    if (!member.isLearner) throw new EtcdError('memberNotLearner')
    const nodes = this.#cluster.status()
    const learner = nodes.find((node) => node.nodeId === nodeId)
    const lastIndex = Math.max(...nodes.map((node) => (node.role === 'leader' ? node.lastIndex : 0)))
    if (learner?.state !== 'running' || learner.lastIndex < lastIndex * readyShare)
      throw new EtcdError('learnerNotReady')
    await told(this.#cluster.promote(nodeId), ofPromotion)
  }

  /** Hands leadership over from node `by`. */
  async moveLeader(by: NodeId, to: NodeId): Promise<void> {
    if (this.#memberOf(by, to)?.isLearner !== false) throw new EtcdError('badLeaderTransferee')
    if (to !== by) await told(this.#cluster.transfer(to), ofTransfer)
  }

  /** A removal may wait for members that answer no more. It may still come about behind its time, as with a member of etcd. */
  #removed<Outcome>(change: Promise<Outcome>): Promise<Outcome> {
    return told(inTime(this.#cluster.options.requestTimeoutMs, change), ofRemoval)
  }

  #told(nodeId: NodeId, isLearner: boolean): MemberTold {
    return {
      ID: nodeId,
      name: `node-${nodeId}`,
      peerURLs: this.#peerUrls.of(nodeId),
      clientURLs: this.#clientUrlsOf(nodeId),
      isLearner,
    }
  }

  #membershipOf(by?: NodeId): Membership {
    const own = this.#cluster.status().find(({ nodeId }) => nodeId === by)?.membership
    const told = own ?? this.#cluster.membership
    if (told === undefined) throw new EtcdError('noLeader')
    return told.membership
  }

  #memberOf(by: NodeId, nodeId: NodeId): MemberTold | undefined {
    return this.list(by).find(({ ID }) => ID === nodeId)
  }

  #checkMember(by: NodeId, nodeId: NodeId): MemberTold {
    const member = this.#memberOf(by, nodeId)
    if (member === undefined) throw new EtcdError('memberNotFound')
    return member
  }

  /** A quorum of those that stay has to be there. A learner is in no quorum. */
  checkRemoval(by: NodeId, nodeId: NodeId): void {
    if (this.#memberOf(by, nodeId)?.isLearner === true) return
    const { voters } = this.#membershipOf(by)
    if (voters.every((voter) => voter === nodeId)) throw new EtcdError('notEnoughStarted')
    const active = this.#active(by, voters)
    if (nodeId !== by && !active.includes(nodeId)) return
    if (active.length - 1 < majorityOf(voters.length - 1)) throw new EtcdError('unhealthy')
  }

  /** No other member has one of these URLs. */
  #checkNew(urls: readonly string[], nodeId?: NodeId): void {
    const others = this.#cluster.status().filter((node) => node.member !== 'none' && node.nodeId !== nodeId)
    const taken = new Set(others.flatMap((node) => this.#peerUrls.of(node.nodeId)))
    if (urls.some((url) => taken.has(url) || this.#urlsToCome.has(url))) throw new EtcdError('peerUrlExists')
  }

  /** The nodes that run and that node `by` hears and reaches: etcd counts the members with which a member has connections. */
  #active(by: NodeId, nodeIds: readonly NodeId[]): readonly NodeId[] {
    const nodes = this.#cluster.status()
    const all = nodes.map(({ nodeId }) => nodeId)
    const apart = new Set(
      this.#cluster.faults
        .flatMap(({ fault }) => (isLinkFault(fault) && cutsAll(fault) ? waysOf(fault, all) : []))
        .flatMap(({ from, to }) => (from === by ? [to] : to === by ? [from] : [])),
    )
    const isActive = ({ state, nodeId }: NodeStatus): boolean =>
      state === 'running' && nodeIds.includes(nodeId) && !apart.has(nodeId)
    return nodes.filter(isActive).map(({ nodeId }) => nodeId)
  }
}

function cutsAll(fault: LinkFault): boolean {
  return fault.type === 'cut' ? fault.messages === undefined : isolating.has(fault.type)
}

const isolating: ReadonlySet<LinkFault['type']> = new Set(['partition', 'isolate'])

/** Each check has passed: a change that is refused all the same came behind another one. */
const ofRemoval: Words = { INVALID_CHANGE: 'notEnoughStarted' }
const ofPromotion: Words = { INVALID_CHANGE: 'memberNotLearner' }
const ofTransfer: Words = {
  INVALID_CHANGE: 'badLeaderTransferee',
  INVALID_FAULT: 'badLeaderTransferee',
  NOT_CHANGED: 'leaderTransferTimeout',
  UNKNOWN_OUTCOME: 'leaderTransferTimeout',
}

async function told<Outcome>(change: Promise<Outcome>, wordsOfCall?: Words): Promise<Outcome> {
  try {
    return await change
  } catch (error) {
    throw inEtcdsWords(error, wordsOfCall)
  }
}
