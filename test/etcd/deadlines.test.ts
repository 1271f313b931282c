/** The time that a client gives a call of the lane, by its header `grpc-timeout`. */
import { once } from 'node:events'
import { type ClientHttp2Stream, connect } from 'node:http2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Call, newCall } from '../../src/etcd/http2/calls.js'
import { Deadlines } from '../../src/etcd/http2/deadlines.js'
import { flags, frame, types } from '../../src/etcd/http2/frames.js'
import { encodeHeaders } from '../../src/etcd/http2/hpack.js'
import { protos } from '../../src/etcd/protos.js'
import { greeting, Pair, Place, requestHeaders } from './lane-place.js'
import { hasEtcd, startRealEtcd } from './real-etcd.js'
import { startedEtcd, until } from './support.js'

const empty = Buffer.alloc(5)
const headers = (path: string, timeout: string) => ({ ...requestHeaders(path), 'grpc-timeout': timeout })

/** How a call ends: its code of gRPC and its text. */
async function endOf(stream: ClientHttp2Stream): Promise<string> {
  stream.on('error', () => undefined).resume()
  const [answer] = await once(stream, 'response')
  return `${answer['grpc-status']} ${answer['grpc-message']}`
}

const late = '4 Deadline exceeded'

test('a call ends at its deadline, and its late answer goes nowhere', async () => {
  const place = await new Place().open({ streamsMax: 4 })
  const session = place.http2()
  const begin = (timeout: string) => session.request(headers('/test/Hold', timeout)).end(empty)
  const [long, short, middle] = ['10S', '400m', '500m'].map(begin) as [
    ClientHttp2Stream,
    ...ClientHttp2Stream[],
  ]
  const ends = [short, middle].map((each) => endOf(each!))
  const begun = performance.now()
  expect(await ends[0]).toBe(late)
  expect(performance.now() - begun).toBeGreaterThan(390)
  expect(await ends[1]).toBe(late)
  expect(performance.now() - begun).toBeGreaterThan(490)

  // Until its method has answered, a call takes room.
  const [last, tooMany] = [begin('10S'), begin('10S')]
  await expect(once(tooMany, 'close')).rejects.toThrow('REFUSED_STREAM')
  for (const answer of place.held) answer(Buffer.from('answer'))
  for (const stream of [long, last]) {
    const [answer] = await once(stream, 'data')
    expect(String(answer.subarray(5))).toBe('answer')
  }
  const next = begin('10S')
  await until(() => place.held.length === 5)
  next.close()
})

test('a request that does not come in time is not waited for', async () => {
  const place = await new Place().open()
  const session = place.http2()
  const silent = session.request(headers('/test/Hold', '20m'), { endStream: false })
  const unfinished = session.request(headers('/test/Hold', '20m'), { endStream: false })
  unfinished.write(empty.subarray(0, 3))
  expect(await Promise.all([silent, unfinished].map(endOf))).toEqual([late, late])
  expect(place.held).toEqual([])
})

test.each(['0n', '1n', '0S', '999999n', '999u'])(
  'a call that has %s is not begun, wherever it is served',
  async (timeout) => {
    const place = await new Place().open()
    const session = place.http2()
    const usual = headers('/test/Hold', timeout)
    const ends = [
      usual,
      { ...headers('/test/Echo', timeout), hasleader: 'true' },
      headers('/test/Stream', timeout),
    ]
    expect(await Promise.all(ends.map((each) => endOf(session.request(each).end(empty))))).toEqual([
      late,
      late,
      late,
    ])
    expect([place.held, place.elsewhere]).toEqual([[], []])
  },
)

test('a request that comes after its deadline is not carried out, even if no timer has run since', async () => {
  const pair = new Pair()
  const block = Object.entries({ ':scheme': 'http', ...headers('/test/Hold', '100m') })
  const head = encodeHeaders(block.map(([name, value]) => ({ name, value })))
  await pair.send(...greeting, frame(types.headers, flags.endHeaders, 1, head))
  const begun = performance.now()
  while (performance.now() - begun < 150);
  await pair.send(frame(types.data, flags.endStream, 1, empty))
  expect(pair.held).toEqual([])
  expect(Buffer.concat(pair.written).includes('Deadline exceeded')).toBe(true)
})

