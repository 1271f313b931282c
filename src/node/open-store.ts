/** The log of a node by its durability: where it lies, and how much of it stays in memory. */
import { existsSync } from 'node:fs'
import type { RaftLimits, RaftLog } from '../raft/index.js'
import {
  type LogStore,
  openLmdbStore,
  openPledged,
  openVolatileStore,
  PledgeSlot,
  type Recovered,
} from '../storage/index.js'
import type { NodeOptions } from './control.js'

export interface OpenedStore {
  readonly store: LogStore
  readonly recovered: Recovered
  /** Looks after the disk, once a tick. Throws when the node must stop, since what it writes would be lost. */
  readonly lookAfter: (log: RaftLog) => void
}

export function openStore(options: NodeOptions): OpenedStore {
  const { durability, membership } = options
  if (durability === 'flush') return openPledgedStore(options)
  const opened = openVolatileStore(membership, (callback) => void setImmediate(callback))
  return { ...opened, lookAfter: () => undefined }
}

function openPledgedStore({ dir, pledges, nodeId, membership, diskBytesMax }: NodeOptions): OpenedStore {
  const slot = new PledgeSlot(pledges, nodeId)
  try {
    const { store, recovered } = openPledged(slot, (pledge) =>
      openLmdbStore({ dir, nodeId, membership, pledge, bytesMax: diskBytesMax }),
    )
    const lookAfter = (log: RaftLog): void => {
      // An open file outlives its folder: all that is written to it then is gone with the process.
      if (!existsSync(dir)) throw new Error(`${dir} was removed`)
      store.hold(log)
    }
    return { store, recovered, lookAfter }
  } catch (error) {
    slot.close()
    throw error
  }
}

/** A node without a disk has nothing to read its log from. */
export function limitsOf({ durability, limits }: Pick<NodeOptions, 'durability' | 'limits'>): RaftLimits {
  return durability === 'flush' ? limits : { ...limits, logMemoryBytesMax: Number.MAX_SAFE_INTEGER }
}
