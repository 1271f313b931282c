/** Logs on disk, in memory, and behind faults. */

export { beginDisks } from './begun-disk.js'
export { type DiskAtRest, readDiskAtRest } from './disk-at-rest.js'
export { isDiskFull } from './disk-full.js'
export { flushFolder, writeWhole } from './durable-file.js'
export { FaultyStore } from './faulty-store.js'
export { FileLock, lockFile, lockOf } from './file-lock.js'
export { indexOfLogKey, logKey, noteKeys } from './keys.js'
export { type OpenLmdbStore, openLmdbStore } from './lmdb-store.js'
export { type LogAtRest, type LogPage, type LogRange, readLogAtRest, readLogPage } from './log-page.js'
export { type DiskMoment, MemoryDisk, openMemoryStore } from './memory-store.js'
export type { Pointers } from './notes.js'
export {
  isCatchingUp,
  newPledge,
  type Pledge,
  type PledgePlace,
  renewAtPrompt,
  renewedPledge,
} from './pledge.js'
export { addPledge, PledgeSlot, readPledges, writePledges } from './pledge-file.js'
export { PledgedStore } from './pledged-store.js'
export type { PowerLeft, PowerLoss } from './power-loss.js'
export {
  addressSpaceLeft,
  descriptorsLeft,
  reserveMib,
  threadMib,
  threadsThatFit,
} from './process-limits.js'
export { DamageError, openNote } from './record.js'
export type { OpenStore } from './record-store.js'
export type { LogStore, Recovered } from './store.js'
export { openVolatileStore } from './volatile-store.js'
