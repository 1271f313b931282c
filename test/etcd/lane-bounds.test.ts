/** What one connection may hold, and what it may send: clients that go to the bounds, and beyond them. */
import { Duplex } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { type Call, newCall, readHead } from '../../src/etcd/http2/calls.js'
import {
  ConnectionError,
  codes,
  flags,
  frame,
  goAway,
  preface,
  settings,
  settingsFrame,
  types,
  windowMax,
  windowUpdate,
} from '../../src/etcd/http2/frames.js'
import { Outlet } from '../../src/etcd/http2/outlet.js'
import { Spur } from '../../src/etcd/http2/spur.js'
import { UnfinishedRequests } from '../../src/etcd/http2/unfinished.js'
import { bytesOf, call, greeting, headersOf, Pair, Place, RawClient, type SeenFrame } from './lane-place.js'
import { until } from './support.js'

/** The beginning of a message of this length. */
const headOf = (length: number): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(length, 1)
  return head
}

const range = (length: number): number[] => Array.from({ length }, (_, at) => at)

const beginning = (path: string, streamId = 1) =>
  frame(types.headers, flags.endHeaders, streamId, headersOf(path))

test('a request whose head tells too long a message is refused before the message comes', async () => {
  const place = await new Place().open({ messageBytesMax: 1000 })
  const client = new RawClient(place.port)
  client.write(...greeting, beginning('/test/Echo'))
  for (const byte of headOf(1001)) client.write(frame(types.data, 0, 1, Buffer.of(byte)))
  await until(() => client.frames().some(({ type }) => type === types.rstStream))
  const answer = client.frames().find(({ type }) => type === types.headers)
  expect(String(answer?.payload)).toContain('grpc: received message larger than max (1001 vs. 1000)')
})

test('a request that is longer than its head tells is refused before its end', async () => {
  const place = await new Place().open()
  const client = new RawClient(place.port)
  client.write(...greeting, beginning('/test/Echo'), frame(types.data, 0, 1, headOf(1)))
  client.write(frame(types.data, 0, 1, Buffer.alloc(2)))
  await until(() => client.frames().some(({ type }) => type === types.rstStream))
})

/** Unfinished requests, and the streams whose clients were told of room. */
function unfinished() {
  const widened: number[] = []
  const requests = new UnfinishedRequests((streamId) => widened.push(streamId))
  const begin = (streamId: number): Call => newCall(streamId, () => undefined, 65_535)
  const goOn = (each: Call, bytes: Buffer): boolean => {
    readHead(each, bytes, 0, bytes.length)
    const isHeld = requests.append(each, bytes, 0, bytes.length)
    requests.taken(each, bytes.length)
    return isHeld
  }
  return { widened, requests, begin, goOn }
}

test('a request that comes a byte at a time is held in memory of its own length', () => {
  const { begin, goOn } = unfinished()
  const whole = Buffer.concat([headOf(5000), bytesOf(5000)])
  const each = begin(1)
  for (const byte of whole) {
    expect(goOn(each, Buffer.of(byte))).toBe(true)
    expect(each.bytes.length).toBeLessThanOrEqual(Math.max(512, 2 * each.length))
  }
  expect(each.bytes.equals(whole)).toBe(true)
})

test('while a connection holds 16 MiB of requests its oldest one alone gets room, and each gets it in its turn', () => {
  const { widened, requests, begin, goOn } = unfinished()
  const calls = Array.from({ length: 10 }, (_, at) => begin(at))
  // The ninth reaches the bound.
  for (const each of calls) goOn(each, Buffer.concat([headOf((2 << 20) + 40_000), Buffer.alloc(2 << 20)]))
  expect(widened).toEqual([0, 1, 2, 3, 4, 5, 6])
  widened.length = 0
  for (const each of calls) goOn(each, Buffer.alloc(40_000))
  expect(widened).toEqual([0])
  requests.release(calls[0]!)
  expect(widened).toEqual([0, 1])
  for (const each of calls.slice(1, 5)) requests.release(each)
  expect(widened).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a request that grows while its connection holds 64 MiB is refused, and goes on once there is room', () => {
  const { requests, begin, goOn } = unfinished()
  const calls = Array.from({ length: 33 }, (_, at) => begin(at))
  const held = calls.filter((each) => goOn(each, Buffer.concat([headOf(2 << 20), Buffer.alloc(2 << 20)])))
  expect(held.length).toBe(31)
  requests.release(held[0]!)
  expect(goOn(begin(99), Buffer.alloc(1 << 20))).toBe(true)
})

