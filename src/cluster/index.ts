/** raftbox: a Raft cluster that one person can hold. */

import { machineKindOf } from '../backup/index.js'
import { RaftError } from '../errors/index.js'
import { mvccName } from '../mvcc/index.js'
import { Cluster } from './cluster.js'
import { ClusterDirectory } from './directory.js'
import { machineKnownBy } from './kv-commands.js'
import { type ClusterOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { priorityOf } from './priorities.js'
import type { Calls } from './readings.js'

/**
 * Starts a cluster, or brings back the one that lives in `options.dir`. Rejects with a `RaftError` when an option does not
 * fit, or when the directory is in use, unusable, damaged or of another version. Nothing that was there has changed then;
 * a new directory may have been made, in which no node has begun.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const resolved = resolveOptions(options)
  const { dir, nodes, durability } = resolved
  const isEtcd = machineKnownBy(resolved.machine).machineName === mvccName
  const asked = { nodes, machine: machineKindOf(resolved.machine), isEtcd }
  const directory = ClusterDirectory.open(dir, asked, durability === 'flush')
  checkSomeMayLead(directory, resolved)
  const cluster = new Cluster(directory, resolved)
  await cluster.start()
  return cluster
}

function checkSomeMayLead(directory: ClusterDirectory, { priorities }: ResolvedOptions): void {
  const { members } = directory
  if (members.some((nodeId) => priorityOf(nodeId, priorities) > 0)) return
  directory.release()
  const expected = `a node of ${members.join(', ')} with a priority above 0, which may lead`
  throw new RaftError('INVALID_OPTION', { option: 'priorities', expected, actual: 'none' })
}

/**
 * Calls for a room of raftbox that stands in a node's place and has clients of its own: faults between nodes and clients do
 * not hit them, and what a call packs goes into the frame of the turn unchecked.
 */
export function callsFromInside(cluster: Cluster): Calls {
  return Cluster.callsFromInside(cluster)
}

export type { ReadConfirmation } from '../driver/index.js'
export {
  type ErrorCode,
  type ErrorDetails,
  errors,
  type MayHaveHappened,
  RaftError,
} from '../errors/index.js'
export type {
  DrawName,
  EndTarget,
  Fault,
  FaultHandle,
  ForTime,
  Nemesis,
  OnLink,
  StandingFault,
  Target,
} from '../faults/index.js'
export type { LogEntry, LogOfNode, LogRange } from '../logbook/index.js'
export type { CommandRun, MachineFactory, ResultWriter, StateMachine, TimeTelling } from '../machine/index.js'
export {
  afterKey,
  afterPrefix,
  type Bytes,
  encode,
  keyBytesMax,
  valueBytesMax,
  writePut,
} from '../machine/index.js'
export type { AddOptions, MemberKind, RemoveOptions, WithinTime } from '../membership/index.js'
export type { Durability, HashAt } from '../node/index.js'
export type {
  HistogramReading,
  LatencyHistogram,
  MessagesTaken,
  MessageTail,
  Vitals,
} from '../telemetry/index.js'
export type { Answers } from './answers.js'
export type { CallTracer, CallTracing, ChosenCall, TracesTold } from './call-tracer.js'
export { callWeight, pendingBytesMax } from './caller.js'
export type { Cluster } from './cluster.js'
export type { ClusterClient } from './cluster-client.js'
export type { Companion, CountersRead } from './companions.js'
export type { ClusterEvent, ClusterEvents } from './events.js'
export { type Exported, type ExportOptions, exportSnapshot, type StateTold } from './export.js'
export { type ExportTold, type Imported, type ImportOptions, importSnapshot, readExport } from './import.js'
export {
  type Deleted,
  type Entry,
  KvClient,
  type RangeOptions,
  type RangeResult,
  type Swapped,
  type Written,
} from './kv-client.js'
export { holdsEtcd } from './kv-commands.js'
export { leaderKnown } from './leader-known.js'
export { type LogFound, type LogsOptions, readLogs } from './logs.js'
export type { CallsTold, ClusterLook, NodeLook } from './look.js'
export type { NodeState, NodeStatus } from './member.js'
export type { ExportFromOptions, SnapshotTaken } from './node-answers.js'
export { type ClusterOptions, nodesMax, optionNames } from './options.js'
export type { Applied } from './outcomes.js'
export type { ReadOptions, Stale, StaleReadOptions } from './read-at.js'
export { type Calls, type ReadFrom, type Reading, reading, readingOfOne } from './readings.js'
export {
  goOnWithRecovery,
  type HeldMore,
  type Recovered,
  Recovery,
  type RecoveryPlan,
} from './recover.js'
export { type CallFrame, callBytesMax } from './requests.js'
