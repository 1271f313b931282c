/** The happenings of a cluster as a scenario tells and counts them. */
import type { Happened, ToldHappenings } from '../telemetry/index.js'
import type { HostEvent } from './host.js'

export function hostEventOf(event: Happened, told: ToldHappenings): HostEvent {
  const { atMs, nodeId } = event
  return { atMs, nodeId, happened: countedOf(event), words: told.wordsOf(event) }
}

function countedOf(event: Happened): HostEvent['happened'] {
  if (event.type === 'snapshotInstalling') return event.type
  if (event.type !== 'role') return undefined
  return event.role === 'candidate' || event.role === 'leader' ? event.role : undefined
}
