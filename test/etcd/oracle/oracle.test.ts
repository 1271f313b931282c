/** Random programs, on a real etcd and on raftbox: field by field the same answers. */
import { expect, test } from 'vitest'
import { hasEtcd } from '../real-etcd.js'
import { hunt } from './hunt.js'
import { startOurs, startRight } from './servers.js'

const operations = 20_000

test.skipIf(!hasEtcd)(
  'raftbox answers 20,000 operations of random programs as etcd does',
  async () => {
    const found = await hunt({ startRight, startOurs, seed: 1, operations })
    expect(found.operations).toBeGreaterThanOrEqual(operations)
    // A program that ends etcd compares nothing.
    expect(found.deaths).toBeLessThan(10)
  },
  600_000,
)
