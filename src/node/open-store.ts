/** The log of a node by its durability. */
import { type LogStore, openLmdbStore, openVolatileStore, type Recovered } from '../storage/index.js'
import type { NodeOptions } from './control.js'

export function openStore(options: NodeOptions): { readonly store: LogStore; readonly recovered: Recovered } {
  const { durability, dir, nodeId, membership, diskBytesMax } = options
  if (durability === 'flush') return openLmdbStore({ dir, nodeId, membership, bytesMax: diskBytesMax })
  return openVolatileStore(membership, (callback) => void setImmediate(callback))
}
