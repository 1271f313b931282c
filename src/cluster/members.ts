/** The nodes of a cluster: started, linked, killed and brought back, added and removed. */
import { checkOptions, quoted, RaftError, type Result, unwrap } from '../errors/index.js'
import { faultAt, isEnding, type StandingFault } from '../faults/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import { type ControlledNode, checkRoomForNodes } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import type { MembershipTold } from '../telemetry/index.js'
import type { Client } from './client.js'
import type { ClusterStory } from './cluster-story.js'
import { type Companion, Companions } from './companions.js'
import type { ClusterDirectory } from './directory.js'
import { type CreateNode, Lives } from './lives.js'
import { logOfMember } from './logs.js'
import type { NodeLook } from './look.js'
import { isDiskLost, lostNodes } from './lost-disks.js'
import {
  failuresAmong,
  leaderAmong,
  lookAt,
  type Member,
  type NodeStatus,
  newMember,
  statusOf,
} from './member.js'
import { nodesMax, type ResolvedOptions } from './options.js'
import { firstToCampaign } from './priorities.js'
import { oneOfNodes } from './refusals.js'
import { linksAmong, linksToRunning, unlink } from './wiring.js'

const ends = { kill: 'was killed', losePower: 'lost its power', stop: 'was stopped' } as const

export class Members {
  /** Called when there is a node more, and when there is one less. */
  onAdded: (nodeId: NodeId) => void = () => undefined
  onRemoved: (nodeId: NodeId) => void = () => undefined
  /** The faults that stand at a node. */
  faultsAt: (nodeId: NodeId) => readonly StandingFault[] = () => []
  readonly #options: ResolvedOptions
  readonly #directory: ClusterDirectory
  readonly #client: Client
  readonly #story: ClusterStory
  readonly #companions = new Companions((nodeId) => this.faultsAt(nodeId))
  readonly #lives: Lives
  readonly #members = new Map<NodeId, Member>()
  /** Nodes are brought up one after the other once the cluster runs, so that each finds the links of the last. */
  #starting: Promise<unknown> = Promise.resolve()

  constructor(
    directory: ClusterDirectory,
    options: ResolvedOptions,
    client: Client,
    story: ClusterStory,
    createNode: CreateNode,
  ) {
    this.#directory = directory
    this.#options = options
    this.#client = client
    this.#story = story
    this.#lives = new Lives(directory, options, client, story, this.#companions, createNode)
    for (const nodeId of directory.members) this.#members.set(nodeId, newMember(nodeId))
  }

  /** Called when a node has ended, however it did. */
  set onEnd(ended: (nodeId: NodeId) => void) {
    this.#lives.onEnd = ended
  }

