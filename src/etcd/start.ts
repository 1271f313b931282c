/** A cluster that speaks etcd's API, for a test or a program. */
import {
  type Cluster,
  type ClusterOptions,
  leaderKnown,
  optionNames,
  startCluster,
} from '../cluster/index.js'
import { checkOptions, portMax, quoted, RaftError } from '../errors/index.js'
import { mvccModule } from '../mvcc/index.js'
import type { NodeId } from '../raft/index.js'
import { gatewayOf } from './json/member-gateway.js'
import { EtcdServer } from './server.js'
import { services } from './services/all.js'

export interface EtcdOptions extends Omit<ClusterOptions, 'machine'> {
  /**
   * The port of the first node; those of the others follow. 0 is any free one for each. Default: the ports that `dir`
   * remembers, or any free ones.
   */
  readonly port?: number
}

/** The verbs of a cluster, by which it is broken, healed and changed. */
const verbs = [
  'addNode',
  'changeMembership',
  'cut',
  'delay',
  'demote',
  'drop',
  'duplicate',
  'failDisk',
  'fullDisk',
  'heal',
  'isolate',
  'kill',
  'losePower',
  'partition',
  'pause',
  'promote',
  'removeNode',
  'reorder',
  'replaceNode',
  'restart',
  'resume',
  'skew',
  'slowDisk',
  'snapshot',
  'stallDisk',
  'status',
  'stop',
  'throttle',
  'transfer',
] as const satisfies readonly (keyof Cluster)[]

export type EtcdVerbs = Pick<Cluster, (typeof verbs)[number]>

export type Etcd = EtcdHandle & EtcdVerbs

class EtcdHandle implements AsyncDisposable {
  readonly cluster: Cluster
  readonly #server: EtcdServer

  constructor(cluster: Cluster, server: EtcdServer) {
    this.cluster = cluster
    this.#server = server
  }

  /** The addresses of the nodes that run, as `http://127.0.0.1:2379`. */
  get endpoints(): string[] {
    // The list is the caller's own: `hosts` of etcd3's types is one that may be changed.
    return [...this.#server.endpoints]
  }

  /** The address of a node, whether it runs or not. `undefined`: there is no such node. */
  endpointOf(nodeId: NodeId): string | undefined {
    return this.#server.endpointOf(nodeId)
  }

  /** Ends the ports, their connections and the cluster. */
  async close(): Promise<void> {
    this.#server.close()
    await this.cluster.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The options of a cluster that is to speak etcd's API: its machine, and etcd's time for a call if none is given. */
export function clusterOptionsOf(options: Omit<EtcdOptions, 'port'>): ClusterOptions {
  const { heartbeatIntervalMs = 100, electionTimeoutMs = 5 * heartbeatIntervalMs } = options
  const { requestTimeoutMs = 5000 + 2 * electionTimeoutMs } = options
  return { ...options, requestTimeoutMs, machine: mvccModule }
}

/** A start waits so long for a leader, and for nodes that answer clients. */
const readyMs = 10_000

/** Opens an address for each node of a cluster with `clusterOptionsOf`. */
export async function serveEtcd(cluster: Cluster, port?: number): Promise<EtcdServer> {
  const nodes = cluster.status().length
  const most = portMax - nodes + 1
  if (port !== undefined && port > most) {
    const expected = `at most ${most} for ${nodes} nodes, which have the ports from there on`
    throw new RaftError('INVALID_OPTION', { option: 'port', expected, actual: port })
  }
  return EtcdServer.open(cluster, { services, gateway: gatewayOf, port })
}

/**
 * Starts a cluster whose nodes speak etcd's v3 API, each at an address of its own. Resolves once a node leads and all answer,
 * or after ten seconds; rejects where no node runs and one has failed. A call is given up after etcd's time, unless
 * `requestTimeoutMs` is given: five seconds and two election timeouts.
 */
export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  checkOptions('startEtcd', options, [
    'port',
    ...Object.keys(optionNames).filter((name) => name !== 'machine'),
  ])
  const { port, ...others } = options
  if (port !== undefined) checkPort(port)
  const cluster = await startCluster(clusterOptionsOf(others))
  try {
    const server = await serveEtcd(cluster, port)
    const inTime = AbortSignal.timeout(readyMs)
    await leaderKnown(cluster)
    await server.serving(inTime)
    const bound = verbs.map((verb) => [verb, (cluster[verb] as () => unknown).bind(cluster)])
    return Object.assign(new EtcdHandle(cluster, server), Object.fromEntries(bound) as EtcdVerbs)
  } catch (error) {
    await cluster.close().catch(() => undefined)
    throw error
  }
}

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= portMax) return
  const expected = `a whole number from 0 to ${portMax}`
  throw new RaftError('INVALID_OPTION', { option: 'port', expected, actual: quoted(port) })
}
