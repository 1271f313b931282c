/** The shape of a frame in a file, which may come from a stranger. */
import {
  type ChecksOf,
  having,
  isCount,
  isFlag,
  isId,
  isNumber,
  isText,
  listOf,
  ofFault,
  ofMembership,
  oneOf,
  orNone,
} from '../explain/index.js'
import type { Frame, LatencyFrame, MessageFrame, NodeFrame } from '../observer/index.js'
import { carriedTypes, roles } from '../telemetry/index.js'

const ofLatency: ChecksOf<LatencyFrame> = { count: isCount, p50us: isNumber, p99us: isNumber }

const ofProgress: ChecksOf<NodeFrame['progress'][number]> = {
  nodeId: isId,
  nextIndex: isCount,
  matchIndex: isCount,
  bytesInFlight: isCount,
  isSnapshotSent: isFlag,
}

const ofNode: ChecksOf<NodeFrame> = {
  nodeId: isId,
  state: oneOf('running', 'paused', 'stopped', 'failed'),
  member: oneOf('voter', 'learner', 'joint', 'none'),
  role: oneOf(...roles),
  currentTerm: isCount,
  leaderId: orNone(isId),
  failure: orNone(isText),
  firstIndex: isCount,
  lastIndex: isCount,
  flushedIndex: isCount,
  commitIndex: isCount,
  lastApplied: isCount,
  commandsApplied: orNone(isCount),
  snapshotIndex: isCount,
  logBytes: isCount,
  terms: listOf(having({ firstIndex: isCount, term: isCount })),
  electionLeftMs: orNone(isNumber),
  electionTimeoutMs: isNumber,
  votes: listOf(isId),
  isLeaseHeld: isFlag,
  progress: listOf(having(ofProgress)),
  flushes: having(ofLatency),
  heartbeatsLate: having(ofLatency),
}

const ofMessage: ChecksOf<MessageFrame> = {
  id: isCount,
  from: isId,
  to: isId,
  type: oneOf(...carriedTypes),
  term: isCount,
  mark: isNumber,
  isYes: orNone(isFlag),
  sentAtMs: isNumber,
}

const ofFrame: ChecksOf<Frame> = {
  number: isId,
  atMs: isNumber,
  leaderId: orNone(isId),
  membership: orNone(having({ ...ofMembership, transferTo: orNone(isId) })),
  nodes: listOf(having(ofNode)),
  faults: listOf(having({ ...ofFault, sinceMs: isNumber, untilMs: orNone(isNumber) })),
  messages: listOf(having(ofMessage)),
  arrivals: listOf(having({ id: isCount, atMs: isNumber })),
  messagesLeftOut: isCount,
  calls: having({ ...ofLatency, failed: isCount }),
  loadClients: isCount,
}

export function isFrame(value: unknown): value is Frame {
  return having(ofFrame)(value)
}
