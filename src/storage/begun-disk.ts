/** A disk that begins with a snapshot of another cluster, as a node's disk looks after a leader sent it one. */
import type { HardState, Membership, NodeId, Persist, Snapshot } from '../raft/index.js'
import { openLmdbStore } from './lmdb-store.js'
import { PledgeSlot } from './pledge-file.js'
import { PledgedStore } from './pledged-store.js'
import { type LogStore, nothing } from './store.js'

export interface BegunDisk {
  /** The folder of the node, which has none yet. */
  readonly dir: string
  /** The file in which the cluster's directory remembers its members. */
  readonly pledges: string
  readonly nodeId: NodeId
  readonly membership: Membership
  readonly snapshot: Snapshot
  readonly hardState: HardState
}

/** Makes the disk, of which a power loss takes nothing once this resolves. The caller removes what a failure leaves. */
export async function beginDisk(
  { dir, pledges, nodeId, membership, snapshot, hardState }: BegunDisk,
  pieces: Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const place = new PledgeSlot(pledges, nodeId)
  let store: LogStore | undefined
  try {
    const opened = new PledgedStore(openLmdbStore({ dir, nodeId, membership, place }).store, place)
    store = opened
    let offset = 0
    const write = (data: Uint8Array): Promise<void> => {
      signal?.throwIfAborted()
      const chunk = { snapshot, offset, data }
      offset += data.byteLength
      return written(opened, { ...nothing, snapshotChunks: [chunk] })
    }
    // A snapshot without a byte has a beginning as well.
    await write(new Uint8Array(0))
    for (const piece of pieces) await write(piece)
    await written(opened, { ...nothing, hardState, install: snapshot })
  } finally {
    if (store === undefined) place.close()
    else await store.close()
  }
}

function written(store: LogStore, persist: Persist): Promise<void> {
  return new Promise((resolve, reject) => {
    store.write(persist, (error) => (error === undefined ? resolve() : reject(error)))
  })
}
