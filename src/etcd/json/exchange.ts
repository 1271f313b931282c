/** A request of the gateway and its answer. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Metadata, type MethodDefinition, type UntypedHandleCall } from '@grpc/grpc-js'
import { codes } from '../errors.js'
import { patient } from '../patience.js'
import { longestTimerMs, shortestTimerMs, timeoutOf } from '../timeouts.js'
import { callStream, callUnary, type InnerCall, type Receiver } from './calls.js'
import { JsonStream, JsonTooLong } from './json-stream.js'
import { JsonError, jsonOf, parseMessage } from './messages.js'
import type { JsonMethod } from './shapes.js'
import { type CallStatus, httpCodeOf, refusalBody, statusOf, streamErrorBody } from './statuses.js'

/** A method as JSON tells it and as its service has it. */
export interface GatewayMethod extends JsonMethod {
  readonly definition: MethodDefinition<unknown, unknown>
  readonly handler: UntypedHandleCall
}

export interface ExchangeBounds {
  /** Of a request in protobuf, as at the door of gRPC. */
  readonly requestBytesMax: number
  /** A body that is not there by then is not waited for. The first message of a stream counts as its body. */
  readonly bodyMs: number
}

/** Base64 makes four bytes of three. The rest is for names, and for lists of small values. */
const jsonBytesMaxOf = (bytes: number): number => 2 * bytes
const depthMax = 100

class Refusal extends Error implements CallStatus {
  readonly code: number
  readonly details: string

  constructor(code: number, details: string) {
    super(details)
    this.code = code
    this.details = details
  }
}

export class Exchange {
  readonly #method: GatewayMethod
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #bounds: ExchangeBounds
  #call: InnerCall | undefined
  /** Ends the wait for the body. */
  #stopWaiting: () => void = () => undefined
  #deadline: NodeJS.Timeout | undefined

  constructor(
    method: GatewayMethod,
    request: IncomingMessage,
    response: ServerResponse,
    bounds: ExchangeBounds,
  ) {
    this.#method = method
    this.#request = request
    this.#response = response
    this.#bounds = bounds
  }

  async run(): Promise<void> {
    this.#awaitBody()
    this.#response.on('close', () => this.#closed())
    try {
      const { headers } = this.#request
      const metadata = metadataOf(headers)
      this.#endBy(timeoutIn(headers))
      if (this.#method.isRequestStream) await this.#takeMany(metadata)
      else await this.#takeOne(metadata)
    } catch (error) {
      this.#call?.cancel()
      const isTooLong = error instanceof JsonTooLong
      this.#refuse(statusOf(isTooLong ? tooLarge('more JSON', this.#bounds.requestBytesMax) : error))
    }
  }

  /** Bytes behind the first message of a body are not looked at. */
  async #takeOne(metadata: Metadata): Promise<void> {
    const texts = this.#texts()
    const { value: text } = await texts.next().catch(refuseAs(codes.invalidArgument))
    if (this.#response.writableEnded) return
    const request = this.#requestOf(text ?? 'null', codes.invalidArgument)
    const { handler } = this.#method
    if (this.#method.isResponseStream) {
      this.#call = callStream(handler, this.#receiver(), metadata, request)
    } else this.#call = callUnary(handler, request, metadata, (...answer) => this.#answer(...answer))
  }

  async #takeMany(metadata: Metadata): Promise<void> {
    const texts = this.#texts()
    const first = await texts.next().catch(refuseAs(codes.unknown))
    if (this.#response.writableEnded) return
    this.#stopWaiting()
    const request = first.done ? undefined : this.#requestOf(first.value, codes.unknown)
    const call = callStream(this.#method.handler, this.#receiver(), metadata)
    this.#call = call
    try {
      if (request !== undefined) await call.give(request)
      for await (const text of texts) await call.give(this.#requestOf(text, codes.unknown))
    } catch {
      // JSON that is broken ends the requests, as in etcd, once a first one came.
    }
    call.endRequests()
  }

  /** The texts of the messages in the body. */
  async *#texts(): AsyncGenerator<string, undefined> {
    const bytesMax = jsonBytesMaxOf(this.#bounds.requestBytesMax)
    const json = new JsonStream({ bytesMax, depthMax })
    // The connection outlives a body that is left before its end.
    for await (const piece of this.#request.iterator({ destroyOnReturn: false }))
      yield* json.push(piece as Buffer)
    const last = json.end()
    if (last !== undefined) yield last
    return undefined
  }

  /** The request as the service's handler gets it. */
  #requestOf(text: string, code: number): unknown {
    const { request, encodeRequest, definition } = this.#method
    let bytes: Buffer
    try {
      bytes = encodeRequest(parseMessage(request, text))
    } catch (error) {
      return refuseAs(code)(error)
    }
    const { requestBytesMax } = this.#bounds
    if (bytes.byteLength > requestBytesMax) throw tooLarge(bytes.byteLength, requestBytesMax)
    return definition.requestDeserialize(bytes)
  }

  /** The response as JSON has it. */
  #jsonOf(response: unknown): unknown {
    const { response: shape, decodeResponse, definition } = this.#method
    return jsonOf(shape, decodeResponse(definition.responseSerialize(response)))
  }

  #answer(status: CallStatus, response: unknown): void {
    if (status.code !== 0) return this.#refuse(status)
    try {
      this.#send(200, JSON.stringify(this.#jsonOf(response)))
    } catch (error) {
      // A string has less room than an answer may need.
      this.#refuse(statusOf(error))
    }
  }

  #receiver(): Receiver {
    const response = this.#response
    return {
      message: (message: unknown, taken: () => void) => {
        let line: string
        try {
          line = `${JSON.stringify({ result: this.#jsonOf(message) })}\n`
        } catch (error) {
          return this.#fail(statusOf(error))
        }
        this.#begin(200)
        if (response.write(line)) taken()
        else response.once('drain', taken)
      },
      end: (status: CallStatus) => {
        if (status.code !== 0) return this.#end(status)
        this.#begin(200)
        response.end()
      },
    }
  }

