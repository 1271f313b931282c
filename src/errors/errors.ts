/**
 * Every error that a caller can be given, in one table that a test counts. Between threads an error travels as a
 * `Failure` (plain data crosses whole, error fields do not); on the caller's side it becomes a `RaftError`.
 */
import { types } from 'node:util'
/**
 * Whether the call's effect may have happened. `no`: it did not, and will not. `maybe`: it may have, or may happen
 * later.
 */
export type MayHaveHappened = 'no' | 'maybe'

interface ErrorKind {
  /** `{name}` stands for a field of the error's details. */
  readonly template: string
  readonly mayHaveHappened: MayHaveHappened
  /** Whether the same call can succeed later without a change by the caller. */
  readonly isRetryable: boolean
}

export const errors = {
  NO_LEADER: {
    template:
      'no leader was found within {deadlineMs} ms (try again once a majority of the voters runs and is connected)',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  NO_SESSION: {
    template:
      'no session for commands was registered within {deadlineMs} ms: the leader committed no request for one (try again once a majority of the voters answers it)',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  OVERLOADED: { template: 'too much is waiting already: {what}', mayHaveHappened: 'no', isRetryable: true },
  UNKNOWN_OUTCOME: {
    template: 'the call may or may not have taken effect (look before you try again): {why}',
    mayHaveHappened: 'maybe',
    isRetryable: false,
  },
  REPLACED: {
    template: 'the command lost its place in the log to another leader and was not applied: try again',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  READ_TIMEOUT: {
    template: 'the read was not confirmed within {deadlineMs} ms (a read changes nothing: try again)',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  STOPPED: { template: '{what} is stopped', mayHaveHappened: 'no', isRetryable: false },
  NODE_FAILED: { template: 'node {nodeId} failed: {why}', mayHaveHappened: 'no', isRetryable: false },
  NO_ANSWER: {
    template: 'node {nodeId} did not answer {what} within {deadlineMs} ms',
    mayHaveHappened: 'maybe',
    isRetryable: true,
  },
  INVALID_OPTION: {
    template: '{option}: {expected}, not {actual}',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
  INVALID_COMMAND: {
    template: '{what}: {expected}, not {actual}',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
  /** A fault that cannot be begun here and now, or a target that means no node. */
  INVALID_FAULT: { template: '{what}: {why}', mayHaveHappened: 'no', isRetryable: false },
  /** A change of the members, or a transfer, that this cluster cannot make. */
  INVALID_CHANGE: { template: '{what}: {why}', mayHaveHappened: 'no', isRetryable: false },
  NOT_CHANGED: {
    template: '{what} did not come about in time: {why}',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  REFUSED_BY_MACHINE: {
    template: 'the state machine refused the call: {why}',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
  DIRECTORY_IN_USE: {
    template: '{dir} is in use by {holder}: stop it, or choose another directory',
    mayHaveHappened: 'no',
    isRetryable: true,
  },
  DIRECTORY_INCOMPATIBLE: { template: '{dir} {why}', mayHaveHappened: 'no', isRetryable: false },
  DIRECTORY_UNUSABLE: { template: '{dir} cannot be used: {why}', mayHaveHappened: 'no', isRetryable: false },
  /** A file that holds no whole export, or cannot take one. */
  EXPORT_UNUSABLE: { template: '{file} {why}', mayHaveHappened: 'no', isRetryable: false },
  UNCLEAN_END: {
    template:
      'the cluster in {dir} has ended, but not cleanly: {why}; the next start there tells whether its disks are whole',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
  DISK_LOST: {
    template: 'node {nodeId} has lost its disk: {why}; {remedy}',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
  STORAGE_FAILED: {
    template: 'the log of node {nodeId} cannot be used: {why}',
    mayHaveHappened: 'no',
    isRetryable: false,
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errors
export type ErrorDetails = Readonly<Record<string, string | number | undefined>>

/** An error as plain data, for the way between threads. */
export interface Failure {
  readonly ok: false
  readonly code: ErrorCode
  readonly details: ErrorDetails
}

export type Result<T> = { readonly ok: true; readonly value: T } | Failure

export function failure(code: ErrorCode, details: ErrorDetails = {}): Failure {
  return { ok: false, code, details }
}

export class RaftError extends Error {
  override readonly name = 'RaftError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(messageOf(code, details), cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }

  /** `maybe` for an unknown outcome, which is never told as a failure. */
  get mayHaveHappened(): MayHaveHappened {
    return errors[this.code].mayHaveHappened
  }

  get isRetryable(): boolean {
    return errors[this.code].isRetryable
  }
}

/** Behind the message of any code stands what it comes from, if that is known: the detail `because`. */
function messageOf(code: ErrorCode, details: ErrorDetails): string {
  const { because } = details
  const message = errors[code].template.replace(/\{(\w+)\}/g, (_, field: string) => String(details[field]))
  return because === undefined ? message : `${message}: ${because}`
}

/** The value, or the failure thrown as a `RaftError`. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new RaftError(result.code, result.details)
}

/**
 * The message of the error and of its causes, in one line. Errors of another realm are taken as errors too: a test
 * runner has a realm for each file. A thrown object that is no error is not asked for its text, which could run code of
 * its own. Where nothing was thrown, the words say so.
 */
export function reasonOf(error: unknown): string {
  if (error === undefined || error === null) return `${error} was thrown, without a reason`
  if (!(error instanceof Error || types.isNativeError(error))) {
    return Object(error) === error ? typeof error : String(error)
  }
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`
}
