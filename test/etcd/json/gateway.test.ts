/** Requests of clients to the gateway, and the calls that its services see. */
import { once } from 'node:events'
import { Agent, request as ask, type ClientRequest, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { EtcdError } from '../../../src/etcd/index.js'
import type { GatewayOptions } from '../../../src/etcd/json/gateway.js'
import { protos } from '../../../src/etcd/protos.js'
import { answerOf, linesOf } from './support/asked.js'
import { serveGateway } from './support/served.js'

/** A call as a handler sees it. */
interface Call extends NodeJS.EventEmitter {
  readonly metadata: { get(name: string): unknown[] }
  readonly cancelled: boolean
  write(message: object): boolean
  end(): void
}
type Callback = (error: unknown, response?: object) => void
type Handlers = Record<string, (call: Call, callback: Callback) => void>

const bounds = { requestBytesMax: 1000, bodyMs: 10_000, headersMs: 10_000 }

/** The address of a gateway with these methods of KV, Lease and Watch. */
async function serve(handlers: Handlers, options: Partial<GatewayOptions> = {}): Promise<string> {
  const services = ['KV', 'Lease', 'Watch'].map((name) => ({
    definition: protos[`etcdserverpb.${name}`] as unknown as ServiceDefinition,
    implementation: handlers as unknown as GatewayOptions['services'][number]['implementation'],
  }))
  const gateway = await serveGateway({ services, bounds, ...options })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  return gateway.address
}

const range = { body: '{"key":"Zm9v"}' }
const answers: Handlers = { Range: (_call, callback) => callback(null, { count: 7 }) }

/** A request whose body is still to come. */
function begin(address: string, path: string, headers: Record<string, string> = {}): ClientRequest {
  const [host, port] = address.split(':')
  const request = ask({ host, port, path, method: 'POST', headers }).on('error', () => undefined)
  request.flushHeaders()
  return request
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response.setEncoding('utf8')
}

/** A promise for what a handler sees. */
function later<Value>(): {
  promise: Promise<Value>
  resolve(value: Value): void
  reject(error: Error): void
} {
  let [resolve, reject] = [(_value: Value): void => undefined, (_error: Error): void => undefined]
  const promise = new Promise<Value>((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}

test('a name that was bent to this address is refused, and so is a page of another site', async () => {
  const address = await serve(answers)
  const codeOf = async (headers: Record<string, string>) =>
    (await answerOf(address, '/v3/kv/range', { ...range, headers })).code
  for (const host of ['localhost', 'localhost:2379', 'LOCALHOST', 'a.localhost:1', '127.0.0.2', '[::1]:2379'])
    expect(await codeOf({ host }), host).toBe(200)
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:2379', '10.0.0.1'])
    expect(await codeOf({ host }), host).toBe(421)
  for (const origin of ['http://localhost:5173', 'https://127.0.0.1'])
    expect(await codeOf({ origin }), origin).toBe(200)
  for (const origin of ['http://evil.example', 'null', 'http://localhost.evil.example'])
    expect(await codeOf({ origin }), origin).toBe(403)
  const { body } = await answerOf(address, '/version', { headers: { host: 'evil.example' } })
  expect(body).toBe('this member answers at localhost and 127.0.0.1, and not at evil.example\n')
})

test('requests of one connection are answered one after the other', async () => {
  const address = await serve(answers)
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  const head = `POST /v3/kv/range HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${range.body.length}\r\n\r\n`
  socket.setEncoding('utf8').write(`${head}${range.body}`.repeat(3))
  let answered = ''
  for await (const text of socket) {
    answered += text
    if (answered.split('{"count":"7"}').length === 4) break
  }
  expect(answered.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
})

test('a connection that does not wait for its answers has a bounded number of calls', async () => {
  let begun = 0
  const address = await serve({ Range: () => begun++ })
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  onTestFinished(() => void socket.destroy())
  const head = `POST /v3/kv/range HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${range.body.length}\r\n\r\n`
  socket.write(`${head}${range.body}`.repeat(200))
  // A request of another connection comes after those.
  expect((await answerOf(address, '/version')).code).toBe(200)
  expect(begun).toBe(64)
})

test('metadata and the token of a user reach the service', async () => {
  const seen: unknown[] = []
  const address = await serve({
    Range: ({ metadata }, callback) => {
      seen.push(metadata.get('hasleader'), metadata.get('a-bin'), metadata.get('authorization'))
      callback(null, {})
    },
  })
  const headers = { 'Grpc-Metadata-hasleader': 'true', 'Grpc-Metadata-a-bin': 'Zm9v', Authorization: 'token' }
  await answerOf(address, '/v3/kv/range', { ...range, headers })
  expect(seen).toEqual([['true'], [Buffer.from('foo')], ['token']])
})

test('an error has the code of gRPC, and that of HTTP which belongs to it', async () => {
  const address = await serve({ Range: (_call, callback) => callback(new EtcdError('noLeader')) })
  expect(await answerOf(address, '/v3/kv/range', range)).toMatchObject({
    code: 503,
    body: '{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}',
  })
})

test('a service that throws is an error of the server', async () => {
  const address = await serve({
    Range: () => {
      throw new Error('broken')
    },
  })
  expect(await answerOf(address, '/v3/kv/range', range)).toMatchObject({
    code: 500,
    body: '{"error":"broken","message":"broken","code":2}',
  })
})

test('an answer that is no message of the method is an error, and ends nothing else', async () => {
  const address = await serve({
    Range: (_call, callback) => callback(null, { kvs: 'none' }),
    Watch: (call) => void call.write({ events: 'none' }),
  })
  expect((await answerOf(address, '/v3/kv/range', range)).code).toBe(500)
  expect((await answerOf(address, '/v3/watch', { body: '{}' })).code).toBe(500)
  expect((await answerOf(address, '/version')).code).toBe(200)
})

test('a request over the bound is refused, as text and as a message', async () => {
  const address = await serve(answers)
  const refused = async (bytes: number) =>
    answerOf(address, '/v3/kv/range', {
      body: JSON.stringify({ key: Buffer.alloc(bytes).toString('base64') }),
    })
  expect((await refused(997)).code).toBe(200)
  expect(await refused(998)).toMatchObject({
    code: 429,
    body: expect.stringContaining('grpc: received message larger than max (1001 vs. 1000)'),
  })
  expect(await refused(100_000)).toMatchObject({
    code: 429,
    body: expect.stringContaining('grpc: received message larger than max (more JSON vs. 1000)'),
  })
  expect((await answerOf(address, '/v3/kv/range', { body: '['.repeat(1000) })).code).toBe(400)
})

test('a client that leaves ends its call', async () => {
  const left = later<boolean>()
  const address = await serve({
    Range: (call) => call.on('cancelled', () => left.resolve(call.cancelled)),
  })
  const request = begin(address, '/v3/kv/range')
  request.end(range.body, () => request.destroy())
  expect(await left.promise).toBe(true)
})

test('a client that leaves ends its stream', async () => {
  const left = later<boolean>()
  const address = await serve({
    Watch: (call) => {
      call.on('cancelled', () => left.resolve(call.cancelled))
      call.write({ created: true })
    },
  })
  expect(await linesOf(address, '/v3/watch', 1, { body: '{}' })).toEqual(['{"result":{"created":true}}'])
  expect(await left.promise).toBe(true)
})

test('a stream answers while its requests still come', async () => {
  const address = await serve({
    LeaseKeepAlive: (call) => {
      call.on('data', ({ ID }: { ID: string }) => call.write({ ID, TTL: 5 }))
      call.on('end', () => call.end())
    },
  })
  const request = begin(address, '/v3/lease/keepalive')
  request.write('{"ID":1}')
  const response = await responseOf(request)
  const lines = response[Symbol.asyncIterator]() as AsyncIterator<string>
  expect((await lines.next()).value).toBe('{"result":{"ID":"1","TTL":"5"}}\n')
  request.write('{"ID":"7587868094')
  request.write('239438091"}')
  expect((await lines.next()).value).toBe('{"result":{"ID":"7587868094239438091","TTL":"5"}}\n')
  request.end()
  expect((await lines.next()).done).toBe(true)
})

test('a stream that fails says so: by its status, or by its last line', async () => {
  const address = await serve({
    Watch: (call) => {
      call.on('data', ({ createRequest }: { createRequest?: object }) => {
        if (createRequest !== undefined) call.write({ created: true })
        call.emit('error', new EtcdError('noLeader'))
      })
    },
  })
  const error =
    '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}'
  expect(await answerOf(address, '/v3/watch', { body: '{}' })).toMatchObject({ code: 503, body: error })
  expect(await answerOf(address, '/v3/watch', { body: '{"create_request":{}}' })).toMatchObject({
    code: 200,
    body: `{"result":{"created":true}}\n${error}`,
  })
})

test('a client that does not read holds its stream back', async () => {
  const full = later<Call>()
  const address = await serve({
    Watch: (call) => {
      const events = [{ kv: { value: Buffer.alloc(1 << 20) } }]
      let written = 0
      const fill = (): void => {
        while (call.write({ events })) if (++written > 200) return full.reject(new Error('no end of room'))
        full.resolve(call)
      }
      fill()
      call.on('drain', fill)
    },
  })
  const request = begin(address, '/v3/watch')
  request.end('{}')
  const response = await responseOf(request)
  await full.promise
  request.destroy()
  response.destroy()
})

test('a call that outlives its deadline is ended', async () => {
  const left = later<boolean>()
  const address = await serve({
    Range: (call, callback) =>
      call.on('cancelled', () => {
        // An answer that comes all the same goes nowhere.
        callback(null, { count: 7 })
        left.resolve(true)
      }),
  })
  const headers = { 'Grpc-Timeout': '20m' }
  expect(await answerOf(address, '/v3/kv/range', { ...range, headers })).toMatchObject({
    code: 504,
    body: '{"error":"context deadline exceeded","message":"context deadline exceeded","code":4}',
  })
  expect(await left.promise).toBe(true)
})

test('a deadline that no answer can meet is not tried', async () => {
  const address = await serve(answers)
  const headers = { 'Grpc-Timeout': '1n' }
  expect((await answerOf(address, '/v3/kv/range', { ...range, headers })).code).toBe(504)
})

test('a call whose deadline passes while its body still comes never begins', async () => {
  let begun = 0
  const handlers = { ...answers, Range: () => begun++, Watch: () => begun++ }
  const address = await serve(handlers)
  for (const path of ['/v3/kv/range', '/v3/watch']) {
    const request = begin(address, path, { 'Grpc-Timeout': '20m' })
    expect((await responseOf(request)).resume().statusCode).toBe(504)
    request.end(range.body)
    await once(request, 'close')
  }
  expect((await answerOf(address, '/version')).code).toBe(200)
  expect(begun).toBe(0)
})

test('a service that does not read holds its client back', async () => {
  let decoded = 0
  const opened = later<Call>()
  const definition = protos['etcdserverpb.Watch'] as unknown as ServiceDefinition
  const requestDeserialize = (bytes: Buffer): number => (decoded += bytes.byteLength + 1)
  const watch = { ...definition['Watch']!, requestDeserialize }
  const address = await serve(
    {},
    { services: [{ definition: { Watch: watch }, implementation: { Watch: opened.resolve } }] },
  )
  const request = begin(address, '/v3/watch')
  request.end('{}'.repeat(1000))
  const call = await opened.promise
  await answerOf(address, '/version')
  expect(decoded).toBeLessThan(100)
  call.on('data', () => undefined)
  await once(call, 'end')
  expect(decoded).toBe(1000)
  call.end()
  ;(await responseOf(request)).resume()
})

test('a body that does not come is not waited for', async () => {
  const handlers = { ...answers, Watch: () => undefined }
  const address = await serve(handlers, { bounds: { ...bounds, bodyMs: 50 } })
  for (const path of ['/v3/kv/range', '/v3/watch']) {
    const request = begin(address, path)
    request.write('{"key":')
    const response = await responseOf(request)
    expect(response.statusCode).toBe(408)
    response.resume()
    await once(request, 'close')
  }
})

test('headers that do not come are not waited for', async () => {
  const address = await serve(answers, { bounds: { ...bounds, headersMs: 50 } })
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  socket.write('POST /v3/kv/range HTTP/1.1\r\nHost: ')
  socket.resume()
  await once(socket, 'close')
})

test('a connection whose first request came stays open', async () => {
  const headersMs = 50
  const address = await serve(answers, { bounds: { ...bounds, headersMs } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const sockets = new Set<unknown>()
  for (let at = 0; at < 2; at++) {
    const asked = get(`http://${address}/version`, { agent })
    asked.on('socket', (socket) => sockets.add(socket))
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    // Longer than headers are waited for.
    await new Promise((resolve) => setTimeout(resolve, 3 * headersMs))
  }
  expect(sockets.size).toBe(1)
})

test('health is told by the status, too', async () => {
  const isHealthy = async (exclude: readonly string[]): Promise<boolean> => exclude.includes('NOSPACE')
  const address = await serve({}, { isHealthy })
  expect(await answerOf(address, '/health')).toMatchObject({ code: 503, body: '{"health":"false"}\n' })
  expect(await answerOf(address, '/health?exclude=NOSPACE&exclude=CORRUPT')).toMatchObject({
    code: 200,
    body: '{"health":"true"}',
  })
})

test('a method that a member does not have has no path', async () => {
  const address = await serve({})
  expect((await answerOf(address, '/v3/kv/range', range)).code).toBe(404)
})
