import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import type { NextCall } from '../../src/load/calls.js'
import { underLoad } from '../../src/load/under-load.js'

/** Of a cluster, only its end is needed. */
function closing() {
  const state = { closed: 0 }
  return { state, cluster: { close: async () => void state.closed++ } as unknown as Cluster }
}

const { signal } = new AbortController()
const answered: NextCall = () => ({ op: 'put', commands: 1, perform: () => new Promise(setImmediate) })

test('clients call while something happens, and end with it; then the cluster is closed', async () => {
  const { state, cluster } = closing()
  let calls = 0
  const nextCall: NextCall = () => {
    calls++
    return answered()
  }
  const result = await underLoad(cluster, { clients: 2, nextCall, signal }, async ({ tally }) => {
    while (tally.callsSoFar < 4) await new Promise(setImmediate)
    return 'done'
  }).finally(() => expect(state.closed).toBe(1))
  const callsAtEnd = calls
  await new Promise(setImmediate)
  expect([result, calls]).toEqual(['done', callsAtEnd])
})

test('a call that cannot be made ends what happens, and is what is told', async () => {
  const { state, cluster } = closing()
  const nextCall: NextCall = () => {
    throw new Error('no such call')
  }
  const waiting = underLoad(cluster, { clients: 1, nextCall, signal }, (load) =>
    once(new EventTarget(), 'never', { signal: load.signal }),
  )
  await expect(waiting).rejects.toThrow('no such call')
  expect(state.closed).toBe(1)
})
