/** The nodes of a cluster: started, linked, watched, killed and brought back. */
import { RaftError, type Result, unwrap } from '../errors/index.js'
import { faultAt, isEnding, type StandingFault } from '../faults/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import { type ControlledNode, checkRoomForNodes } from '../node/index.js'
import type { Membership, NodeId, Role } from '../raft/index.js'
import { Counters, type CounterValues, roles } from '../telemetry/index.js'
import { createClientWay, createLink, type LinkEnd, portsOf } from '../transport/index.js'
import type { Client, News } from './client.js'
import type { ClusterStory } from './cluster-story.js'
import type { ClusterDirectory } from './directory.js'
import { logOfMember } from './logs.js'
import { NodeBoard } from './node-board.js'
import { nodeOptionsOf } from './node-options.js'
import type { ResolvedOptions } from './options.js'

/** A paused node is alive, and nothing of it runs. */
export type NodeState = 'running' | 'paused' | 'stopped' | 'failed'

export interface NodeStatus extends Omit<CounterValues, 'role' | 'leaderId'> {
  readonly nodeId: NodeId
  readonly state: NodeState
  /** Role and counters are the last ones known when the node does not run. */
  readonly role: Role
  readonly leaderId: NodeId | undefined
  /** Why it failed, when it did. */
  readonly failure: string | undefined
}

interface Member {
  readonly nodeId: NodeId
  readonly memory: SharedArrayBuffer
  readonly counters: Counters
  readonly board: NodeBoard
  state: Exclude<NodeState, 'paused'>
  failure: string | undefined
  node: ControlledNode | undefined
  /** Once its disk is open, or could not be: nobody else may open the disk meanwhile. */
  opened: Promise<unknown>
  /** Settled once its power is gone: until then the node runs, and is not to be brought back. */
  powerGoes: Promise<unknown>
  /** The end of its last life. The next one waits for it: two nodes on one log would destroy it. */
  ended: Promise<void>
}

/** Makes a node that does not run yet; `exited` is called when its thread has ended. */
export type CreateNode = (nodeId: NodeId, exited: (why: string) => void) => ControlledNode

