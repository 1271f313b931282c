/** Checks of the fields of a story's lines, which may come from a stranger. */
import { stages } from '../telemetry/index.js'
import { voteReasons } from './election-words.js'

export type Fields = Partial<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Check = (value: unknown) => boolean

type Checks = Readonly<Record<string, Check>>

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isId(value: unknown): boolean {
  return isCount(value) && value !== 0
}

function areIds(value: unknown): boolean {
  return Array.isArray(value) && value.every(isId)
}

function oneOf(...words: readonly unknown[]): Check {
  return (value) => words.includes(value)
}

/** JSON leaves `undefined` away, as which a field that is not there reads. */
function orNone(is: Check): Check {
  return (value) => value === undefined || is(value)
}

function holds(checks: Checks, fields: Fields): boolean {
  return Object.entries(checks).every(([name, is]) => is(fields[name]))
}

const ofRow: Checks = { atMs: isNumber, nodeId: isCount }

export function isPassed(fields: Fields): boolean {
  return holds({ ...ofRow, stage: oneOf(...stages), index: isCount, peer: orNone(isId) }, fields)
}

export function isCarried(fields: Fields): boolean {
  const of = { direction: oneOf('sent', 'received'), peer: isId, type: isText, term: isCount, mark: isNumber }
  return holds({ ...ofRow, ...of, isYes: orNone(oneOf(true, false)) }, fields)
}

export function isHappened(fields: Fields): boolean {
  if (!holds({ ...ofRow, type: isText, sequence: isCount, cause: orNone(isCount) }, fields)) return false
  return (
    holds(ofHappening[String(fields['type'])] ?? {}, fields) && (fields['type'] !== 'role' || isRole(fields))
  )
}

const timed: Checks = { elapsedTicks: isNumber }
const decided: Checks = { decidedBy: areIds }
const byMessage: Checks = { from: isId, messageType: isText }

/** The fields of a change of role besides its reason. */
const ofReason: Readonly<Record<string, Checks>> = {
  electionTimeout: timed,
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

function isRole(fields: Fields): boolean {
  const checks = ofReason[String(fields['reason'])]
  return checks !== undefined && holds(checks, fields)
}

/** The fields of happenings that explanations read. Happenings of other types are kept, and explain nothing. */
const ofHappening: Readonly<Record<string, Checks>> = {
  role: {
    role: oneOf('follower', 'preCandidate', 'candidate', 'leader'),
    term: isCount,
    leaderId: orNone(isId),
    nodeId: isId,
  },
  voteAnswered: { candidateId: isId, term: isCount, reason: oneOf(...Object.keys(voteReasons)) },
  started: { lastIndex: isCount },
  failed: { why: isText },
  heartbeatMissed: { from: isId, silentMs: isNumber },
  threadStood: { forMs: isNumber },
  hostBlocked: { forMs: isNumber },
  flushLate: { sinceMs: isNumber },
  commitLate: { sinceMs: isNumber },
  overloaded: { refused: isCount },
  faultBegan: { fault: isFault },
  faultHealed: { fault: isFault },
}

function isFault(value: unknown): boolean {
  const isWay = (way: unknown): boolean =>
    isFields(way) && [way['from'], way['to']].every((end) => end === 'clients' || isId(end))
  const areWays = (ways: unknown): boolean => Array.isArray(ways) && ways.every(isWay)
  const areFigures = (figures: unknown): boolean =>
    isFields(figures) && Object.values(figures).every(isNumber)
  const checks = { id: isCount, type: isText, line: isText, nodes: areIds, messages: orNone(isText) }
  return isFields(value) && holds({ ...checks, ways: areWays, figures: areFigures }, value)
}
