/** Verbs on a cluster of threads: each fault is begun by its line, listed and taken back, and the cluster goes on. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readExport } from '../../src/cluster/index.js'
import { ClusterSubject, parse, perform, verbs } from '../../src/verbs/index.js'
import { startedCluster, temporaryFolder } from '../cluster/support.js'

const lines = [
  ...['cut 1->2', 'delay *-3 5ms jitter 5ms appendEntries', 'drop 1-2 10%', 'duplicate 1->3 50% heartbeat'],
  ...['reorder 2->3 5%', 'throttle clients-1 1MB/s', 'partition 1,2|3', 'isolate 2', 'slow-disk 1 5ms'],
  ...[
    'stall-disk 2',
    'fail-disk 3',
    'full-disk 1 64kB',
    'kill 2',
    'pause 3',
    'skew 1 +20ms',
    'power-loss 3 for 10s',
  ],
]

test('every fault verb begins what its line says, and heal takes it back', async () => {
  const cluster = await startedCluster({ nodes: 3, requestTimeoutMs: 50_000 })
  const subject = new ClusterSubject(cluster)
  const answer = async (line: string) => (await perform({ subject }, parse(line)!)).data
  for (const line of lines) {
    await answer(line)
    expect(await answer('faults')).toMatchObject({ faults: [{ line }] })
    expect(await answer('heal')).toMatchObject({ healed: [{ line }] })
    expect(await answer('faults')).toEqual({ faults: [] })
  }
  expect(await answer('put a 1')).toMatchObject({ revision: 1 })
  const isFault = ({ suffixes }: { readonly suffixes: readonly { readonly word?: string }[] }) =>
    suffixes.some(({ word }) => word === 'for')
  const tried = new Set(lines.map((line) => line.split(' ')[0]))
  expect(verbs.flatMap((verb) => (isFault(verb) && !tried.has(verb.name) ? [verb.name] : []))).toEqual([])
})

test('there is one load at a time, and its end tells what its clients saw', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const subject = new ClusterSubject(cluster)
  expect(subject.endLoad()).toBeUndefined()
  subject.beginLoad({ clients: 2 })
  expect(() => subject.beginLoad({ clients: 2 })).toThrow('there is a load already: end it with load off')
  while ((await cluster.range({ limit: 1 })).entries.length === 0);
  expect(subject.endLoad()).toMatchObject({ clients: 2, notApplied: 0, unknown: 0 })
})

test('a load puts values of the size that is asked for', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const subject = new ClusterSubject(cluster)
  const { data } = await perform({ subject }, parse('load 4 size 1kB rate 100/s')!)
  expect(data).toEqual({ clients: 4, size: 1000, rate: 100 })
  const first = async () => (await cluster.range({ limit: 1 })).entries[0]
  while ((await first()) === undefined);
  const headAndKey = 3 + 'key-0000'.length
  expect((await first())?.value.length).toBe(1000 - headAndKey)
  await expect(perform({ subject }, parse('load off rate 1/s')!)).rejects.toThrow(
    'load off: a load that ends has no size and no rate',
  )
  expect(subject.endLoad()).toMatchObject({ clients: 4 })
})

test('snapshots are taken of a target, and one of them is written to a new file', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const subject = new ClusterSubject(cluster)
  const answer = (line: string) => perform({ subject }, parse(line)!)
  await answer('put a 1')
  const taken = { nodeId: 1, index: expect.any(Number), term: 1, size: expect.any(Number) }
  expect((await answer('snapshot all')).data).toEqual({ snapshots: [taken] })
  const file = join(temporaryFolder(), 'kept')
  const { data, words } = await answer(`snapshot leader ${file}`)
  expect(data).toEqual({ snapshots: [taken], file })
  expect(words).toMatch(/^node 1: a snapshot as of entry \d+ of term 1, \d+ bytes, in \/.*\/kept$/)
  expect(await readExport(file)).toMatchObject({ summary: { keys: 1 } })
  await expect(answer(`snapshot leader ${file}`)).rejects.toMatchObject({ code: 'EXPORT_UNUSABLE' })
  await expect(answer('snapshot 2')).rejects.toMatchObject({ code: 'INVALID_FAULT' })
})
