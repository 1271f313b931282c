/** The cost and the losses of readers that do not read. */
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Readers } from '../../src/server/readers.js'
import { Records, recordFile } from '../../src/server/record.js'
import { answering, stuckReader, turn } from './stuck.js'

function* endless(): Generator<string> {
  for (;;) yield 'x'.repeat(1000)
}

test('a record is written as it is read, and two at once', async () => {
  const records = new Records()
  const [outgoing, sending, refused]: [ServerResponse[], Promise<void>[], unknown[]] = [[], [], []]
  const port = await answering((response) => {
    outgoing.push(response)
    sending.push(records.send(response, endless, recordFile).catch((error) => void refused.push(error)))
  })
  const sockets = [await stuckReader(port), await stuckReader(port)]
  const isWaiting = ({ writableNeedDrain }: ServerResponse) => writableNeedDrain
  while (outgoing.length < 2 || !outgoing.every(isWaiting)) await turn()
  for (let at = 0; at < 100; at++) await turn()
  for (const { writableLength } of outgoing) expect(writableLength).toBeLessThan(1 << 20)
  await stuckReader(port)
  while (refused.length === 0) await turn()
  expect(refused).toMatchObject([{ code: 'TOO_MANY_READERS' }])
  // A reader that leaves ends the writing, and leaves room for the next.
  for (const socket of sockets) socket.destroy()
  await Promise.all(sending)
  await stuckReader(port)
  while (outgoing.length < 4) await turn()
  expect(outgoing[3]?.headersSent).toBe(true)
})

test('a record that nobody has read for a minute leaves room for the next', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const records = new Records()
  const outgoing: ServerResponse[] = []
  let ended = 0
  const port = await answering((response) => {
    outgoing.push(response)
    void records.send(response, endless, recordFile).then(() => ended++)
  })
  const sockets = [await stuckReader(port), await stuckReader(port)]
  while (outgoing.length < 2 || !outgoing.every(({ writableNeedDrain }) => writableNeedDrain)) await turn()
  vi.advanceTimersByTime(59_000)
  await turn()
  expect(outgoing.map(({ destroyed }) => destroyed)).toEqual([false, false])
  // Reading gives another minute.
  sockets[0]?.resume()
  await new Promise((resolve) => outgoing[0]?.once('drain', resolve))
  vi.advanceTimersByTime(30_000)
  while (ended < 1) await turn()
  expect(outgoing[1]?.destroyed).toBe(true)
  expect(outgoing[0]?.destroyed).toBe(false)
  sockets[0]?.destroy()
  while (ended < 2) await turn()
  await stuckReader(port)
  while (outgoing.length < 3) await turn()
  expect(outgoing[2]?.headersSent).toBe(true)
})

test('a reader that has read nothing for a minute loses its place', async () => {
  const readers = new Readers()
  onTestFinished(() => readers.close())
  const outgoing: ServerResponse[] = []
  const port = await answering((response) => {
    outgoing.push(response)
    const reader = readers.add(response)
    while (!reader.isBehind) reader.send({ data: 'x'.repeat(1 << 20) })
    for (let at = 0; at < 4; at++) reader.tellAlive()
  })
  const socket = await stuckReader(port)
  await new Promise<void>((resolve) => socket.once('close', resolve).resume())
  expect(outgoing[0]?.destroyed).toBe(true)
})

test('a reader that left before its stream began takes no place, and nothing goes on for it', async () => {
  const readers = new Readers()
  onTestFinished(() => readers.close())
  const asked: ServerResponse[] = []
  const port = await answering((response) => void asked.push(response))
  const count = 100
  for (let at = 0; at < count; at++) (await stuckReader(port)).end()
  while (asked.length < count || !asked.every(({ destroyed }) => destroyed)) await turn()
  let closed = 0
  for (const left of asked) readers.add(left).onClose(() => closed++)
  expect(closed).toBe(count)
})

test('a reader that reads is told now and then that the stream is alive', async () => {
  const readers = new Readers()
  onTestFinished(() => readers.close())
  const port = await answering((response) => {
    const reader = readers.add(response)
    for (let at = 0; at < 9; at++) reader.tellAlive()
    reader.end()
    reader.tellAlive()
    reader.send({ data: 'late' })
  })
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe(':\n\n'.repeat(9))
})
