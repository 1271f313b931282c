/** Codes of gRPC as HTTP tells them, and the bodies of errors. */
import { STATUS_CODES } from 'node:http'

/** How a call ended. */
export interface CallStatus {
  /** Of gRPC. */
  readonly code: number
  readonly details: string
}

const httpCodes: Readonly<Record<number, number>> = {
  0: 200,
  1: 408,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 412,
  10: 409,
  11: 400,
  12: 501,
  14: 503,
  16: 401,
}

export const httpCodeOf = (code: number): number => httpCodes[code] ?? 500

/** The status of a handler's error. gRPC's own server reads errors in the same way. */
export function statusOf(error: unknown): CallStatus {
  const { code, details, message } = error as Partial<CallStatus> & { readonly message?: string }
  if (typeof code === 'number') return { code, details: details ?? message ?? '' }
  return { code: 2, details: message ?? String(error) }
}

/** The body of a refusal. `error` and `message` are the same: clients read the one or the other. */
export const refusalBody = ({ code, details }: CallStatus): string =>
  JSON.stringify({ error: details, message: details, code })

/** The last line of a stream that failed. */
export function streamErrorBody({ code, details }: CallStatus): string {
  const httpCode = httpCodeOf(code)
  return JSON.stringify({
    error: {
      grpc_code: code,
      http_code: httpCode,
      message: details,
      http_status: STATUS_CODES[httpCode],
    },
  })
}
