/** Builds the Go peers from their sources here, into a cache that `npm ci` throws away. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runChild, top } from '../suite/index.js'
import type { PeerName } from './measurement.js'
import { type Found, goPathOf } from './needs.js'

const sources = join(top, 'bench', 'peers')
const cache = join(top, 'node_modules', '.cache', 'raftbox-peers')

const programOf: Readonly<Partial<Record<PeerName, string>>> = {
  'etcd-raft': 'eraft',
  'hashicorp-raft': 'hraft',
  etcd: 'etcdload',
}

/** The first build of a machine compiles the libraries, too. */
const buildMs = 10 * 60_000

/** Resolves to the path of the built program, or to `undefined` for a peer that needs none. */
export async function buildPeer(
  peer: PeerName,
  found: Found,
  signal: AbortSignal,
): Promise<string | undefined> {
  const program = programOf[peer]
  if (program === undefined) return undefined
  mkdirSync(cache, { recursive: true })
  const path = join(cache, program)
  const env = {
    ...process.env,
    // Debian's libraries are no modules, and nothing is to be fetched.
    GO111MODULE: 'off',
    GOPATH: goPathOf(found),
    GOPROXY: 'off',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    // No C compiler is needed.
    CGO_ENABLED: '0',
  }
  // Go itself knows what has changed since the last build.
  const args = ['build', '-o', path, `./${program}`]
  await runChild('go', args, { env, cwd: sources, signal, timeoutMs: buildMs })
  return path
}
