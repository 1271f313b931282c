/**
 * Calls of services in the same process: handlers see what gRPC's own server gives them, so that each behaviour of the
 * API is written once.
 */
import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import type { Metadata, sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js'
import { type CallStatus, statusOf } from './statuses.js'

/** Where the messages of a stream go. */
export interface Receiver {
  /** `taken` is called once there is room for another one. */
  message(message: unknown, taken: () => void): void
  end(status: CallStatus): void
}

/** The caller's hold on a call. */
export interface InnerCall {
  /** The caller has gone. */
  cancel(): void
}

const succeeded: CallStatus = { code: 0, details: '' }

class UnaryCall extends EventEmitter implements InnerCall {
  readonly request: unknown
  readonly metadata: Metadata
  cancelled = false

  constructor(request: unknown, metadata: Metadata) {
    super()
    this.request = request
    this.metadata = metadata
  }

  cancel(): void {
    this.cancelled = true
    this.emit('cancelled', 'cancelled')
  }
}

/** Calls a method of one request and one response. A call that was cancelled ends nowhere. */
export function callUnary(
  handler: UntypedHandleCall,
  request: unknown,
  metadata: Metadata,
  ended: (status: CallStatus, response: unknown) => void,
): InnerCall {
  const call = new UnaryCall(request, metadata)
  const answer: sendUnaryData<unknown> = (error, response) => {
    if (!call.cancelled) ended(error === null ? succeeded : statusOf(error), response)
  }
  const handle = handler as unknown as (call: UnaryCall, callback: sendUnaryData<unknown>) => void
  handle(call, answer)
  return call
}

/** A call whose responses are a stream, and whose requests may be one. */
class StreamCall extends Duplex implements InnerCall {
  /** Of a method with one request. */
  readonly request: unknown
  readonly metadata: Metadata
  cancelled = false
  readonly #receiver: Receiver
  #status = succeeded
  /** Called once the handler wants another request. */
  #wanted: (() => void) | undefined

  constructor(receiver: Receiver, metadata: Metadata, request?: unknown) {
    super({ objectMode: true })
    this.#receiver = receiver
    this.metadata = metadata
    this.request = request
    // A handler ends a call that it refuses by this event.
    this.on('error', (error) => {
      this.#status = statusOf(error)
      this.end()
    })
  }

  /** Gives a request to the handler, and resolves once it wants another one. */
  async give(request: unknown): Promise<void> {
    if (this.destroyed || this.push(request)) return
    await new Promise<void>((wanted) => {
      this.#wanted = wanted
    })
  }

  endRequests(): void {
    if (!this.destroyed) this.push(null)
  }

  cancel(): void {
    this.cancelled = true
    this.emit('cancelled', 'cancelled')
    this.destroy()
  }

  override _read(): void {
    this.#wanted?.()
    this.#wanted = undefined
  }

  override _write(message: unknown, _encoding: BufferEncoding, taken: () => void): void {
    this.#receiver.message(message, taken)
  }

  override _final(ended: () => void): void {
    ended()
    this.#receiver.end(this.#status)
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#wanted?.()
    destroyed(error)
  }
}

/** Calls a method whose responses are a stream. `request` is that of a method which has one. */
export function callStream(
  handler: UntypedHandleCall,
  receiver: Receiver,
  metadata: Metadata,
  request?: unknown,
): StreamCall {
  const call = new StreamCall(receiver, metadata, request)
  const handle = handler as unknown as (call: StreamCall) => void
  handle(call)
  return call
}
