/** The log of a node by its durability: where it lies, and how much of it stays in memory. */
import type { RaftLimits } from '../raft/index.js'
import { type LogStore, openLmdbStore, openVolatileStore, type Recovered } from '../storage/index.js'
import type { NodeOptions } from './control.js'

export function openStore(options: NodeOptions): { readonly store: LogStore; readonly recovered: Recovered } {
  const { durability, dir, nodeId, membership, diskBytesMax } = options
  if (durability === 'flush') return openLmdbStore({ dir, nodeId, membership, bytesMax: diskBytesMax })
  return openVolatileStore(membership, (callback) => void setImmediate(callback))
}

/** Who writes nothing has nothing to read its log from. */
export function limitsOf({ durability, limits }: Pick<NodeOptions, 'durability' | 'limits'>): RaftLimits {
  return durability === 'flush' ? limits : { ...limits, logMemoryBytesMax: Number.MAX_SAFE_INTEGER }
}
