/** Before anything is measured: who of the peers can take part here, and their programs. */
import { BadInput, Failed, lineOf } from '../../src/terminal/index.js'
import { runChild } from '../suite/index.js'
import { buildPeer } from './build.js'
import type { PeerName } from './measurement.js'
import {
  type Found,
  findNeeds,
  installCommand,
  missingLine,
  missingOf,
  type Need,
  readyPeers,
} from './needs.js'

export interface Prepared {
  readonly found: Found
  readonly peers: readonly PeerName[]
  readonly built: ReadonlyMap<PeerName, string>
}

export interface PrepareOptions {
  /** Fetch what is missing. Without it, nothing on the machine changes. */
  readonly install: boolean
  readonly signal: AbortSignal
  tell(progress: string): void
  /** One line that stays. */
  warn(line: string): void
}

const installMs = 15 * 60_000

export async function prepare(wanted: readonly PeerName[], options: PrepareOptions): Promise<Prepared> {
  const { install, signal, tell, warn } = options
  let found = await findNeeds(wanted, signal)
  if (install && missingOf(wanted, found).length > 0) {
    await installMissing(missingOf(wanted, found), options)
    found = await findNeeds(wanted, signal)
  }
  const ready = readyPeers(wanted, found)
  if (ready.length < wanted.length) {
    const leftOut = wanted.filter((peer) => !ready.includes(peer))
    warn(missingLine(missingOf(wanted, found), leftOut, isRoot()))
  }
  const built = new Map<PeerName, string>()
  const peers: PeerName[] = []
  for (const peer of ready) {
    if (peer !== 'floor') tell(`building ${peer}`)
    try {
      const path = await buildPeer(peer, found, signal)
      if (path !== undefined) built.set(peer, path)
      peers.push(peer)
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      warn(`without ${peer}, which was not built: ${lineOf(error)}`)
    }
  }
  return { found, peers, built }
}

async function installMissing(missing: readonly Need[], options: PrepareOptions): Promise<void> {
  const command = installCommand(missing, true)
  if (!isRoot()) throw new BadInput(`--install: be root for it, or leave it out and run: sudo ${command}`)
  const { signal, tell, warn } = options
  const run = (args: readonly string[]): Promise<string> =>
    runChild('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      signal,
      timeoutMs: installMs,
    })
  try {
    tell(command)
    await run(['update', '--quiet'])
    const packages = missing.map(({ debianPackage }) => debianPackage)
    await run(['install', '--yes', '--quiet', '--no-install-recommends', ...packages])
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    warn(`not installed: ${lineOf(error)}`)
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
