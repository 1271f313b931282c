/**
 * etcd's API over a cluster: for each node an address of its own, which opens and closes with the node's life. A call
 * goes from the door (the port), by the valve (the connection, with its faults), to who speaks its protocol, to the member:
 *
 *     door → valve ┬ HTTP/2 → lane ┬ a short call that clients make often ┬ service → member → cluster
 *                  │               └ any other call → gRPC's server ──────┤
 *                  └ HTTP/1.1 → gateway (JSON) ───────────────────────────┘
 */
import { once } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Cluster, type CountersRead, callsFromInside, type StandingFault } from '../cluster/index.js'
import { RaftError, reasonOf } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import { ClientWays } from './client-ways.js'
import { ClusterMember, type Shared } from './cluster-member.js'
import { Door, host, open } from './door.js'
import type { UnaryMethod } from './http2/calls.js'
import { Lane } from './http2/lane.js'
import { receivedBytesMax } from './limits.js'
import type { Member } from './member.js'
import { Ports } from './ports.js'
import { Roster } from './roster.js'
import { RpcCounts } from './rpc-counts.js'
import type { Service } from './services/service.js'
import type { WayState } from './valve.js'
import { hubOf } from './watch/hubs.js'

/** Makes a service of one member. */
export type ServiceOf = (member: Member, server: EtcdServer) => Service

/** Makes what answers one member's requests of HTTP/1.1, with the services that gRPC has. */
export type GatewayOf = (
  member: Member,
  server: EtcdServer,
  services: readonly Service[],
  counts: RpcCounts,
) => HttpServer

export interface EtcdServerOptions {
  readonly services: readonly ServiceOf[]
  readonly gateway: GatewayOf
  /** The port of the first node; the others follow. 0 is any free one for each, and `undefined` what is remembered. */
  readonly port: number | undefined
}

const streamsMax = 8192
/** Methods of one request and one answer, in bytes, that clients call often. */
const shortCalls = '/etcdserverpb.KV/'
const keepAliveMs = 2 * 60 * 60 * 1000
const keepAliveTimeoutMs = 20_000
/** Milliseconds until a port is tried again that another program has. */
const againMs = 250
/** The longest time for which a compaction waits for watches. */
const watchesMs = 500
const shut: WayState = { isOpen: false, delayOf: undefined }
const noBytes = new Uint8Array(0)

/** A node's part of the server, in all of its lives. */
interface Place {
  readonly member: ClusterMember
  readonly grpc: Server
  readonly http: HttpServer
  readonly accept: (connection: Duplex) => void
  /** `undefined`: the node has had none yet. */
  port: number | undefined
  /** `undefined`: the node does not run. */
  door: Door | undefined
  /** Whether the node answers clients in this life. */
  isServing: boolean
  /** Resolves once it does, or has ended. */
  serves: Promise<void>
}

export class EtcdServer {
  readonly cluster: Cluster
  readonly clusterId: bigint
  readonly roster: Roster
  readonly #options: EtcdServerOptions
  readonly #places = new Map<NodeId, Place>()
  /** The ways between each node and its clients, in all of its lives. */
  readonly #ways = new Map<NodeId, ClientWays>()
  readonly #ports: Ports
  /** `undefined`: the server is just opening, and an address that cannot be had is refused. */
  #end: (() => void) | undefined
  #isLookedFor = false
  readonly #shared: Shared = { proposals: 0, lastIndex: 0, answered: () => this.#answered() }
  #isClosed = false

  private constructor(cluster: Cluster, options: EtcdServerOptions) {
    this.cluster = cluster
    this.#options = options
    this.roster = new Roster(cluster, (nodeId) => {
      const endpoint = this.endpointOf(nodeId)
      return endpoint === undefined ? [] : [endpoint]
    })
    this.#ports = new Ports(cluster.dir, options.port)
    this.clusterId = this.#ports.clusterId
  }

