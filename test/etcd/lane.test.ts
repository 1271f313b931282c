/** Connections of gRPC whose short calls are answered beside gRPC's server, by clients that know nothing of it. */
import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect } from 'node:net'
import { Metadata, status } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { codes, flags, frame, types } from '../../src/etcd/http2/frames.js'
import { asItIs, bytesOf, call, greeting, headersOf, Place, RawClient, requestHeaders } from './lane-place.js'
import { until } from './support.js'

test('short calls are answered beside the streams of gRPC’s server, over one connection', async () => {
  const place = await new Place().open()
  const client = place.client()
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>('/test/Stream', asItIs, asItIs, new Metadata())
  for (let turn = 0; turn < 3; turn++) {
    stream.write(bytesOf(turn))
    expect(await once(stream, 'data')).toEqual([bytesOf(turn)])
    expect(await call(client, '/test/Echo', bytesOf(turn))).toEqual(bytesOf(turn))
  }
  stream.end()
  await once(
    stream.on('data', () => undefined),
    'end',
  )
  expect(place.elsewhere).toEqual(['Stream'])
})

test('a request and an answer of any length arrive whole, whatever the windows', async () => {
  const place = await new Place().open({ messageBytesMax: 8 << 20 })
  const client = place.client()
  for (const length of [0, 1, 16_378, 16_379, 16_380, 65_530, 65_531, 1 << 20, 5 << 20]) {
    expect(Buffer.compare(await call(client, '/test/Echo', bytesOf(length)), bytesOf(length))).toBe(0)
  }
  const many = await Promise.all(
    Array.from({ length: 50 }, (_, at) => call(client, '/test/Echo', bytesOf(30_000 + at))),
  )
  expect(many.map(({ length }) => length)).toEqual(Array.from({ length: 50 }, (_, at) => 30_000 + at))
})

test('what streams carry passes whole beside the answers, in both directions', async () => {
  const place = await new Place().open()
  const client = place.client()
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>('/test/Stream', asItIs, asItIs, new Metadata())
  let received = 0
  stream.on('data', (bytes: Buffer) => {
    received += bytes.length
  })
  for (let turn = 0; turn < 40; turn++) stream.write(bytesOf(100_000))
  stream.end()
  while (received < 4_000_000) {
    expect((await call(client, '/test/Echo', bytesOf(100_000))).length).toBe(100_000)
  }
  expect(received).toBe(4_000_000)
})

test('an error is told with its code and its text', async () => {
  const place = await new Place().open()
  await expect(call(place.client(), '/test/Refuse', Buffer.alloc(0))).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: 'no key ‘ä%’\n',
  })
})

test('a request over the limit is refused in etcd’s words, and the next one is served', async () => {
  const place = await new Place().open({ messageBytesMax: 1000 })
  const client = place.client()
  await expect(call(client, '/test/Echo', bytesOf(100_000))).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: 'grpc: received message larger than max (100000 vs. 1000)',
  })
  expect(await call(client, '/test/Echo', bytesOf(1000))).toEqual(bytesOf(1000))
})

test('a call that asks for a leader is served by gRPC’s server', async () => {
  const place = await new Place().open()
  const session = place.http2()
  const stream = session.request({ ...requestHeaders('/test/Echo'), hasleader: 'true' })
  stream.end(Buffer.of(0, 0, 0, 0, 1, 7))
  const [answer] = await once(stream, 'data')
  expect([...answer]).toEqual([0, 0, 0, 0, 1, 7])
  expect(place.elsewhere).toEqual(['Echo'])
})

