/** A frame, assembled of what a cluster tells at one moment and told at the moment before. */
import type { NodeStatus } from '../cluster/index.js'
import { type StandingFault, toldOf } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { MembershipTold } from '../telemetry/index.js'
import type { FaultFrame, Frame, LatencyFrame, NodeFrame } from './frame.js'

/** What a cluster tells at one moment, without asking its nodes. */
export interface Look {
  readonly atMs: number
  readonly electionTimeoutMs: number
  readonly leaderId: NodeId | undefined
  readonly membership: MembershipTold | undefined
  readonly nodes: readonly NodeStatus[]
  readonly faults: readonly StandingFault[]
  readonly loadClients: number
}

const noLatency: LatencyFrame = { count: 0, p50us: 0, p99us: 0 }

export function frameOf(number: number, look: Look): Frame {
  const { atMs, leaderId, membership, nodes, faults, loadClients } = look
  const nodeIds = nodes.map(({ nodeId }) => nodeId)
  return {
    ...{ number, atMs, leaderId, membership, loadClients },
    nodes: nodes.map((node) => nodeFrameOf(node, look)),
    faults: faults.map((fault) => faultFrameOf(fault, nodeIds)),
    messages: [],
    arrivals: [],
    messagesLeftOut: 0,
    calls: { ...noLatency, failed: 0 },
  }
}

function nodeFrameOf(node: NodeStatus, { electionTimeoutMs }: Look): NodeFrame {
  const { nodeId, state, member, role, currentTerm, leaderId, failure } = node
  const { firstIndex, lastIndex, flushedIndex, commitIndex, lastApplied, snapshotIndex, logBytes } = node
  return {
    ...{ nodeId, state, member, role, currentTerm, leaderId, failure },
    ...{ firstIndex, lastIndex, flushedIndex, commitIndex, lastApplied, snapshotIndex, logBytes },
    terms: [],
    electionLeftMs: undefined,
    electionTimeoutMs,
    votes: [],
    isLeaseHeld: false,
    progress: [],
    flushes: noLatency,
    heartbeatsLate: noLatency,
  }
}

function faultFrameOf(fault: StandingFault, nodeIds: readonly NodeId[]): FaultFrame {
  const { sinceMs, untilMs } = fault
  return { ...toldOf(fault, nodeIds), sinceMs, untilMs }
}
