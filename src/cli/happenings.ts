/** Events of a cluster in words for a terminal. */
import type { ClusterEvent } from '../cluster/index.js'
import { describeHappened } from '../telemetry/index.js'
import { printable } from '../terminal/index.js'

/** Why a node failed is foreign text. */
export function inWords(event: ClusterEvent, tickMs: number): string {
  return printable(describeHappened(event, tickMs))
}
