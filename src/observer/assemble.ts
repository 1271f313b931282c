/** A frame, assembled of what a cluster tells at one moment and told at the moment before. */
import type { CallsTold, ClusterLook, NodeLook, NodeStatus } from '../cluster/index.js'
import { type StandingFault, toldOf } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { HistogramReading, MembershipTold, Vitals } from '../telemetry/index.js'
import type { FlightsFrame } from './flights.js'
import type { CallsFrame, FaultFrame, Frame, FrameHead, LatencyFrame, NodeFrame } from './frame.js'

/** All that a cluster tells at one moment without asking its nodes. */
export interface Moment extends ClusterLook {
  readonly atMs: number
  readonly leaderId: NodeId | undefined
  readonly membership: MembershipTold | undefined
  readonly status: readonly NodeStatus[]
  readonly faults: readonly StandingFault[]
  readonly loadClients: number
}

type Times = Pick<FrameHead, 'electionTimeoutMs' | 'tickMs'>

/** `before`: the moment of the frame before. */
export function frameOf(
  number: number,
  times: Times,
  before: Moment | undefined,
  now: Moment,
  flights: FlightsFrame,
): Frame {
  const { atMs, leaderId, membership, status, faults, loadClients } = now
  const nodeIds = status.map(({ nodeId }) => nodeId)
  const lookOf = (moment: Moment | undefined, nodeId: NodeId): NodeLook | undefined =>
    moment?.nodes.find((node) => node.nodeId === nodeId)
  return {
    ...{ number, atMs, leaderId, membership, loadClients },
    nodes: status.map((node) => {
      const { nodeId } = node
      return nodeFrameOf(atMs, times, node, lookOf(before, nodeId), lookOf(now, nodeId))
    }),
    faults: faults.map((fault) => faultFrameOf(fault, nodeIds)),
    ...flights,
    calls: callsFrameOf(before?.calls, now.calls),
  }
}

function nodeFrameOf(
  atMs: number,
  times: Times,
  node: NodeStatus,
  before: NodeLook | undefined,
  now: NodeLook | undefined,
): NodeFrame {
  const { nodeId, state, member, role, currentTerm, leaderId, failure } = node
  const { firstIndex, lastIndex, flushedIndex, commitIndex, lastApplied, snapshotIndex, logBytes } = node
  const { commandsApplied } = node
  const vitals = now?.vitals
  const isRunning = state === 'running'
  const isLeader = isRunning && role === 'leader'
  return {
    ...{ nodeId, state, member, role, currentTerm, leaderId, failure },
    ...{ firstIndex, lastIndex, flushedIndex, commitIndex, lastApplied, snapshotIndex, logBytes },
    commandsApplied,
    terms: vitals?.terms ?? [],
    electionLeftMs: isRunning && mayCampaign(node) ? electionLeftMs(atMs, times, vitals) : undefined,
    electionTimeoutMs:
      vitals === undefined ? times.electionTimeoutMs : vitals.electionTimeoutTicks * times.tickMs,
    votes: isRunning && (role === 'candidate' || role === 'preCandidate') ? (vitals?.votes ?? []) : [],
    isLeaseHeld: isLeader && vitals?.isLeaseHeld === true,
    progress: isLeader ? (vitals?.progress ?? []) : [],
    flushes: latencyOf(before?.flushes, now?.flushes),
    heartbeatsLate: latencyOf(before?.heartbeatsLate, now?.heartbeatsLate),
  }
}

function mayCampaign({ role, member }: NodeStatus): boolean {
  return role !== 'leader' && (member === 'voter' || member === 'joint')
}

/** Vitals count ticks, and time goes on between them. */
function electionLeftMs(atMs: number, { tickMs }: Times, vitals: Vitals | undefined): number | undefined {
  if (vitals === undefined) return undefined
  const { electionTimeoutTicks, electionElapsedTicks, tickedAtMs } = vitals
  return Math.max(0, (electionTimeoutTicks - electionElapsedTicks) * tickMs - (atMs - tickedAtMs))
}

function callsFrameOf(before: CallsTold | undefined, now: CallsTold): CallsFrame {
  const failedOf = (calls: CallsTold | undefined): number =>
    [...(calls?.failed.values() ?? [])].reduce((sum, count) => sum + count, 0)
  return { ...latencyOf(before?.answered, now.answered), failed: failedOf(now) - failedOf(before) }
}

function latencyOf(before: HistogramReading | undefined, now: HistogramReading | undefined): LatencyFrame {
  const since = before === undefined ? now : now?.since(before)
  if (since === undefined) return { count: 0, p50us: 0, p99us: 0 }
  return { count: since.count, p50us: since.percentile(50), p99us: since.percentile(99) }
}

function faultFrameOf(fault: StandingFault, nodeIds: readonly NodeId[]): FaultFrame {
  const { sinceMs, untilMs } = fault
  return { ...toldOf(fault, nodeIds), sinceMs, untilMs }
}