  /** Brings up every node at once, each linked to all others. Throws the first failure. */
  async start(): Promise<void> {
    const renewable = this.#options.renew.map((nodeId) => this.#member(nodeId, 'renew'))
    checkRoomForNodes(this.#members.size, this.#options.host)
    const links = linksAmong(this.nodeIds)
    const all = [...this.#members.values()]
    const first = firstToCampaign(this.nodeIds, this.#options.priorities)
    const results = await Promise.allSettled(
      all.map((member) => {
        const { nodeId } = member
        return this.#lives.begin(member, links.get(nodeId) ?? [], nodeId === first)
      }),
    )
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (failures.length === 0) return
    const errors = failures.filter(isDiskLost)
    if (errors.length < failures.length) throw failures.find((failure) => !isDiskLost(failure))
    const membership = this.configuration?.membership
    const lost = lostNodes(errors).map((nodeId) => this.#member(nodeId))
    if (!lost.every((member) => renewable.includes(member)))
      throw this.#directory.lostDisksError(errors, membership)
    this.#directory.renew(lostNodes(errors), membership)
    for (const member of lost) await this.#linkAndBegin(member)
  }

  /** The leader of the latest term that a running node has told; `undefined` while there is none. */
  get leaderId(): NodeId | undefined {
    return leaderAmong(this.#members.values())?.nodeId
  }

  /** The nodes that failed, and why; `undefined`: none has. */
  get failures(): string | undefined {
    return failuresAmong(this.#members.values())
  }

  /** The configuration of the leader; while there is none, the latest one that any node has told. */
  get configuration(): MembershipTold | undefined {
    const leader = leaderAmong(this.#members.values())
    if (leader !== undefined) return leader.membership.read()
    const told = [...this.#members.values()].flatMap(({ membership }) => membership.read() ?? [])
    return told.sort((one, other) => other.index - one.index)[0]
  }

  status(): NodeStatus[] {
    const configuration = this.configuration?.membership
    return [...this.#members.values()].map((member) => statusOf(member, configuration))
  }

  look(): NodeLook[] {
    return [...this.#members.values()].map(lookAt)
  }

  /** Nodes that are no members, as far as any node has told. */
  get strangers(): readonly NodeId[] {
    return this.status().flatMap(({ nodeId, member }) => (member === 'none' ? nodeId : []))
  }

  /** Tells `companion` of the nodes that run, and from now on of all lives. Resolves with the end of it. */
  accompany(companion: Companion): Promise<() => void> {
    return this.#companions.add(companion)
  }

  /** How long a call may take. */
  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs
  }

  get closing(): AbortSignal {
    return this.#lives.closing
  }

  get isClosed(): boolean {
    return this.#lives.isClosed
  }

  get nodeIds(): readonly NodeId[] {
    return [...this.#members.keys()]
  }

  /** Nodes that run, frozen ones included. A node that has told of its end does not run. */
  get running(): readonly NodeId[] {
    for (const nodeId of this.nodeIds) this.#client.drain(nodeId)
    return this.nodeIds.filter((nodeId) => this.#member(nodeId).node !== undefined)
  }

  /** Nodes that run and are not just starting. */
  get started(): readonly NodeId[] {
    return this.running.filter((nodeId) => !this.isStarting(nodeId))
  }

  /** Whether the node runs, and has not told yet that it has started. */
  isStarting(nodeId: NodeId): boolean {
    const { node, starting } = this.#member(nodeId)
    return node !== undefined && node === starting
  }

  /** Throws what a kill of the node would reject with. */
  checkRuns(nodeId: NodeId): void {
    const member = this.#member(nodeId)
    this.#client.drain(nodeId)
    const { failure: because } = member
    if (member.node === undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}`, because })
  }

  async kill(nodeId: NodeId, how: keyof typeof ends = 'kill'): Promise<void> {
    this.checkRuns(nodeId)
    const member = this.#member(nodeId)
    const { node, board } = member
    if (how === 'losePower' && node !== undefined) {
      // Clients hear the node until its power is gone: what it has told by then must not be lost.
      member.powerGoes = board.unlessFrozen(() => node.losePower())
      await member.powerGoes
      this.#client.drain(nodeId)
    }
    if (member.node === node) {
      this.#lives.end(member, 'stopped', `node ${nodeId} ${ends[how]}`)
      this.#story.tell(nodeId, how === 'stop' ? { type: 'killed', isOnPurpose: true } : { type: 'killed' })
    }
    await member.ended
    // A close that came first ended the node in another way, and a node without power is not brought back behind it.
    if (how === 'losePower') this.checkOpen()
  }

  /** From now on exactly these faults stand at the node. Rejects when the close of the cluster ends the node first. */
  async show(nodeId: NodeId, faults: readonly StandingFault[]): Promise<void> {
    const member = this.#member(nodeId)
    const { node, board } = member
    this.#companions.shown(nodeId, faults)
    const { frozenAtMs } = board
    const noticed = board.show(this.noticeFor(nodeId, faults), node)
    if (frozenAtMs !== undefined && board.frozenAtMs === undefined)
      this.#story.tell(nodeId, { type: 'resumed', afterMs: performance.now() - frozenAtMs })
    try {
      await noticed
    } catch (error) {
      // A node that has ended meanwhile finds the faults on its board when it is brought back.
      if (member.node === node) throw error
    }
    if (member.node !== node) this.checkOpen()
  }

  /** The faults as the node's board says them. */
  noticeFor(nodeId: NodeId, faults: readonly StandingFault[]): readonly StandingFault[] {
    return faults
      .filter(({ fault }) => !isEnding(fault))
      .map((standing) => ({ ...standing, fault: faultAt(standing.fault, nodeId, this.nodeIds) }))
  }

  /** Starts a node that does not run, from what its disk holds. A node that runs goes on, and one that was removed stays away. */
  bringBack(nodeId: NodeId, mayRenew = false): Promise<void> {
    return this.#inTurn(async () => {
      const member = this.#members.get(nodeId)
      if (member === undefined) return
      await member.powerGoes
      if (member.node === undefined) await this.#restart(member, mayRenew)
    })
  }

  restart(nodeId: NodeId, mayRenew = false): Promise<void> {
    return this.#inTurn(() => this.#restart(this.#member(nodeId), mayRenew))
  }

  /** Starts a node with an empty disk and the next id. The configuration does not have the node yet. */
  launch(): Promise<NodeId> {
    return this.#inTurn(async () => {
      this.checkOpen()
      this.#checkRoomForMember()
      const nodeId = this.#directory.add()
      const member = newMember(nodeId)
      this.#story.add(nodeId)
      this.#members.set(nodeId, member)
      try {
        this.onAdded(nodeId)
        await this.#linkAndBegin(member)
      } catch (error) {
        await this.#forget(member, false)
        throw error
      }
      return nodeId
    })
  }

  /** Ends a node for good: it is none of the nodes any more, and its id is never given again. */
  discard(nodeId: NodeId, keepsFolder: boolean): Promise<void> {
    return this.#inTurn(async () => {
      this.checkOpen()
      const member = this.#members.get(nodeId)
      // Another call has ended it.
      if (member === undefined) return
      await member.powerGoes
      if (member.node !== undefined) this.#lives.end(member, 'stopped', `node ${nodeId} was removed`)
      // An end that is not clean is told by `#forget`.
      await member.ended.catch(() => undefined)
      this.#story.tell(nodeId, { type: 'removed' })
      await this.#forget(member, keepsFolder)
    })
  }

  async #forget(member: Member, keepsFolder: boolean): Promise<void> {
    const { nodeId } = member
    try {
      await member.ended
    } finally {
      this.#members.delete(nodeId)
      this.#story.remove(nodeId)
      this.onRemoved(nodeId)
      this.#companions.removed(nodeId)
      await unlink(nodeId, this.#members.values())
      this.#directory.remove(nodeId, keepsFolder)
    }
  }

  #checkRoomForMember(): void {
    checkRoomForNodes(1, this.#options.host)
    const { size } = this.#members
    if (size < nodesMax) return
    const expected = `at most ${nodesMax} (remove one first)`
    throw new RaftError('INVALID_OPTION', { option: 'nodes', expected, actual: size + 1 })
  }

  #inTurn<T>(start: () => Promise<T>): Promise<T> {
    const started = this.#starting.then(start)
    this.#starting = started.catch(() => undefined)
    return started
  }

  async log(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined> {
    checkOptions('log', range, ['from', 'to'])
    this.checkOpen()
    return logOfMember(this.#member(nodeId), this.#directory, this.#options, range)
  }

  /** The answer of a node to a question; `undefined`: it does not run, or is frozen. Throws when it fails to answer. */
  async ask<T>(
    nodeId: NodeId,
    question: (node: ControlledNode) => Promise<Result<T>>,
  ): Promise<T | undefined> {
    this.checkOpen()
    const { node, board, state } = this.#member(nodeId)
    if (node === undefined || state !== 'running') return undefined
    const answer = await board.unlessFrozen(() => question(node))
    return answer && unwrap(answer)
  }

  /** Ends every node, also one that is just starting. Throws an `AggregateError` of what went wrong meanwhile. */
  async close(): Promise<void> {
    this.#lives.close()
    const all = [...this.#members.values()]
    for (const member of all) {
      if (member.node !== undefined) this.#lives.end(member, 'stopped', 'the cluster was closed')
    }
    await this.#starting
    const results = await Promise.allSettled(all.map(({ ended }) => ended))
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (reasons.length > 0) throw new AggregateError(reasons)
  }

  checkOpen(): void {
    this.#lives.checkOpen()
  }

  checkDown(nodeId: NodeId): void {
    if (this.#member(nodeId).node === undefined) return
    throw new RaftError('INVALID_FAULT', { what: `restart ${nodeId}`, why: `node ${nodeId} runs already` })
  }

  async #restart(member: Member, mayRenew: boolean): Promise<void> {
    const { nodeId } = member
    this.checkOpen()
    this.checkDown(nodeId)
    if (this.#options.durability === 'none') {
      // Without its vote and its log, it could vote twice in a term and forget what it acknowledged.
      const expected = 'flush (a node without a disk forgets its vote, so start a new cluster)'
      throw new RaftError('INVALID_OPTION', { option: 'durability', expected, actual: 'none' })
    }
    checkRoomForNodes(1, this.#options.host)
    // An end that went wrong was told by the call that ended the node.
    await member.ended.catch(() => undefined)
    try {
      await this.#linkAndBegin(member)
    } catch (error) {
      if (!mayRenew || !isDiskLost(error)) throw error
      this.#directory.renew([nodeId], this.configuration?.membership)
      await this.#linkAndBegin(member)
    }
  }

  async #linkAndBegin(member: Member): Promise<void> {
    const { ends, connected } = linksToRunning(member.nodeId, this.#members.values())
    await Promise.all([this.#lives.begin(member, ends), connected])
  }

  /** `option` names what the caller gave the number for. */
  #member(nodeId: NodeId, option = 'node'): Member {
    const member = this.#members.get(nodeId)
    if (member !== undefined) return member
    throw new RaftError('INVALID_OPTION', {
      option,
      expected: oneOfNodes(this.nodeIds),
      actual: ['number', 'string'].includes(typeof nodeId) ? quoted(nodeId) : typeof nodeId,
    })
  }
}
