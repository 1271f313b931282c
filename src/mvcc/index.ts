/** etcd's store as a state machine: revisions, transactions, leases and the history that watches read. */
export * from './border.js'
export { type Inspected, type InspectedOp, inspect } from './check.js'
export { readFigures, type StoreFigures } from './figures.js'
export { readGrant, readOfLease } from './lease-requests.js'
export { opsMax, requestBytesMax } from './limits.js'
export { createMvcc } from './machine.js'
export {
  type RequestOp,
  readCompaction,
  readDeleteRange,
  readPut,
  readRequest,
  readTxn,
} from './requests.js'
export {
  bigintFieldBytes,
  bytesFieldBytes,
  fieldOf,
  messageOf,
  numberFieldBytes,
  Reader,
  type Span,
  Writer,
} from './wire.js'

/** The module of the machine, for the nodes of a cluster: it lies in few files, beside the body of their threads. */
export const mvccModule = new URL('../../threads/mvcc.js', import.meta.url)
