import { expect, test } from 'vitest'
import { runLeases } from './run.js'

const leases = 2000
const ttl = 10

test('2,000 leases of many clients end once, none before its time, and their keys with them', async () => {
  const run = await runLeases({ leases, ttl })
  expect(run.wrong).toEqual([])
  expect(run.ended).toBe(leases / 2)
}, 300_000)
