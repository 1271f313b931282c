/**
 * The ends of calls that wait for nodes while the cluster is closed. No flush of a disk ends by itself, so that no node answers;
 * a snapshot of a disk that is stalled would be refused.
 */
import { on } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cluster, leaderKnown, type RaftError } from '../../src/cluster/index.js'
import { startedCluster, temporaryFolder } from './support.js'

const withinMs = 3_600_000
const file = () => join(temporaryFolder(), 'export')

const notDone = ['STOPPED']
const unknown = ['UNKNOWN_OUTCOME']
/** A call that may or may not have been sent by then. */
const either = [...notDone, ...unknown]

/** Each call with the codes of its end. A call whose effect may come about is never told as not done. */
const calls: readonly [string, (cluster: Cluster) => Promise<unknown>, readonly string[]][] = [
  ['addNode', (cluster) => cluster.addNode({ withinMs }), either],
  [
    'changeMembership',
    (cluster) => cluster.changeMembership([{ type: 'demote', nodeId: 3 }], { withinMs }),
    unknown,
  ],
  ['demote', (cluster) => cluster.demote(3, { withinMs }), unknown],
  ['export', (cluster) => cluster.export(file(), { from: 1 }), notDone],
  ['losePower', (cluster) => cluster.losePower(1), notDone],
  ['put', (cluster) => cluster.put('a', 'b'), unknown],
  ['removeNode', (cluster) => cluster.removeNode(3, { withinMs }), unknown],
  ['replaceNode', (cluster) => cluster.replaceNode(3, { withinMs }), either],
  ['snapshot', (cluster) => cluster.snapshot(1), notDone],
  ['transfer', (cluster) => cluster.transfer(undefined, { withinMs }), either],
]

async function heldCluster(host: 'threads' | 'inline'): Promise<Cluster> {
  const cluster = await startedCluster({ host, requestTimeoutMs: withinMs })
  await leaderKnown(cluster)
  await cluster.put('a', 'a')
  await cluster.slowDisk('all', withinMs)
  return cluster
}

/**
 * The error of a call that is sent and waits as the cluster closes. Nobody looks at the call before: a rejection without a
 * handler would fail the run of the tests.
 */
async function endAtClose(call: Promise<unknown>, cluster: Cluster): Promise<unknown> {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  await turn()
  await cluster.close()
  for (let turns = 0; turns < 3; turns++) await turn()
  return call.catch((error: unknown) => error)
}

for (const host of ['threads', 'inline'] as const) {
  test.each(calls)(`[CL1][CL4] %s ends with the close (${host})`, async (_, call, codes) => {
    const cluster = await heldCluster(host)
    const { code } = (await endAtClose(call(cluster), cluster)) as RaftError
    expect(codes).toContain(code)
  })
}

test('[CL5] a wait for the next event ends as the cluster closes', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const events = on(cluster.events, 'event', { signal: cluster.closing })
  const read = async () => {
    for await (const _ of events);
  }
  const reading = read().catch((error: unknown) => error)
  expect(await endAtClose(reading, cluster)).toMatchObject({ name: 'AbortError' })
})

test('[CL5] any number of waits make no warning', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const warnings: Error[] = []
  const warned = (warning: Error) => void warnings.push(warning)
  process.on('warning', warned)
  const waits = Array.from({ length: 20 }, () =>
    on(cluster.events, 'event', { signal: cluster.closing })
      .next()
      .catch(() => undefined),
  )
  await new Promise((resolve) => setImmediate(resolve))
  await cluster.close()
  await Promise.all(waits)
  process.off('warning', warned)
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
})
