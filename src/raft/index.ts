/** The protocol: pure, synchronous, deterministic. It imports nothing and could run in a browser. */
export * from './border.js'
export { isBytes, lengthOfBytes } from './bytes.js'
export { type Cut, defaultLogBounds, type LogBounds } from './compaction.js'
export {
  type Configuration,
  isJoint,
  isSameMembership,
  type MembershipChange,
  readMembership,
} from './configuration.js'
export * from './entry-run.js'
export { leaseTicks, promisedTicks } from './lease.js'
export { RaftLog } from './log.js'
export * from './messages.js'
export * from './options.js'
export * from './packer.js'
export { Progress, type ProgressState } from './progress.js'
export * from './quorum.js'
export { Raft } from './raft.js'
export { Random } from './random.js'
export { countOfLeading } from './search.js'
export * from './types.js'
export type { RaftView } from './view.js'
