/** Random programs, on a real etcd and on raftbox: field by field the same answers. */
import { expect, test } from 'vitest'
import { hasEtcd } from '../real-etcd.js'
import { hunt } from './hunt.js'
import { startRightThatJoins } from './joined.js'
import { startedMembers } from './members.js'
import { startOurs, startOursThatJoin, startRight } from './servers.js'

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

test.skipIf(!hasEtcd)(
  'members that are added, promoted and removed while they run are told as etcd tells them',
  async () => {
    const servers = { startRight: startRightThatJoins, startOurs: startOursThatJoin }
    const found = await hunt({ ...servers, programs: startedMembers, seed: 5, operations: 40 })
    expect(found.operations).toBeGreaterThanOrEqual(40)
    expect(found.deaths).toBe(0)
  },
  600_000,
)
