/** Clients of etcd's API on a cluster under faults, and on Debian's etcd: the history of what they were told is judged. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { EtcdRecord } from '../../src/check/index.js'
import { Dice } from '../../src/faults/index.js'
import { wrongIn } from './chaos/kept.js'
import { runChaos, runClients } from './chaos/run.js'
import { hasEtcd, startRealEtcd } from './real-etcd.js'

const ended = (history: readonly EtcdRecord[], op: EtcdRecord['op']): number =>
  history.filter((record) => record.op === op && 'outcome' in record && record.outcome === 'ok').length

test('clients that retry at other members find all promises kept under faults', async () => {
  const { history, faults, breaks } = await runChaos({ seed: 1, seconds: 12 })
  expect(wrongIn(history)).toEqual([])
  // A run in which nothing happened proves nothing.
  for (const op of ['put', 'delete', 'range', 'txn'] as const)
    expect(ended(history, op), op).toBeGreaterThan(10)
  expect(Math.min(ended(history, 'grant'), ended(history, 'compact'))).toBeGreaterThan(1)
  expect([...faults.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2)
  expect(breaks).toBeGreaterThan(0)
}, 90_000)

test.skipIf(!hasEtcd)(
  "the same clients find the same promises kept by Debian's etcd",
  async () => {
    await using etcd = await startRealEtcd({ members: 3 })
    const nothing = async (): Promise<void> => undefined
    const { history } = await runClients(etcd.endpoints, new Dice(1), {
      ...{ during: () => delay(7000), after: nothing, settled: () => delay(6000) },
      losesDeletions: true,
    })
    expect(wrongIn(history)).toEqual([])
    expect(Math.min(ended(history, 'txn'), ended(history, 'keepAlive'))).toBeGreaterThan(10)
  },
  60_000,
)
