/** Clients that ask for too much, speak nonsense or leave: each is answered as etcd would, and nobody else notices. */
import http2 from 'node:http2'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Etcd } from '../../src/etcd/index.js'
import { startedEtcd, TestClient, until } from './support.js'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const emptySettings = '\0\0\0\x04\0\0\0\0\0'

/** A frame of HTTP/2 of this length, type, flags and stream, without its payload. */
const head = (length: number, type: number, flags: number, streamId: number) =>
  String.fromCharCode(length >> 16, (length >> 8) & 255, length & 255, type, flags, 0, 0, 0, streamId)

async function connected(etcd: Etcd): Promise<Socket> {
  const { hostname, port } = new URL(etcd.endpoints[0] ?? '')
  const socket = connect(Number(port), hostname).on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket.resume()
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

/** A client that was there before goes on after the work, and so does a new one. */
async function nobodyNotices(work: (etcd: Etcd) => Promise<void>): Promise<void> {
  const etcd = await startedEtcd({ nodes: 1 })
  const before = new TestClient(etcd.endpoints[0] ?? '')
  await before.put('key', 'before')
  await work(etcd)
  expect(await before.get('key')).toBe('before')
  await new TestClient(etcd.endpoints[0] ?? '').put('key', 'after')
  expect(await before.get('key')).toBe('after')
  expect(etcd.status()[0]).toMatchObject({ state: 'running' })
}

test('a request and a message that are too large are refused by the texts of etcd and of gRPC', () =>
  nobodyNotices(async (etcd) => {
    const client = new TestClient(etcd.endpoints[0] ?? '')
    await client.put('large', Buffer.alloc(1.5 * 2 ** 20 - 100))
    await expect(client.put('large', Buffer.alloc(1.5 * 2 ** 20))).rejects.toMatchObject({
      code: 3,
      details: 'etcdserver: request is too large',
    })
    await expect(client.put('large', Buffer.alloc(3 << 20))).rejects.toMatchObject({
      code: 8,
      details: expect.stringMatching(/^grpc: received message larger than max \(31457\d\d vs\. 2097152\)$/),
    })
  }))

const nonsense = {
  'of no protocol': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 as TLS begins\r\n\r\n',
  'HTTP/2 without its preface': 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  'a frame that is too long': `${preface}${emptySettings}${head(0xffffff, 0, 0, 1)}`,
  'data of a stream that never began': `${preface}${emptySettings}${head(1, 0, 0, 1)}x`.repeat(2),
  'headers that no table has': `${preface}${emptySettings}${head(3, 1, 5, 1)}\xff\xff\xff`,
  'settings of an odd length': `${preface}${head(5, 4, 0, 0)}abcde`,
  'headers that never end': `${preface}${emptySettings}${`${head(0, 1, 0, 1)}`}${head(1, 0, 0, 1)}x`,
  'a stream of a server': `${preface}${emptySettings}${head(1, 1, 5, 2)}\x82`,
} as const

test.each(Object.entries(nonsense))('bytes that are %s end their own connection only', (_, bytes) =>
  nobodyNotices(async (etcd) => {
    const socket = await connected(etcd)
    const ends = closed(socket)
    socket.write(Buffer.from(bytes, 'latin1'))
    await ends
  }),
)

test('a client that asks too often whether its connection lives is told so, and one that calls meanwhile is not', () =>
  nobodyNotices(async (etcd) => {
    const session = http2.connect(etcd.endpoints[0] ?? '').on('error', () => undefined)
    onTestFinished(() => session.destroy())
    const ping = () => new Promise((resolve) => session.ping(resolve))
    const call = () =>
      new Promise((resolve) => {
        const path = '/etcdserverpb.KV/Range'
        const headers = {
          ':method': 'POST',
          ':path': path,
          te: 'trailers',
          'content-type': 'application/grpc',
        }
        const stream = session.request(headers)
        stream.resume().on('close', resolve)
        // A range of the key `a`.
        stream.end(Buffer.from('\0\0\0\0\x03\n\x01a'))
      })
    for (let time = 0; time < 10; time++) {
      await ping()
      await call()
    }
    const told = new Promise((resolve) =>
      session.once('goaway', (code, _, why) => resolve([code, String(why)])),
    )
    for (let time = 0; time < 4; time++) void ping()
    expect(await told).toEqual([11, 'too_many_pings'])
  }))

test('clients that leave at any moment take nothing with them', () =>
  nobodyNotices(async (etcd) => {
    const request = `${preface}${emptySettings}${head(200, 1, 4, 1)}half of its headers`
    for (const said of [
      '',
      'P',
      preface,
      request,
      'POST /v3/kv/range HTTP/1.1\r\nContent-Length: 100\r\n\r\n{',
    ])
      for (const leave of ['end', 'resetAndDestroy'] as const) {
        const socket = await connected(etcd)
        const settings = new Promise((resolve) => socket.once('data', resolve))
        socket.write(Buffer.from(said, 'latin1'))
        // The server's settings show that it has read what the client said.
        if (said.startsWith(preface)) await settings
        const ends = closed(socket)
        socket[leave]()
        await ends
      }
  }))

test('hundreds of connections that say nothing, or half of what they want, keep nobody waiting', () =>
  nobodyNotices(async (etcd) => {
    const sockets = await Promise.all(Array.from({ length: 400 }, () => connected(etcd)))
    for (const [at, socket] of sockets.entries()) if (at % 2 === 0) socket.write(preface)
    const client = new TestClient(etcd.endpoints[0] ?? '')
    await client.put('other', 'value')
    expect(await client.get('other')).toBe('value')
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([])
  }))

test('a client whose connection breaks while its requests are served leaves the others whole', () =>
  nobodyNotices(async (etcd) => {
    const clients = Array.from({ length: 10 }, () => new TestClient(etcd.endpoints[0] ?? ''))
    await Promise.all(clients.map((client, at) => client.put(`key ${at}`, 'value')))
    const outcomes = clients.map((client, at) =>
      Promise.allSettled(Array.from({ length: 50 }, (_, put) => client.put(`key ${at}`, `${put}`))),
    )
    await until(() => etcd.status()[0]?.commandsApplied ?? 0 > 20)
    for (const client of clients) client.grpc.close()
    await Promise.all(outcomes)
  }))
