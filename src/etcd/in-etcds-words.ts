/** The errors of a cluster, as etcd would tell them. */
import { type ErrorCode, RaftError } from '../errors/index.js'
import { EtcdError, type EtcdErrorName } from './errors.js'

export type Words = Readonly<Partial<Record<ErrorCode, EtcdErrorName>>>

/**
 * An unknown outcome is told as a time-out, which clients take for unknown. For what etcd has no word (`undefined`), the
 * error's own message is told.
 */
const words: Readonly<Record<ErrorCode, EtcdErrorName | undefined>> = {
  NO_LEADER: 'timeout',
  NO_SESSION: 'timeout',
  READ_TIMEOUT: 'timeout',
  NO_ANSWER: 'timeout',
  UNKNOWN_OUTCOME: 'timeout',
  NOT_CHANGED: 'timeout',
  // etcd drops a command that loses its place in the log, and the call waits until its time is over.
  REPLACED: 'timeout',
  OVERLOADED: 'tooManyRequests',
  STOPPED: 'stopped',
  NODE_FAILED: 'stopped',
  INVALID_COMMAND: undefined,
  // A change names a node that has left meanwhile.
  INVALID_FAULT: 'memberNotFound',
  INVALID_CHANGE: undefined,
  INVALID_OPTION: undefined,
  REFUSED_BY_MACHINE: undefined,
  DIRECTORY_IN_USE: undefined,
  DIRECTORY_INCOMPATIBLE: undefined,
  DIRECTORY_UNUSABLE: undefined,
  EXPORT_UNUSABLE: undefined,
  UNCLEAN_END: undefined,
  DISK_LOST: undefined,
  STORAGE_FAILED: undefined,
}

/** `wordsOfCall`: words of one call that are not those of all calls. */
export function inEtcdsWords(error: unknown, wordsOfCall: Words = {}): unknown {
  if (!(error instanceof RaftError)) return error
  const name = wordsOfCall[error.code] ?? words[error.code]
  return name === undefined ? error : new EtcdError(name, { cause: error })
}
