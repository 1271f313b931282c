/** A look at a cluster: what it shows beside the status of its nodes. No node is asked. */
import type { ErrorCode } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { HistogramReading, LatenciesTold, Vitals } from '../telemetry/index.js'
import type { TracesTold } from './call-tracer.js'

/** Histograms and counts are cumulative since the cluster was started. */
export interface ClusterLook {
  readonly nodes: readonly NodeLook[]
  /** Calls of all clients of the cluster in this process. */
  readonly calls: CallsTold
  /** How late the event loop of this thread took its turns. */
  readonly loopLate: HistogramReading
  /** Happenings that came faster than they were read, and are lost. */
  readonly happeningsMissed: number
}

/** A node in all of its lives, also while it is frozen or does not run. */
export interface NodeLook extends LatenciesTold {
  readonly nodeId: NodeId
  /** `undefined`: it has not run yet. As of its last tick, but for the indexes of `progress`, which are as new as the status. */
  readonly vitals: Vitals | undefined
}

export interface CallsTold {
  /** From the packing of a call at the end of its turn to its answer. */
  readonly answered: HistogramReading
  /** Calls that ended with an error, by its code: also those that were refused as they were made. */
  readonly failed: ReadonlyMap<ErrorCode, number>
  /** `undefined`: calls are not traced. */
  readonly traces: TracesTold | undefined
}
