/** Checks of the fields of a story's lines, which may come from a stranger. */
import type { DropReason, RaftEvent } from '../raft/index.js'
import { carriedTypes, type Happened, roles, stages } from '../telemetry/index.js'
import {
  type Checks,
  type Fields,
  having,
  holds,
  isConfiguration,
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
} from './checks.js'
import { voteReasons } from './election-words.js'

const ofRow: Checks = { atMs: isNumber, nodeId: isCount }

export function isPassed(fields: Fields): boolean {
  return holds({ ...ofRow, stage: oneOf(...stages), index: isCount, peer: orNone(isId) }, fields)
}

export function isCarried(fields: Fields): boolean {
  const of = { direction: oneOf('sent', 'received'), peer: isId, type: oneOf(...carriedTypes), term: isCount }
  return holds({ ...ofRow, ...of, mark: isNumber, isYes: orNone(isFlag) }, fields)
}

/** True for a happening of a type that this raftbox knows, with all fields that words and explanations read. */
export function isHappened(fields: Fields): boolean {
  if (!holds({ ...ofRow, type: isText, sequence: isCount, cause: orNone(isCount) }, fields)) return false
  if (fields['type'] === 'role' && !holdsFor(ofReason, fields['reason'], fields)) return false
  return holdsFor(ofHappening, fields['type'], fields)
}

/** True where the word has checks in the table, and they hold. */
function holdsFor(table: Readonly<Record<string, Checks>>, word: unknown, fields: Fields): boolean {
  const checks = typeof word === 'string' && Object.hasOwn(table, word) ? table[word] : undefined
  return checks !== undefined && holds(checks, fields)
}

type Reason = Extract<RaftEvent, { type: 'role' }>['reason']

const timed: Checks = { elapsedTicks: isNumber }
const decided: Checks = { decidedBy: listOf(isId) }
const byMessage: Checks = { from: isId, messageType: isText }

/** The fields of a change of role besides its reason. */
const ofReason: Readonly<Record<Reason, Checks>> = {
  electionTimeout: { ...timed, lacking: orNone(oneOf('heartbeat', 'leader', 'majority')) },
  quorumLost: timed,
  diskStalled: timed,
  preVoteWon: decided,
  electionWon: decided,
  electionLost: decided,
  higherTerm: byMessage,
  leaderDiscovered: byMessage,
  campaign: {},
  transfer: byMessage,
  removed: {},
}

const ofRole: Checks = {
  role: oneOf(...roles),
  term: isCount,
  leaderId: orNone(isId),
  nodeId: isId,
}

const dropReasons: Readonly<Record<DropReason, true>> = {
  notACount: true,
  misdirected: true,
  contradictory: true,
  neverAsked: true,
  notAMember: true,
}

const ofHappening: Readonly<Record<Happened['type'], Checks>> = {
  role: ofRole,
  voteAnswered: {
    candidateId: isId,
    term: isCount,
    isPreVote: isFlag,
    voteGranted: isFlag,
    reason: oneOf(...Object.keys(voteReasons)),
  },
  // The sender is as the message tells it: the message may have been dropped for that.
  messageDropped: { from: isNumber, reason: oneOf(...Object.keys(dropReasons)) },
  snapshotSending: { index: isCount, to: isId },
  snapshotInstalling: { index: isCount, from: isId },
  membership: ofMembership,
  transferBegan: { to: isId },
  transferEnded: { to: isId, isDone: isFlag },
  started: { lastIndex: isCount, configuration: orNone(isConfiguration) },
  killed: {},
  removed: {},
  failed: { why: isText },
  paused: {},
  resumed: { afterMs: isNumber },
  heartbeatMissed: { from: isId, silentMs: isNumber },
  threadStood: { forMs: isNumber },
  leaseHeld: { term: isCount },
  leaseLost: { term: isCount, reason: orNone(oneOf('unanswered', 'givenUp')) },
  flushLate: { sinceMs: isNumber },
  flushEnded: { afterMs: isNumber },
  commitLate: { index: isCount, sinceMs: isNumber },
  commitEnded: { index: isCount, afterMs: isNumber },
  overloaded: { refused: isCount },
  repeated: { times: isCount },
  missed: { count: isCount },
  hostBlocked: { forMs: isNumber },
  faultBegan: { fault: having(ofFault) },
  faultHealed: { fault: having(ofFault) },
}