  /** Ends a stream by the last line, or by the status of HTTP if there is no line yet. */
  #end(status: CallStatus): void {
    this.#begin(httpCodeOf(status.code))
    this.#response.end(streamErrorBody(status))
  }

  #fail(status: CallStatus): void {
    this.#call?.cancel()
    this.#end(status)
  }

  #refuse(status: CallStatus): void {
    if (this.#response.headersSent || this.#response.destroyed) return
    this.#send(httpCodeOf(status.code), refusalBody(status))
  }

  #send(httpCode: number, body: string): void {
    this.#response.setHeader('Content-Length', Buffer.byteLength(body))
    this.#begin(httpCode)
    this.#response.end(body)
  }

  #begin(httpCode: number): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(httpCode, {
      'Content-Type': 'application/json',
      'Grpc-Metadata-Content-Type': 'application/grpc',
    })
  }

  #awaitBody(): void {
    const { bodyMs } = this.#bounds
    this.#stopWaiting()
    this.#stopWaiting = patient(this.#request.socket, bodyMs, () => {
      if (this.#request.complete) return
      this.#refuse({ code: codes.cancelled, details: `the body did not come in ${bodyMs / 1000} s` })
      if (this.#response.writableFinished) this.#request.destroy()
      else this.#response.once('finish', () => this.#request.destroy())
    })
  }

  #endBy(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return
    const status = new Refusal(codes.deadlineExceeded, 'context deadline exceeded')
    if (timeoutMs < shortestTimerMs) throw status
    const expire = () => {
      this.#call?.cancel()
      if (this.#response.headersSent) this.#end(status)
      else this.#refuse(status)
    }
    this.#deadline = setTimeout(expire, Math.min(timeoutMs, longestTimerMs))
  }

  /** The answer has been sent, or nobody is there any more to take it. */
  #closed(): void {
    clearTimeout(this.#deadline)
    this.#stopWaiting()
    if (!this.#response.writableFinished) this.#call?.cancel()
    if (this.#request.complete || this.#request.destroyed) return
    // The rest of the body is dropped: a client that still sends has not seen the answer.
    this.#request.resume()
    this.#awaitBody()
  }
}

const tooLarge = (bytes: number | string, bytesMax: number): Refusal =>
  new Refusal(codes.resourceExhausted, `grpc: received message larger than max (${bytes} vs. ${bytesMax})`)

/** A fault in a client's JSON becomes an error with this code. */
function refuseAs(code: number): (error: unknown) => never {
  return (error) => {
    throw error instanceof JsonError ? new Refusal(code, error.message) : error
  }
}

/** The metadata of a call: headers that begin with `Grpc-Metadata-`, and the token of a user. */
function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const metadata = new Metadata()
  for (const [header, value] of Object.entries(headers)) {
    const key = header === 'authorization' ? header : /^grpc-metadata-(.+)$/.exec(header)?.[1]
    if (key === undefined || value === undefined) continue
    try {
      for (const one of [value].flat())
        metadata.add(key, key.endsWith('-bin') ? Buffer.from(one, 'base64') : one)
    } catch {
      throw new Refusal(codes.invalidArgument, `the header ${header} is no metadata of gRPC`)
    }
  }
  return metadata
}

function timeoutIn(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['grpc-timeout']
  if (text === undefined) return undefined
  const timeoutMs = timeoutOf(String(text))
  if (timeoutMs === undefined) throw new Refusal(codes.invalidArgument, `invalid grpc-timeout: ${text}`)
  return timeoutMs
}
