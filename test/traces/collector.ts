/** A collector that reads OTLP as JSON, and what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

type Value = Record<string, string | number | boolean>

interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code?: number; readonly message?: string }
}

export interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: SentSpan['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}

/** A span as it came, with its times in nanoseconds. */
export interface Seen extends Omit<SentSpan, 'attributes' | 'links'> {
  readonly service: string
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, string>>
  readonly links: readonly string[]
}

function textsOf(attributes: SentSpan['attributes']): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]))
}

export function spansIn({ resourceSpans }: Sent): Seen[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: textsOf(resource.attributes)['service.name'] ?? '',
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: textsOf(span.attributes),
        links: (span.links ?? []).map(({ spanId }) => spanId),
      })),
    ),
  )
}

export interface Collector {
  readonly url: string
  readonly spans: Seen[]
  /** The paths and headers of what came. */
  readonly requests: Pick<IncomingMessage, 'url' | 'headers'>[]
}

/** `answer` may refuse, or never answer. */
export async function startedCollector(
  answer = (response: ServerResponse): void => void response.end('{}'),
): Promise<Collector> {
  const spans: Seen[] = []
  const requests: Collector['requests'] = []
  const server = createServer(async (request, response) => {
    requests.push(request)
    spans.push(...spansIn((await json(request)) as Sent))
    response.setHeader('content-type', 'application/json')
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, requests }
}

/** The spans of a trace. */
export class Seens {
  readonly all: readonly Seen[]

  constructor(all: readonly Seen[]) {
    this.all = all
  }

  static traces(all: readonly Seen[]): Seens[] {
    const ids = new Set(all.map(({ traceId }) => traceId))
    return [...ids].map((id) => new Seens(all.filter(({ traceId }) => traceId === id)))
  }

  /** The one span of the trace whose parent is not in it. */
  get root(): Seen {
    const [root, ...others] = this.all.filter((span) => this.parentOf(span) === undefined)
    if (root === undefined || others.length > 0)
      throw new Error(`a trace has one root, not ${others.length + 1}`)
    return root
  }

  parentOf({ parentSpanId }: Seen): Seen | undefined {
    return this.all.find(({ spanId }) => spanId === parentSpanId)
  }

  childrenOf({ spanId }: Seen): readonly Seen[] {
    return this.all.filter(({ parentSpanId }) => parentSpanId === spanId)
  }

  named(name: string, service?: string): Seen[] {
    return this.all.filter((span) => span.name === name && (service ?? span.service) === span.service)
  }

  one(name: string, service?: string): Seen {
    const [span] = this.named(name, service)
    if (span === undefined) throw new Error(`there is no span ${name} of ${service}`)
    return span
  }

  byId(id: string | undefined): Seen | undefined {
    return this.all.find(({ spanId }) => spanId === id)
  }
}
