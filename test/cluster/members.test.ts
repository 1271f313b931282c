/** Lives and ends of members whose nodes are played by the test. */
import { expect, test } from 'vitest'
import { Breaking } from '../../src/cluster/breaking.js'
import type { Members } from '../../src/cluster/members.js'
import { resolveOptions } from '../../src/cluster/options.js'
import type { FaultMethods } from '../../src/faults/index.js'
import { done, played, turn } from './played.js'
import { startedCluster } from './support.js'

const stateOf = (members: Members) => members.status().map(({ state }) => state)

test('[MB2] messages of a killed life of a node are not taken by its next life', async () => {
  const { members, story, nodes } = played()
  await members.start()
  const restarted = new Promise<void>((resolve) => {
    story.events.once('event', () => {
      const killed = members.kill(1)
      // A port that is closed while it delivers goes on to deliver what comes meanwhile.
      nodes[0]?.fail('an error of the old life')
      nodes[0]?.letEnd()
      resolve(killed.then(() => members.restart(1)))
    })
  })
  story.tell(1, { type: 'started', lastIndex: 0, snapshotIndex: 0 })
  await restarted
  nodes[0]?.exited('its thread ended')
  await turn()
  await turn()
  expect(nodes.length).toBe(3)
  expect(stateOf(members)).toEqual(['running', 'running'])
})

test('[MB2] a node that starts does not lead, whatever its earlier life did', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  await cluster.put('a', '1')
  expect(cluster.leaderId).toBe(1)
  await cluster.kill(1)
  const restarted = cluster.restart(1)
  while (cluster.status()[0]?.state !== 'running') await turn()
  expect(cluster.leaderId).toBeUndefined()
  expect(cluster.status()[0]).toMatchObject({ role: 'follower', leaderId: undefined })
  await restarted
  await cluster.put('b', '2')
})

test('[MB1] a restart waits for the end of the life before it, and no call makes a second copy', async () => {
  const { members, nodes } = played()
  await members.start()
  const killed = members.kill(1)
  const restarts = Promise.allSettled([members.restart(1), members.restart(1)])
  await turn()
  expect(nodes.length).toBe(2)
  nodes[0]?.letEnd()
  await killed
  expect(await restarts).toMatchObject([
    { status: 'fulfilled' },
    { reason: { code: 'INVALID_FAULT', details: { what: 'restart 1' } } },
  ])
  expect(nodes.length).toBe(3)
})

test('[MB4] a failure that lies in the port of a node counts before it is killed', async () => {
  const { members, nodes } = played()
  await members.start()
  nodes[0]?.fail('the disk is full')
  await expect(members.kill(1)).rejects.toMatchObject({ code: 'STOPPED' })
  expect(members.status()[0]).toMatchObject({ state: 'failed', failure: 'the disk is full' })
})

test('[MB4] a thread that ends tells its reason, if it left one in its port', async () => {
  const { members, nodes } = played()
  await members.start()
  nodes[0]?.fail('the disk is full')
  nodes[0]?.exited('its thread ended')
  nodes[1]?.exited('its thread ended')
  expect(members.status().map(({ failure }) => failure)).toEqual(['the disk is full', 'its thread ended'])
})

test('[EV2] a listener is called when the kill is complete, and may restart the node', async () => {
  const { members, story, nodes } = played()
  await members.start()
  const seen: unknown[] = []
  story.events.on('event', ({ type }) => {
    if (type !== 'killed') return
    seen.push(stateOf(members))
    void members.restart(1)
  })
  const killed = members.kill(1)
  expect(seen).toEqual([])
  nodes[0]?.letEnd()
  await killed
  await turn()
  expect(seen).toEqual([['stopped', 'running']])
  expect(nodes.length).toBe(3)
})

test('[CL3] closing ends every node, and tells of each that did not end cleanly', async () => {
  const { members, nodes } = played()
  await members.start()
  const closed = members.close()
  expect(nodes.map(({ isEnded }) => isEnded)).toEqual([true, true])
  for (const node of nodes) node.letEnd(new Error(`node ${node.nodeId} has lost its files`))
  await expect(closed).rejects.toMatchObject({
    errors: [{ message: 'node 1 has lost its files' }, { message: 'node 2 has lost its files' }],
  })
})

test('[CL2] closing waits for a node that is being killed', async () => {
  const { members, nodes } = played()
  await members.start()
  const killed = members.kill(1)
  let isClosed = false
  const closed = members.close().then(() => {
    isClosed = true
  })
  nodes[1]?.letEnd()
  await turn()
  expect(isClosed).toBe(false)
  nodes[0]?.letEnd()
  await Promise.all([killed, closed])
})

test.each<[string, (methods: FaultMethods) => Promise<unknown>]>([
  ['pause', (methods) => methods.pause(1)],
  ['losePower', (methods) => methods.losePower(1)],
  ['losePower for a time', (methods) => methods.losePower(1, { forMs: 600_000 })],
  ['stallDisk', (methods) => methods.stallDisk(1)],
  ['cut', (methods) => methods.cut(1, 2)],
])('[CL1] %s does not resolve when the close of the cluster ends the node first', async (_, begin) => {
  const { members, story, nodes } = played()
  await members.start()
  const breaking = new Breaking(members, story, resolveOptions({ nodes: 2 }))
  const begun = expect(begin(breaking.methods)).rejects.toMatchObject({ code: 'STOPPED' })
  await turn()
  breaking.close()
  const closed = members.close()
  for (const node of nodes) node.letEnd()
  await Promise.all([begun, closed])
})

