/** Traces over HTTP to Jaeger or any collector, by OpenTelemetry's own exporter. Its packages are loaded when used. */
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Sink } from './outbox.js'
import { packagesMissing } from './packages.js'
import { kinds, type Span, secondsOf } from './span.js'

/** How long a collector may take for a batch. */
const sendWithinMs = 5000

type MakeResource = (attributes: { readonly 'service.name': string }) => Resource

export class OtlpHttp implements Sink {
  readonly #exporter: OTLPTraceExporter
  readonly #makeResource: MakeResource
  readonly #resources = new Map<string, Resource>()

  private constructor(exporter: OTLPTraceExporter, makeResource: MakeResource) {
    this.#exporter = exporter
    this.#makeResource = makeResource
  }

  /** `undefined`: to where the environment says. Headers, compression and certificates are the environment's too. */
  static async open(url: string | undefined): Promise<OtlpHttp> {
    const [exporters, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]).catch(packagesMissing)
    const place = url === undefined ? {} : { url }
    const exporter = new exporters.OTLPTraceExporter({ ...place, timeoutMillis: sendWithinMs })
    return new OtlpHttp(exporter, resourceFromAttributes)
  }

  send(spans: readonly Span[]): Promise<void> {
    const readable = spans.map((span) => this.#readable(span))
    return new Promise((resolve, reject) =>
      this.#exporter.export(readable, ({ code, error }) => {
        if (code === 0) resolve()
        else reject(error ?? new Error('the collector did not take them'))
      }),
    )
  }

  close(): Promise<void> {
    return this.#exporter.shutdown()
  }

  #readable(span: Span): ReadableSpan {
    const { traceId, spanId, parent, name, kind, startMs, endMs, attributes, links, error } = span
    const contextOf = (id: string, isRemote = false) => ({ traceId, spanId: id, traceFlags: 1, isRemote })
    const own = contextOf(spanId)
    return {
      ...{ name, kind: kinds.indexOf(kind), attributes, spanContext: () => own },
      ...(parent === undefined ? {} : { parentSpanContext: contextOf(parent.spanId, parent.isRemote) }),
      ...{ startTime: secondsOf(startMs), endTime: secondsOf(endMs), duration: secondsOf(endMs - startMs) },
      status: error === undefined ? { code: 0 } : { code: 2, message: error },
      links: links.map((link) => ({ context: { ...link, traceFlags: 1 } })),
      events: [],
      ended: true,
      resource: this.#resourceOf(span.service),
      instrumentationScope: { name: 'raftbox' },
      ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
    }
  }

  #resourceOf(service: string): Resource {
    const resource = this.#resources.get(service) ?? this.#makeResource({ 'service.name': service })
    this.#resources.set(service, resource)
    return resource
  }
}
