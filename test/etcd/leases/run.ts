/** Many leases, each with a key: granted, kept alive, looked at, one half revoked, and the other half left to end. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Etcd, startEtcd } from '../../../src/etcd/index.js'
import { readingOf } from '../../../src/load/index.js'
import type { EtcdClient, Message } from '../oracle/client.js'
import { ask, attempts, Clients, tryToAsk } from './clients.js'
import { HeldLease } from './lease.js'

export interface LeasesOptions {
  readonly leases: number
  /** Seconds: enough for all leases to be granted and kept alive. */
  readonly ttl: number
  /** Called at the end of each phase. */
  readonly tell?: (phase: Phase) => void
}

export interface Phase {
  readonly name: string
  readonly seconds: number
  /** Of all nodes, the heartbeat that came latest. */
  readonly heartbeatLateMs: number
  /** For how long the clients' thread did nothing at most. On a busy machine, all threads may have stood still as long. */
  readonly stoodStillMs: number
  readonly elections: number
  /** Of the process, clients among it. */
  readonly residentMiB: number
}

export interface LeasesRun {
  /** What the server did and should not have; empty in a good run. */
  readonly wrong: readonly string[]
  /** Leases that were left to end. */
  readonly ended: number
  /** The longest time between the end of a lease and the deletion of its key. */
  readonly endedLateMs: number
}

const prefix = 'lease/'
const everyKey = { key: Buffer.from(prefix), rangeEnd: Buffer.from('lease0') }
const streamsPerClient = 4
const samples = 1000
/** A store ends some thousand leases a second. A key that is there so long after is there forever. */
const endsPerSecond = 200
const patienceMs = 60_000

const notFound = 'etcdserver: requested lease not found'
/** The attempt before has granted the lease, and its answer was lost. */
const isGranted = (details: string, attempt: number): boolean =>
  attempt > 1 && details === 'etcdserver: lease already exists'
/** On a slow machine, a lease may end before its client comes to it. */
const isOver = (lease: HeldLease, details: string): boolean => details === notFound && lease.mayBeOver

export async function runLeases(options: LeasesOptions): Promise<LeasesRun> {
  await using etcd = await startEtcd({ nodes: 3 })
  const clients = new Clients(etcd.endpoints)
  try {
    return await new Run(etcd, clients, options).all()
  } finally {
    clients.close()
  }
}

class Run {
  readonly #etcd: Etcd
  readonly #clients: Clients
  readonly #options: LeasesOptions
  readonly #byKey = new Map<string, HeldLease>()
  readonly #wrong: string[] = []
  readonly #stalls = monitorEventLoopDelay({ resolution: 10 })
  /** Keys that are not deleted yet; at none, `#emptied` is called. */
  #keys = 0
  #emptied: () => void = () => undefined

  constructor(etcd: Etcd, clients: Clients, options: LeasesOptions) {
    this.#etcd = etcd
    this.#clients = clients
    this.#options = options
  }

