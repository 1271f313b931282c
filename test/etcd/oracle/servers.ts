/** The two servers of the oracle, each with an empty store. */
import { startEtcd } from '../../../src/etcd/index.js'
import { startRealEtcd } from '../real-etcd.js'
import type { Server } from './hunt.js'

export async function startRight(): Promise<Server> {
  const { endpoints, ended, close } = await startRealEtcd()
  return { endpoint: endpoints[0] ?? '', ended, [Symbol.asyncDispose]: close }
}

export async function startOurs(): Promise<Server> {
  const etcd = await startEtcd({ nodes: 1, durability: 'none' })
  return {
    endpoint: new URL(etcd.endpoints[0] ?? '').host,
    ended: new Promise(() => undefined),
    stopAdded: (memberId) => etcd.kill(memberId),
    [Symbol.asyncDispose]: () => etcd.close(),
  }
}
