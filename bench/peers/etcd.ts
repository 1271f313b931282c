/** Three etcd servers on this machine, each a process with its own folder and two free ports. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failed } from '../../src/cli/failure.js'
import { type Child, startChild } from './child.js'

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
  const deadline = AbortSignal.timeout(readyWithinMs)
  const ended = servers.map(async (server) => {
    const { stderr } = await server.ended
    throw new Failed(`a server ended: ${stderr.trim().split('\n').at(-1)}`)
  })
  const healthy = members.map(async ({ clientUrl }) => {
    while (!(await isHealthy(clientUrl))) {
      signal.throwIfAborted()
      if (deadline.aborted) throw new Failed(`no leader within ${readyWithinMs / 1000} s`)
      await delay(askAgainMs)
    }
  })
  await Promise.race([Promise.all(healthy), ...ended])
  // What was late in the race is no news.
  for (const loser of [...ended, ...healthy]) loser.catch(() => undefined)
}

async function isHealthy(clientUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${clientUrl}/health`, { signal: AbortSignal.timeout(1000) })
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
