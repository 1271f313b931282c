/** Random programs, on a real etcd and on raftbox: field by field the same answers. */
import { expect, test } from 'vitest'
import { hasEtcd, startRealEtcd } from '../real-etcd.js'
import { hunt, type Server } from './hunt.js'

async function realServer(): Promise<Server> {
  const etcd = await startRealEtcd()
  return { endpoint: etcd.endpoints[0] as string, ended: etcd.ended, [Symbol.asyncDispose]: etcd.close }
}

test.skipIf(!hasEtcd)(
  'two etcds answer every program alike',
  async () => {
    const operations = await hunt({
      startRight: realServer,
      startOurs: realServer,
      seed: 1,
      operations: 2000,
    })
    expect(operations.operations).toBeGreaterThanOrEqual(2000)
  },
  600_000,
)