test.each(['abc', '5', '1.5S', '5 S', '-1S', ''])(
  'a time that is none (%j) is for gRPC’s server',
  async (timeout) => {
    const place = await new Place().open()
    const stream = place.http2().request(headers('/test/Echo', timeout)).end(empty)
    const [answer] = await once(stream.resume(), 'response')
    expect(answer['content-type']).toBe('application/grpc+proto')
  },
)

test('an answer that has begun goes on behind its deadline', async () => {
  const place = await new Place().open()
  const session = place.http2({ settings: { initialWindowSize: 10 } })
  const stream = session.request(headers('/test/Echo', '300m'))
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, 100), Buffer.alloc(100, 7)])
  stream.end(message)
  // Another call's deadline comes and goes meanwhile.
  expect(await endOf(session.request(headers('/test/Hold', '400m')).end(empty))).toBe(late)
  let received = Buffer.alloc(0)
  stream.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
  })
  session.settings({ initialWindowSize: 200 })
  await once(stream, 'end')
  expect(received.equals(message)).toBe(true)
})

test('calls of ever later deadlines have one timer, which is set again only when it rings', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const set = vi.spyOn(globalThis, 'setTimeout')
  const calls = new Map<number, Call>()
  const expired: number[] = []
  const deadlines = new Deadlines(calls, ({ streamId }) => {
    expired.push(streamId)
    calls.delete(streamId)
  })
  const begin = (streamId: number, ms: number): void => {
    const call = newCall(streamId, () => undefined, 0, performance.now() + ms)
    calls.set(streamId, call)
    deadlines.add(call.deadlineMs)
  }
  for (let at = 0; at < 1000; at++) {
    begin(at, 5000 + at)
    if (at !== 500) calls.delete(at)
  }
  expect([set.mock.calls.length, vi.getTimerCount()]).toEqual([1, 1])
  vi.advanceTimersByTime(5000)
  expect([expired, set.mock.calls.length, vi.getTimerCount()]).toEqual([[], 2, 1])
  begin(2000, 10)
  begin(2001, 2 ** 40)
  vi.advanceTimersByTime(10)
  expect(expired).toEqual([2000])
  vi.advanceTimersByTime(490)
  expect(expired).toEqual([2000, 500])
  // A deadline beyond the longest timer.
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(2 ** 31)
  expect([expired, vi.getTimerCount()]).toEqual([[2000, 500], 1])
  deadlines.close()
  begin(2002, 10)
  expect(vi.getTimerCount()).toBe(0)
})

const kv = protos['etcdserverpb.KV'] as never as Record<string, { requestSerialize(request: object): Buffer }>

/** A put at this address, as its server tells its end. */
async function put(endpoint: string, key: string, timeout: string): Promise<string> {
  const session = connect(endpoint)
  onTestFinished(() => session.destroy())
  const request = kv['Put']!.requestSerialize({ key: Buffer.from(key), value: Buffer.from('value') })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(request.length, 1)
  return endOf(session.request(headers('/etcdserverpb.KV/Put', timeout)).end(Buffer.concat([head, request])))
}

test('a put of a client without time is not carried out, and one without a quorum ends in time', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const leader = etcd.cluster.leaderId!
  const endpoint = etcd.endpointOf(leader)!
  expect(await put(endpoint, 'late', '1n')).toBe(late)
  expect(await put(endpoint, 'in time', '20S')).toMatch(/^undefined/)
  const body = JSON.stringify({ key: 'AA==', range_end: 'AA==', count_only: true })
  const answer = await fetch(`${endpoint}/v3/kv/range`, { method: 'POST', body })
  expect(await answer.json()).toMatchObject({ count: '1' })
  for (const nodeId of [1, 2, 3]) if (nodeId !== leader) await etcd.kill(nodeId)
  expect(await put(endpoint, 'never', '300m')).toBe(late)
})

test.skipIf(!hasEtcd)('a put of a client without time is refused by etcd too', async () => {
  const real = await startRealEtcd()
  onTestFinished(() => real.close())
  expect(await put(`http://${real.endpoints[0]}`, 'late', '1n')).toMatch(/^[24] context deadline exceeded$/)
})
