/** The two servers of the oracle, each with an empty store. */
import { type Etcd, startEtcd } from '../../../src/etcd/index.js'
import { startRealEtcd } from '../real-etcd.js'
import type { Server } from './hunt.js'

export async function startRight(): Promise<Server> {
  const { endpoints, ended, close } = await startRealEtcd()
  return { endpoint: endpoints[0] ?? '', ended, [Symbol.asyncDispose]: close }
}

/** Its added members are stopped at once: etcd starts none. */
export async function startOurs(): Promise<Server> {
  const etcd = await startEtcd({ nodes: 1, durability: 'none' })
  return {
    ...serverOf(etcd),
    afterChange: async ({ type, id }) => {
      if (type === 'added') await etcd.kill(Number(id))
    },
  }
}

/** Its added members run. */
export async function startOursThatJoin(): Promise<Server> {
  return serverOf(await startEtcd({ nodes: 1, durability: 'none' }))
}

function serverOf(etcd: Etcd): Server {
  return {
    endpoint: new URL(etcd.endpoints[0] ?? '').host,
    ended: new Promise(() => undefined),
    [Symbol.asyncDispose]: () => etcd.close(),
  }
}
