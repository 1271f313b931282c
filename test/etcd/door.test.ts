/** A port alone: what is behind it, and how many and how silent its connections may be. */
import { createServer } from 'node:http'
import { connect, Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Door, type DoorBounds } from '../../src/etcd/door.js'
import { preface } from '../../src/etcd/http2/frames.js'
import { endAfter } from '../../src/etcd/patience.js'
import { Valve } from '../../src/etcd/valve.js'
import { until } from './support.js'

interface Opened {
  readonly door: Door
  /** The connections of HTTP/2. */
  readonly grpc: Valve[]
  connected(allowHalfOpen?: boolean): Promise<Socket>
}

async function opened(bounds: DoorBounds = { connectionsMax: 100, silentMs: 600_000 }): Promise<Opened> {
  const http = createServer((request, response) => response.end(`you asked for ${request.url}`))
  const grpc: Valve[] = []
  const door = new Door(
    { http2: (valve) => void grpc.push(valve), http1: (valve) => http.emit('connection', valve) },
    bounds,
  )
  const port = await door.open([0])
  onTestFinished(() => door.close())
  const connected = async (allowHalfOpen = false) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen }).on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
    await new Promise((resolve) => socket.once('connect', resolve))
    return socket
  }
  return { door, grpc, connected }
}

const open = { isOpen: true, delayOf: undefined }
const shut = { isOpen: false, delayOf: undefined }

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

/** All that arrives. */
function heard(socket: Socket): { text: string } {
  const told = { text: '' }
  socket.on('data', (bytes: Buffer) => {
    told.text += bytes.toString('latin1')
  })
  return told
}

test('a connection is of HTTP/2 or of HTTP/1.1 by its first bytes, however they are cut', async () => {
  const { grpc, connected } = await opened()
  const one = await connected()
  for (const byte of preface.toString()) {
    expect(grpc).toHaveLength(0)
    one.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const valve = await until(() => grpc[0])
  one.write('more')
  await until(() => valve.readableLength === preface.length + 4)
  expect(String(valve.read())).toBe(`${preface}more`)

  const other = await connected()
  const answer = heard(other)
  other.write('P')
  other.write('UT /there HTTP/1.1\r\nHost: here\r\n\r\n')
  await until(() => answer.text.includes('you asked for /there'))
  expect(grpc).toHaveLength(1)
})

test('a client that says nothing is sent away, but not while the node does not hear it', async () => {
  const { door, connected } = await opened({ connectionsMax: 10, silentMs: 30 })
  door.set(shut, shut)
  const silent = await connected()
  let hasEnded = false
  const ends = closed(silent).then(() => {
    hasEnded = true
  })
  const other = await opened({ connectionsMax: 10, silentMs: 30 })
  await closed(await other.connected())
  await closed(await other.connected())
  expect(hasEnded).toBe(false)
  door.set(open, open)
  await ends
})

test.each([
  ['from the client', shut, open],
  ['to the client', open, shut],
])('a client that is waited for is not sent away while the way %s is shut', async (_way, from, to) => {
  const { door, grpc, connected } = await opened()
  const socket = await connected()
  socket.write(preface)
  const valve = await until(() => grpc[0])
  let hasEnded = false
  const ends = closed(socket).then(() => {
    hasEnded = true
  })
  socket.resume()
  door.set(from, to)
  endAfter(valve, 30)
  const reached = await opened()
  for (let count = 0; count < 2; count++) {
    const other = await reached.connected()
    other.resume()
    other.write(preface)
    endAfter(await until(() => reached.grpc[count]), 30)
    await closed(other)
  }
  expect([valve.destroyed, hasEnded]).toEqual([false, false])
  door.set(open, open)
  await ends
})

test('connections that say nothing make room for others, and those that speak keep theirs', async () => {
  const { grpc, connected } = await opened({ connectionsMax: 3, silentMs: 600_000 })
  const speaking = await connected()
  speaking.write(preface)
  await until(() => grpc.length === 1)
  const silent = await connected()
  // The beginning of HTTP/2 alone says nothing yet.
  silent.write('PRI * HTTP/2.0\r\n\r\n')
  const silentEnds = closed(silent)
  const later = await connected()
  const newest = await connected()
  await silentEnds
  for (const socket of [later, newest]) socket.write(preface)
  await until(() => grpc.length === 3)
  // Now all speak.
  await closed(await connected())
  expect([speaking, later, newest].map(({ destroyed }) => destroyed)).toEqual([false, false, false])
})

test('while a way is shut nothing passes on it, not even the end, and all follows in order once it opens', async () => {
  const { door, grpc, connected } = await opened()
  const socket = await connected(true)
  const answer = heard(socket)
  socket.write(preface)
  const valve = await until(() => grpc[0])
  expect(String(valve.read())).toBe(String(preface))
  valve.write('one ')
  await until(() => answer.text === 'one ')

  door.set(open, shut)
  valve.write('two ')
  valve.end('three')
  socket.write('heard')
  await until(() => valve.readableLength === 5)
  expect(answer.text).toBe('one ')
  expect(String(valve.read())).toBe('heard')

  door.set(shut, open)
  const ends = new Promise((resolve) => socket.once('end', resolve))
  await ends
  expect(answer.text).toBe('one two three')
  socket.end('late')
  await connected()
  expect(valve.readableLength).toBe(0)
  door.set(open, open)
  await until(() => valve.readableLength === 4)
})

test('a client that does not read is sent no more than a bounded number of bytes, shut or delayed', async () => {
  const { door, grpc, connected } = await opened()
  for (const isShut of [true, false]) {
    let delayMs = 600_000
    const to = isShut ? shut : { isOpen: true, delayOf: () => () => delayMs }
    const socket = await connected()
    socket.pause()
    socket.write(preface)
    const valve = await until(() => grpc.shift())
    door.set(open, to)
    let taken = 0
    const chunk = Buffer.alloc(64 << 10)
    const write = () =>
      valve.write(chunk, () => {
        taken += chunk.length
      })
    for (let count = 0; count < 100; count++) write()
    await new Promise((resolve) => setImmediate(resolve))
    expect(taken).toBeLessThanOrEqual(2 << 20)
    delayMs = 0
    door.set(open, open)
    socket.resume()
    await until(() => taken === 100 * chunk.length)
  }
})

test('a closed port ends its connections at once, behind shut ways too', async () => {
  const { door, connected } = await opened()
  const socket = await connected()
  const ends = closed(socket)
  door.set(shut, shut)
  door.close()
  await ends
})

test('the time of a client begins anew after a fault that ends before the time would', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const valve = new Valve(new Socket(), () => undefined)
  endAfter(valve, 1000)
  vi.advanceTimersByTime(150)
  valve.set(shut, shut)
  vi.advanceTimersByTime(800)
  valve.set(open, open)
  vi.advanceTimersByTime(900)
  expect(valve.destroyed).toBe(false)
  vi.advanceTimersByTime(100)
  expect(valve.destroyed).toBe(true)
})

test('a client that has said nothing has all of its time again after a fault that ends before the time would', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { door, grpc, connected } = await opened({ connectionsMax: 10, silentMs: 1000 })
  const silent = await connected()
  await until(() => vi.getTimerCount() > 0)
  vi.advanceTimersByTime(150)
  door.set(shut, shut)
  vi.advanceTimersByTime(800)
  door.set(open, open)
  vi.advanceTimersByTime(900)
  silent.write(preface)
  await until(() => grpc.length > 0)
  expect(vi.getTimerCount()).toBe(0)
})
