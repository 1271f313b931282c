/** Debian's etcd, where it is installed: the server whose answers are right. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, startChild } from '../../bench/suite/index.js'

export interface RealEtcd extends AsyncDisposable {
  /** `host:port` of each member, as gRPC clients dial it. */
  readonly endpoints: readonly string[]
  /** Peer URLs of each member, as `MemberAdd` takes them. */
  readonly peerUrls: readonly string[]
  /** Resolves when the first server has ended, by itself or not. */
  readonly ended: Promise<void>
  /** Ends the servers and removes their folder. Repeated calls return the same promise. */
  close(): Promise<void>
}

interface RealEtcdOptions {
  /** Default 1. */
  readonly members?: number
  /** Further flags for each server, such as `--max-txn-ops=256`. */
  readonly flags?: readonly string[]
}

const folders = new Set<string>()
// The servers end with this process too, as every child of `startChild` does.
process.on('exit', () => {
  for (const folder of folders) removeFolder(folder)
})

const readyWithinMs = 20_000
const askAgainMs = 10

/** Whether the program is in `PATH`. */
export function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export const hasEtcd = has('etcd')

/** Resolves once every member serves. The servers also end with this process. */
export async function startRealEtcd({ members = 1, flags = [] }: RealEtcdOptions = {}): Promise<RealEtcd> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-real-etcd-'))
  folders.add(folder)
  const ports = await freePorts(2 * members)
  const seats = Array.from({ length: members }, (_, at) => ({
    name: `node-${at + 1}`,
    endpoint: `127.0.0.1:${ports[2 * at]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }))
  const cluster = seats.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  const servers = seats.map((seat) => startMember(seat, cluster, folder, flags))
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= Promise.all(servers.map((server) => server.stop())).then(() => {
      removeFolder(folder)
      folders.delete(folder)
    })
    return closed
  }
  try {
    await Promise.race([
      Promise.all(seats.map(({ endpoint }) => healthy(endpoint))),
      ...servers.map(refuseToEnd),
    ])
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

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

function startMember(
  { name, endpoint, peerUrl }: { name: string; endpoint: string; peerUrl: string },
  cluster: string,
  folder: string,
  flags: readonly string[],
): Child {
  const settings = {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': `http://${endpoint}`,
    'advertise-client-urls': `http://${endpoint}`,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': cluster,
    'initial-cluster-state': 'new',
    'log-level': 'error',
  }
  const args = Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`)
  // etcd 3.4 refuses to start on anything else than x64 unless it is told to.
  const arch = process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch }
  return startChild('etcd', [...args, '--unsafe-no-fsync', ...flags], {
    env: { PATH: process.env['PATH'], ...arch },
  })
}

async function healthy(endpoint: string): Promise<void> {
  const deadlineMs = performance.now() + readyWithinMs
  while (!(await isHealthy(endpoint))) {
    if (performance.now() > deadlineMs) throw new Error(`${endpoint} did not serve in ${readyWithinMs} ms`)
    await delay(askAgainMs)
  }
}

async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    const answer = await fetch(`http://${endpoint}/health`, { signal: AbortSignal.timeout(1000) })
    const { health } = (await answer.json()) as { health?: unknown }
    return String(health) === 'true'
  } catch {
    return false
  }
}

/** Rejects when the server ends, which it should not by itself. */
async function refuseToEnd(server: Child): Promise<never> {
  const { stderr } = await server.ended
  throw new Error(`etcd ended: ${stderr.trim().split('\n').at(-1)}`)
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
