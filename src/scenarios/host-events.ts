/** What a scenario tells and counts of what happens in its cluster. */
import { describeEvent, type Happened } from '../telemetry/index.js'
import type { HostEvent } from './host.js'

export function hostEventOf(event: Happened, tickMs: number): HostEvent {
  const { atMs, nodeId } = event
  const who = nodeId === 0 ? 'the cluster' : `node ${nodeId}`
  return { atMs, nodeId, happened: countedOf(event), words: `${who} ${describeEvent(event, tickMs)}` }
}

function countedOf(event: Happened): HostEvent['happened'] {
  if (event.type === 'snapshotInstalling') return event.type
  if (event.type !== 'role') return undefined
  return event.role === 'candidate' || event.role === 'leader' ? event.role : undefined
}
