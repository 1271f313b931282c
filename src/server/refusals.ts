/** Refusals over HTTP: the code and the line that the prompt would give, and the status that fits. */
import { type ErrorCode, RaftError } from '../errors/index.js'
import { BadInput, Failed } from '../terminal/index.js'
import { type Refusal, refusalOf } from '../verbs/index.js'

/** Refusals that only HTTP knows, each with its status. */
const statuses = {
  BAD_INPUT: 400,
  TOKEN_NEEDED: 401,
  FOREIGN_ORIGIN: 403,
  NOT_FOUND: 404,
  WRONG_METHOD: 405,
  RUNNING_ALREADY: 409,
  WRONG_TYPE: 415,
  TOO_MANY_READERS: 503,
} as const

export type HttpCode = keyof typeof statuses

const statusesOfErrors: Readonly<Record<ErrorCode, number>> = {
  NO_LEADER: 503,
  NO_SESSION: 503,
  OVERLOADED: 429,
  UNKNOWN_OUTCOME: 504,
  REPLACED: 409,
  READ_TIMEOUT: 504,
  STOPPED: 409,
  NODE_FAILED: 503,
  NO_ANSWER: 504,
  INVALID_OPTION: 400,
  INVALID_COMMAND: 400,
  INVALID_FAULT: 409,
  INVALID_CHANGE: 409,
  NOT_CHANGED: 504,
  REFUSED_BY_MACHINE: 409,
  DIRECTORY_IN_USE: 409,
  DIRECTORY_INCOMPATIBLE: 409,
  DIRECTORY_UNUSABLE: 409,
  EXPORT_UNUSABLE: 400,
  UNCLEAN_END: 500,
  DISK_LOST: 409,
  STORAGE_FAILED: 500,
}

/** A request that is refused before any verb has seen it. */
export class HttpRefusal extends Error {
  readonly code: HttpCode
  /** The headers that this refusal needs besides those of every answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: HttpCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

/** The refusal of a path that takes other methods. HTTP wants the methods in a header. */
export function wrongMethod(method: string, path: string, allowed: readonly string[]): HttpRefusal {
  const message = `${path} takes ${allowed.join(' or ')}, not ${method}`
  return new HttpRefusal('WRONG_METHOD', message, { allow: allowed.join(', ') })
}

export interface RefusalTold {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Refusal
}

export function refusalToldOf(error: unknown): RefusalTold {
  if (!(error instanceof HttpRefusal)) return { status: statusOf(error), headers: {}, body: refusalOf(error) }
  const { code, message, headers } = error
  return { status: statuses[code], headers, body: { ok: false, code, message } }
}

function statusOf(error: unknown): number {
  if (error instanceof RaftError) return statusesOfErrors[error.code]
  if (error instanceof BadInput) return statuses.BAD_INPUT
  return error instanceof Failed ? 409 : 500
}