test('a hundred long requests at once are all answered', async () => {
  const place = await new Place().open()
  const client = place.client()
  const bytes = bytesOf(1_500_000)
  const answers = await Promise.all(Array.from({ length: 100 }, () => call(client, '/test/Echo', bytes)))
  expect(answers.every((each) => each.length === bytes.length)).toBe(true)
})

/** DATA of this length, in frames. */
function dataOf(streamId: number, length: number): Buffer[] {
  const frames: Buffer[] = []
  for (let left = length; left > 0; left -= 16_384) {
    frames.push(frame(types.data, 0, streamId, Buffer.alloc(Math.min(left, 16_384))))
  }
  return frames
}

test.each([
  ['a stream', [...dataOf(1, 65_536)], codes.flowControlError],
  ['a connection', range(20).flatMap((at) => dataOf(2 * at + 1, 65_535)), codes.flowControlError],
  ['neither', range(16).flatMap((at) => dataOf(2 * at + 1, 65_535)), undefined],
])('DATA that nobody takes beyond the window of %s', async (_, data, code) => {
  const pair = new Pair()
  await pair.send(...greeting, ...range(20).map((at) => beginning('/test/Stream', 2 * at + 1)), ...data)
  expect(pair.code()).toBe(code)
})

test('DATA of a request beyond the window of its stream ends the connection', async () => {
  const pair = new Pair()
  await pair.send(...greeting, ...range(10).map((at) => beginning('/test/Echo', 2 * at + 1)))
  // Ten requests hold more than the connection is given, so that later ones get no more room.
  const sendings = range(16).map(() => 0)
  for (const [at] of sendings.entries()) {
    const streamId = 2 * (at % 10) + 1
    if (at < 10) await pair.send(frame(types.data, 0, streamId, headOf(8 << 20)))
    for (let turn = 0; turn < 60; turn++) await pair.send(...dataOf(streamId, 32_767))
    if (pair.code() !== undefined) break
  }
  expect(pair.code()).toBe(codes.flowControlError)
})

/** A spur that nobody takes from, and what it would give. */
function spurOf() {
  const spur = new Spur({ settings: new Map(), pass: () => undefined, ended: () => undefined })
  const told = async () => {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    return spur.read() as Buffer
  }
  return { spur, told }
}

test('frames that wait for gRPC’s server are bounded, those without DATA too', () => {
  const { spur } = spurOf()
  const stream = { isReset: false }
  const send = (bytes: number, dataBytes: number) =>
    spur.sendData(stream, Buffer.alloc(bytes), dataBytes, () => undefined)
  send(16_384, 100_000)
  expect(() => {
    for (let frames = 0; frames < 300; frames++) send(65_536, 0)
  }).toThrow(ConnectionError)
})

test('frames of a stream that is reset leave the queue, and those behind them go on', async () => {
  const { spur, told } = spurOf()
  const [one, two] = [{ isReset: false }, { isReset: false }]
  const delivered: string[] = []
  spur.sendData(one, Buffer.from('<first>'), 65_000, () => delivered.push('first'))
  spur.sendData(one, Buffer.from('<second>'), 1000, () => delivered.push('second'))
  spur.sendData(two, Buffer.from('<third>'), 500, () => delivered.push('third'))
  expect(delivered).toEqual(['first'])
  spur.reset(one, Buffer.from('<reset>'))
  expect(delivered).toEqual(['first', 'second', 'third'])
  expect(String(await told())).toMatch(/<first><reset><third>$/)
})

test('a stream that is reset at once, behind DATA that waits, ends no other stream', async () => {
  const place = await new Place().open()
  const client = new RawClient(place.port)
  client.write(...greeting, beginning('/test/Stream'))
  await until(() => place.elsewhere.length === 1)
  const [cancel, room] = [Buffer.of(0, 0, 0, 8), Buffer.of(0, 0, 4, 0)]
  client.write(
    Buffer.concat([
      ...range(3).map((at) => beginning('/test/Stream', 2 * at + 3)),
      // Messages that do not end, so that no answer needs room.
      ...range(3).map((at) => frame(types.data, 0, 2 * at + 3, headOf(1 << 20))),
      ...range(3).flatMap((at) => dataOf(2 * at + 3, 40_000)),
      beginning('/test/Stream', 9),
      frame(types.windowUpdate, 0, 9, room),
      frame(types.rstStream, 0, 9, cancel),
      beginning('/test/Stream', 11),
      frame(types.data, 0, 1, Buffer.of(0, 0, 0, 0, 1, 7)),
    ]),
  )
  const isEcho = ({ type, streamId }: SeenFrame) => type === types.data && streamId === 1
  await until(() => client.frames().some(isEcho))
  expect(client.frames().some(({ type }) => type === types.goAway)).toBe(false)
})

