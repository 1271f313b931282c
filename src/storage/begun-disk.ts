/** Disks that begin with a snapshot of another cluster, as a node's disk looks after a leader sent it one. */
import type { HardState, Membership, NodeId, Persist, Snapshot } from '../raft/index.js'
import { openLmdbStore } from './lmdb-store.js'
import { PledgeSlot } from './pledge-file.js'
import { PledgedStore } from './pledged-store.js'
import { nothing } from './store.js'

interface BegunDisk {
  /** The folder of the node, which has none yet. */
  readonly dir: string
  /** The file in which the cluster's directory remembers its members. */
  readonly pledges: string
  readonly nodeId: NodeId
  readonly membership: Membership
}

/** The content with which each of the disks begins. */
interface Beginning {
  readonly snapshot: Snapshot
  readonly hardState: HardState
  /** The bytes of the snapshot. They are gone through once, however many disks there are. */
  readonly pieces: Iterable<Uint8Array>
  readonly signal: AbortSignal | undefined
}

/** Makes the disks, of which a power loss takes nothing once this resolves. The caller removes what a failure leaves. */
export async function beginDisks(
  disks: readonly BegunDisk[],
  { snapshot, hardState, pieces, signal }: Beginning,
): Promise<void> {
  const stores: PledgedStore[] = []
  try {
    for (const disk of disks) stores.push(openDisk(disk))
    let offset = 0
    const write = (data: Uint8Array): Promise<void> => {
      signal?.throwIfAborted()
      const chunk = { snapshot, offset, data }
      offset += data.byteLength
      return written(stores, { ...nothing, snapshotChunks: [chunk] })
    }
    // A snapshot without a byte has a beginning as well.
    await write(new Uint8Array(0))
    for (const piece of pieces) await write(piece)
    await written(stores, { ...nothing, hardState, install: snapshot })
  } finally {
    await onceAll(stores.map((store) => store.close()))
  }
}

function openDisk({ dir, pledges, nodeId, membership }: BegunDisk): PledgedStore {
  const place = new PledgeSlot(pledges, nodeId)
  try {
    return new PledgedStore(openLmdbStore({ dir, nodeId, membership, place }).store, place)
  } catch (error) {
    place.close()
    throw error
  }
}

function written(stores: readonly PledgedStore[], persist: Persist): Promise<void> {
  const writes = stores.map(
    (store) =>
      new Promise<void>((resolve, reject) => {
        store.write(persist, (error) => (error === undefined ? resolve() : reject(error)))
      }),
  )
  return onceAll(writes)
}

/** Waits for all of them, and rejects when one of them failed. */
async function onceAll(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
