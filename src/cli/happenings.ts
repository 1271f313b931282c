/** What happens in a cluster, in words: who did what, and why. */
import type { ClusterEvent } from '../cluster/index.js'
import { describeEvent } from '../telemetry/index.js'
import { printable } from '../terminal/index.js'

/** Why a node failed is foreign text. */
export function inWords(event: ClusterEvent, tickMs: number): string {
  const who = event.nodeId === 0 ? 'the cluster' : `node ${event.nodeId}`
  return printable(`${who} ${describeEvent(event, tickMs)}`)
}
