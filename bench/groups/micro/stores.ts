/** Append and flush of one batch in each store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { entryKinds, type Membership, stampRun } from '../../../src/raft/index.js'
import { type LogStore, MemoryDisk, openLmdbStore, openMemoryStore } from '../../../src/storage/index.js'
import { frameOf } from './puts.js'
import type { Part } from './task.js'

const membership: Membership = { voters: [1], votersOutgoing: [], learners: [] }

const rowsMax = 1000

export const storeNames = ['lmdb', 'memory'] as const

export function flushing(name: (typeof storeNames)[number], count: number): Part {
  return name === 'lmdb' ? flushingLmdb(count) : flushingMemory(count)
}

function flushingLmdb(count: number): Part {
  const dir = mkdtempSync(join(tmpdir(), 'raftbox-bench-'))
  const { store } = openLmdbStore({ dir, nodeId: 1, membership })
  return {
    run: flusher(store, count),
    close: async () => {
      await store.close()
      rmSync(dir, { recursive: true })
    },
  }
}

function flushingMemory(count: number): Part {
  const defer = (callback: () => void): void => void setImmediate(callback)
  const disk = new MemoryDisk(membership)
  const { store } = openMemoryStore(disk, { defer })
  const flush = flusher(store, count)
  return {
    run: async () => {
      await flush()
      // Nobody reads it again, and it would take all the memory that there is.
      if (disk.rows.size > rowsMax) disk.rows.clear()
    },
    close: () => store.close(),
  }
}

/** Each call writes one run of `count` puts behind the last one, and resolves once it is flushed. */
function flusher(store: LogStore, count: number): () => Promise<void> {
  // Packed once: that is measured by itself. A store keeps the bytes that it is given, so each run has its own.
  const { bytes } = frameOf(count)
  let index = 1
  let sequence = 0
  return () => {
    const entries = [stampRun({ bytes: bytes.slice(), count }, index, 1, entryKinds.commands)]
    index += count
    sequence++
    const hardState = sequence === 1 ? { currentTerm: 1, votedFor: 1 } : undefined
    const nothing = { snapshotChunks: [], install: undefined, truncateFrom: undefined, messages: [] }
    return new Promise((resolve, reject) => {
      store.write({ ...nothing, sequence, hardState, entries }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }
}