  async all(): Promise<LeasesRun> {
    await this.#watch()
    this.#stalls.enable()
    await this.#phase('grant', () => this.#grant())
    const leases = [...this.#byKey.values()]
    await this.#phase('put a key under each', () => this.#put(leases))
    await this.#phase('keep all alive', () => this.#keepAlive(leases))
    await this.#phase('list all', () => this.#list(leases))
    await this.#phase('look at samples', () => this.#look(leases))
    const half = leases.filter((_, at) => at % 2 === 0)
    await this.#phase('revoke one half', () => this.#revoke(half))
    await this.#phase('let the other half end', () => this.#end(leases.length))
    await this.#phase('compare the members', () => this.#compare())
    this.#stalls.disable()
    const ends = leases.flatMap((lease) => lease.wrong() ?? [])
    const left = leases.filter(({ isRevoked }) => !isRevoked)
    return {
      wrong: [...this.#wrong, ...ends],
      ended: left.length,
      endedLateMs: left.reduce((most, { lateMs }) => Math.max(most, lateMs), 0),
    }
  }

  async #phase(name: string, work: () => Promise<void>): Promise<void> {
    const { cluster } = this.#etcd
    const before = readingOf(cluster, performance.now())
    await cluster.takeHeartbeatLateness()
    this.#stalls.reset()
    await work()
    const lateness = await cluster.takeHeartbeatLateness()
    const after = readingOf(cluster, performance.now())
    this.#options.tell?.({
      name,
      seconds: (after.atMs - before.atMs) / 1000,
      heartbeatLateMs: lateness.percentile(100) / 1000,
      stoodStillMs: this.#stalls.max / 1e6,
      elections: after.elections - before.elections,
      residentMiB: process.memoryUsage.rss() / 2 ** 20,
    })
  }

  /** Resolves once deletions are told. */
  async #watch(): Promise<void> {
    const stream = this.#clients.first.stream('Watch/Watch')
    const created = new Promise<void>((resolve) => stream.once('data', () => resolve()))
    stream.on('data', ({ events }: { events: readonly { kv: { key: Buffer } }[] }) => {
      for (const { kv } of events) this.#deleted(kv.key.toString())
    })
    stream.on('error', () => undefined)
    const putsLeftOut = 0
    stream.write({ createRequest: { ...everyKey, filters: [putsLeftOut] } })
    await created
  }

  #deleted(key: string): void {
    const lease = this.#byKey.get(key)
    if (lease?.deletedMs === undefined) this.#gone(lease)
    else if (!lease.isWithoutKey) this.#wrong.push(`${key} was deleted again`)
  }

  #gone(lease: HeldLease | undefined): void {
    if (lease !== undefined) lease.deletedMs = performance.now()
    this.#keys -= 1
    if (this.#keys === 0) this.#emptied()
  }

  async #grant(): Promise<void> {
    const { leases, ttl } = this.#options
    const ids = Array.from({ length: leases }, (_, at) => String(at + 1))
    await this.#clients.each(ids, async (client, id) => {
      const sentMs = performance.now()
      await tryToAsk(client, 'Lease/LeaseGrant', { ID: id, TTL: ttl }, isGranted)
      const lease = new HeldLease(id, `${prefix}${id}`, 1000 * ttl, sentMs)
      this.#byKey.set(lease.key, lease)
    })
    this.#keys = leases
  }

  async #put(leases: readonly HeldLease[]): Promise<void> {
    await this.#clients.each(leases, async (client, lease) => {
      const request = { key: Buffer.from(lease.key), value: Buffer.from('v'), lease: lease.id }
      const put = await tryToAsk(client, 'KV/Put', request, (details) => isOver(lease, details))
      if (put !== undefined) return
      // An earlier attempt may have put the key all the same, and its deletion may have been told or not.
      lease.isWithoutKey = true
      if (lease.deletedMs === undefined) this.#gone(lease)
    })
  }

  async #keepAlive(leases: readonly HeldLease[]): Promise<void> {
    const streams = this.#clients.all.flatMap(
      (client) => Array(streamsPerClient).fill(client) as EtcdClient[],
    )
    await Promise.all(
      streams.map((client, at) => {
        const own = leases.filter((_, number) => number % streams.length === at)
        return own.length === 0 ? undefined : this.#keepAliveOn(client, own)
      }),
    )
  }

  /** A renewal that times out ends its stream, and those without an answer are made again. */
  async #keepAliveOn(client: EtcdClient, leases: readonly HeldLease[]): Promise<void> {
    let left = leases
    for (let attempt = 1; left.length > 0; attempt++) {
      if (attempt > attempts) throw new Error(`${left.length} leases were not kept alive`)
      left = left.slice(await this.#renew(client, left))
    }
  }

  /** Writes all renewals at once; the answers come in their order. Resolves with their number once the stream is over. */
  #renew(client: EtcdClient, leases: readonly HeldLease[]): Promise<number> {
    const stream = client.stream('Lease/LeaseKeepAlive')
    const sentMs = performance.now()
    let answered = 0
    return new Promise((resolve) => {
      stream.on('error', () => resolve(answered))
      stream.on('end', () => resolve(answered))
      stream.on('data', ({ ID, TTL }: { ID: string; TTL: string }) => {
        const lease = leases[answered++] as HeldLease
        if (ID !== lease.id) this.#wrong.push(`${ID} was kept alive in place of ${lease.id}`)
        if (TTL !== '0') lease.renewed(sentMs)
        else if (!lease.mayBeOver) this.#wrong.push(`${lease.key} has lost its lease early`)
      })
      for (const { id } of leases) stream.write({ ID: id })
      stream.end()
    })
  }

  async #list(leases: readonly HeldLease[]): Promise<void> {
    const response = await ask(this.#clients.first, 'Lease/LeaseLeases', {})
    const listed = new Set((response['leases'] as readonly Message[]).map(({ ID }) => ID))
    for (const lease of leases) {
      if (!listed.has(lease.id) && !lease.mayBeOver) this.#wrong.push(`${lease.key} has lost its lease early`)
    }
    if (listed.size > leases.length) this.#wrong.push(`${listed.size} leases are listed`)
  }

  async #look(leases: readonly HeldLease[]): Promise<void> {
    const stride = Math.ceil(leases.length / samples)
    const some = leases.filter((_, at) => at % stride === 0)
    await this.#clients.each(some, async (client, lease) => {
      const told = await ask(client, 'Lease/LeaseTimeToLive', { ID: lease.id, keys: true })
      const keys = (told['keys'] as readonly Buffer[]).map(String)
      if (lease.mayBeOver) return
      const left = Number(told['TTL'])
      const isRight = left >= 0 && left <= this.#options.ttl && keys.length === 1 && keys[0] === lease.key
      if (!isRight) this.#wrong.push(`the lease of ${lease.key} has ${left} s left and the keys ${keys}`)
    })
  }

  async #revoke(leases: readonly HeldLease[]): Promise<void> {
    await this.#clients.each(leases, async (client, lease) => {
      lease.isRevoked = true
      await tryToAsk(
        ...([client, 'Lease/LeaseRevoke', { ID: lease.id }] as const),
        (details, attempt) => (attempt > 1 && details === notFound) || isOver(lease, details),
      )
    })
  }

  /** Waits until the watch has told each key's deletion, or for a time in which every lease must have ended. */
  async #end(leases: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#emptied = resolve
      const longestMs = 1000 * this.#options.ttl + (1000 * leases) / endsPerSecond + patienceMs
      timer = setTimeout(resolve, longestMs)
      if (this.#keys === 0) resolve()
    })
    clearTimeout(timer)
  }

  /** Each member has no lease and no key, and all have the same state. */
  async #compare(): Promise<void> {
    const told = await Promise.all(
      this.#clients.all.map(async (client) => {
        const { count } = await ask(client, 'KV/Range', { ...everyKey, countOnly: true })
        const { leases } = await ask(client, 'Lease/LeaseLeases', {})
        const { hash } = await ask(client, 'Maintenance/HashKV', {})
        return { count, leases: (leases as readonly Message[]).length, hash }
      }),
    )
    const [first] = told
    for (const each of told) {
      if (each.count !== '0' || each.leases !== 0 || each.hash !== first?.hash)
        this.#wrong.push(`a member has ${each.count} keys, ${each.leases} leases and the hash ${each.hash}`)
    }
  }
}
