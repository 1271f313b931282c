/** A program of a stranger that uses every entry point of the package. The compiler checks it, and nothing runs it. */
import { on } from 'node:events'
import { type ClusterEvent, type ClusterOptions, type Nemesis, RaftError, startCluster } from 'raftbox'
import { checkHistory, type KeyValueOperation, keyValue, type Model, type Operation } from 'raftbox/check'
import { type Etcd, startEtcd } from 'raftbox/etcd'
import { type Input, Raft, type Ready } from 'raftbox/raft'
import * as sim from 'raftbox/sim'
import { RaftNetwork } from 'raftbox/testing'
import { Traces } from 'raftbox/traces'

const options: ClusterOptions = { nodes: 3, machine: new URL('./ledger.js', import.meta.url) }

async function useCluster(): Promise<string | undefined> {
  const cluster = await startCluster(options)
  try {
    const { index, results } = await cluster.propose([new Uint8Array(3)])
    const answer: Buffer | undefined = results[index]
    for await (const [event] of on(cluster.events, 'event')) {
      const { nodeId, type } = event as ClusterEvent
      if (type === 'failed') return `${nodeId} ${answer}`
    }
    const { swapped, current } = await cluster.cas('key', undefined, 'value')
    return swapped ? undefined : current?.value.toString('latin1')
  } catch (error) {
    if (error instanceof RaftError && error.code === 'NO_LEADER') return error.mayHaveHappened
    throw error
  } finally {
    await cluster.close()
  }
}

async function useNemesis(): Promise<number | undefined> {
  await using cluster = await startCluster()
  const nemesis: Nemesis = cluster.nemesis(7)
  nemesis.start(1000, ['kill', 'depose'])
  await nemesis.stop()
  return nemesis.begun.get('kill')
}

async function useEtcd(): Promise<readonly string[]> {
  const etcd: Etcd = await startEtcd({ nodes: 3, port: 2379 })
  const killed: number = await etcd.kill('leader')
  const fault = await etcd.cut('clients', killed, { oneWay: true })
  await fault.heal()
  const address: string | undefined = etcd.endpointOf(killed)
  await etcd.close()
  return address === undefined ? etcd.endpoints : [address]
}

interface Add extends Operation {
  readonly add: number
}

function useCheck(history: readonly KeyValueOperation[], adds: readonly Add[]): readonly (Add | string)[] {
  const counter: Model<number, Add> = { initial: () => 0, step: (sum, { add }) => sum + add }
  const { verdict, failures } = checkHistory(adds, counter, { stepsMax: 1000 })
  const window: readonly Add[] = failures[0]?.window ?? []
  return [verdict, ...window, checkHistory(history, keyValue).verdict]
}

export const used: readonly unknown[] = [
  useCluster,
  useNemesis,
  useEtcd,
  useCheck,
  Raft,
  sim,
  RaftNetwork,
  Traces,
]
export type Used = [Input, Ready]