  /** Opens the addresses of all nodes that run. Rejects with a `RaftError` where a port cannot be had. */
  static async open(cluster: Cluster, options: EtcdServerOptions): Promise<EtcdServer> {
    const server = new EtcdServer(cluster, options)
    try {
      await server.#accompany()
      return server
    } catch (error) {
      server.close()
      throw error
    }
  }

  /** The addresses of the nodes that run. */
  get endpoints(): readonly string[] {
    const open = [...this.#places.values()].filter(({ door }) => door?.isOpen === true)
    return open.map(({ port }) => urlOf(port))
  }

  /** The address of a node, whether it runs or not. `undefined`: it has never run. */
  endpointOf(nodeId: NodeId): string | undefined {
    const place = this.#places.get(nodeId)
    return place?.port === undefined ? undefined : urlOf(place.port)
  }

  /** Ends all ports and connections. The cluster goes on. */
  close(): void {
    this.#isClosed = true
    this.#end?.()
    for (const nodeId of [...this.#places.keys()]) this.#removed(nodeId)
  }

  /** Resolves once all nodes that run answer clients, or when `signal` is aborted. */
  async serving(signal: AbortSignal): Promise<void> {
    const all = Promise.all([...this.#places.values()].map(({ serves }) => serves))
    await Promise.race([all, once(signal, 'abort')])
  }

  /**
   * Before a compaction: watches are told of what it takes away, as etcd tells them of each change while it applies it. A
   * node that does not come so far in time is not waited for.
   */
  async tellWatches(): Promise<void> {
    const running = [...this.#places.values()].filter(({ door }) => door !== undefined)
    const index = Math.max(...running.map(({ member }) => member.look().lastApplied))
    const signal = AbortSignal.timeout(watchesMs)
    const told = async ({ member }: Place): Promise<void> => {
      const hub = hubOf(member)
      if (!hub.hasInStep) return
      await member.applied(index, signal)
      await hub.told(index, signal)
    }
    await Promise.all(running.map(told))
  }

  async #accompany(): Promise<void> {
    this.#end = await this.cluster.accompany({
      name: "the ports of etcd's API",
      began: (nodeId, counters) => this.#began(nodeId, counters),
      ended: (nodeId) => this.#ended(nodeId),
      removed: (nodeId) => this.#removed(nodeId),
      shown: (nodeId, faults) => this.#shown(nodeId, faults),
    })
    this.#ports.write()
  }

  async #began(nodeId: NodeId, counters: CountersRead): Promise<void> {
    const place = this.#places.get(nodeId) ?? this.#newPlace(nodeId, counters)
    this.#places.set(nodeId, place)
    const door = new Door({ http2: place.accept, http1: (valve) => place.http.emit('connection', valve) })
    place.door = door
    this.#setWays(nodeId, place)
    place.serves = this.#serve(nodeId, place, door)
    const isFirst = this.#end === undefined
    const ports = isFirst ? [this.#ports.reserve(nodeId)] : this.#ports.of(nodeId)
    try {
      await this.#open(nodeId, place, door, ports)
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      const why = isTaken ? 'which is in use' : `which cannot be had (${reasonOf(error)})`
      const remedy = isFirst ? ': end the program that has it, or choose another port' : ''
      const [expected, actual] = [`a free port for node ${nodeId}`, `${ports[0]}, ${why}${remedy}`]
      const refusal = new RaftError('INVALID_OPTION', { option: 'port', expected, actual })
      if (isFirst) throw refusal
      process.emitWarning(`${refusal.message}; it is tried again until it is free`, 'RaftboxWarning')
      void this.#openLater(nodeId, place, door, ports)
    }
  }

  async #open(nodeId: NodeId, place: Place, door: Door, ports: readonly number[]): Promise<void> {
    const port = await door.open(ports)
    // The node may have ended meanwhile.
    if (place.door !== door) return door.close()
    place.port = port
    this.#ports.keep(nodeId, port)
    // The ports of the first nodes are written together.
    if (this.#end !== undefined) this.#ports.write()
  }

  /** A program that took the port while the node did not run may give it back. */
  async #openLater(nodeId: NodeId, place: Place, door: Door, ports: readonly number[]): Promise<void> {
    while (place.door === door) {
      await setTimeout(againMs, undefined, { ref: false })
      try {
        return await this.#open(nodeId, place, door, ports)
      } catch {
        // Told before the first wait.
      }
    }
  }

  /**
   * A node that starts has yet to apply what it holds. It would tell its clients the past as the present, so they wait
   * until the first linearizable read by way of the node has been answered, as those of etcd wait until a member is
   * ready.
   */
  async #serve(nodeId: NodeId, place: Place, door: Door): Promise<void> {
    while (place.door === door && !place.isServing) {
      try {
        await place.member.read('figures', noBytes)
        // An answer of an earlier life says nothing of this one.
        if (place.door === door) place.isServing = true
      } catch {
        await setTimeout(againMs, undefined, { ref: false })
      }
    }
    this.#setWays(nodeId, place)
  }

  #ended(nodeId: NodeId): void {
    const place = this.#places.get(nodeId)
    if (place === undefined) return
    place.door?.close()
    place.door = undefined
    place.isServing = false
  }

