/** Where things stand in a picture. */
import type { NodeId } from '../raft/index.js'
import type { PlacedLabels } from './placed-labels.js'
import type { Stretch } from './stretch.js'
import type { Timeline } from './timeline.js'

/** What all parts of a picture are drawn by. */
export interface Frame {
  readonly timeline: Timeline
  readonly window: Stretch
  /** Places of moments and of nodes. */
  readonly x: (ms: number) => number
  readonly y: (nodeId: NodeId) => number
  readonly left: number
  readonly right: number
  readonly labels: PlacedLabels
}