export class Members {
  /** Called when a node has ended, however it did. */
  onEnd: (nodeId: NodeId) => void = () => undefined
  readonly #options: ResolvedOptions
  readonly #directory: ClusterDirectory
  readonly #client: Client
  readonly #story: ClusterStory
  readonly #createNode: CreateNode
  readonly #membership: Membership
  readonly #members = new Map<NodeId, Member>()
  /** Nodes are brought up one after the other once the cluster runs, so that each finds the links of the last. */
  #starting: Promise<unknown> = Promise.resolve()
  #isClosed = false

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
    this.#createNode = createNode
    const voters = story.nodeIds
    this.#membership = { voters, votersOutgoing: [], learners: [] }
    for (const nodeId of voters) {
      const memory = Counters.allocate()
      this.#members.set(nodeId, {
        nodeId,
        memory,
        counters: new Counters(memory),
        board: new NodeBoard(),
        state: 'stopped',
        failure: undefined,
        node: undefined,
        opened: Promise.resolve(),
        powerGoes: Promise.resolve(),
        ended: Promise.resolve(),
      })
    }
  }

  /** Brings up every node at once, each linked to all others. Throws the first failure. */
  async start(): Promise<void> {
    const renewable = this.#options.renew.map((nodeId) => this.#member(nodeId, 'renew'))
    checkRoomForNodes(this.#members.size, this.#options.host)
    const links = new Map<NodeId, LinkEnd[]>()
    for (const nodeId of this.#members.keys()) links.set(nodeId, [])
    for (const [first, ofFirst] of links) {
      for (const [second, ofSecond] of links) {
        if (first >= second) continue
        const [firstEnd, secondEnd] = createLink(first, second)
        ofFirst.push(firstEnd)
        ofSecond.push(secondEnd)
      }
    }
    const all = [...this.#members.values()]
    const results = await Promise.allSettled(
      all.map((member) => this.#launch(member, links.get(member.nodeId) ?? [])),
    )
    const lost: Member[] = []
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      const member = all[at]
      if (member === undefined || !renewable.includes(member) || !isDiskLost(result.reason))
        throw result.reason
      lost.push(member)
    }
    if (lost.length === 0) return
    this.#directory.renew(lost.map(({ nodeId }) => nodeId))
    for (const member of lost) await this.#launch(member, await this.#linksToRunning(member))
  }

  /** The leader of the latest term that a running node has told; `undefined` while there is none. */
  get leaderId(): NodeId | undefined {
    let leader: Member | undefined
    let latestTerm = 0
    for (const member of this.#members.values()) {
      if (member.state !== 'running') continue
      const term = member.counters.get('currentTerm')
      if (roles[member.counters.get('role')] !== 'leader' || term < latestTerm) continue
      leader = member
      latestTerm = term
    }
    return leader?.nodeId
  }

  status(): NodeStatus[] {
    return [...this.#members.values()].map(({ nodeId, state: lasting, failure, counters, board }) => {
      const state = board.frozenAtMs === undefined ? lasting : 'paused'
      const values = counters.read()
      const role = roles[values.role] ?? 'follower'
      const leaderId = values.leaderId === 0 ? undefined : values.leaderId
      return { ...values, nodeId, state, failure, role, leaderId }
    })
  }

  get nodeIds(): readonly NodeId[] {
    return [...this.#members.keys()]
  }

  /** Nodes that run, frozen ones included. A node that has told of its end does not run. */
  get running(): readonly NodeId[] {
    for (const nodeId of this.nodeIds) this.#client.drain(nodeId)
    return this.nodeIds.filter((nodeId) => this.#member(nodeId).node !== undefined)
  }

  /** Throws when there is no such node. */
  checkIsThere(nodeId: NodeId): void {
    this.#member(nodeId)
  }

  /** Throws what a kill of the node would reject with. */
  checkRuns(nodeId: NodeId): void {
    const member = this.#member(nodeId)
    this.#client.drain(nodeId)
    if (member.node === undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}` })
  }

  async kill(nodeId: NodeId, how: 'kill' | 'losePower' = 'kill'): Promise<void> {
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
      this.#stopped(member, 'stopped', `node ${nodeId} ${how === 'kill' ? 'was killed' : 'lost its power'}`)
      this.#story.tell(nodeId, { type: 'killed' })
    }
    await member.ended
  }

  /** From now on exactly these faults stand at the node. */
  async show(nodeId: NodeId, faults: readonly StandingFault[]): Promise<void> {
    const member = this.#member(nodeId)
    const { node, board } = member
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
  }

  /** The faults as the node's board says them. */
  noticeFor(nodeId: NodeId, faults: readonly StandingFault[]): readonly StandingFault[] {
    return faults
      .filter(({ fault }) => !isEnding(fault))
      .map((standing) => ({ ...standing, fault: faultAt(standing.fault, nodeId, this.nodeIds) }))
  }

  /** Starts a node that does not run, from what its disk holds. A node that runs goes on. */
  bringBack(nodeId: NodeId): Promise<void> {
    return this.#inTurn(async () => {
      const member = this.#member(nodeId)
      await member.powerGoes
      if (member.node === undefined && !this.#isClosed) await this.#restart(member, false)
    })
  }

  restart(nodeId: NodeId, mayRenew = false): Promise<void> {
    return this.#inTurn(() => this.#restart(this.#member(nodeId), mayRenew))
  }

  #inTurn(start: () => Promise<void>): Promise<void> {
    const started = this.#starting.then(start)
    this.#starting = started.catch(() => undefined)
    return started
  }

  async log(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined> {
    this.checkOpen()
    return logOfMember(this.#member(nodeId), this.#directory.nodePath(nodeId), this.#options, range)
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
    this.#isClosed = true
    const all = [...this.#members.values()]
    for (const member of all) {
      if (member.node !== undefined) this.#stopped(member, 'stopped', 'the cluster was closed')
    }
    await this.#starting
    const results = await Promise.allSettled(all.map(({ ended }) => ended))
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (reasons.length > 0) throw new AggregateError(reasons)
  }

  checkOpen(): void {
    if (this.#isClosed) throw new RaftError('STOPPED', { what: 'the cluster' })
  }

  checkDown(nodeId: NodeId): void {
    if (this.#member(nodeId).node === undefined) return
    const actual = `${nodeId}, which runs already`
    throw new RaftError('INVALID_OPTION', { option: 'node', expected: 'one that does not run', actual })
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
      await this.#launch(member, await this.#linksToRunning(member))
    } catch (error) {
      if (!mayRenew || !isDiskLost(error)) throw error
      this.#directory.renew([nodeId])
      await this.#launch(member, await this.#linksToRunning(member))
    }
  }

  async #launch(member: Member, links: readonly LinkEnd[]): Promise<void> {
    const { nodeId, memory, board } = member
    const options = nodeOptionsOf(nodeId, this.#membership, this.#options, this.#directory, {
      counters: memory,
      story: this.#story.memoryOf(nodeId),
      board: board.memory,
    })
    const node = this.#begin(member, links)
    const [clientEnd, nodeEnd] = createClientWay()
    // Attached first: its very first words may be that it leads.
    this.#client.attach(nodeId, clientEnd, (news) => this.#heard(member, news))
    const starting = node.start(options, nodeEnd, links)
    member.opened = starting.catch(() => undefined)
    const started = await starting
    if (started.ok) return this.#client.leaderChanged()
    const error = new RaftError(started.code, started.details)
    if (member.node === node) this.#failed(member, error.message)
    await member.ended.catch(() => undefined)
    throw member.state === 'failed' ? error : new RaftError('STOPPED', { what: `node ${nodeId}` })
  }

  /** A new node for the member, which begins its life. When there can be none, nobody gets its links. */
  #begin(member: Member, links: readonly LinkEnd[]): ControlledNode {
    const { nodeId } = member
    try {
      this.checkOpen()
      member.board.begin()
      const node = this.#createNode(nodeId, (why) => {
        this.#client.drain(nodeId)
        if (member.node === node) this.#failed(member, why)
      })
      member.node = node
      member.state = 'running'
      member.failure = undefined
      return node
    } catch (error) {
      for (const port of links.flatMap(portsOf)) port.close()
      throw error
    }
  }

  /** New links between this node and all that run; each gets its end. */
  async #linksToRunning(member: Member): Promise<LinkEnd[]> {
    const ends: LinkEnd[] = []
    for (const { nodeId, node, board, state } of this.#members.values()) {
      if (nodeId === member.nodeId || state !== 'running' || node === undefined) continue
      const [own, theirs] = createLink(member.nodeId, nodeId)
      // A node that fails just now takes no link, and needs none: its own restart makes a new one.
      await board.connect(theirs, node)
      ends.push(own)
    }
    return ends
  }

  #heard(member: Member, news: News): void {
    const { nodeId, board } = member
    if (news.type === 'failed') this.#failed(member, news.why)
    else if (news.type === 'happened') this.#story.read()
    else if (board.froze()) this.#story.tell(nodeId, { type: 'paused' })
  }

  #failed(member: Member, why: string): void {
    this.#stopped(member, 'failed', `node ${member.nodeId} failed: ${why}`)
    member.failure = why
    this.#story.tell(member.nodeId, { type: 'failed', why })
  }

  #stopped(member: Member, state: Member['state'], why: string): void {
    const { node, board } = member
    member.state = state
    member.node = undefined
    this.#client.detach(member.nodeId, why)
    if (node === undefined) return
    board.end()
    member.ended = node.end().finally(() => this.#story.nodeIsGone(member.nodeId))
    // A kill or a close that waits for the end is told of its failure.
    member.ended.catch(() => undefined)
    this.onEnd(member.nodeId)
  }

  /** `option` names what the caller gave the number for. */
  #member(nodeId: NodeId, option = 'node'): Member {
    const member = this.#members.get(nodeId)
    if (member !== undefined) return member
    const expected = `one of ${[...this.#members.keys()].join(', ')}`
    throw new RaftError('INVALID_OPTION', {
      option,
      expected,
      actual: typeof nodeId === 'number' ? nodeId : typeof nodeId,
    })
  }
}

function isDiskLost(error: unknown): boolean {
  return error instanceof RaftError && error.code === 'DISK_LOST'
}
