/** Several clients of one cluster: room for the calls of each, whatever the others do. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Caller, callWeight, pendingBytesMax } from '../../src/cluster/caller.js'
import type { RaftError } from '../../src/errors/index.js'
import { Nodes, nodesLedBy } from './nodes.js'
import { startedCluster } from './support.js'

const callBytes = 1 << 20
/** A bound that does not hold ends a test, and not the machine. */
const callsMax = 400_000
const filling = 'v'.repeat(callBytes)

const aMoment = async (): Promise<void> => {
  await Promise.resolve()
  await Promise.resolve()
}

/** Calls of one client, with none of them answered. */
class Flood {
  readonly #nodes: Nodes
  readonly #caller
  taken = 0
  readonly refused: RaftError[] = []

  constructor(nodes: Nodes) {
    this.#nodes = nodes
    this.#caller = new Caller(nodes.client)
  }

  /** Calls until a call is refused. Between two calls it `waits`. */
  async fill(command = filling, most = 200, waits = aMoment): Promise<this> {
    while (this.refused.length === 0 && this.taken < most) {
      this.#nodes.call('propose', command, this.#caller).then(undefined, (error) => this.refused.push(error))
      await waits()
      this.taken++
    }
    this.taken--
    return this
  }
}

test('[CA6] small calls count too: each weighs more than its command', async () => {
  const { taken, refused } = await new Flood(new Nodes()).fill('', callsMax)
  expect(refused[0]).toMatchObject({ code: 'OVERLOADED', mayHaveHappened: 'no', isRetryable: true })
  expect(taken).toBeGreaterThan(200_000)
  expect(taken * callWeight).toBeLessThanOrEqual(pendingBytesMax + callWeight)
})

test('[CA6] a turn of one call weighs more than another call in a turn', async () => {
  const { taken } = await new Flood(new Nodes()).fill('', callsMax, () => nextTurn())
  expect(taken).toBeGreaterThan(40_000)
  expect(taken * (1024 + callWeight)).toBeLessThanOrEqual(pendingBytesMax + 2048)
})

test('[CA11] a client that floods gets no more than half of the room, and the next ones get as much as is free', async () => {
  const nodes = new Nodes()
  const taken: number[] = []
  for (let client = 0; client < 4; client++) taken.push((await new Flood(nodes).fill()).taken)
  const shares = taken.map((calls) => (calls * callBytes) / pendingBytesMax)
  for (const [at, share] of shares.entries()) expect(share).toBeCloseTo(1 / 2 ** at, 1)
})

test('[CA11] the call of a client leaves before those that another one has waiting', async () => {
  const nodes = await nodesLedBy(1)
  await new Flood(nodes).fill()
  const small = nodes.call('propose', 'small', new Caller(nodes.client))
  let arrived = await nodes.next()
  let before = 0
  for (; arrived.frame.bytes.byteLength > callBytes; arrived = await nodes.next()) before++
  expect(before).toBeLessThan(8)
  nodes.settle({ request: arrived.request, outcome: 'applied', index: 1, count: 1 }, 'done')
  expect(await small).toBe('1 done')
})

test('[OU4] calls that found no room on the way to a leader are told so at their deadline', async () => {
  const nodes = await nodesLedBy(1, 300)
  const calls = Array.from({ length: 60 }, () => nodes.call('propose', filling))
  const ends = await Promise.allSettled(calls)
  const codes = ends.map((end) => (end as PromiseRejectedResult).reason.code)
  // As each call is given up, it leaves its room to the next one.
  expect(new Set(codes)).toEqual(new Set(['UNKNOWN_OUTCOME', 'OVERLOADED']))
})

test('[CA3] the calls of one client keep their order beside those of another', async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none' })
  const clients = [cluster.client(), cluster.client()]
  const indexes = clients.map(() => [] as Promise<number>[])
  for (let call = 0; call < 100; call++) {
    for (const [at, { kv }] of clients.entries())
      indexes[at]?.push(kv.put(`k${call}`, 'v').then(({ index }) => index))
  }
  for (const ofClient of indexes) {
    const own = await Promise.all(ofClient)
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
})
