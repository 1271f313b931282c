/** The lives of nodes: each begins with the links that it is handed, is watched, and ends. */
import { setMaxListeners } from 'node:events'
import { RaftError, reasonOf } from '../errors/index.js'
import { type ControlledNode, InlineNode, NodeThread, realParts } from '../node/index.js'
import type { Membership, NodeId } from '../raft/index.js'
import { createClientWay, type LinkEnd, type NewsOfNode, portsOf } from '../transport/index.js'
import type { Client } from './client.js'
import type { ClusterStory } from './cluster-story.js'
import type { Companions } from './companions.js'
import { firstIds } from './description.js'
import type { ClusterDirectory } from './directory.js'
import type { Member } from './member.js'
import { nodeOptionsOf } from './node-options.js'
import type { ResolvedOptions } from './options.js'

/** Makes a node that does not run yet; `exited` is called when its thread has ended. */
export type CreateNode = (nodeId: NodeId, exited: (why: string) => void) => ControlledNode

/** Nodes on real parts, where the options want them. */
export function creatorOf({ host, machine }: ResolvedOptions): CreateNode {
  return (nodeId, exited) =>
    host === 'inline'
      ? new InlineNode(nodeId, realParts)
      : new NodeThread(nodeId, machine !== undefined, exited)
}

export class Lives {
  /** Called when a node has ended, however it did. */
  onEnd: (nodeId: NodeId) => void = () => undefined
  readonly #options: ResolvedOptions
  readonly #directory: ClusterDirectory
  readonly #client: Client
  readonly #story: ClusterStory
  readonly #companions: Companions
  readonly #createNode: CreateNode
  /** The first configuration of the cluster, by which a node goes that has no log. */
  readonly #membership: Membership
  readonly #closing = new AbortController()

  constructor(
    directory: ClusterDirectory,
    options: ResolvedOptions,
    client: Client,
    story: ClusterStory,
    companions: Companions,
    createNode: CreateNode,
  ) {
    this.#directory = directory
    this.#options = options
    this.#client = client
    this.#story = story
    this.#companions = companions
    this.#createNode = createNode
    this.#membership = { voters: firstIds(directory.nodes), votersOutgoing: [], learners: [] }
    // Any number of calls may wait: none of their listeners is a leak.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Aborts as the close begins. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  get isClosed(): boolean {
    return this.closing.aborted
  }

  /** No life begins any more. */
  close(): void {
    this.#closing.abort()
  }

  checkOpen(): void {
    if (this.isClosed) throw new RaftError('STOPPED', { what: 'the cluster' })
  }

  async begin(member: Member, links: readonly LinkEnd[], campaigns = false): Promise<void> {
    const { nodeId, memory, board } = member
    const options = nodeOptionsOf(nodeId, this.#membership, this.#options, this.#directory, {
      campaigns,
      counters: memory,
      membershipMemory: member.membership.memory,
      vitals: member.vitals.memory,
      latencies: member.latencies.memory,
      story: this.#story.memoryOf(nodeId),
      board: board.memory,
    })
    const node = this.#created(member, links)
    const [clientEnd, nodeEnd] = createClientWay()
    // Attached first: its very first words may be that it leads.
    this.#client.attach(nodeId, clientEnd, (news) => this.#heard(member, news))
    member.starting = node
    const starting = node.start(options, nodeEnd, links).then((result) => {
      member.lastIndexAtStart = member.counters.get('lastIndex')
      return result
    })
    member.opened = starting.catch(() => undefined)
    const started = await starting.finally(() => {
      if (member.starting === node) member.starting = undefined
    })
    if (started.ok) {
      this.#directory.keepMachineName(started.value)
      this.#client.leaderChanged()
      // The node may have ended meanwhile: it tells of its end by another port than of its start.
      if (member.node !== node) return
      return this.#accompanied(member, node)
    }
    const error = new RaftError(started.code, started.details)
    if (member.node === node) this.#failed(member, error.message)
    await member.ended.catch(() => undefined)
    throw member.state === 'failed' ? error : new RaftError('STOPPED', { what: `node ${nodeId}` })
  }

  /** A node whose companion cannot begin does not run: the call that starts it fails. */
  async #accompanied(member: Member, node: ControlledNode): Promise<void> {
    try {
      await this.#companions.began(member.nodeId, member.counters)
    } catch (error) {
      if (member.node === node) this.end(member, 'stopped', `a companion of node ${member.nodeId} failed`)
      await member.ended.catch(() => undefined)
      if (error instanceof RaftError) throw error
      const why = `a companion of it failed: ${reasonOf(error)}`
      throw new RaftError('NODE_FAILED', { nodeId: member.nodeId, why }, error)
    }
    if (member.node !== node) throw new RaftError('STOPPED', { what: `node ${member.nodeId}` })
  }

  /** The node ends at once. `why` is told to the calls that it was sent. */
  end(member: Member, state: Member['state'], why: string): void {
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
    // Last: a companion that asks the cluster finds the node ended in every part of it.
    this.#companions.ended(member.nodeId)
  }

  /** A new node for the member, which begins its life. When there can be none, nobody gets its links. */
  #created(member: Member, links: readonly LinkEnd[]): ControlledNode {
    const { nodeId } = member
    try {
      this.checkOpen()
      member.board.begin()
      const node = this.#createNode(nodeId, (why) => {
        this.#client.drain(nodeId)
        if (member.node === node) this.#failed(member, why)
      })
      member.node = node
      // Until the node tells itself.
      member.counters.begins()
      member.state = 'running'
      member.failure = undefined
      return node
    } catch (error) {
      for (const port of links.flatMap(portsOf)) port.close()
      throw error
    }
  }

  #heard(member: Member, news: NewsOfNode): void {
    const { nodeId, board } = member
    if (news.type === 'failed') this.#failed(member, news.why)
    else if (news.type === 'happened') this.#story.read()
    else if (board.froze()) this.#story.tell(nodeId, { type: 'paused' })
  }

  #failed(member: Member, why: string): void {
    member.failure = why
    this.end(member, 'failed', `node ${member.nodeId} failed: ${why}`)
    this.#story.tell(member.nodeId, { type: 'failed', why })
  }
}
