/** The options of a simulated cluster. */
import type { ReadConfirmation } from '../driver/index.js'
import { createKv, type MachineFactory, resultBytesMaxDefault } from '../machine/index.js'
import {
  defaultLimits,
  defaultLogBounds,
  type LogBounds,
  type Membership,
  type Message,
  type NodeId,
  type RaftLimits,
} from '../raft/index.js'
import type { NetworkConditions } from './network.js'
import type { DiskConditions } from './node-disk.js'
import type { SimulatedNodeOptions } from './node-options.js'
import type { Hearers } from './world.js'

export interface SimulatedClusterOptions extends Hearers {
  /** Decides everything that is left to chance. Default 1. */
  readonly seed?: number
  /** How many nodes; their ids are 1 to this. Default 3. */
  readonly nodes?: number
  /** The nodes of priority 0, also those that are added later. Default: none. */
  readonly neverLeading?: readonly NodeId[]
  readonly limits?: Partial<RaftLimits>
  readonly bounds?: LogBounds
  /** Bytes of results after which a node ends a turn, and answers a request in part. Default 1 MiB. */
  readonly resultBytesMax?: number
  /** Virtual milliseconds between two ticks of a node. Default 10. */
  readonly tickMs?: number
  /** Default `lease`. */
  readonly reads?: ReadConfirmation
  /** By how much of itself a node's clock may be slow or fast. Default 0.03. */
  readonly clockDrift?: number
  /** Longest time from a message's arrival to the turn that takes it. Default 0.1 ms. */
  readonly turnMs?: number
  readonly network?: Partial<NetworkConditions>
  /** Takes each message in place of the network. None arrives but those that `bring` brings. */
  readonly carry?: (message: Message) => void
  /** Mean of the way between a client and a node, in virtual milliseconds. Default 0.1. */
  readonly clientWayMs?: number
  readonly disk?: Partial<DiskConditions>
  /** Snapshots are written in pieces of about this many bytes. Default 1024. */
  readonly snapshotPieceBytes?: number
  /** Default: the built-in key-value machine, as which any other must answer. */
  readonly createMachine?: MachineFactory
}

const defaultDisk: DiskConditions = { flushMs: 0.5, flushJitterMs: 0.3 }

/** The options that are the same for all nodes of a cluster. */
export function nodeOptionsOf(
  options: SimulatedClusterOptions,
  membership: Membership,
): Omit<SimulatedNodeOptions, 'id' | 'priority'> {
  const { snapshotPieceBytes = 1024 } = options
  return {
    seed: options.seed ?? 1,
    membership,
    limits: { ...defaultLimits, ...options.limits },
    bounds: options.bounds ?? defaultLogBounds,
    resultBytesMax: options.resultBytesMax ?? resultBytesMaxDefault,
    tickMs: options.tickMs ?? 10,
    reads: options.reads ?? 'lease',
    clockDrift: options.clockDrift ?? 0.03,
    turnMs: options.turnMs ?? 0.1,
    snapshotPieceBytes,
    disk: { ...defaultDisk, ...options.disk },
    // A snapshot of one piece is whole at once: its making has to go on while commands are applied.
    createMachine: options.createMachine ?? (() => createKv(snapshotPieceBytes)),
  }
}
