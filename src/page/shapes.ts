/** The shapes of messages: the form tells the kind, a hollow one is an answer, the colour is the sender's term. */
import type { CarriedType } from '../telemetry/index.js'

export type ShapeKind = 'heartbeat' | 'entries' | 'vote' | 'snapshot' | 'other'

/** The outline of each, around 0, as SVG and canvas draw it. */
export const outlines: Readonly<Record<ShapeKind, string>> = {
  heartbeat: 'M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0Z',
  entries: 'M-3.8-3.8H3.8V3.8H-3.8Z',
  vote: 'M0-5.4L5.2 3.8H-5.2Z',
  snapshot: 'M0-7L7 0L0 7L-7 0Z',
  other: 'M-4-2H4V2H-4Z',
}

export interface Shape {
  readonly kind: ShapeKind
  readonly isAnswer: boolean
}

const kinds: Readonly<Record<CarriedType, ShapeKind>> = {
  heartbeat: 'heartbeat',
  heartbeatResponse: 'heartbeat',
  appendEntries: 'entries',
  appendEntriesResponse: 'entries',
  preVote: 'vote',
  preVoteResponse: 'vote',
  requestVote: 'vote',
  requestVoteResponse: 'vote',
  timeoutNow: 'vote',
  installSnapshot: 'snapshot',
  installSnapshotResponse: 'snapshot',
  readIndex: 'other',
  readIndexResponse: 'other',
}

const shapes = Object.fromEntries(
  Object.entries(kinds).map(([type, kind]) => [type, { kind, isAnswer: type.endsWith('Response') }]),
) as Readonly<Record<CarriedType, Shape>>

export function shapeOf(type: CarriedType): Shape {
  return shapes[type]
}
