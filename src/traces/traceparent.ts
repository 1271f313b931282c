/** A caller's own span, as the header `traceparent` of W3C's Trace Context names it. */
import { RaftError } from '../errors/index.js'

export interface CallersSpan {
  readonly traceId: string
  readonly spanId: string
  /** The caller's trace is recorded. */
  readonly isSampled: boolean
}

const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Versions after 00 may have more fields behind those of 00. */
export function callersSpanOf(traceparent: unknown): CallersSpan {
  const match = typeof traceparent === 'string' ? form.exec(traceparent) : null
  const [, version, traceId, spanId, flags, more] = match ?? []
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined))
    throw new RaftError('INVALID_OPTION', {
      option: 'traceparent',
      expected: "a W3C traceparent, as in '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'",
      actual: typeof traceparent === 'string' ? `'${traceparent}'` : typeof traceparent,
    })
  return { traceId, spanId, isSampled: (Number.parseInt(flags ?? '', 16) & 1) === 1 }
}
