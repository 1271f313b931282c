/** What counts as a difference: the hunt with raftbox on both sides, one of which is not as it should be. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EtcdClient, encode } from './client.js'
import { hunt, type Server } from './hunt.js'
import type { Program } from './program.js'
import { startOurs } from './servers.js'

const put = { key: Buffer.from('k'), value: Buffer.from('v') }
const program: Program = [{ call: 'KV/Put', request: put }]

function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500)
}

/** Another revision than that of the server on the other side. */
async function withOtherRevision(server: Server): Promise<Server> {
  const client = new EtcdClient(server.endpoint)
  await client.call('KV/Put', encode('KV/Put', put))
  client.close()
  return server
}

function huntWith(startSecond: () => Promise<Server>) {
  const programs = fc.constant(program)
  return hunt({ startRight: startOurs, startOurs: startSecond, programs, seed: 1, operations: 1 })
}

test('a server that differs is told of', async () => {
  await expect(huntWith(async () => withOtherRevision(await startOurs()))).rejects.toThrow(
    'tells a difference',
  )
})

test('a program that fails while the machine stands still is run again', async () => {
  let starts = 0
  await huntWith(async () => {
    const server = await startOurs()
    starts++
    if (starts === 2) return server
    standStill()
    return withOtherRevision(server)
  })
  expect(starts).toBe(2)
})

test('a server that does not start while the machine stands still is started again', async () => {
  let starts = 0
  await huntWith(async () => {
    starts++
    if (starts === 2) return startOurs()
    standStill()
    throw new Error('no server')
  })
  expect(starts).toBe(2)
})
