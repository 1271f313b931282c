/** Runs clients of etcd's API on a cluster while faults hit it, and gives the history of what they asked and were told. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EtcdRecord } from '../../../src/check/index.js'
import { type Etcd, startEtcd } from '../../../src/etcd/index.js'
import { Dice, type DrawName } from '../../../src/faults/index.js'
import { EtcdClient, encode } from '../oracle/client.js'
import { Compactor, Endpoints, everyKey, Tenant, Told, Watcher, Worker } from './clients.js'
import { Recorder } from './recorder.js'

export interface Chaos {
  readonly seed: number
  readonly seconds: number
}

export interface Run {
  readonly history: readonly EtcdRecord[]
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
  const nemesis = etcd.cluster.nemesis(dice.below(2 ** 31))
  const { history, breaks } = await runClients(
    etcd.endpoints.map((url) => new URL(url).host),
    dice,
    {
      during: async () => {
        nemesis.start(gapMs, draws)
        await delay(seconds * 1000)
      },
      after: async () => {
        await nemesis.stop()
      },
      settled: () => leasesEnded(etcd),
    },
  )
  return { history, faults: nemesis.begun, breaks }
}

interface Course {
  /** Clients work until it resolves. */
  during(): Promise<void>
  /** Faults are healed, so that all calls end. */
  after(): Promise<void>
  /** All leases have ended. */
  settled(): Promise<void>
  /** The members' compactions also take away a deletion of the compacted revision itself, as etcd's issue 18089 tells. */
  readonly losesDeletions?: true
}

/** The history of clients on the members of any etcd. */
export async function runClients(
  endpoints: readonly string[],
  dice: Dice,
  { during, after, settled, losesDeletions }: Course,
): Promise<Pick<Run, 'history' | 'breaks'>> {
  const recorder = new Recorder()
  const told = new Told(recorder)
  const all: Endpoints[] = []
  const child = (): Dice => new Dice(dice.below(2 ** 31))
  const client = (name: string): Endpoints => {
    const own = new Endpoints(endpoints, all.length, name, told)
    all.push(own)
    return own
  }
  const workers = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 1, 1, 1].map(
    (readShare, at) => new Worker(client(`w${at}`), told, child(), { keys: registers, readShare }),
  )
  const tenants = [0, 1, 2, 3].map((at) => new Tenant(client(`t${at}`), told, child()))
  const watchers = [0, 1, 2].map((at) => new Watcher(client(`v${at}`), 2, recorder))
  const compactor = new Compactor(client('c'), told)
  const working = [...workers, ...tenants, compactor].map((each) => each.run())
  const watching = watchers.map((watcher) => watcher.run())
  await during()
  told.isOver = true
  await after()
  await Promise.all(working)
  await settled()
  // Each lease is told to have ended, so that a key which outlives it is found out.
  const last = client('last')
  for (const id of told.leases) await last.call('Lease/LeaseKeepAlive', { ID: id })
  while ((await last.call('KV/Range', everyKey)) === undefined);
  // A watch of each member from the first kept revision on tells what that member holds.
  const from = Math.max(2, told.compacted + (losesDeletions ? 1 : 0))
  const late = endpoints.map((_, at) => new Watcher(client(`z${at}`), from, recorder, settledWithinMs))
  watching.push(...late.map((watcher) => watcher.run()))
  await until(() => [...watchers, ...late].every(({ reached }) => reached >= lastEvent(recorder.records)))
  for (const watcher of [...watchers, ...late]) watcher.end()
  await Promise.all(watching)
  for (const own of all) own.close()
  return { history: recorder.records, breaks: watchers.reduce((sum, { breaks }) => sum + breaks, 0) }
}

/** The last event that any watcher was told of. */
function lastEvent(records: readonly EtcdRecord[]): number {
  let last = 0
  for (const record of records)
    if (record.op === 'watchResponse') last = Math.max(last, record.events?.at(-1)?.modRevision ?? 0)
  return last
}

/** Nobody keeps a lease alive any more, so all of them end: also those of which nobody was told. */
async function leasesEnded(etcd: Etcd): Promise<void> {
  const client = new EtcdClient(new URL(etcd.endpoints[0] ?? '').host)
  try {
    const deadlineMs = performance.now() + settledWithinMs
    for (;;) {
      const answer = await client.call('Lease/LeaseLeases', encode('Lease/LeaseLeases', {}))
      if ('response' in answer && (answer.response['leases'] as unknown[]).length === 0) return
      if (performance.now() > deadlineMs) throw new Error(`leases are left: ${JSON.stringify(answer)}`)
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
