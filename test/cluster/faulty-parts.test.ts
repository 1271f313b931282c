/** Faults that stand between a node and its links, its ticks or its store, in a cluster that knows nothing of them. */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Cluster } from '../../src/cluster/cluster.js'
import { ClusterDirectory } from '../../src/cluster/directory.js'
import type { ClusterEvent } from '../../src/cluster/index.js'
import { electionTimeoutTicksOf, resolveOptions } from '../../src/cluster/options.js'
import { InlineNode, type NodeParts, NodeThread, realParts } from '../../src/node/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { FaultyStore } from '../../src/storage/index.js'
import type { LinkEnd } from '../../src/transport/index.js'
import { convergedHashes } from './support.js'

/** A cluster of three whose nodes are handed the given parts in place of the real ones. */
async function clusterOn(partsOf: (nodeId: NodeId) => Partial<NodeParts>) {
  const options = resolveOptions({ nodes: 3, host: 'inline' })
  const directory = ClusterDirectory.open(undefined, { nodes: 3, machine: 'kv' })
  const cluster = new Cluster(
    directory,
    options,
    (nodeId) => new InlineNode(nodeId, { ...realParts, ...partsOf(nodeId) }),
  )
  onTestFinished(() => cluster.close())
  const events: ClusterEvent[] = []
  cluster.events.on('event', (event: ClusterEvent) => void events.push(event))
  await cluster.start()
  const statusOf = (nodeId: NodeId) => {
    const status = cluster.status().find((node) => node.nodeId === nodeId)
    if (status === undefined) throw new Error(`no node ${nodeId}`)
    return status
  }
  return { cluster, events, statusOf }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}

/** Links that keep what they are to send to one node until they are let go. */
class SlowLinks {
  slowTo: NodeId | undefined
  readonly #kept: (() => void)[] = []

  readonly createLinks: NodeParts['createLinks'] = (wake, receive) => {
    const links = realParts.createLinks(wake, receive)
    return {
      connect: (link) => links.connect(link),
      disconnect: (peerId) => links.disconnect(peerId),
      drain: () => links.drain(),
      close: () => links.close(),
      send: (message) => {
        if (message.to === this.slowTo) this.#kept.push(() => links.send(message))
        else links.send(message)
      },
    }
  }

  letGo(): void {
    this.slowTo = undefined
    for (const send of this.#kept.splice(0)) send()
  }
}

test('a node to which links delay lags behind, and catches up when all that they kept arrives', async () => {
  const all: SlowLinks[] = []
  const { cluster, statusOf } = await clusterOn(() => {
    const links = new SlowLinks()
    all.push(links)
    return { createLinks: links.createLinks }
  })
  await cluster.put('a', '1')
  await convergedHashes(cluster)
  const late = cluster.leaderId === 1 ? 2 : 1
  for (const links of all) links.slowTo = late
  const { lastIndex } = statusOf(late)
  await cluster.put('b', '2')
  expect(statusOf(late).lastIndex).toBe(lastIndex)
  for (const links of all) links.letGo()
  await until(() => statusOf(late).lastIndex > lastIndex)
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('nodes whose clocks stand still elect nobody; the one that is ticked by hand leads', async () => {
  const ticks = new Map<NodeId, () => void>()
  const { cluster, events, statusOf } = await clusterOn((nodeId) => ({
    clock: { ...realParts.clock, now: () => 0 },
    startTicks: (_, tick) => {
      ticks.set(nodeId, tick)
      return () => void ticks.delete(nodeId)
    },
  }))
  await until(() => cluster.leaderId !== undefined)
  const first = await cluster.kill('leader')
  const [ticked = 0, other = 0] = [1, 2, 3].filter((nodeId) => nodeId !== first)
  const tick = (nodeId: NodeId): void => (ticks.get(nodeId) ?? expect.fail('its ticks are real'))()
  // So many ticks keep the promise of the other to its leader, and are fewer than any election timeout.
  for (let n = 0; n < electionTimeoutTicksOf(cluster.options); n++) tick(other)
  while (statusOf(ticked).role === 'follower') {
    tick(ticked)
    // A node whose write has not ended does not campaign.
    await turn()
  }
  await until(() => cluster.leaderId !== undefined)
  await cluster.put('a', '1')
  const campaigned = events.filter((event) => event.type === 'role' && event.role === 'preCandidate')
  expect(campaigned.map(({ nodeId }) => nodeId)).toEqual([first, ticked])
  await cluster.close()
  expect(ticks.size).toBe(0)
})

test('a leader whose store fails is told with the reason of its store, and the others go on', async () => {
  const stores = new Map<NodeId, FaultyStore>()
  const { cluster, statusOf } = await clusterOn((nodeId) => ({
    openStore: (options) => {
      const opened = realParts.openStore(options)
      const store = new FaultyStore(opened.store)
      stores.set(nodeId, store)
      return { ...opened, store }
    },
  }))
  await cluster.put('a', '1')
  const failed = cluster.leaderId ?? 0
  stores.get(failed)?.failNextFlush('lost')
  await cluster.put('b', '2').catch(() => undefined)
  await until(() => statusOf(failed).state === 'failed')
  expect(statusOf(failed).failure).toMatch(/flush/)
  await cluster.put('c', '3')
  expect(Buffer.from((await cluster.get('a'))?.value ?? '').toString()).toBe('1')
  expect(cluster.leaderId).not.toBe(failed)
})

test('a node that begins is not harmed by a peer that ends while another peer takes its link', async () => {
  const [taken, letGo] = [new AbortController(), new AbortController()]
  const [isTaken, isLetGo] = [once(taken.signal, 'abort'), once(letGo.signal, 'abort')]
  let isSlow = false
  class SlowToTakeLinks extends NodeThread {
    override async connect(link: LinkEnd) {
      const connected = super.connect(link)
      if (isSlow) taken.abort()
      if (isSlow) await isLetGo
      return connected
    }
  }
  const directory = ClusterDirectory.open(undefined, { nodes: 3, machine: 'kv' })
  const cluster = new Cluster(directory, resolveOptions({ nodes: 3 }), (nodeId, exited) =>
    nodeId === 2 ? new SlowToTakeLinks(nodeId, false, exited) : new NodeThread(nodeId, false, exited),
  )
  onTestFinished(() => cluster.close())
  await cluster.start()
  await cluster.put('a', '1')
  await cluster.kill(3)
  isSlow = true
  const restarted = cluster.restart(3)
  await isTaken
  await cluster.kill(1)
  letGo.abort()
  await restarted
  expect((await cluster.get('a'))?.value.toString()).toBe('1')
})
