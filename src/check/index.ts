/**
 * Decides whether a history of concurrent operations is linearizable, of any system and by any model of it. The room knows
 * nothing of Raft, has no clock, and needs no Node API.
 */
export {
  type CheckOptions,
  type CheckResult,
  checkHistory,
  checkInTurns,
  type Failure,
  type Undecided,
  type Verdict,
} from './check.js'
export type { EtcdFailure } from './etcd/findings.js'
export { type EtcdOptions, type EtcdResult, judgeEtcd, judgeEtcdInTurns } from './etcd/judge.js'
export { parseEtcdRecord } from './etcd/parse-record.js'
export type {
  Compare,
  EtcdCall,
  EtcdKeyValue,
  EtcdRecord,
  OpAnswer,
  TxnOp,
  WatchBegun,
  WatchEvent,
  WatchResponse,
} from './etcd/record.js'
export { type KeyValueOperation, keyValue } from './key-value.js'
export type { Identity, Model, Operation, Outcome } from './model.js'
export { parseOperation } from './parse-operation.js'
export { type RegisterOperation, register } from './register.js'
export { quoted } from './shortened.js'
export { type Explanation, operationWords, type Stuck } from './words.js'
