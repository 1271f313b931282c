/** What can be measured: one program with one setting. Rows share measurements, so each runs once a round. */

import type { Durability, ReadConfirmation } from '../../src/cluster/index.js'
import { counted } from '../../src/terminal/index.js'

export const peerNames = ['floor', 'etcd-raft', 'hashicorp-raft', 'etcd'] as const
export type PeerName = (typeof peerNames)[number]
/** raftbox as its own load calls it, and over etcd's API, called by the load of the etcd servers. */
const ownNames = ['raftbox', 'raftbox-etcd'] as const
export type ProgramName = (typeof ownNames)[number] | PeerName

export function isOwn(program: ProgramName): boolean {
  return ownNames.some((name) => name === program)
}

export interface Measurement {
  readonly program: ProgramName
  readonly nodes: number
  readonly clients: number
  /** Bytes of a command. */
  readonly size: number
  readonly durability: Durability
  /** Commands that each call carries. */
  readonly batch: number
  /** `c`: linearizable reads instead of writes. */
  readonly workload: 'c' | undefined
  /** Only raftbox is told. */
  readonly reads: ReadConfirmation
  /** Only raftbox is told; `undefined` is its default. */
  readonly heartbeatIntervalMs: number | undefined
}

/** Of the measured window. */
export interface Figures {
  readonly commitsPerSecond: number
  /** The same as the commits, but for reads and batches. */
  readonly callsPerSecond: number
  readonly p50ms: number
  readonly p99ms: number
  /** Of the first hundred calls after the start. `undefined`: the program does not tell. */
  readonly firstHundredP50ms: number | undefined
  readonly elections: number
  /** Only raftbox tells. */
  readonly heartbeatLateP999ms: number | undefined
}

export type FigureName = Exclude<keyof Figures, 'elections'>

/** What came of a measurement in one round: figures, or one line that says why there are none. */
export type Outcome = { readonly figures: Figures } | { readonly failed: string }

/** For people, and at the same time what tells two measurements apart. */
export function labelOf(measurement: Measurement): string {
  const { program, nodes, clients, size, durability, batch, workload, reads, heartbeatIntervalMs } =
    measurement
  const parts = [
    `${program}, ${durability === 'flush' ? 'durable' : 'memory'}, ${counted(clients, 'client')}`,
  ]
  if (nodes !== 3) parts.push(`${nodes} nodes`)
  if (size !== 128) parts.push(`${size} bytes`)
  if (batch !== 1) parts.push(`batch ${batch}`)
  if (workload !== undefined) parts.push(`reads by ${reads}`)
  if (heartbeatIntervalMs !== undefined) parts.push(`heartbeats every ${heartbeatIntervalMs} ms`)
  return parts.join(', ')
}