  #removed(nodeId: NodeId): void {
    this.#ended(nodeId)
    const place = this.#places.get(nodeId)
    this.#places.delete(nodeId)
    this.#ways.delete(nodeId)
    if (!this.#isClosed) {
      this.#ports.forget(nodeId)
      this.#ports.write()
    }
    place?.member.close()
    place?.grpc.forceShutdown()
  }

  #shown(nodeId: NodeId, faults: readonly StandingFault[]): void {
    for (const { member } of this.#places.values()) member.doubt()
    const ways = this.#ways.get(nodeId) ?? new ClientWays(nodeId)
    this.#ways.set(nodeId, ways)
    ways.set(faults)
    const place = this.#places.get(nodeId)
    if (place !== undefined) this.#setWays(nodeId, place)
  }

  #setWays(nodeId: NodeId, { door, isServing }: Place): void {
    const ways = this.#ways.get(nodeId)
    if (!isServing) door?.set(shut, shut)
    else door?.set(ways?.from ?? open, ways?.to ?? open)
  }

  #newPlace(nodeId: NodeId, counters: CountersRead): Place {
    const { services, gateway } = this.#options
    const member = new ClusterMember({
      cluster: this.cluster,
      calls: callsFromInside(this.cluster),
      nodeId,
      counters,
      clusterId: this.clusterId,
      shared: this.#shared,
    })
    const grpc = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': receivedBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': streamsMax,
      'grpc.keepalive_time_ms': keepAliveMs,
      'grpc.keepalive_timeout_ms': keepAliveTimeoutMs,
    })
    const counts = new RpcCounts()
    const served = services.map((service) => counts.counted(service(member, this)))
    const methods = new Map<string, UnaryMethod | undefined>()
    for (const { definition, implementation } of served) {
      grpc.addService(definition, implementation)
      for (const [name, { path }] of Object.entries(definition)) {
        const isShort = path.startsWith(shortCalls)
        methods.set(path, isShort ? (implementation[name] as UnaryMethod) : undefined)
      }
    }
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())
    return {
      member,
      grpc,
      http: gateway(member, this, served, counts),
      accept: (connection) =>
        new Lane(connection, {
          methods,
          streamsMax,
          messageBytesMax: receivedBytesMax,
          elsewhere: (spur) => injector.injectConnection(spur),
        }),
      port: undefined,
      door: undefined,
      isServing: false,
      serves: Promise.resolve(),
    }
  }

  /** Answers have arrived in this turn: whoever waits for another node to apply the same looks there. */
  #answered(): void {
    if (this.#isLookedFor) return
    this.#isLookedFor = true
    setImmediate(() => {
      this.#isLookedFor = false
      for (const { member } of this.#places.values()) member.lookNow()
    })
  }
}

function urlOf(port: number | undefined): string {
  return `http://${host}:${port}`
}
