/** Errors with the codes and the texts of etcd: clients read both. */
import type { Status } from '../mvcc/index.js'

/** The codes of gRPC that are used here. */
export const codes = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const
type Code = keyof typeof codes

const texts = {
  malformed: ['internal', 'grpc: failed to unmarshal the received message'],
  emptyKey: ['invalidArgument', 'etcdserver: key is not provided'],
  keyNotFound: ['invalidArgument', 'etcdserver: key not found'],
  valueProvided: ['invalidArgument', 'etcdserver: value is provided'],
  leaseProvided: ['invalidArgument', 'etcdserver: lease is provided'],
  tooManyOps: ['invalidArgument', 'etcdserver: too many operations in txn request'],
  duplicateKey: ['invalidArgument', 'etcdserver: duplicate key given in txn request'],
  invalidSortOption: ['invalidArgument', 'etcdserver: invalid sort option'],
  compacted: ['outOfRange', 'etcdserver: mvcc: required revision has been compacted'],
  futureRevision: ['outOfRange', 'etcdserver: mvcc: required revision is a future revision'],
  noSpace: ['resourceExhausted', 'etcdserver: mvcc: database space exceeded'],
  answerTooLarge: [
    'outOfRange',
    'raftbox: the request was carried out, but its answer is larger than 64 MiB',
  ],
  corrupt: ['dataLoss', 'etcdserver: corrupt cluster'],
  leaseNotFound: ['notFound', 'etcdserver: requested lease not found'],
  leaseExists: ['failedPrecondition', 'etcdserver: lease already exists'],
  leaseTtlTooLarge: ['outOfRange', 'etcdserver: too large lease TTL'],
  requestTooLarge: ['invalidArgument', 'etcdserver: request is too large'],
  tooManyRequests: ['resourceExhausted', 'etcdserver: too many requests'],
  noLeader: ['unavailable', 'etcdserver: no leader'],
  notLeader: ['failedPrecondition', 'etcdserver: not leader'],
  timeout: ['unavailable', 'etcdserver: request timed out'],
  stopped: ['unavailable', 'etcdserver: server stopped'],
  memberNotFound: ['notFound', 'etcdserver: member not found'],
  peerUrlExists: ['failedPrecondition', 'etcdserver: Peer URLs already exists'],
  badUrl: ['invalidArgument', 'etcdserver: given member URLs are invalid'],
  memberNotLearner: ['failedPrecondition', 'etcdserver: can only promote a learner member'],
  learnerNotReady: [
    'failedPrecondition',
    'etcdserver: can only promote a learner member which is in sync with leader',
  ],
  notSupportedForLearner: ['unavailable', 'etcdserver: rpc not supported for learner'],
  // etcd 3.4 loses the code of this one on its way to the client.
  notEnoughStarted: ['unknown', 'etcdserver: re-configuration failed due to not enough started members'],
  tooManyLearners: ['failedPrecondition', 'etcdserver: too many learner members in cluster'],
  unhealthy: ['unavailable', 'etcdserver: unhealthy cluster'],
  leaderTransferTimeout: ['unknown', 'etcdserver: request timed out, leader transfer took too long'],
  rootUserNotExist: ['failedPrecondition', 'etcdserver: root user does not exist'],
  userEmpty: ['invalidArgument', 'etcdserver: user name is empty'],
  userNotFound: ['failedPrecondition', 'etcdserver: user name not found'],
  roleEmpty: ['invalidArgument', 'etcdserver: role name is empty'],
  roleNotFound: ['failedPrecondition', 'etcdserver: role name not found'],
  unknownService: ['notFound', 'unknown service'],
  badLeaderTransferee: ['failedPrecondition', 'etcdserver: bad leader transferee'],
  authNotEnabled: ['failedPrecondition', 'etcdserver: authentication is not enabled'],
} as const satisfies Readonly<Record<Exclude<Status, 'ok'> | string, readonly [Code, string]>>

export type EtcdErrorName = keyof typeof texts

export class EtcdError extends Error {
  readonly reason: EtcdErrorName
  /** Of gRPC. */
  readonly code: number
  /** The text that gRPC tells beside the code. */
  readonly details: string
  constructor(name: EtcdErrorName, options?: ErrorOptions) {
    const [code, text] = texts[name]
    super(text, options)
    this.reason = name
    this.code = codes[code]
    this.details = text
  }
}
