/** What the peers need of the machine beside Node: commands and Debian's Go libraries, and how to get them. */

import { runChild } from '../suite/index.js'
import { type PeerName, peerNames } from './measurement.js'

export interface Need {
  /** A command in PATH, or the import path of a Go library. */
  readonly name: string
  readonly kind: 'command' | 'library'
  /** The Debian package that brings it. */
  readonly debianPackage: string
}

/** What was found of a need: what a command says of its version, or the folder that Go looks for libraries in. */
export type Found = ReadonlyMap<Need, string>

const go: Need = { name: 'go', kind: 'command', debianPackage: 'golang-go' }
const etcdServer: Need = { name: 'etcd', kind: 'command', debianPackage: 'etcd-server' }
const etcdLibrary: Need = {
  name: 'go.etcd.io/etcd',
  kind: 'library',
  debianPackage: 'golang-etcd-server-dev',
}
const hashicorpRaft: Need = {
  name: 'github.com/hashicorp/raft',
  kind: 'library',
  debianPackage: 'golang-github-hashicorp-raft-dev',
}
const hashicorpBoltdb: Need = {
  name: 'github.com/hashicorp/raft-boltdb',
  kind: 'library',
  debianPackage: 'golang-github-hashicorp-raft-boltdb-dev',
}

const needsOf: Readonly<Record<PeerName, readonly Need[]>> = {
  floor: [],
  'etcd-raft': [go, etcdLibrary],
  'hashicorp-raft': [go, hashicorpRaft, hashicorpBoltdb],
  etcd: [go, etcdLibrary, etcdServer],
}

const lookMs = 10_000

export async function findNeeds(peers: readonly PeerName[], signal: AbortSignal): Promise<Found> {
  const needs = [...new Set(peers.flatMap((peer) => needsOf[peer]))]
  const found = new Map<Need, string>()
  for (const need of needs) {
    const what = await find(need, signal)
    if (what !== undefined) found.set(need, what)
  }
  return found
}

async function find({ name, kind, debianPackage }: Need, signal: AbortSignal): Promise<string | undefined> {
  const [command, args] =
    kind === 'library'
      ? ['dpkg-query', ['--listfiles', debianPackage]]
      : [name, name === 'go' ? ['version'] : ['--version']]
  const options = { env: process.env, signal, timeoutMs: lookMs }
  const lines = (await runChild(command, args, options).catch(() => '')).split('\n')
  signal.throwIfAborted()
  if (kind === 'command') return lines[0] || undefined
  const ending = `/src/${name}`
  return lines.find((line) => line.endsWith(ending))?.slice(0, -ending.length)
}

export function missingOf(peers: readonly PeerName[], found: Found): Need[] {
  return [...new Set(peers.flatMap((peer) => needsOf[peer]))].filter((need) => !found.has(need))
}

/** Those of the peers that have all that they need. */
export function readyPeers(peers: readonly PeerName[], found: Found): PeerName[] {
  return peers.filter((peer) => needsOf[peer].every((need) => found.has(need)))
}

/** Where Go finds its libraries. */
export function goPathOf(found: Found): string {
  const folders = [...found].filter(([{ kind }]) => kind === 'library').map(([, folder]) => folder)
  return [...new Set(folders)].join(':')
}

export function installCommand(missing: readonly Need[], isRoot: boolean): string {
  const packages = missing.map(({ debianPackage }) => debianPackage)
  return `${isRoot ? '' : 'sudo '}apt-get install --no-install-recommends ${packages.join(' ')}`
}

/** The one line that says what is missing, who is left out for it, and how to get it. */
export function missingLine(missing: readonly Need[], leftOut: readonly PeerName[], isRoot: boolean): string {
  const names = missing.map(({ name }) => name).join(', ')
  const peers = peerNames.filter((peer) => leftOut.includes(peer)).join(', ')
  return `without ${names} there is no comparison with ${peers}; to have it, on Debian: ${installCommand(missing, isRoot)}`
}