const endOfRequest = (streamId: number) => frame(types.data, flags.endStream, streamId, headOf(0))
const hasDataOf =
  (id: number) =>
  ({ type, streamId }: SeenFrame) =>
    type === types.data && streamId === id

test('a client that says that it leaves gets the answers that it waits for', async () => {
  const place = await new Place().open()
  const client = new RawClient(place.port)
  client.write(...greeting, beginning('/test/Stream'), beginning('/test/Hold', 3), endOfRequest(3))
  await until(() => place.held.length === 1 && place.elsewhere.length === 1)
  client.write(goAway(0, codes.noError), frame(types.data, flags.endStream, 1, Buffer.alloc(0)))
  const ends = (id: number): boolean =>
    client.frames().some(({ streamId, flags: set }) => streamId === id && (set & flags.endStream) !== 0)
  await until(() => ends(1))
  // A server that was told of the leaving would close the connection once its last stream ends, and begin no other stream.
  client.write(beginning('/test/Stream', 5), frame(types.data, flags.endStream, 5, Buffer.alloc(0)))
  await until(() => ends(5))
  place.held[0]?.(Buffer.alloc(0))
  await until(() => client.frames().some(hasDataOf(3)))
})

test('a connection whose end at gRPC’s server closes is ended after the last answer', async () => {
  const pair = new Pair()
  await pair.send(...greeting, beginning('/test/Stream'))
  await pair.send(...[3, 5].flatMap((at) => [beginning('/test/Hold', at), endOfRequest(at)]))
  pair.spurs[0]?.destroy()
  await pair.send(beginning('/test/Echo', 7), endOfRequest(7))
  expect(pair.code()).toBe(codes.noError)
  pair.held[0]?.(Buffer.alloc(0))
  await pair.send()
  expect(pair.writableEnded).toBe(false)
  pair.held[1]?.(Buffer.alloc(0))
  await pair.send()
  expect(pair.writableEnded).toBe(true)
  expect([3, 5, 7].map((at) => pair.frames().some(hasDataOf(at)))).toEqual([true, true, false])
})

const allRoom = [
  preface,
  settingsFrame(new Map([[settings.initialWindowSize, windowMax]])),
  windowUpdate(0, windowMax - 65_535),
]

test('answers that come in one turn leave in writes of about a megabyte, and all leave', async () => {
  const pair = new Pair()
  const ids = range(8).map((at) => 2 * at + 1)
  await pair.send(...allRoom, ...ids.flatMap((at) => [beginning('/test/Hold', at), endOfRequest(at)]))
  for (const answer of pair.held) answer(Buffer.alloc(2 << 20))
  await until(() => pair.frames().filter(hasEnd).length === ids.length)
  expect(Math.max(...pair.written.map(({ length }) => length))).toBeLessThan(1.1 * 2 ** 20)
  const sent = pair
    .frames()
    .reduce((sum, { type, payload }) => sum + (type === types.data ? payload.length : 0), 0)
  expect(sent).toBe(ids.length * (5 + (2 << 20)))
})

test('a client whose answers take more memory than a connection is given loses it, and no call is said to fail', async () => {
  const pair = new Pair()
  const ids = range(40).map((at) => 2 * at + 1)
  await pair.send(...greeting, ...ids.flatMap((at) => [beginning('/test/Hold', at), endOfRequest(at)]))
  const answer = Buffer.alloc(8 << 20)
  for (const hold of pair.held) hold(answer)
  await pair.send()
  expect(pair.code()).toBe(codes.enhanceYourCalm)
  expect(pair.frames().filter(hasEnd)).toEqual([])
  expect(pair.writableEnded).toBe(true)
})

const hasEnd = ({ type, flags: set }: SeenFrame): boolean =>
  type === types.headers && (set & flags.endStream) !== 0

