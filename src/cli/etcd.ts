/** etcd's API of a sandbox: its flag, and its addresses for as long as the cluster lives. */
import type { Command } from 'commander'
import { type Cluster, type ClusterOptions, holdsEtcd } from '../cluster/index.js'
import { portMax } from '../errors/index.js'
import { addFlags, wholeNumberOrOff } from '../terminal/index.js'

export interface EtcdFlag {
  readonly etcd?: number | 'off'
}

export function addEtcdFlag(command: Command): Command {
  return addFlags(command, [
    [
      '--etcd <port>',
      "speak etcd's v3 API: the port of the first node, those of the others follow; 0 for any free ones, or off (default: the ports that the directory remembers, or off)",
      wholeNumberOrOff('--etcd', 0, portMax),
    ],
  ])
}

/** A cluster that may speak etcd's API. */
export interface Spoken {
  readonly options: ClusterOptions
  /** Opens the addresses for as long as the work goes on, and tells them. */
  serve<Result>(cluster: Cluster, work: (endpoints: readonly string[]) => Promise<Result>): Promise<Result>
}

export async function spoken(
  { etcd: asked }: EtcdFlag,
  dir: string | undefined,
  options: ClusterOptions,
): Promise<Spoken> {
  const isRemembered = dir !== undefined && holdsEtcd(dir)
  if (!isRemembered && (asked === undefined || asked === 'off'))
    return { options, serve: (_cluster, work) => work([]) }
  // Other commands begin sooner without it.
  const { clusterOptionsOf, serveEtcd } = await import('../etcd/index.js')
  return {
    // A directory keeps its machine, whether addresses are wanted or not.
    options: clusterOptionsOf(options),
    async serve(cluster, work) {
      if (asked === 'off') return work([])
      const server = await serveEtcd(cluster, asked)
      try {
        return await work(server.endpoints)
      } finally {
        server.close()
      }
    },
  }
}
