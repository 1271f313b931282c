/** The log of a node by its durability: where it lies, and how much of it stays in memory. */
import { mkdirSync, statSync } from 'node:fs'
import type { RaftLimits, Random } from '../raft/index.js'
import {
  FaultyStore,
  type FileLock,
  type LogStore,
  lockOf,
  openLmdbStore,
  openVolatileStore,
  PledgedStore,
  PledgeSlot,
  type PowerLoss,
  type Recovered,
} from '../storage/index.js'
import type { NodeOptions } from './control.js'

export interface OpenedStore {
  readonly store: LogStore
  readonly recovered: Recovered
  /** Where faults of the disk are set. */
  readonly disk: FaultyStore
  /** Looks after the disk, once a tick. Throws when the node must stop, since what it writes would be lost. */
  readonly lookAfter: () => void
  /** Lets the power go; the store is closed once it is `gone`. `undefined`: there is no disk, and nothing is left. */
  readonly losePower: ((random: Random) => PowerLoss) | undefined
}

export function openStore(options: NodeOptions): OpenedStore {
  const { durability, membership } = options
  if (durability === 'flush') return openPledgedStore(options)
  const { store, recovered } = openVolatileStore(membership, (callback) => void setImmediate(callback))
  const disk = new FaultyStore(store)
  return { store: disk, recovered, disk, lookAfter: () => undefined, losePower: undefined }
}

function openPledgedStore({ dir, pledges, nodeId, membership, diskBytesMax }: NodeOptions): OpenedStore {
  const place = new PledgeSlot(pledges, nodeId)
  let lock: FileLock | undefined
  try {
    // The folder of a member that has begun is not made anew: the store tells that it is lost.
    if (!place.pledge.hasBegun) mkdirSync(dir, { recursive: true })
    const folder = statSync(dir, { throwIfNoEntry: false })
    // Two nodes on one log would destroy it, also where the lock of the whole directory was removed under its holder.
    lock = folder && lockOf(dir)
    const opened = openLmdbStore({ dir, nodeId, membership, place, bytesMax: diskBytesMax })
    const lookAfter = (): void => {
      // An open file outlives its folder: all that is written to it then is gone with the process.
      const found = statSync(dir, { throwIfNoEntry: false })
      if (found === undefined) throw new Error(`${dir} was removed`)
      if (found.ino !== folder?.ino || found.dev !== folder.dev) throw new Error(`${dir} was replaced`)
    }
    const losePower = (random: Random): PowerLoss => {
      const powerLoss = opened.losePower(random)
      void powerLoss.gone.then(() => place.losePower(random))
      return powerLoss
    }
    const disk = new FaultyStore(opened.store)
    const store = new PledgedStore(disk, place, lock)
    return { store, recovered: opened.recovered, disk, lookAfter, losePower }
  } catch (error) {
    lock?.release()
    place.close()
    throw error
  }
}

/** A node without a disk has nothing to read its log from. */
export function limitsOf({ durability, limits }: Pick<NodeOptions, 'durability' | 'limits'>): RaftLimits {
  return durability === 'flush' ? limits : { ...limits, logMemoryBytesMax: Number.MAX_SAFE_INTEGER }
}