test('a long answer and a frame that passes share a window that opens by and by', async () => {
  const pair = new Pair()
  await pair.send(...greeting, windowUpdate(0, 1), beginning('/test/Stream'))
  await pair.send(
    settingsFrame(new Map([[settings.initialWindowSize, windowMax]])),
    ...[beginning('/test/Hold', 3), endOfRequest(3)],
  )
  pair.held[0]?.(Buffer.alloc(1 << 20))
  await pair.send()
  // The answer has taken the whole window.
  pair.spurs[0]?.write(Buffer.concat(range(3).map(() => frame(types.data, 0, 1, Buffer.alloc(16_384)))))
  const sentOf = (id: number): number =>
    pair
      .frames()
      .filter(hasDataOf(id))
      .reduce((sum, { payload }) => sum + payload.length, 0)
  const atFirst = sentOf(3)
  for (let turn = 0; turn < 100; turn++) await pair.send(windowUpdate(0, 1000))
  expect(sentOf(1)).toBe(3 * 16_384)
  expect(sentOf(3)).toBe(atFirst + 100_000 - 3 * 16_384)
})

test('windows that shrink below what was sent, and widen again, let answers through whole', async () => {
  const pair = new Pair()
  const window = (bytes: number) => settingsFrame(new Map([[settings.initialWindowSize, bytes]]))
  await pair.send(...greeting, windowUpdate(0, 1 << 20))
  await pair.send(...[1, 3].flatMap((at) => [beginning('/test/Hold', at), endOfRequest(at)]))
  const bytes = bytesOf(200_000)
  pair.held[0]?.(bytes)
  await pair.send()
  const dataOfStream = (id: number): Buffer =>
    Buffer.concat(
      pair
        .frames()
        .filter(hasDataOf(id))
        .map(({ payload }) => payload),
    )
  expect(dataOfStream(1).length).toBe(65_535)
  await pair.send(window(100))
  pair.held[1]?.(bytes)
  // The window of the first stream is -65,435, and then 0: one byte more is one byte of its answer.
  await pair.send(windowUpdate(1, 65_435))
  expect(dataOfStream(1).length).toBe(65_535)
  await pair.send(windowUpdate(1, 1))
  expect([1, 3].map((id) => dataOfStream(id).length)).toEqual([65_536, 100])
  await pair.send(window(0), window(50_000), window(10), window(250_000))
  for (const id of [1, 3]) expect(dataOfStream(id).subarray(5).equals(bytes)).toBe(true)
  expect(pair.frames().filter(hasEnd).length).toBe(2)
})

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const wider = (streamId: number, bytes: number) => frame(types.windowUpdate, 0, streamId, number(bytes))

test.each([
  ['a window that widens by nothing', [wider(0, 0)], codes.protocolError],
  ['headers without a stream', [beginning('/test/Hold', 0)], codes.protocolError],
  ['DATA without a stream', [frame(types.data, 0, 0, Buffer.alloc(5))], codes.protocolError],
  [
    'a window that a setting makes too wide',
    [wider(1, 1000), settingsFrame(new Map([[settings.initialWindowSize, windowMax]]))],
    codes.flowControlError,
  ],
  [
    'a size of the table behind a header',
    [frame(types.headers, flags.endHeaders, 3, Buffer.of(0x82, 0x20))],
    codes.compressionError,
  ],
  ['headers after the end of a request', [endOfRequest(1), beginning('/test/Hold')], codes.streamClosed],
])('%s: the connection ends by its code', async (_, frames, code) => {
  const pair = new Pair()
  await pair.send(...greeting, beginning('/test/Hold'), ...frames)
  expect(pair.code()).toBe(code)
})

test.each([
  ['a window that widens by nothing', [endOfRequest(1), wider(1, 0)], codes.protocolError],
  ['a window that is too wide', [endOfRequest(1), wider(1, windowMax)], codes.flowControlError],
  ['headers in the midst of a request', [beginning('/test/Hold')], codes.protocolError],
])('%s of a call: its stream ends by its code, and no other', async (_, frames, code) => {
  const pair = new Pair()
  await pair.send(...greeting, beginning('/test/Hold'), ...frames)
  expect(pair.frames().filter(({ type }) => type === types.rstStream)).toMatchObject([
    { streamId: 1, payload: number(code) },
  ])
  // The method of a call that was given up may still answer.
  for (const answer of pair.held) answer(Buffer.alloc(0))
  await pair.send(beginning('/test/Echo', 3), endOfRequest(3))
  expect(pair.frames().filter(hasEnd)).toMatchObject([{ streamId: 3 }])
})

test('a client that does not read the end of its connection loses it after a while', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const connection = new Duplex({ read: () => undefined, write: () => undefined })
    const outlet = new Outlet(connection, () => undefined)
    outlet.send(Buffer.alloc(10))
    outlet.end()
    await new Promise(setImmediate)
    expect(connection.destroyed).toBe(false)
    vi.advanceTimersByTime(10_000)
    expect(connection.destroyed).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})
