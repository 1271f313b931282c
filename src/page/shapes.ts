/** The shapes of messages: the form tells the kind, a hollow one is an answer, the colour is the sender's term. */
import type { CarriedType } from '../telemetry/index.js'

export const shapeKinds = ['heartbeat', 'entries', 'vote', 'snapshot', 'other'] as const
export type ShapeKind = (typeof shapeKinds)[number]

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
