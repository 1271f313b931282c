/** Members whose nodes are played by the test. */
import type { MessagePort } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { Client } from '../../src/cluster/client.js'
import { ClusterStory } from '../../src/cluster/cluster-story.js'
import { ClusterDirectory } from '../../src/cluster/directory.js'
import { Members } from '../../src/cluster/members.js'
import { resolveOptions } from '../../src/cluster/options.js'
import { failure } from '../../src/errors/index.js'
import type { ControlledNode } from '../../src/node/index.js'
import type { NodeId } from '../../src/raft/index.js'
import type { ClientWayEnd } from '../../src/transport/index.js'

export const done = { ok: true, value: undefined } as const

/** A node that runs at once, and ends when the test lets it. */
class PlayedNode {
  readonly nodeId: NodeId
  readonly exited: (why: string) => void
  client: MessagePort | undefined
  isEnded = false
  letEnd: (error?: Error) => void = () => undefined
  readonly #started: Promise<unknown>
  readonly #unanswered: (() => void)[] = []

  constructor(nodeId: NodeId, exited: (why: string) => void, started: Promise<unknown>) {
    this.nodeId = nodeId
    this.exited = exited
    this.#started = started
  }

  start(_: unknown, { port }: ClientWayEnd): Promise<unknown> {
    this.client = port
    return this.#started
  }

  connect = async () => done

  /** The node answers these only by its end. */
  look = () => this.#endedFirst()
  losePower = () => this.#endedFirst()

  disconnected: NodeId[] = []

  async disconnect(peerId: NodeId) {
    this.disconnected.push(peerId)
    return done
  }

  #endedFirst(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#unanswered.push(() => resolve(failure('NODE_FAILED', { nodeId: this.nodeId, why: 'it ended' })))
    })
  }

  end(): Promise<void> {
    this.isEnded = true
    for (const answer of this.#unanswered) answer()
    return new Promise((resolve, reject) => {
      this.letEnd = (error) => (error === undefined ? resolve() : reject(error))
    })
  }

  /** Posts what the node tells last. */
  fail(why: string): void {
    this.client?.postMessage({ type: 'failed', why })
  }
}

/** Two members, and every node that was made for them, in order. Starts end as those told to `startsAs` last. */
export function played() {
  let started: Promise<unknown> = Promise.resolve(done)
  const options = resolveOptions({ nodes: 2 })
  const directory = ClusterDirectory.open(undefined, { nodes: 2, machine: 'kv' })
  onTestFinished(() => directory.release())
  const client = new Client(1000, 60_000, () => ({ leaderId: undefined, failures: undefined }))
  const nodes: PlayedNode[] = []
  const story = new ClusterStory([1, 2], options, () => undefined)
  story.begin()
  const members = new Members(directory, options, client, story, (nodeId, exited) => {
    const node = new PlayedNode(nodeId, exited, started)
    nodes.push(node)
    return node as unknown as ControlledNode
  })
  onTestFinished(() => client.close())
  const startsAs = (start: Promise<unknown>) => {
    started = start
  }
  return { members, story, nodes, startsAs }
}

export const turn = () => new Promise((resolve) => setImmediate(resolve))
