/** What is compared with what, and what must come of it: the table of targets, and rows beside it for the picture. */

import { type FigureName, type Measurement, type ProgramName, peerNames } from './measurement.js'
import type { Target } from './ratio.js'

export interface Side {
  readonly measurement: Measurement
  readonly figure: FigureName
}

export interface Row {
  readonly name: string
  readonly ours: Side
  /** Without it the row holds raftbox's own figure, and no ratio. */
  readonly theirs: Side | undefined
  readonly target: Target | undefined
  /** In place of `target` while other programs keep the cores busy. Left out: nothing is asked of the row then. */
  readonly busyTarget?: Target | undefined
}

type Setting = Omit<Measurement, 'program'>

const usual: Setting = {
  nodes: 3,
  clients: 1024,
  size: 128,
  durability: 'flush',
  batch: 1,
  workload: undefined,
  reads: 'lease',
  heartbeatIntervalMs: undefined,
}
const inMemory: Setting = { ...usual, durability: 'none' }
const batched: Setting = { ...usual, size: 16, batch: 256 }

function withClients(clients: number): Setting {
  return { ...usual, clients }
}

function side(program: ProgramName, setting: Setting, figure: FigureName): Side {
  return { measurement: { program, ...setting }, figure }
}

/** raftbox and a peer with the same setting. */
function against(
  program: ProgramName,
  name: string,
  setting: Setting,
  target?: Target,
  { figure = 'commitsPerSecond', busy }: { readonly figure?: FigureName; readonly busy?: Target } = {},
): Row {
  return {
    name: `${name}-${program}`,
    ours: side('raftbox', setting, figure),
    theirs: side(program, setting, figure),
    target,
    busyTarget: busy,
  }
}

/** Both over etcd's API, called by the same program. */
function overApi(name: string, setting: Setting, target: Target | undefined): Row {
  const sideOf = (program: ProgramName): Side => side(program, setting, 'commitsPerSecond')
  return { name: `${name}-etcd`, ours: sideOf('raftbox-etcd'), theirs: sideOf('etcd'), target }
}

const threeNodes = side('raftbox', usual, 'commitsPerSecond')

/** Rows of one setting stand together, so that what a ratio is formed of runs within the same minute. */
export const allRows: readonly Row[] = [
  against('floor', 'durable-1-p50', withClients(1), { atMost: 1.1 }, { figure: 'p50ms' }),
  against('floor', 'durable-1', withClients(1)),
  against('etcd-raft', 'durable-1', withClients(1)),
  against(
    'etcd-raft',
    'durable-1-p50',
    withClients(1),
    { atMost: 1.75 },
    { figure: 'p50ms', busy: { atMost: 2 } },
  ),
  against('etcd-raft', 'durable-1-p99', withClients(1), undefined, { figure: 'p99ms' }),
  against('etcd-raft', 'first-hundred-p50', withClients(1), { atMost: 2 }, { figure: 'firstHundredP50ms' }),
  against('etcd-raft', 'durable-64', withClients(64), { atLeast: 2 }, { busy: { atLeast: 1.5 } }),
  against('floor', 'durable-64', withClients(64), { atLeast: 0.95 }),
  against('etcd', 'durable-1000', withClients(1000), { atLeast: 25 }),
  overApi('api-1', withClients(1), { atLeast: 1 }),
  overApi('api-64', withClients(64), undefined),
  overApi('api-1000', withClients(1000), { atLeast: 3 }),
  {
    name: 'api-1000-heartbeats-late',
    ours: side('raftbox-etcd', withClients(1000), 'heartbeatLateP999ms'),
    theirs: undefined,
    target: { atMost: 25 },
  },
  against('etcd-raft', 'durable-1024', usual, { atLeast: 3 }, { busy: { atLeast: 2 } }),
  against('etcd-raft', 'durable-1024-p99', usual, { atMost: 0.25 }, { figure: 'p99ms' }),
  against('hashicorp-raft', 'durable-1024', usual, { atLeast: 10 }),
  against('floor', 'durable-1024', usual, { atLeast: 0.95 }),
  {
    name: 'five-nodes-three-nodes',
    ours: side('raftbox', { ...usual, nodes: 5 }, 'commitsPerSecond'),
    theirs: threeNodes,
    target: { atLeast: 0.7 },
  },
  {
    name: 'reads-writes',
    ours: side('raftbox', { ...usual, workload: 'c' }, 'callsPerSecond'),
    theirs: threeNodes,
    target: { atLeast: 5 },
  },
  {
    name: 'reads-by-readIndex-writes',
    ours: side('raftbox', { ...usual, workload: 'c', reads: 'readIndex' }, 'callsPerSecond'),
    theirs: threeNodes,
    target: undefined,
  },
  {
    name: 'heartbeats-late',
    ours: side('raftbox', { ...usual, heartbeatIntervalMs: 50 }, 'heartbeatLateP999ms'),
    theirs: undefined,
    target: { atMost: 25 },
    busyTarget: { atMost: 50 },
  },
  against('etcd-raft', 'durable-4096', withClients(4096)),
  against('floor', 'durable-4096', withClients(4096), { atLeast: 0.95 }),
  against('etcd-raft', 'durable-16384', withClients(16_384)),
  against('floor', 'durable-16384', withClients(16_384), { atLeast: 0.95 }),
  against('etcd-raft', 'memory-1024', inMemory, { atLeast: 4 }),
  against('hashicorp-raft', 'memory-1024', inMemory),
  against('floor', 'memory-1024', inMemory),
  {
    name: 'batch-256-memory',
    ours: side('raftbox', { ...batched, durability: 'none' }, 'commitsPerSecond'),
    theirs: undefined,
    target: { atLeast: 2_000_000 },
  },
  {
    name: 'batch-256-durable',
    ours: side('raftbox', batched, 'commitsPerSecond'),
    theirs: undefined,
    target: { atLeast: 1_000_000 },
  },
]

/** What `--only` may name: peers, `raftbox` for the rows that need nobody else, and rows. */
export const choices: readonly string[] = ['raftbox', ...peerNames, ...allRows.map(({ name }) => name)]

/** The program that has to be there beside raftbox itself. */
export function opponentOf({ ours, theirs }: Row): ProgramName {
  if (theirs !== undefined) return theirs.measurement.program
  return ours.measurement.program === 'raftbox-etcd' ? 'etcd' : 'raftbox'
}

export function rowsNamed(names: readonly string[]): Row[] {
  return allRows.filter((row) => names.includes(row.name) || names.includes(opponentOf(row)))
}

/** The same row with what is asked of it while other programs keep the cores busy. */
export function whileBusy(row: Row): Row {
  return { ...row, target: row.busyTarget }
}

export function sidesOf({ ours, theirs }: Row): Side[] {
  return theirs === undefined ? [ours] : [ours, theirs]
}