test('[MB9] a fault of a node that another fault has ended meanwhile has begun: the node finds it later', async () => {
  const { members, story, nodes } = played()
  await members.start()
  const { methods } = new Breaking(members, story, resolveOptions({ nodes: 2 }))
  const begun = methods.stallDisk(1)
  await turn()
  const killed = members.kill(1)
  nodes[0]?.letEnd()
  await killed
  expect((await begun).standing.fault).toMatchObject({ type: 'stallDisk', nodes: [1] })
})

test('[CL1] a kill that is made before the close has ended its node, and resolves', async () => {
  const { members, nodes } = played()
  await members.start()
  const killed = members.kill(1)
  const closed = members.close()
  for (const node of nodes) node.letEnd()
  await Promise.all([killed, closed])
  expect(nodes[0]?.isEnded).toBe(true)
})

test('[CL2] closing ends a node that is just starting, and its restart says that it was stopped', async () => {
  const { members, nodes, startsAs } = played()
  await members.start()
  const killed = members.kill(1)
  nodes[0]?.letEnd()
  await killed
  // The start hangs until its thread is ended, as behind a module that never loads.
  let hangingEnds: (result: unknown) => void = () => undefined
  const hanging = new Promise((resolve) => {
    hangingEnds = resolve
  })
  startsAs(hanging)
  const restarted = expect(members.restart(1)).rejects.toMatchObject({ code: 'STOPPED' })
  await turn()
  const closed = members.close()
  expect(nodes[2]?.isEnded).toBe(true)
  hangingEnds({ ok: false, code: 'NODE_FAILED', details: { nodeId: 1, why: 'its thread ended' } })
  for (const node of nodes) node.letEnd()
  await Promise.all([restarted, closed])
  await expect(members.restart(1)).rejects.toMatchObject({ code: 'STOPPED' })
})

test('[MB3] a node that does not start has failed, for the reason of its start and not for that of its end', async () => {
  const { members, nodes, startsAs } = played()
  await members.start()
  nodes[0]?.fail('the disk is full')
  await turn()
  nodes[0]?.letEnd()
  startsAs(
    Promise.resolve({ ok: false, code: 'STORAGE_FAILED', details: { nodeId: 1, why: 'no such file' } }),
  )
  const restarted = expect(members.restart(1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  await turn()
  nodes[2]?.letEnd(new Error('not even an end'))
  await restarted
  expect(members.status()[0]).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining('no such file'),
  })
})

test('[MB11][MB14] a pause is refused of a node that is just starting, and no role means it', async () => {
  const { members, story, nodes, startsAs } = played()
  await members.start()
  const killed = members.kill(1)
  nodes[0]?.letEnd()
  await killed
  let started: (answer: unknown) => void = () => undefined
  startsAs(
    new Promise((resolve) => {
      started = resolve
    }),
  )
  const restarted = members.restart(1)
  while (nodes[2] === undefined) await turn()
  const breaking = new Breaking(members, story, resolveOptions({ nodes: 2 }))
  const { methods } = breaking
  expect(breaking.nodesOf('all')).toEqual([2])
  await expect(methods.pause(1)).rejects.toMatchObject({
    code: 'INVALID_FAULT',
    details: { why: 'node 1 is just starting: pause it once it runs' },
  })
  expect(methods.faults).toEqual([])
  started(done)
  await restarted
  expect(members.isStarting(1)).toBe(false)
  expect(breaking.nodesOf('all')).toEqual([1, 2])
})

test('[MB9] a fault that is healed while its node is removed brings nothing back, and is healed', async () => {
  const { members, nodes } = played()
  await members.start()
  const killed = members.kill(2)
  nodes[1]?.letEnd()
  await killed
  const removed = members.discard(2, false)
  await expect(members.bringBack(2)).resolves.toBeUndefined()
  await removed
  expect(members.nodeIds).toEqual([1])
  expect(nodes.length).toBe(2)
})

test('[MB9] a node that is removed has ended before its folder goes, and the others close their links to it', async () => {
  const { members, nodes } = played()
  await members.start()
  const discarded = members.discard(2, false)
  await turn()
  expect(nodes[1]?.isEnded).toBe(true)
  expect(members.nodeIds).toEqual([1, 2])
  nodes[1]?.letEnd()
  await discarded
  expect(members.nodeIds).toEqual([1])
  expect(nodes[0]?.disconnected).toEqual([2])
})

test('[MB8] a node that cannot start is none of the nodes, and its id is not given again', async () => {
  const { members, nodes, startsAs } = played()
  await members.start()
  startsAs(Promise.resolve({ ok: false, code: 'STORAGE_FAILED', details: { nodeId: 3, why: 'no disk' } }))
  const launched = members.launch()
  while (nodes[2]?.isEnded !== true) await turn()
  nodes[2]?.letEnd()
  await expect(launched).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  expect(members.nodeIds).toEqual([1, 2])
  startsAs(Promise.resolve(done))
  expect(await members.launch()).toBe(4)
})
