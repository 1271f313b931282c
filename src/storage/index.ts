/** Logs on disk, in memory, and behind faults. */
export { FaultyStore } from './faulty-store.js'
export { openLmdbStore } from './lmdb-store.js'
export { MemoryDisk, openMemoryStore } from './memory-store.js'
export type { OpenStore } from './record-store.js'
export type { LogStore, Recovered } from './store.js'
export { openVolatileStore } from './volatile-store.js'
