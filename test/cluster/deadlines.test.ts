/** Deadlines of calls, on a clock of the test's own: the client looks at them when the test says. */
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pendingBytesMax } from '../../src/cluster/caller.js'
import type { ClientRequest, Settlement } from '../../src/transport/index.js'
import { type Nodes, nodesLedBy, packed } from './nodes.js'

const timeoutMs = 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Puts the answer into the client's port, where it lies until the client looks. */
function answerIntoPort(nodes: Nodes, { request, type }: ClientRequest, answer: string): void {
  const results = packed([answer])
  const settlement: Settlement =
    type === 'read'
      ? { request, outcome: 'read', count: 1, results }
      : { request, outcome: 'applied', index: 7, count: 1 }
  const none = type === 'read' ? new Uint8Array(0) : results
  nodes.post({ settled: [settlement], results: none }, 1)
}

test('[OU5] answers that lie in a port when their deadline is judged are in time', async () => {
  const nodes = await nodesLedBy(1, timeoutMs)
  const calls = [nodes.call('propose', 'a'), nodes.call('read', 'b')]
  answerIntoPort(nodes, await nodes.next(), 'x')
  answerIntoPort(nodes, await nodes.next(), 'y')
  vi.advanceTimersByTime(10 * timeoutMs)
  expect(await Promise.all(calls)).toEqual(['7 x', '0 y'])
})

test('[OU5][MB4] answers that lie in the port of a node that is gone count too, and so do those of a client that is closed', async () => {
  const nodes = await nodesLedBy(1, timeoutMs)
  const first = nodes.call('propose', 'a')
  answerIntoPort(nodes, await nodes.next(), 'x')
  nodes.client.drain(1)
  nodes.client.detach(1, 'node 1 was killed')
  expect(await first).toBe('7 x')
  nodes.add(1)
  const second = nodes.call('propose', 'b')
  answerIntoPort(nodes, await nodes.next(), 'y')
  nodes.client.close()
  expect(await second).toBe('7 y')
})

test('[OU5] a standstill of the thread takes no time from calls whose nodes stood still with it', async () => {
  const nodes = await nodesLedBy(1, timeoutMs)
  const now = vi.spyOn(performance, 'now')
  let nowMs = performance.now()
  now.mockImplementation(() => nowMs)
  const look = (afterMs: number) => {
    nowMs += afterMs
    vi.advanceTimersByTime(20)
  }
  const call = nodes.call('propose', 'a')
  const { request } = await nodes.next()
  look(60_000)
  for (let looked = 0; looked < 40; looked++) look(20)
  nodes.settle({ request, outcome: 'applied', index: 7, count: 1 }, 'x')
  expect(await call).toBe('7 x')
  const late = nodes.call('propose', 'b')
  await nodes.next()
  for (let looked = 0; looked < 60; looked++) look(20)
  await expect(late).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
})

/** The request of a call that is taken; rejects with the refusal of one that is not. */
function sentOf(nodes: Nodes, call: Promise<string>): Promise<ClientRequest> {
  const refused = call.then<never>(() => {
    throw new Error('an answer to nothing')
  })
  return Promise.race([nodes.next(), refused])
}

/** Ways in which a request ends, with the outcome of its call. */
const endings: Record<string, (nodes: Nodes, request: ClientRequest) => void> = {
  applied: (nodes, { request }) => nodes.settle({ request, outcome: 'applied', index: 1, count: 1 }, 'x'),
  malformed: (nodes, { request }) =>
    nodes.settle({ request, outcome: 'refused', code: 'malformed', leaderId: 1 }),
  unreadable: (nodes, { request }) => nodes.settle({ request, outcome: 'applied', index: 1, count: 1 }),
  'given up at its deadline': () => vi.advanceTimersByTime(2 * timeoutMs),
  'of a session that is over': (nodes, { request }) => {
    nodes.settle({ request, outcome: 'unknown', why: 'a snapshot' })
    nodes.status = 'expired'
    nodes.settle({ request, outcome: 'applied', index: 1, count: 1 }, 'x')
  },
}

test.each(Object.keys(endings))('[CA6] a request that was %s leaves its room to others', async (ending) => {
  const nodes = await nodesLedBy(1, timeoutMs)
  const callBytes = 1 << 20
  for (let bytes = 0; bytes <= 1.1 * pendingBytesMax; bytes += callBytes) {
    const call = nodes.call('propose', 'v'.repeat(callBytes))
    endings[ending]?.(nodes, await sentOf(nodes, call))
    await call.catch(() => undefined)
  }
})

test('[CA6] a query that was answered leaves its room to others', async () => {
  const nodes = await nodesLedBy(1, timeoutMs)
  const callBytes = 1 << 20
  for (let bytes = 0; bytes <= 1.1 * pendingBytesMax; bytes += callBytes) {
    const call = nodes.call('read', 'k'.repeat(callBytes))
    nodes.answerRead(await sentOf(nodes, call), 'x')
    expect(await call).toBe('0 x')
  }
})

test('[CL2] the port of a node that is gone is closed, and those of all nodes once the client is closed', async () => {
  const nodes = await nodesLedBy(1)
  const [first, second] = [1, 2].map((nodeId) => once(nodes.ports.get(nodeId)!, 'close'))
  nodes.client.detach(1, 'node 1 was killed')
  await first
  nodes.client.close()
  await second
})
