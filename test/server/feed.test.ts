/** News for readers that read at once, late, or never. */
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { KeptFrame, Observer } from '../../src/observer/index.js'
import { Feed } from '../../src/server/feed.js'
import { sendFrames } from '../../src/server/frame-feed.js'
import { type Reader, Readers } from '../../src/server/readers.js'
import { madeFrame } from '../page/made-frames.js'
import { read } from './served.js'
import { answering, stuckReader, turn } from './stuck.js'

const waitingBytesMax = 1 << 20

interface Serving {
  readonly port: number
  readonly outgoing: readonly ServerResponse[]
  readonly readers: Readers
}

/** A server of this one feed. */
function serving(feed: Feed): Promise<Serving> {
  return servingBy((reader, behind) => feed.sendTo(reader, behind))
}

async function servingBy(send: (reader: Reader, behind: number) => void): Promise<Serving> {
  const readers = new Readers()
  onTestFinished(() => readers.close())
  const outgoing: ServerResponse[] = []
  const port = await answering((response, lastId) => {
    outgoing.push(response)
    send(readers.add(response), lastId)
  })
  return { port, outgoing, readers }
}

async function flood(feed: Feed, from: number, count: number, length = 2000): Promise<void> {
  for (let id = from; id < from + count; id++) {
    feed.add({ id, data: JSON.stringify('x'.repeat(length)) })
    if (id % 100 === 0) await turn()
  }
}

test('a reader that never reads costs bounded memory, and another one is told all', async () => {
  const feed = new Feed()
  const { port, outgoing } = await serving(feed)
  await stuckReader(port)
  while (outgoing.length === 0) await turn()
  const quick = await fetch(`http://127.0.0.1:${port}`)
  const reading = read(quick, (events) => events.at(-1)?.id === 19_000)
  await flood(feed, 1, 19_000)
  expect((await reading).map(({ id }) => id)).toEqual(Array.from({ length: 19_000 }, (_, at) => at + 1))
  expect(outgoing[0]?.writableLength).toBeGreaterThan(waitingBytesMax)
  expect(outgoing[0]?.writableLength).toBeLessThan(waitingBytesMax + 10_000)
})

test('a reader that reads late is told what it missed, and then all that is kept', async () => {
  const feed = new Feed()
  const { port, outgoing, readers } = await serving(feed)
  const socket = await stuckReader(port)
  while (outgoing.length === 0) await turn()
  await flood(feed, 1, 45_000)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text = (text + chunk).replaceAll(/x{100,}/g, 'x')
  })
  socket.resume()
  while (!text.includes('id: 45000\n')) await turn()
  const ids = [...text.matchAll(/id: (\d+)\n/g)].map(([, id]) => Number(id))
  const [told, from = 0, to = 0, count] =
    /event: missed\ndata: {"from":(\d+),"to":(\d+),"count":(\d+)}/.exec(text)?.map(Number) ?? []
  expect(told).toBeDefined()
  expect(count).toBe(to - from + 1)
  expect(readers.leftOut.events).toBe(count)
  const before = Array.from({ length: from - 1 }, (_, at) => at + 1)
  const behind = Array.from({ length: 45_000 - to }, (_, at) => to + 1 + at)
  expect(ids).toEqual([...before, ...behind])
  expect(behind.length).toBeGreaterThanOrEqual(10_000)
})

test('what is forgotten is told to a reader that comes late', async () => {
  const feed = new Feed()
  const { port, readers } = await serving(feed)
  await flood(feed, 1, 20_001, 1)
  const response = await fetch(`http://127.0.0.1:${port}`, { headers: { 'last-event-id': '4' } })
  const [missed, next] = await read(response, ({ length }) => length > 1)
  expect(missed).toMatchObject({ event: 'missed', data: { from: 5, to: 10_000, count: 9996 } })
  expect(next?.id).toBe(10_001)
  expect(readers.leftOut).toEqual({ events: 0, frames: 0 })
})

test('a reader that was told of another run, which had more news, is told all', async () => {
  const feed = new Feed()
  const { port } = await serving(feed)
  await flood(feed, 1, 3, 1)
  const headers = { 'last-event-id': '4' }
  const events = await read(await fetch(`http://127.0.0.1:${port}`, { headers }), ({ length }) => length > 2)
  expect(events.map(({ id }) => id)).toEqual([1, 2, 3])
})

test('a stream of news that is over ends once it has told all', async () => {
  const feed = new Feed()
  const { port } = await serving(feed)
  await flood(feed, 1, 2000)
  feed.end()
  const events = await read(await fetch(`http://127.0.0.1:${port}`), () => false)
  expect(events).toHaveLength(2000)
})

test('a reader of frames that is behind misses some, and sees it by the gap in their numbers', async () => {
  const watchers = new Set<(frame: unknown, kept: KeptFrame) => void>()
  const watch = (watcher: (frame: unknown, kept: KeptFrame) => void) => {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }
  const observer = { head: {}, frames: [], watch } as unknown as Observer
  const { port, outgoing } = await servingBy((reader) => sendFrames(observer, reader, true))
  const socket = await stuckReader(port)
  while (watchers.size === 0) await turn()
  let number = 0
  const tell = async () => {
    const text = JSON.stringify('x'.repeat(100_000))
    const frame = madeFrame(++number, number)
    for (const watcher of watchers) watcher(frame, { number, atMs: frame.atMs, text })
    await turn()
  }
  for (let at = 0; at < 500; at++) await tell()
  expect(outgoing[0]?.writableLength).toBeLessThan(waitingBytesMax + 200_000)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text = (text + chunk).replaceAll(/x{100,}/g, 'x')
  })
  socket.resume()
  while (outgoing[0]?.writableLength !== 0) await turn()
  await tell()
  while (!text.includes(`id: ${number}\n`)) await turn()
  const ids = [...text.matchAll(/id: (\d+)\n/g)].map(([, id]) => Number(id))
  expect(ids.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(ids.length).toBeLessThan(number)
  expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other))
  socket.destroy()
  while (watchers.size > 0) await turn()
})

test('frames that come while a reader reads the kept ones are told behind them', async () => {
  const frameOf = (number: number) => ({ number, atMs: number, text: JSON.stringify('x'.repeat(100_000)) })
  const frames = Array.from({ length: 200 }, (_, at) => frameOf(at + 1))
  const observer = { head: {}, frames, watch: () => () => undefined } as unknown as Observer
  const { port, outgoing } = await servingBy((reader) => sendFrames(observer, reader, true))
  const socket = await stuckReader(port)
  while (outgoing[0]?.writableNeedDrain !== true) await turn()
  frames.push(frameOf(201), frameOf(202))
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text = (text + chunk).replaceAll(/x{100,}/g, 'x')
  })
  socket.resume()
  while (!text.includes('id: 202\n')) await turn()
  const ids = [...text.matchAll(/id: (\d+)\n/g)].map(([, id]) => Number(id))
  expect(ids).toEqual(Array.from({ length: 202 }, (_, at) => at + 1))
})
