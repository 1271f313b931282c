/** The places of things in a picture. */
import type { NodeId } from '../raft/index.js'
import type { PlacedLabels } from './placed-labels.js'
import type { Stretch } from './stretch.js'
import type { Timeline } from './timeline.js'

/** The measures by which all parts of a picture are drawn. */
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
