/** The nodes of a cluster: started, linked, watched, killed and brought back. */
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { RaftError, unwrap } from '../errors/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import { type ControlledNode, checkRoomForNodes, type HashAt, type NodeOptions } from '../node/index.js'
import { defaultLimits, type Membership, type NodeId, type Role } from '../raft/index.js'
import { Counters, type CounterValues, LatencyHistogram, roles } from '../telemetry/index.js'
import { createLink, type LinkEnd, portsOf } from '../transport/index.js'
import type { Client, News } from './client.js'
import type { ClusterStory } from './cluster-story.js'
import type { ClusterDirectory } from './directory.js'
import { logOfMember } from './logs.js'
import { electionTimeoutTicksOf, type ResolvedOptions } from './options.js'

export type NodeState = 'running' | 'stopped' | 'failed'

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
  state: NodeState
  failure: string | undefined
  node: ControlledNode | undefined
  /** Once its disk is open, or could not be: nobody else may open the disk meanwhile. */
  opened: Promise<unknown>
  /** The end of its last life. The next one waits for it: two nodes on one log would destroy it. */
  ended: Promise<void>
}

/** Makes a node that does not run yet; `exited` is called when its thread has ended. */
export type CreateNode = (nodeId: NodeId, exited: (why: string) => void) => ControlledNode

export class Members {
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
        state: 'stopped',
        failure: undefined,
        node: undefined,
        opened: Promise.resolve(),
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
    return [...this.#members.values()].map(({ nodeId, state, failure, counters }) => {
      const values = counters.read()
      const role = roles[values.role] ?? 'follower'
      const leaderId = values.leaderId === 0 ? undefined : values.leaderId
      return { ...values, nodeId, state, failure, role, leaderId }
    })
  }

  async kill(nodeId: NodeId): Promise<void> {
    const member = this.#member(nodeId)
    this.#client.drain(nodeId)
    if (member.node === undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}` })
    this.#stopped(member, 'stopped', `node ${nodeId} was killed`)
    this.#story.tell(nodeId, { type: 'killed' })
    await member.ended
  }

  restart(nodeId: NodeId, mayRenew = false): Promise<void> {
    const restarted = this.#starting.then(() => this.#restart(this.#member(nodeId), mayRenew))
    this.#starting = restarted.catch(() => undefined)
    return restarted
  }

  async log(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined> {
    const member = this.#member(nodeId)
    this.#checkOpen()
    return logOfMember(member, this.#directory.nodePath(nodeId), this.#options, range)
  }

  async hashes(): Promise<Map<NodeId, HashAt>> {
    this.#checkOpen()
    const running = [...this.#members.values()].filter(({ state }) => state === 'running')
    const hashes = new Map<NodeId, HashAt>()
    await Promise.all(
      running.map(async ({ nodeId, node }) => {
        if (node !== undefined) hashes.set(nodeId, unwrap(await node.hash()))
      }),
    )
    return hashes
  }

  async takeHeartbeatLateness(): Promise<LatencyHistogram> {
    this.#checkOpen()
    const all = new LatencyHistogram()
    for (const { node, state } of this.#members.values()) {
      if (node !== undefined && state === 'running') all.add(unwrap(await node.takeHeartbeatLateness()))
    }
    return all
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

  #checkOpen(): void {
    if (this.#isClosed) throw new RaftError('STOPPED', { what: 'the cluster' })
  }

  async #restart(member: Member, mayRenew: boolean): Promise<void> {
    const { nodeId } = member
    this.#checkOpen()
    if (member.node !== undefined) {
      throw new RaftError('INVALID_OPTION', {
        option: 'node',
        expected: 'one that does not run',
        actual: nodeId,
      })
    }
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
    const { nodeId } = member
    const options = this.#nodeOptions(member)
    const node = this.#begin(member, links)
    const { port1: port, port2: nodePort } = new MessageChannel()
    // Attached first: its very first words may be that it leads.
    this.#client.attach(nodeId, port, (news) => this.#heard(member, news))
    const starting = node.start(options, nodePort, links)
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
      this.#checkOpen()
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

  #nodeOptions({ nodeId, memory }: Member): NodeOptions {
    const { durability, machine, heartbeatIntervalMs, reads, logBytesMax, trailingBytes, diskBytesMax } =
      this.#options
    const { recordDir } = this.#options
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? nodeId
    // One tick a heartbeat, since each wakes a thread of an idle cluster. Nodes tick at different moments, so that
    // election timeouts of equally many ticks still end apart.
    const tickMs = heartbeatIntervalMs
    return {
      nodeId,
      membership: this.#membership,
      durability,
      dir: this.#directory.nodePath(nodeId),
      pledges: this.#directory.pledgesPath,
      diskBytesMax,
      tickMs,
      reads,
      limits: {
        ...defaultLimits,
        heartbeatTicks: 1,
        electionTimeoutTicks: electionTimeoutTicksOf(this.#options),
      },
      bounds: { logBytesMax, trailingBytes },
      machine,
      seed,
      // Each life has a seed of its own, so that none writes over the recording of another.
      recording: recordDir && join(recordDir, `node-${nodeId}-${seed}.jsonl`),
      counters: memory,
      story: this.#story.memoryOf(nodeId),
    }
  }

  /** New links between this node and all that run; each gets its end. */
  async #linksToRunning(member: Member): Promise<LinkEnd[]> {
    const ends: LinkEnd[] = []
    for (const { nodeId, node, state } of this.#members.values()) {
      if (nodeId === member.nodeId || state !== 'running' || node === undefined) continue
      const [own, theirs] = createLink(member.nodeId, nodeId)
      // A node that fails just now takes no link, and needs none: its own restart makes a new one.
      await node.connect(theirs)
      ends.push(own)
    }
    return ends
  }

  #heard(member: Member, news: News): void {
    if (news.type === 'failed') this.#failed(member, news.why)
    else this.#story.read()
  }

  #failed(member: Member, why: string): void {
    this.#stopped(member, 'failed', `node ${member.nodeId} failed: ${why}`)
    member.failure = why
    this.#story.tell(member.nodeId, { type: 'failed', why })
  }

  #stopped(member: Member, state: NodeState, why: string): void {
    const { node } = member
    member.state = state
    member.node = undefined
    this.#client.detach(member.nodeId, why)
    if (node === undefined) return
    member.ended = node.end().finally(() => this.#story.nodeIsGone(member.nodeId))
    // A kill or a close that waits for the end is told of its failure.
    member.ended.catch(() => undefined)
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
