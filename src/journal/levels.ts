/** How much a happening matters to who keeps a cluster. */
import type { ClusterEvent } from '../cluster/index.js'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Happenings whose level does not depend on more than their type. */
const usual = {
  started: 'info',
  removed: 'info',
  failed: 'error',
  paused: 'warn',
  resumed: 'info',
  heartbeatMissed: 'debug',
  threadStood: 'warn',
  leaseHeld: 'debug',
  flushLate: 'warn',
  flushEnded: 'info',
  commitLate: 'warn',
  commitEnded: 'info',
  overloaded: 'warn',
  repeated: 'debug',
  missed: 'warn',
  hostBlocked: 'warn',
  faultBegan: 'info',
  faultHealed: 'info',
  voteAnswered: 'debug',
  messageDropped: 'warn',
  snapshotSending: 'info',
  snapshotInstalling: 'info',
  transferBegan: 'info',
} as const satisfies Record<
  Exclude<ClusterEvent['type'], 'role' | 'killed' | 'leaseLost' | 'membership' | 'transferEnded'>,
  Level
>

export function levelOf(event: ClusterEvent): Level {
  switch (event.type) {
    case 'role':
      return event.reason === 'quorumLost' || event.reason === 'diskStalled' ? 'warn' : 'info'
    case 'killed':
      return event.isOnPurpose ? 'info' : 'warn'
    case 'leaseLost':
      return event.reason === 'givenUp' ? 'info' : 'warn'
    case 'membership':
      return event.isCommitted ? 'info' : 'debug'
    case 'transferEnded':
      return event.isDone ? 'info' : 'warn'
    default:
      return usual[event.type]
  }
}
