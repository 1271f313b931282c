/** What readers that do not read cost, and what they lose. */
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { Readers } from '../../src/server/readers.js'
import { Records, recordFile } from '../../src/server/record.js'
import { answering, stuckReader, turn } from './stuck.js'

test('a record is written as it is read, and two at once', async () => {
  const records = new Records()
  const [outgoing, sending, refused]: [ServerResponse[], Promise<void>[], unknown[]] = [[], [], []]
  function* endless(): Generator<string> {
    for (;;) yield 'x'.repeat(1000)
  }
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
  })
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe(':\n\n'.repeat(9))
})
