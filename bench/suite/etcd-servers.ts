/** etcd servers on this machine, each a process with its own folder and two free ports. */
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failed } from '../../src/terminal/index.js'
import { type Child, type Group, startChild } from './child.js'

export interface EtcdServers extends AsyncDisposable {
  /** `host:port` of each member, as gRPC clients dial it. */
  readonly endpoints: readonly string[]
  /** Peer URLs of each member, as `MemberAdd` takes them. */
  readonly peerUrls: readonly string[]
  /** Resolves when the first server has ended, by itself or not. */
  readonly ended: Promise<void>
  /** Resolves when the last one has ended. */
  close(): Promise<void>
}

export interface EtcdServersOptions {
  readonly members: number
  /** An empty folder. */
  readonly folder: string
  /** Further flags for each server, such as `--max-txn-ops=256`. */
  readonly flags?: readonly string[]
  readonly group?: Group
  readonly signal?: AbortSignal
}

/** The place of a server in its cluster. */
interface Seat {
  readonly name: string
  readonly endpoint: string
  readonly peerUrl: string
}

const readyWithinMs = 20_000
const askAgainMs = 10

/** Resolves once every member serves. Rejects with a `Failed` when a server ends or does not serve; none is left then. */
export async function startEtcdServers(options: EtcdServersOptions): Promise<EtcdServers> {
  const seats = await createSeats(options.members)
  const servers = seats.map((seat) => startMember(seat, seats, options))
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    await allHealthy(seats, servers, options.signal)
  } catch (error) {
    await close()
    throw error
  }
  return {
    endpoints: seats.map(({ endpoint }) => endpoint),
    peerUrls: seats.map(({ peerUrl }) => peerUrl),
    ended: Promise.race(servers.map((server) => server.ended)).then(() => undefined),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function createSeats(members: number): Promise<Seat[]> {
  const ports = await freePorts(2 * members)
  return Array.from({ length: members }, (_, at) => ({
    name: `node-${at + 1}`,
    endpoint: `127.0.0.1:${ports[2 * at]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }))
}

function startMember(
  seat: Seat,
  seats: readonly Seat[],
  { folder, flags = [], group }: EtcdServersOptions,
): Child {
  return startServer(seat, seats, ['--initial-cluster-state=new', ...flags], folder, group)
}

/** Starts a server that a running cluster has added. `seats` are all members of the cluster, the new one among them. */
export function startAddedEtcd(
  seat: Seat,
  seats: readonly Pick<Seat, 'name' | 'peerUrl'>[],
  folder: string,
): Child {
  return startServer(seat, seats, ['--initial-cluster-state=existing', '--unsafe-no-fsync'], folder)
}

function startServer(
  { name, endpoint, peerUrl }: Seat,
  seats: readonly Pick<Seat, 'name' | 'peerUrl'>[],
  flags: readonly string[],
  folder: string,
  group?: Group,
): Child {
  const settings = {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': `http://${endpoint}`,
    'advertise-client-urls': `http://${endpoint}`,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': seats.map((each) => `${each.name}=${each.peerUrl}`).join(','),
    'log-level': 'error',
  }
  const args = Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`)
  return startChild('etcd', [...args, ...flags], { env: serverEnv(), ...(group && { group }) })
}

/** Settings of another etcd on this machine are not ours. */
function serverEnv(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_')))
  // etcd 3.4 refuses to start on anything else than x64 unless it is told to.
  return process.arch === 'x64' ? env : { ...env, ETCD_UNSUPPORTED_ARCH: process.arch }
}

async function allHealthy(
  seats: readonly Seat[],
  servers: readonly Child[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // The asking ends with the first outcome: all servers are healthy, or one of them has ended.
  const settled = new AbortController()
  const ended = signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal])
  try {
    await Promise.race([
      Promise.all(seats.map(({ endpoint }) => healthy(endpoint, ended))),
      ...servers.map(refuseToEnd),
    ])
  } finally {
    settled.abort()
  }
}

/** Rejects when the server ends, which it should not by itself. */
async function refuseToEnd(server: Child): Promise<never> {
  const { stderr } = await server.ended
  throw new Failed(`etcd ended: ${stderr.trim().split('\n').at(-1)}`)
}

async function healthy(endpoint: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + readyWithinMs
  while (!(await isHealthy(endpoint, signal))) {
    if (performance.now() > deadlineMs) {
      throw new Failed(`etcd did not serve at ${endpoint} within ${readyWithinMs / 1000} s`)
    }
    await delay(askAgainMs, undefined, { signal })
  }
}

async function isHealthy(endpoint: string, signal: AbortSignal): Promise<boolean> {
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(1000)])
    const answer = await fetch(`http://${endpoint}/health`, { signal: soon })
    const { health } = (await answer.json()) as { health?: unknown }
    return String(health) === 'true'
  } catch {
    return false
  }
}

/** Ports that nobody had a moment ago, all different because all are held until the last is known. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve, reject) => {
          const holder = createServer().once('error', reject)
          holder.listen(0, '127.0.0.1', () => resolve(holder))
        }),
    ),
  )
  const ports = holders.map((holder) => {
    const address = holder.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))))
  return ports
}