test('a call that its client gives up takes room until its method has answered', async () => {
  const place = await new Place().open({ streamsMax: 2 })
  const session = place.http2()
  const one = Buffer.of(0, 0, 0, 0, 0)
  const request = (path: string) => session.request(requestHeaders(path)).end(one)
  const [first, second] = [request('/test/Hold'), request('/test/Hold')]
  await until(() => place.held.length === 2)
  first.close(constants.NGHTTP2_CANCEL)
  await once(first, 'close')
  const third = request('/test/Hold')
  await expect(once(third, 'close')).rejects.toThrow('REFUSED_STREAM')
  expect(third.rstCode).toBe(codes.refusedStream)

  place.held[0]?.(Buffer.from('late'))
  const fourth = request('/test/Echo').resume()
  await once(fourth, 'end')
  place.held[1]?.(Buffer.from('answer'))
  const [answer] = await once(second, 'data')
  expect(String(answer.subarray(5))).toBe('answer')
})

test('a window that the client changes counts for the answers on their way', async () => {
  const place = await new Place().open()
  const session = place.http2({ settings: { initialWindowSize: 10 } })
  const stream = session.request(requestHeaders('/test/Echo'))
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, 100), bytesOf(100)])
  stream.end(message)
  let received = Buffer.alloc(0)
  stream.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
  })
  session.settings({ initialWindowSize: 60 })
  await until(() => received.length === message.length)
  expect(received.equals(message)).toBe(true)
})

const open = (set: number) => frame(types.headers, set, 1, headersOf('/test/Echo'))

test.each([
  ['another beginning', [Buffer.from('PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n')], codes.protocolError],
  ['a frame that is too long', [...greeting, Buffer.of(0, 64, 1, 0, 0, 0, 0, 0, 1)], codes.frameSizeError],
  [
    'an index that no header has',
    [...greeting, frame(types.headers, 4, 1, Buffer.of(0xff, 0x7f))],
    codes.compressionError,
  ],
  [
    'a text that is cut off',
    [...greeting, frame(types.headers, 4, 1, Buffer.of(0, 9, 65))],
    codes.compressionError,
  ],
  ['headers in the midst of headers', [...greeting, open(0), open(flags.endHeaders)], codes.protocolError],
  [
    'a block of headers without an end',
    [...greeting, open(0), ...Array(20).fill(frame(types.continuation, 0, 1, Buffer.alloc(8000)))],
    codes.enhanceYourCalm,
  ],
  [
    'the stream of a server',
    [...greeting, frame(types.headers, 4, 2, headersOf('/test/Echo'))],
    codes.protocolError,
  ],
  [
    'more padding than frame',
    [...greeting, frame(types.headers, flags.padded | 4, 1, Buffer.of(9, 0))],
    codes.protocolError,
  ],
  ['a promise', [...greeting, frame(types.pushPromise, 4, 1, Buffer.alloc(4))], codes.protocolError],
  [
    'a window that is too wide',
    [...greeting, frame(types.windowUpdate, 0, 0, Buffer.of(127, 255, 255, 255))],
    codes.flowControlError,
  ],
  ['half a number', [...greeting, frame(types.windowUpdate, 0, 0, Buffer.of(1, 2))], codes.frameSizeError],
  [
    'a request that goes on after its end',
    [
      ...greeting,
      frame(types.headers, 4, 1, headersOf('/test/Hold')),
      frame(types.data, 1, 1, Buffer.alloc(5)),
      frame(types.data, 1, 1, Buffer.alloc(5)),
    ],
    codes.streamClosed,
  ],
])('%s ends the connection with its code, and no other', async (_, parts, code) => {
  const place = await new Place().open()
  const other = place.client()
  await call(other, '/test/Echo', bytesOf(1))
  expect(await new RawClient(place.port).write(...parts).code()).toBe(code)
  expect(await call(other, '/test/Echo', bytesOf(2))).toEqual(bytesOf(2))
})

test('frames may come a byte at a time', async () => {
  const place = await new Place().open()
  const socket = connect(place.port, '127.0.0.1').setNoDelay()
  onTestFinished(() => void socket.destroy())
  const message = Buffer.of(0, 0, 0, 0, 2, 8, 9)
  const all = Buffer.concat([...greeting, open(flags.endHeaders), frame(types.data, 1, 1, message)])
  for (const byte of all) await new Promise((written) => socket.write(Buffer.of(byte), written))
  let received = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
  })
  await until(() => received.includes(frame(types.data, 0, 1, message)))
})
