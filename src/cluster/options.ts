/** What a cluster is started with: units, defaults and bounds, and one clear line for what does not fit. */
import { accessSync, constants, statSync } from 'node:fs'
import type { ReadConfirmation } from '../driver/index.js'
import { checkOptions, quoted, RaftError } from '../errors/index.js'
import type { Durability } from '../node/index.js'
import { defaultLogBounds } from '../raft/index.js'
import { pathOf } from './paths.js'
import type { Priorities } from './priorities.js'

export interface ClusterOptions {
  /**
   * Voting nodes, 1 to 25. Default: as many as the directory was made with, else 3. Two tolerate no failure
   * at all: one more buys the loss of one.
   */
  readonly nodes?: number
  /** Where the logs live: a path, or a URL of a file. Default: a temporary folder that `close` removes. */
  readonly dir?: string
  /**
   * Nodes that may begin anew if their disk is lost: if their folder is missing or empty, of another cluster, or an
   * older copy. Default: none, and such a node keeps the cluster from starting. A node that begins anew votes for
   * nobody until it has caught up, so nothing that was acknowledged is lost; nodes that would leave no majority with a
   * vote are refused. The files of the old disk are kept in the node's folder, below a name that begins with `lost-`.
   */
  readonly renew?: readonly number[]
  /** Default `flush`: acknowledged means flushed on a majority. `none` keeps the log in memory, for measuring. */
  readonly durability?: Durability
  /** Default `threads`, a worker thread a node. `inline` runs all in this thread, for profilers and debuggers. */
  readonly host?: 'threads' | 'inline'
  /** A module whose default export makes the state machine: a URL, or a path. Default: the key-value store. */
  readonly machine?: string | URL
  /**
   * Milliseconds between heartbeats, 2 to 10,000. Default 100. Small: an election timeout may be short, at a
   * higher cost when idle. Large: the reverse.
   */
  readonly heartbeatIntervalMs?: number
  /**
   * Milliseconds without a leader before an election, at least three heartbeats. Default five of them. Rounded up to whole
   * heartbeats; each wait lies between that and its double.
   */
  readonly electionTimeoutMs?: number
  /**
   * How a leader makes sure before it answers reads that it still leads. Default `lease`, by the one clock that all
   * nodes of a process share; it lasts three quarters of what is left of electionTimeoutMs after two heartbeats.
   * `readIndex`, also where less than 8 ms are left, since timers count whole milliseconds: a majority is asked anew.
   */
  readonly reads?: ReadConfirmation
  /**
   * The nodes that shall lead, as priorities by their ids: 0 to 100, default 1. A node of priority 0 votes and never leads. A leader hands
   * over to a voter of a higher priority that has caught up, within some election timeouts. At least one of the nodes that
   * the cluster begins with may lead.
   */
  readonly priorities?: Priorities
  /**
   * Milliseconds until a call is given up, 1 to 3,600,000. Default 5000. What was sent by then has an unknown outcome.
   * Only time in which the caller's thread ran counts: a standstill of it counts as 100 ms at most.
   */
  readonly requestTimeoutMs?: number
  /**
   * Milliseconds for which the cluster remembers what this handle's calls were answered, 1000 to 3,600,000, and at least
   * five heartbeats: the log's time is told once a heartbeat at most. Default 60,000.
   * A call with an unknown outcome is asked again within that time, and applied once. The time is the log's, and counts
   * from the last call.
   */
  readonly sessionTimeoutMs?: number
  /**
   * Bytes of log before a snapshot is taken and the log is cut, at least 4096. Default 16 MiB. A larger state
   * machine raises the bound to the size of its last snapshot, and trailingBytes in proportion.
   */
  readonly logBytesMax?: number
  /** Bytes of log kept behind a snapshot for followers that are late, at most logBytesMax. Default a quarter of it. */
  readonly trailingBytes?: number
  /** Bytes that one node's disk may take, at least 1 MiB. Default 64 GiB. Only what is used is taken. */
  readonly diskBytesMax?: number
  /**
   * A directory that is there, for a recording of each life of a node: all that its protocol is told, for `raftbox
   * replay`. Default: none is made. A recording grows by more than the log does, up to 1 GiB, and a node waits while it is
   * written.
   * A recording that cannot be written ends, a warning of the process says so, and the node goes on.
   */
  readonly recordDir?: string
}

export interface ResolvedOptions
  extends Required<Omit<ClusterOptions, 'nodes' | 'dir' | 'machine' | 'recordDir'>> {
  readonly nodes: number | undefined
  readonly dir: string | undefined
  readonly machine: string | undefined
  readonly recordDir: string | undefined
}

/** Every option, for callers who take the same ones and some of their own. */
export const optionNames: Readonly<Record<keyof ClusterOptions, true>> = {
  nodes: true,
  dir: true,
  renew: true,
  durability: true,
  host: true,
  machine: true,
  heartbeatIntervalMs: true,
  electionTimeoutMs: true,
  reads: true,
  priorities: true,
  requestTimeoutMs: true,
  sessionTimeoutMs: true,
  logBytesMax: true,
  trailingBytes: true,
  diskBytesMax: true,
  recordDir: true,
}

const prioritiesMax = 100
/** The log's time is told once a heartbeat at most. A session that is in use outlasts some tellings. */
const heartbeatsOfSession = 5
/** The most nodes that a cluster may have. */
export const nodesMax = 25
/** A quarter of it is what a lease allows for timers that end up to two milliseconds early. */
const leaseMsMin = 8

