/** Faults of a cluster as plain data: a fault can be listed, sent to a thread and written into a file. */
import type { MessageType, NodeId } from '../raft/index.js'

/** An end of a link. `clients` are all clients of the cluster, seen from its nodes. */
export type Endpoint = NodeId | 'clients'

/** One direction of a link. */
export interface Way {
  readonly from: Endpoint
  readonly to: Endpoint
}

/** The kinds of messages that a fault of a link can be limited to: those of the paper, and heartbeats apart. */
export type MessageKind = MessageType | 'heartbeat'

const isMessageKind: Readonly<Record<MessageKind, true>> = {
  heartbeat: true,
  appendEntries: true,
  appendEntriesResponse: true,
  requestVote: true,
  requestVoteResponse: true,
  preVote: true,
  preVoteResponse: true,
  installSnapshot: true,
  installSnapshotResponse: true,
  timeoutNow: true,
  readIndex: true,
  readIndexResponse: true,
}

export const messageKinds = Object.keys(isMessageKind) as MessageKind[]

interface OnWays {
  readonly ways: readonly Way[]
  /** Only messages of this kind are hit. `undefined`: all. */
  readonly messages?: MessageKind | undefined
}

interface OnNodes {
  readonly nodes: readonly NodeId[]
}

export type LinkFault =
  /** Nothing passes. */
  | ({ readonly type: 'cut' } & OnWays)
  /** Each message takes so much longer, and up to `jitterMs` more by chance. The order of a port is kept. */
  | ({ readonly type: 'delay'; readonly delayMs: number; readonly jitterMs: number } & OnWays)
  /** `share`, from 0 to 1, of the messages is lost. */
  | ({ readonly type: 'drop'; readonly share: number } & OnWays)
  /** `share` of the messages arrives twice. */
  | ({ readonly type: 'duplicate'; readonly share: number } & OnWays)
  /** `share` of the messages is overtaken by those that were sent after it. */
  | ({ readonly type: 'reorder'; readonly share: number } & OnWays)
  /** So many bytes pass in a second. Messages for which the queue of a link has no room are lost. */
  | ({ readonly type: 'throttle'; readonly bytesPerSecond: number } & OnWays)
  /** The ways between the groups are cut. A node of no group hears everybody. */
  | { readonly type: 'partition'; readonly groups: readonly (readonly NodeId[])[] }
  /** The ways between each of the nodes and all others are cut, but for those to the clients. */
  | ({ readonly type: 'isolate' } & OnNodes)

export type DiskFault =
  /** Each flush takes so much longer. */
  | ({ readonly type: 'slowDisk'; readonly flushMs: number } & OnNodes)
  /** No flush ends, and none fails. */
  | ({ readonly type: 'stallDisk' } & OnNodes)
  /** The next flush fails, and the node stops. */
  | ({ readonly type: 'failDisk' } & OnNodes)
  /** So many more bytes fit on the disk, and the node stops at the write that does not fit. */
  | ({ readonly type: 'fullDisk'; readonly bytesLeft: number } & OnNodes)

export type NodeFault =
  /** The node ends at once, as in a crash of its process: what was written is kept. */
  | ({ readonly type: 'kill' } & OnNodes)
  /** The node ends at once, as in a power failure: what its disk has not flushed is gone. */
  | ({ readonly type: 'losePower' } & OnNodes)
  /** Nothing of the node runs: its timers are missed, and messages wait for it. */
  | ({ readonly type: 'pause' } & OnNodes)
  /**
   * The clock is `offsetMs` ahead (or behind, below 0) from now on, and runs `drift` of itself too fast (or too slow,
   * below 0). A clock never falls: one that is set back stands still for as long.
   */
  | ({ readonly type: 'skew'; readonly offsetMs: number; readonly drift: number } & OnNodes)

/** A fault that stands from its begin until it is healed. */
export type Fault = LinkFault | DiskFault | NodeFault

export type FaultType = Fault['type']

/** A fault that stands. */
export interface StandingFault {
  /** Names it; unique in the life of a cluster. */
  readonly id: number
  readonly fault: Fault
  /** When it began, and when it heals by itself, on the clock of its cluster. */
  readonly sinceMs: number
  readonly untilMs: number | undefined
}

export function isLinkFault(fault: Fault): fault is LinkFault {
  switch (fault.type) {
    case 'cut':
    case 'delay':
    case 'drop':
    case 'duplicate':
    case 'reorder':
    case 'throttle':
    case 'partition':
    case 'isolate':
      return true
    default:
      return false
  }
}

/** True for a fault that keeps its nodes down as long as it stands. */
export function isEnding({ type }: Fault): boolean {
  return type === 'kill' || type === 'losePower'
}

/** All ways that a fault of links hits, in a cluster of these nodes. */
export function waysOf(fault: LinkFault, nodeIds: readonly NodeId[]): readonly Way[] {
  switch (fault.type) {
    case 'partition':
      return fault.groups.flatMap((group, at) =>
        fault.groups.flatMap((other, otherAt) => (at === otherAt ? [] : waysBetween(group, other))),
      )
    case 'isolate':
      return fault.nodes.flatMap((one) =>
        nodeIds.filter((other) => other !== one).flatMap((other) => bothWays(one, other)),
      )
    default:
      return fault.ways
  }
}

/** Both directions of a link. */
export function bothWays(one: Endpoint, other: Endpoint): Way[] {
  return [
    { from: one, to: other },
    { from: other, to: one },
  ]
}

function waysBetween(group: readonly NodeId[], other: readonly NodeId[]): Way[] {
  return group.flatMap((from) => other.map((to) => ({ from, to })))
}

/** The nodes on which a fault acts: those of its disks, clocks and threads, and the ends of its links. */
export function nodesHit(fault: Fault, nodeIds: readonly NodeId[]): readonly NodeId[] {
  if (!isLinkFault(fault)) return fault.nodes
  const ends = waysOf(fault, nodeIds).flatMap(({ from, to }) => [from, to])
  return nodeIds.filter((nodeId) => ends.includes(nodeId))
}

/**
 * The part of a fault that acts at one of its nodes: of a fault of links, on the ways that lead to the node, and on the
 * way from it to the clients.
 */
export function faultAt(fault: Fault, nodeId: NodeId, nodeIds: readonly NodeId[]): Fault {
  if (!isLinkFault(fault)) return { ...fault, nodes: [nodeId] }
  const isAt = ({ from, to }: Way) => to === nodeId || (from === nodeId && to === 'clients')
  const ways = waysOf(fault, nodeIds).filter(isAt)
  return fault.type === 'partition' || fault.type === 'isolate' ? { type: 'cut', ways } : { ...fault, ways }
}

/** The fault in a cluster that has lost a node; `undefined` when it hit nothing else. */
export function withoutNode(fault: Fault, nodeId: NodeId): Fault | undefined {
  if (fault.type === 'partition') {
    const left = fault.groups.map((group) => group.filter((each) => each !== nodeId))
    const groups = left.filter((group) => group.length > 0)
    return groups.length < 2 ? undefined : { ...fault, groups }
  }
  if ('ways' in fault) {
    const ways = fault.ways.filter(({ from, to }) => from !== nodeId && to !== nodeId)
    return ways.length === 0 ? undefined : { ...fault, ways }
  }
  const nodes = fault.nodes.filter((each) => each !== nodeId)
  return nodes.length === 0 ? undefined : { ...fault, nodes }
}
