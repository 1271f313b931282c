/** What happens in a cluster, in words: who did what, and why. */
import type { ClusterEvent } from '../cluster/index.js'
import { describeEvent } from '../telemetry/index.js'
import { printable } from '../terminal/index.js'

export function inWords(event: ClusterEvent, tickMs: number): string {
  return `node ${event.nodeId} ${whatOf(event, tickMs)}`
}

function whatOf(event: ClusterEvent, tickMs: number): string {
  switch (event.type) {
    case 'started':
      return `runs, with a log up to index ${event.lastIndex}`
    case 'killed':
      return 'was killed'
    case 'failed':
      return `failed: ${printable(event.why)}`
    default:
      return describeEvent(event, tickMs)
  }
}
