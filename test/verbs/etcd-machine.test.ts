/** The data verbs and the key-value client on a cluster with etcd's machine: as on the built-in store, one revision on. */
import { expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, readLogs, startCluster } from '../../src/cluster/index.js'
import { mvccModule } from '../../src/mvcc/index.js'
import { ClusterSubject, parse, perform } from '../../src/verbs/index.js'
import { startedCluster, temporaryFolder } from '../cluster/support.js'

const lines = [
  ...['put a 1', 'put b two words', 'put a 3', 'get a', 'get b', 'get c', 'get a from 1', 'get a stale'],
  ...['range', 'range b', 'range z', 'delete b', 'delete b', 'get b', 'put b again', 'get b', 'range'],
]

/** What the verbs told, with indexes and ages left out, and the revisions of the built-in store. */
async function toldBy(cluster: Cluster, firstRevision: number): Promise<unknown> {
  const subject = new ClusterSubject(cluster)
  const told: object[] = []
  for (const line of lines) told.push({ line, ...(await perform({ subject }, parse(line)!)).data })
  const { kv } = cluster
  told.push(await kv.append('b', ' and more'), await kv.append('new', 'x'))
  told.push(await kv.cas('a', '3', '4'), await kv.cas('a', '3', '5'), await kv.cas('absent', undefined, 'v'))
  told.push(await kv.cas('absent', undefined, 'w'), await kv.cas('none', 'x', 'w'))
  told.push(await kv.range({ start: 'a', end: 'b' }), await kv.range({ start: 'b', limit: 1 }))
  told.push((await kv.get('b'))!)
  const text = JSON.stringify(told, (name, value) => {
    if (['index', 'ageMs'].includes(name)) return undefined
    return /revision$/i.test(name) ? value - firstRevision : value
  })
  return JSON.parse(text)
}

test('every data verb, and every call of the key-value client, is answered as by the built-in store', async () => {
  const options: ClusterOptions = { nodes: 1, durability: 'none' }
  const builtIn = await startedCluster(options)
  const etcd = await startedCluster({ ...options, machine: mvccModule })
  expect(await toldBy(etcd, 1)).toEqual(await toldBy(builtIn, 0))
})

test('a load runs on it, and its nodes come to the same state', async () => {
  const cluster = await startedCluster({ nodes: 3, durability: 'none', machine: mvccModule })
  const subject = new ClusterSubject(cluster)
  subject.beginLoad({ clients: 4 })
  while ((await cluster.range({ limit: 2 })).entries.length < 2);
  expect(subject.endLoad()).toMatchObject({ clients: 4, notApplied: 0, unknown: 0 })
  await expect
    .poll(async () => new Set([...(await cluster.hashes()).values()].map(({ hash }) => hash)).size)
    .toBe(1)
})

test('a directory keeps the store, and remembers its machine', async () => {
  const dir = temporaryFolder()
  const first = await startCluster({ nodes: 1, dir, machine: mvccModule })
  await first.put('a', '1')
  await first.snapshot()
  await first.put('a', '2')
  await first.close()
  expect(readLogs(dir)[0]?.log?.entries.map(({ command }) => command)).toContain('put a 2')
  await expect(startCluster({ nodes: 1, dir })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  const again = await startedCluster({ nodes: 1, dir, machine: mvccModule })
  expect(await again.get('a')).toMatchObject({ modRevision: 3, version: 2 })
})
