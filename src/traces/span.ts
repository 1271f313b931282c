/** Spans as plain data, from what was seen in a cluster. */
import { randomFillSync } from 'node:crypto'
import type { NodeId } from '../raft/index.js'

/** In the order of OTLP, which counts from 1. */
export const kinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
}

export interface Span extends SpanLink {
  readonly parent: Parent | undefined
  /** Shown as the program that did it: there is one for each node, and one for the clients. */
  readonly service: string
  readonly name: string
  readonly kind: (typeof kinds)[number]
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Spans on other threads that this one waited for. */
  readonly links: SpanLink[]
  /** `undefined`: it went well, or nobody can say. */
  readonly error: string | undefined
}

/** The span around another one. */
export interface Parent {
  readonly spanId: string
  /** The span is a caller's own one, made elsewhere. */
  readonly isRemote: boolean
}

type Given = Pick<Span, 'service' | 'name' | 'startMs' | 'endMs'> &
  Partial<Pick<Span, 'parent' | 'kind' | 'attributes' | 'error'>> & {
    /** Spans that it waited for. */
    readonly after?: readonly (Span | undefined)[]
  }

const none: Span['attributes'] = {}

export const clientService = 'raftbox'

export function serviceOf(nodeId: NodeId): string {
  return `raftbox node ${nodeId}`
}

/** The spans of one trace, in the order in which they are added. */
export class Trace {
  readonly traceId: string
  readonly spans: Span[] = []

  constructor(traceId = idOf(16)) {
    this.traceId = traceId
  }

  /** Under load there are thousands of spans a second: an object without spreading takes a tenth of the time. */
  add(given: Given): Span {
    const { service, name, startMs, endMs, parent, kind = 'internal', attributes = none, error } = given
    const links: SpanLink[] = []
    for (const span of given.after ?? []) if (span !== undefined) links.push(linkTo(span))
    const span: Span = {
      traceId: this.traceId,
      spanId: idOf(8),
      parent,
      service,
      name,
      kind,
      startMs,
      endMs: Math.max(startMs, endMs),
      attributes,
      links,
      error,
    }
    this.spans.push(span)
    return span
  }
}

export function linkTo({ traceId, spanId }: SpanLink): SpanLink {
  return { traceId, spanId }
}

export function within({ spanId }: Span): Parent {
  return { spanId, isRemote: false }
}

/**
 * Whole seconds, and the nanoseconds beyond them. A time since 1970 in milliseconds has steps of a quarter of a
 * microsecond, so the nanoseconds never round to a whole second.
 */
export function secondsOf(ms: number): [seconds: number, nanos: number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

/** Random bytes are drawn many at a time. */
const pool = Buffer.alloc(8192)
let used = pool.length

/** Never all zeros, which would be no id: that is drawn once in 2^64 times, and costs a span. */
function idOf(bytes: 8 | 16): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
