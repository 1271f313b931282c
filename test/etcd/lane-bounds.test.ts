/** What one connection may hold, and what it may send: clients that go to the bounds, and beyond them. */
import { expect, test } from 'vitest'
import { type Call, newCall, readHead } from '../../src/etcd/http2/calls.js'
import { flags, frame, types } from '../../src/etcd/http2/frames.js'
import { UnfinishedRequests } from '../../src/etcd/http2/unfinished.js'
import { bytesOf, call, greeting, headersOf, Place, RawClient } from './lane-place.js'
import { until } from './support.js'

/** The beginning of a message of this length. */
const headOf = (length: number): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(length, 1)
  return head
}

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
