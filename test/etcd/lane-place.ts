/** A server whose connections are lanes, and clients of it. */
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import type { UnaryMethod } from '../../src/etcd/http2/calls.js'
import { preface, settingsFrame, types } from '../../src/etcd/http2/frames.js'
import { encodeHeaders } from '../../src/etcd/http2/hpack.js'
import { Lane } from '../../src/etcd/http2/lane.js'

export const asItIs = (bytes: Buffer): Buffer => bytes
const methodOf = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
})

type Held = (answer: Buffer) => void

export class Place {
  port = 0
  /** Calls of `/test/Hold` that wait for their answers. */
  readonly held: Held[] = []
  /** Calls that gRPC's server has served. */
  readonly elsewhere: string[] = []

  /** Whoever calls `/test/Echo` is answered by the request; `/test/Refuse`, by an error. */
  async open({ streamsMax = 100, messageBytesMax = 2 << 20 } = {}): Promise<this> {
    const grpc = new Server({ 'grpc.max_receive_message_length': -1 })
    grpc.addService(
      { Echo: methodOf('/test/Echo', false), Stream: methodOf('/test/Stream', true) },
      {
        Echo: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) => {
          this.elsewhere.push('Echo')
          answer(null, call.request)
        },
        Stream: (call: NodeJS.ReadWriteStream) => {
          this.elsewhere.push('Stream')
          call.on('data', (bytes: Buffer) => call.write(bytes as never))
          call.on('end', () => call.end())
        },
      },
    )
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())
    const methods = new Map<string, UnaryMethod | undefined>([
      ['/test/Stream', undefined],
      ['/test/Echo', ({ request }, answer) => answer(null, request)],
      ['/test/Refuse', (_call, answer) => answer({ code: status.NOT_FOUND, details: 'no key ‘ä%’\n' })],
      ['/test/Hold', (_call, answer) => void this.held.push((bytes) => answer(null, bytes))],
    ])
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      new Lane(socket, {
        methods,
        streamsMax,
        messageBytesMax,
        elsewhere: (spur) => injector.injectConnection(spur),
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    onTestFinished(() => {
      grpc.forceShutdown()
      server.close()
    })
    return this
  }

  client(): Client {
    const client = new Client(`127.0.0.1:${this.port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    })
    onTestFinished(() => client.close())
    return client
  }

  http2(options = {}): ClientHttp2Session {
    const session = connectHttp2(`http://127.0.0.1:${this.port}`, options)
    session.on('error', () => undefined)
    onTestFinished(() => session.destroy())
    return session
  }
}

export function call(
  client: Client,
  path: string,
  request: Buffer,
  metadata = new Metadata(),
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asItIs, asItIs, request, metadata, (error, answer) => {
      if (error === null) resolve(answer ?? Buffer.alloc(0))
      else reject(error)
    })
  })
}

/** Bytes that differ from place to place. */
export const bytesOf = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, at) => (at * 31) >>> 3))

export const requestHeaders = (path: string) => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
  te: 'trailers',
})

export interface SeenFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** The whole frames among these bytes. */
function framesIn(bytes: Buffer): SeenFrame[] {
  const frames: SeenFrame[] = []
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3)
    if (end > bytes.length) break
    const [type = 0, flags = 0] = bytes.subarray(at + 3)
    frames.push({ type, flags, streamId: bytes.readUInt32BE(at + 5), payload: bytes.subarray(at + 9, end) })
    at = end
  }
  return frames
}

/** A client that writes its frames itself, and what it is told in the end. */
export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
    onTestFinished(() => void this.#socket.destroy())
  }

  write(...parts: readonly Uint8Array[]): this {
    for (const part of parts) this.#socket.write(part)
    return this
  }

  frames(): SeenFrame[] {
    return framesIn(this.#received)
  }

  /** The code of the GOAWAY frame with which the connection ends. */
  async code(): Promise<number | undefined> {
    await once(this.#socket, 'close')
    for (let at = 0; at < this.#received.length; at += 9 + this.#received.readUIntBE(at, 3)) {
      if (this.#received[at + 3] === types.goAway) return this.#received.readUInt32BE(at + 9 + 4)
    }
    return undefined
  }
}

export const headersOf = (path: string) =>
  encodeHeaders(
    Object.entries({ ':scheme': 'http', ':authority': 'here', ...requestHeaders(path) }).map(
      ([name, value]) => ({ name, value }),
    ),
  )
export const greeting = [preface, settingsFrame(new Map())]

/** A connection in memory whose lane answers `/test/Echo`, and whose other calls nobody serves. */
export class Pair extends Duplex {
  readonly spurs: Duplex[] = []
  /** Each write of the lane. */
  readonly written: Buffer[] = []
  readonly held: Held[] = []

  constructor() {
    super()
    const methods = new Map<string, UnaryMethod | undefined>([
      ['/test/Stream', undefined],
      ['/test/Echo', ({ request }, answer) => answer(null, request)],
      ['/test/Hold', (_call, answer) => void this.held.push((bytes) => answer(null, bytes))],
    ])
    const elsewhere = (spur: Duplex) => void this.spurs.push(spur)
    new Lane(this, { methods, streamsMax: 1000, messageBytesMax: 8 << 20, elsewhere })
    onTestFinished(() => void this.destroy())
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: () => void): void {
    this.written.push(bytes)
    written()
  }

  /** The client sends these bytes at once; resolves once the lane has read them. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    this.push(Buffer.concat(parts))
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  frames(): SeenFrame[] {
    return framesIn(Buffer.concat(this.written))
  }

  /** The code of the lane's GOAWAY frame. */
  code(): number | undefined {
    return this.frames()
      .find(({ type }) => type === types.goAway)
      ?.payload.readUInt32BE(4)
  }
}
