/** Frames made by hand: three nodes that run, and what a test says of them. */
import type { Frame, LatencyFrame, NodeFrame } from '../../src/observer/index.js'
import type { NodeId } from '../../src/raft/index.js'

export const noLatency: LatencyFrame = { count: 0, p50us: 0, p99us: 0 }

export function madeNode(nodeId: NodeId, told: Partial<NodeFrame> = {}): NodeFrame {
  return {
    nodeId,
    state: 'running',
    member: 'voter',
    role: nodeId === 1 ? 'leader' : 'follower',
    currentTerm: 1,
    leaderId: 1,
    failure: undefined,
    firstIndex: 1,
    lastIndex: 0,
    flushedIndex: 0,
    commitIndex: 0,
    lastApplied: 0,
    snapshotIndex: 0,
    logBytes: 0,
    terms: [],
    electionLeftMs: nodeId === 1 ? undefined : 300,
    electionTimeoutMs: 600,
    votes: [],
    isLeaseHeld: nodeId === 1,
    progress: [],
    flushes: noLatency,
    heartbeatsLate: noLatency,
    ...told,
  }
}

export function madeFrame(number: number, atMs: number, told: Partial<Frame> = {}): Frame {
  return {
    number,
    atMs,
    leaderId: 1,
    membership: undefined,
    nodes: [1, 2, 3].map((nodeId) => madeNode(nodeId)),
    faults: [],
    messages: [],
    arrivals: [],
    messagesLeftOut: 0,
    calls: { ...noLatency, failed: 0 },
    loadClients: 0,
    ...told,
  }
}
