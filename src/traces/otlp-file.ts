/** Traces in a file: a line of OTLP JSON a batch, as collectors write it and Jaeger's page opens it. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Sink } from './outbox.js'
import { kinds, type Span, secondsOf } from './span.js'

/** A longer run is traced in its first part. */
const bytesMax = 1 << 30

export class OtlpFile implements Sink {
  readonly #path: string
  readonly #file: FileHandle
  #bytes = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /** Takes the place of a file of that name. Each write goes to its end, also after a part of a line was cut away. */
  static async open(path: string): Promise<OtlpFile> {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
    return new OtlpFile(path, await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND))
  }

  async send(spans: readonly Span[]): Promise<void> {
    const line = Buffer.from(`${otlpOf(spans)}\n`)
    if (this.#bytes + line.length > bytesMax)
      throw new Error(`${this.#path} has reached its bound of ${bytesMax} bytes`)
    try {
      await this.#file.writeFile(line)
    } catch (error) {
      // A full disk takes a part of a line. The next batch would go on in that line, so that no reader could read either.
      // A pipe keeps what it took, but its reader is gone.
      await this.#file.truncate(this.#bytes).catch(() => undefined)
      throw error
    }
    this.#bytes += line.length
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** An ExportTraceServiceRequest of OTLP as JSON. */
export function otlpOf(spans: readonly Span[]): string {
  const byService = new Map<string, string[]>()
  for (const span of spans) {
    const ofService = byService.get(span.service)
    if (ofService === undefined) byService.set(span.service, [spanOf(span)])
    else ofService.push(spanOf(span))
  }
  const resources = [...byService].map(
    ([service, ofService]) =>
      `{"resource":{"attributes":[${attributeOf('service.name', service)}]},"scopeSpans":[{"scope":{"name":"raftbox"},"spans":[${ofService.join(',')}]}]}`,
  )
  return `{"resourceSpans":[${resources.join(',')}]}`
}

/** Put together as text: a tree of objects would take several times as long. */
function spanOf({
  traceId,
  spanId,
  parent,
  name,
  kind,
  startMs,
  endMs,
  attributes,
  links,
  error,
}: Span): string {
  const parts = [
    `{"traceId":"${traceId}","spanId":"${spanId}"`,
    parent === undefined ? '' : `,"parentSpanId":"${parent.spanId}"`,
    `,"name":"${name}","kind":${kinds.indexOf(kind) + 1}`,
    `,"startTimeUnixNano":"${nanosOf(startMs)}","endTimeUnixNano":"${nanosOf(endMs)}"`,
    `,"attributes":[${Object.entries(attributes)
      .map(([key, value]) => attributeOf(key, value))
      .join(',')}]`,
    links.length === 0
      ? ''
      : `,"links":[${links.map((link) => `{"traceId":"${link.traceId}","spanId":"${link.spanId}"}`).join(',')}]`,
    error === undefined ? ',"status":{}}' : `,"status":{"code":2,"message":${JSON.stringify(error)}}}`,
  ]
  return parts.join('')
}

function attributeOf(key: string, value: string | number | boolean): string {
  return `{"key":"${key}","value":${anyValue(value)}}`
}

function anyValue(value: string | number | boolean): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`
  if (typeof value === 'boolean') return `{"boolValue":${value}}`
  // JSON of protobuf tells 64-bit numbers as text.
  return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`
}

/** As text: a number has no room for the nanoseconds since 1970. */
function nanosOf(ms: number): string {
  const [seconds, nanos] = secondsOf(ms)
  return `${seconds}${String(nanos).padStart(9, '0')}`
}
