/** Runs clients of etcd's API on a cluster while faults hit it, and gives what they were told for the judge. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Etcd, startEtcd } from '../../../src/etcd/index.js'
import { Dice, type DrawName } from '../../../src/faults/index.js'
import { EtcdClient, encode } from '../oracle/client.js'
import { Endpoints, Tenant, Told, Watcher, Worker } from './clients.js'
import type { Event, Held, History } from './history.js'

export interface Chaos {
  readonly seed: number
  readonly seconds: number
}

export interface Run {
  readonly history: History
  /** How many faults of each type there were. */
  readonly faults: ReadonlyMap<string, number>
  /** How often a watcher went to another member. */
  readonly breaks: number
}

/**
 * Faults after which a cluster goes on by itself. A skewed clock is left out: a lease may end early by as much as a
 * leader's clock is ahead.
 */
const draws: readonly DrawName[] = [
  ...(['cut', 'deafen', 'isolate', 'partition', 'depose', 'bridge', 'cutClients', 'delayClients'] as const),
  ...(['delay', 'drop', 'duplicate', 'reorder', 'slowDisk', 'kill', 'losePower', 'pause'] as const),
]
const gapMs = 1000
const registers = ['k1', 'k2', 'k3', 'k4']
const settledWithinMs = 30_000

export async function runChaos({ seed, seconds }: Chaos): Promise<Run> {
  await using etcd = await startEtcd({ nodes: 3 })
  const dice = new Dice(seed)
  const endpoints = etcd.endpoints.map((url) => new URL(url).host)
  const told = new Told()
  const all: Endpoints[] = []
  const endpointsFrom = (first: number): Endpoints => {
    const own = new Endpoints(endpoints, first)
    all.push(own)
    return own
  }
  const child = (): Dice => new Dice(dice.below(2 ** 31))
  const workers = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 1, 1, 1].map(
    (readShare, at) =>
      new Worker(endpointsFrom(at), told, child(), { name: `w${at}`, keys: registers, readShare }),
  )
  const tenants = [0, 1, 2, 3].map((at) => new Tenant(endpointsFrom(at), told, child(), `t${at}`))
  const watchers = [0, 1, 2].map((at) => new Watcher(endpointsFrom(at), 2, (event) => ended(told, event)))
  const working = [...workers, ...tenants].map((client) => client.run())
  const watching = watchers.map((watcher) => watcher.run())
  const nemesis = etcd.cluster.nemesis(child())
  nemesis.start(gapMs, draws)
  await delay(seconds * 1000)
  told.isOver = true
  await nemesis.stop()
  await Promise.all(working)
  const breaks = watchers.reduce((sum, watcher) => sum + watcher.breaks, 0)
  await leasesEnded(etcd)
  for (const lease of told.leases) lease.endedAtMs ??= performance.now()
  const { state, revision } = await stateOf(etcd)
  // A watch of each member from the first revision on tells what that member holds.
  const late = [0, 1, 2].map((at) => new Watcher(endpointsFrom(at), 2, () => undefined, settledWithinMs))
  watching.push(...late.map((watcher) => watcher.run()))
  await until(() => [...watchers, ...late].every(({ reached }) => reached >= revision))
  for (const watcher of [...watchers, ...late]) watcher.end()
  await Promise.all(watching)
  for (const own of all) own.close()
  const { writes, reads, leases } = told
  const named = [...watchers, ...late].map(({ from, events }, at) => ({ name: String(at), from, events }))
  const events = late[0]?.events ?? []
  return {
    history: { writes, reads, leases, watchers: named, events, state },
    faults: nemesis.begun,
    breaks,
  }
}

/** Keys of a lease are deleted by its end only. */
function ended({ leases }: Told, { type, key }: Event): void {
  if (type !== 'delete' || !key.startsWith('l')) return
  const lease = leases.find(({ keys }) => keys.includes(key))
  if (lease !== undefined) lease.endedAtMs ??= performance.now()
}

/** Nobody keeps a lease alive any more, so all of them end. The judge asks for leases that nobody was told of. */
async function leasesEnded(etcd: Etcd): Promise<void> {
  await asked(etcd, 'Lease/LeaseLeases', {}, ({ leases }) => (leases as unknown[]).length === 0)
}

async function stateOf(etcd: Etcd): Promise<{ state: Map<string, Held>; revision: number }> {
  const response = await asked(
    etcd,
    'KV/Range',
    { key: Buffer.from('k'), rangeEnd: Buffer.from('m') },
    () => true,
  )
  const kvs = response['kvs'] as { key: Buffer; value: Buffer; modRevision: string }[]
  const state = new Map(
    kvs.map(({ key, value, modRevision }) => [
      key.toString(),
      { value: value.toString(), revision: Number(modRevision) },
    ]),
  )
  return { state, revision: Number((response['header'] as { revision: string }).revision) }
}

type Response = Readonly<Record<string, unknown>>

/** Asks the leader's member until its answer is as it should be. */
async function asked(
  etcd: Etcd,
  name: string,
  request: Response,
  isRight: (response: Response) => boolean,
): Promise<Response> {
  const client = new EtcdClient(new URL(etcd.endpoints[0] ?? '').host)
  try {
    const deadlineMs = performance.now() + settledWithinMs
    for (;;) {
      const answer = await client.call(name, encode(name, request))
      if ('response' in answer && isRight(answer.response)) return answer.response
      if (performance.now() > deadlineMs) throw new Error(`${name} told ${JSON.stringify(answer)}`)
      await delay(50)
    }
  } finally {
    client.close()
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + settledWithinMs
  while (!condition() && performance.now() < deadlineMs) await delay(10)
}
