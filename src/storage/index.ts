/** Logs on disk, in memory, and behind faults. */
export { diskFullError } from './disk-full.js'
export { FaultyStore, type FlushFate } from './faulty-store.js'
export { type LmdbStoreOptions, openLmdbStore } from './lmdb-store.js'
export { type Defer, MemoryDisk, openMemoryStore } from './memory-store.js'
export type { OpenStore } from './record-store.js'
export type { Compaction, Flushed, LogStore, Recovered } from './store.js'
