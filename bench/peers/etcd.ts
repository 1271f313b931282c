/** Three etcd servers on this machine, each a process with its own folder and two free ports. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failed } from '../../src/terminal/index.js'
import { type Child, startChild } from '../suite/index.js'

const names = ['one', 'two', 'three'] as const
const readyWithinMs = 20_000
const askAgainMs = 50

interface Member {
  readonly name: string
  readonly clientUrl: string
  readonly peerUrl: string
}

/** Calls `run` with the servers' addresses once all are healthy; none is left when it settles. */
export async function withEtcd<T>(
  folder: string,
  signal: AbortSignal,
  run: (endpoints: readonly string[]) => Promise<T>,
): Promise<T> {
  const members = await createMembers()
  const servers = members.map((member) => startMember(member, members, folder))
  try {
    await allHealthy(members, servers, signal)
    return await run(members.map(({ clientUrl }) => clientUrl))
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function createMembers(): Promise<Member[]> {
  const ports = await freePorts(2 * names.length)
  return names.map((name, at) => ({
    name,
    clientUrl: `http://127.0.0.1:${ports[2 * at]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }))
}

function startMember(
  { name, clientUrl, peerUrl }: Member,
  members: readonly Member[],
  folder: string,
): Child {
  const cluster = members.map((member) => `${member.name}=${member.peerUrl}`).join(',')
  const settings = {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': cluster,
    'initial-cluster-state': 'new',
    'log-level': 'error',
  }
  const args = Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`)
  return startChild('etcd', args, { env: serverEnv() })
}

/** Settings of another etcd on this machine are not ours. */
function serverEnv(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_')))
  // etcd 3.4 refuses to start on anything else than x64 unless it is told to.
  return process.arch === 'x64' ? env : { ...env, ETCD_UNSUPPORTED_ARCH: process.arch }
}

async function allHealthy(
  members: readonly Member[],
  servers: readonly Child[],
  signal: AbortSignal,
): Promise<void> {
  // Whatever settles first ends the asking of all others.
  const settled = new AbortController()
  const ended = AbortSignal.any([signal, settled.signal])
  try {
    await Promise.race([
      Promise.all(members.map(({ clientUrl }) => healthy(clientUrl, ended))),
      ...servers.map(refuseToEnd),
    ])
  } finally {
    settled.abort()
  }
}

/** Rejects when the server ends, which it should not by itself. */
async function refuseToEnd(server: Child): Promise<never> {
  const { stderr } = await server.ended
  throw new Failed(`a server ended: ${stderr.trim().split('\n').at(-1)}`)
}

async function healthy(clientUrl: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + readyWithinMs
  while (!(await isHealthy(clientUrl, signal))) {
    if (performance.now() > deadlineMs)
      throw new Failed(`there was no leader after ${readyWithinMs / 1000} s`)
    await delay(askAgainMs, undefined, { signal })
  }
}

async function isHealthy(clientUrl: string, signal: AbortSignal): Promise<boolean> {
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(1000)])
    const answer = await fetch(`${clientUrl}/health`, { signal: soon })
    const { health } = (await answer.json()) as { health?: unknown }
    return String(health) === 'true'
  } catch {
    return false
  }
}

/** Ports that nobody had a moment ago, all different because all are held until the last is known. */
async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    holders.map(
      (holder) =>
        new Promise<number>((resolve, reject) => {
          holder.once('error', reject)
          holder.listen(0, '127.0.0.1', () => {
            const address = holder.address()
            if (address !== null && typeof address === 'object') resolve(address.port)
            else reject(new Failed('no free port'))
          })
        }),
    ),
  )
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))))
  return ports
}
