/** Latencies in three figures, each list of which tells what was measured since the one before it. */
import type { NodeId } from '../raft/index.js'

export interface LatencySince {
  readonly count: number
  /** 0 where `count` is 0. */
  readonly p50us: number
  readonly p99us: number
}

/** Latencies of the calls and the nodes of a cluster since the look before. */
export interface LatenciesSince {
  readonly calls: LatencySince & { readonly failed: number }
  readonly nodes: readonly NodeLatenciesSince[]
}

interface NodeLatenciesSince {
  readonly nodeId: NodeId
  readonly flushes: LatencySince
  readonly heartbeatsLate: LatencySince
}

/**
 * The later one of two looks for whoever does not see the earlier one: with all that was measured since the look before
 * both, of which it tells the worst. Neither look is changed.
 */
export function spanning<Look extends LatenciesSince>(earlier: LatenciesSince, later: Look): Look {
  const calls = worseOf(earlier.calls, later.calls)
  return {
    ...later,
    calls: { ...calls, failed: earlier.calls.failed + later.calls.failed },
    nodes: later.nodes.map((node) => {
      const before = earlier.nodes.find(({ nodeId }) => nodeId === node.nodeId)
      if (before === undefined) return node
      return {
        ...node,
        flushes: worseOf(before.flushes, node.flushes),
        heartbeatsLate: worseOf(before.heartbeatsLate, node.heartbeatsLate),
      }
    }),
  }
}

function worseOf(one: LatencySince, other: LatencySince): LatencySince {
  return {
    count: one.count + other.count,
    p50us: Math.max(one.p50us, other.p50us),
    p99us: Math.max(one.p99us, other.p99us),
  }
}
