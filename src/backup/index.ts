/** Exports: the state of a cluster in one file, and what disks at rest prove to be committed. */
export {
  checkIsNew,
  type ExportFacts,
  type ExportHead,
  type MachineId,
  type MachineKind,
  machineKindOf,
  unusable,
  writeExport,
} from './export-file.js'
export { type Disk, provenIn } from './proven.js'
export { ExportReader } from './read-export.js'
export { sealPadding } from './seal.js'
export { stateOnDisk } from './state.js'
export { type LostDisk, Survey } from './survey.js'