/** Options are foreign values: a getter of theirs, or a text that they make of themselves, may throw. */
export function resolveOptions(options: ClusterOptions): ResolvedOptions {
  try {
    return resolved(options)
  } catch (error) {
    if (error instanceof RaftError) throw error
    const [option, expected] = ['options', 'an object whose values can be read']
    throw new RaftError('INVALID_OPTION', { option, expected, actual: `one that throws: ${error}` }, error)
  }
}

function resolved(options: ClusterOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options)
  checkOptions('startCluster', options, Object.keys(optionNames))
  const { nodes, machine } = options
  const dir = options.dir === undefined ? undefined : pathOf('dir', options.dir)
  const recordDir = options.recordDir === undefined ? undefined : folderOf('recordDir', options.recordDir)
  if (nodes !== undefined) checkNodes(nodes)
  const renew = checkNodeIds('renew', options.renew ?? [])
  const durability = oneOf('durability', options.durability ?? 'flush', ['flush', 'none'])
  const host = oneOf('host', options.host ?? 'threads', ['threads', 'inline'])
  const heartbeatIntervalMs = checkWhole('heartbeatIntervalMs', options.heartbeatIntervalMs ?? 100, 2, 10_000)
  const electionTimeoutMs = checkWhole(
    'electionTimeoutMs',
    options.electionTimeoutMs ?? 5 * heartbeatIntervalMs,
    3 * heartbeatIntervalMs,
    600_000,
  )
  const electionTimeoutTicks = electionTimeoutTicksOf({ heartbeatIntervalMs, electionTimeoutMs })
  const reads = oneOf('reads', options.reads ?? 'lease', ['lease', 'readIndex'])
  const priorities = checkPriorities(options.priorities ?? {})
  const requestTimeoutMs = checkWhole('requestTimeoutMs', options.requestTimeoutMs ?? 5000, 1, 3_600_000)
  const sessionTimeoutMs = checkWhole(
    'sessionTimeoutMs',
    options.sessionTimeoutMs ?? 60_000,
    Math.max(1000, heartbeatsOfSession * heartbeatIntervalMs),
    3_600_000,
    `, ${heartbeatsOfSession} heartbeats at least`,
  )
  const logBytesMax = checkWhole(
    'logBytesMax',
    options.logBytesMax ?? defaultLogBounds.logBytesMax,
    4096,
    2 ** 40,
  )
  const trailingBytes = checkWhole(
    'trailingBytes',
    options.trailingBytes ?? Math.floor(logBytesMax / 4),
    0,
    logBytesMax,
  )
  const diskBytesMax = checkWhole('diskBytesMax', options.diskBytesMax ?? 2 ** 36, 1 << 20, 2 ** 44)
  return {
    nodes,
    dir,
    renew,
    durability,
    host,
    machine: machine === undefined ? undefined : String(machine),
    heartbeatIntervalMs,
    electionTimeoutMs,
    reads: (electionTimeoutTicks - 2) * heartbeatIntervalMs < leaseMsMin ? 'readIndex' : reads,
    priorities,
    requestTimeoutMs,
    sessionTimeoutMs,
    logBytesMax,
    trailingBytes,
    diskBytesMax,
    recordDir,
  }
}

/** An election timeout in ticks of the protocol: a tick is a heartbeat, and so many last at least as long. */
export function electionTimeoutTicksOf({
  heartbeatIntervalMs,
  electionTimeoutMs,
}: Pick<ResolvedOptions, 'heartbeatIntervalMs' | 'electionTimeoutMs'>): number {
  return Math.ceil(electionTimeoutMs / heartbeatIntervalMs)
}

/** Throws for a number of voting nodes that no cluster can have. */
export function checkNodes(nodes: number): number {
  return checkWhole('nodes', nodes, 1, nodesMax)
}

function checkWhole(option: string, value: number, least: number, most: number, more = ''): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(option, `a whole number from ${least} to ${most}${more}`, quoted(value))
}

/** A folder that is there, so that the nodes do not fail on it once the cluster's directory is filled. */
function folderOf(option: string, dir: string): string {
  const path = pathOf(option, dir)
  try {
    accessSync(path, constants.W_OK)
    if (statSync(path).isDirectory()) return path
  } catch {
    // The refusal says all that the caller needs.
  }
  throw invalid(option, 'a folder that exists and can be written to', path)
}

function checkNodeIds(option: string, nodeIds: readonly number[]): readonly number[] {
  if (!Array.isArray(nodeIds)) throw invalid(option, 'an array of node ids', nodeIds)
  for (const nodeId of nodeIds) checkWhole(option, nodeId, 1, Number.MAX_SAFE_INTEGER)
  return [...nodeIds]
}

function checkPriorities(priorities: Priorities): Priorities {
  const expected = 'an object of priorities by node ids, as { 1: 0 }'
  if (typeof priorities !== 'object' || priorities === null) throw invalid('priorities', expected, priorities)
  for (const [nodeId, priority] of Object.entries(priorities)) {
    if (!/^[1-9]\d*$/.test(nodeId)) throw invalid('priorities', expected, nodeId)
    checkWhole('priorities', priority, 0, prioritiesMax)
  }
  return { ...priorities }
}

function oneOf<T extends string>(option: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw invalid(option, choices.join(' or '), value)
}

function invalid(option: string, expected: string, actual: unknown): RaftError {
  return new RaftError('INVALID_OPTION', { option, expected, actual: String(actual) })
}
