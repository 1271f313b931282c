/** The handle that people program against: commands and reads, faults, status and events of a running cluster. */
import { type ExportHead, machineKindOf } from '../backup/index.js'
import type { EndTarget, FaultMethods, ForTime, Nemesis, StandingFault, Target } from '../faults/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import type { Bytes } from '../machine/index.js'
import type { MembershipMethods } from '../membership/index.js'
import { type HashAt, takeAll } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import type { LatencyHistogram, MembershipTold, MessageTail, Story } from '../telemetry/index.js'
import { Breaking } from './breaking.js'
import type { CallTracer, CallTracing } from './call-tracer.js'
import { Caller } from './caller.js'
import { CallsUnderWay } from './calls-under-way.js'
import { Changing } from './changing.js'
import { Client } from './client.js'
import { ClusterClient } from './cluster-client.js'
import { ClusterStory } from './cluster-story.js'
import type { Companion } from './companions.js'
import type { ClusterDirectory } from './directory.js'
import { uncleanEnd } from './end-errors.js'
import type { ClusterEvents } from './events.js'
import type { Deleted, Entry, KvClient, RangeOptions, RangeResult, Swapped, Written } from './kv-client.js'
import { creatorOf } from './lives.js'
import type { ClusterLook } from './look.js'
import type { NodeStatus } from './member.js'
import { Members } from './members.js'
import {
  type ExportFromOptions,
  exportFrom,
  hashesOf,
  type SnapshotTaken,
  takeHeartbeatLateness,
  takeSnapshots,
} from './node-answers.js'
import type { ResolvedOptions } from './options.js'
import type { Applied } from './outcomes.js'
import type { ReadOptions, Stale, StaleReadOptions } from './read-at.js'
import type { Calls, Reading } from './readings.js'
import type { CallFrame } from './requests.js'

export class Cluster implements AsyncDisposable, Calls {
  readonly options: ResolvedOptions
  /** The client of the key-value store, whose verbs are also those of the cluster. */
  readonly kv: KvClient
  /** Aborts as the close begins, for waits of a program's own. */
  readonly closing: AbortSignal
  readonly #directory: ClusterDirectory
  readonly #client: Client
  readonly #own: ClusterClient
  readonly #story: ClusterStory
  readonly #members: Members
  readonly #breaking: Breaking
  /** The methods by which a cluster of any host is broken and healed. */
  readonly breaker: FaultMethods
  readonly #changing: Changing
  /** The methods by which the members of a cluster of any host are changed. */
  readonly changer: MembershipMethods
  readonly #calls = new CallsUnderWay()
  #closing: Promise<void> | undefined

  /** Use `startCluster`. */
  constructor(directory: ClusterDirectory, options: ResolvedOptions, createNode = creatorOf(options)) {
    this.options = options
    this.#directory = directory
    this.#client = new Client(options.requestTimeoutMs, options.sessionTimeoutMs, () => this.#members)
    this.#own = this.client()
    this.kv = this.#own.kv
    this.#story = new ClusterStory(directory.members, options, () => this.#client.leaderChanged())
    this.#members = new Members(directory, options, this.#client, this.#story, createNode)
    this.closing = this.#members.closing
    this.#breaking = new Breaking(this.#members, this.#story, options)
    this.breaker = this.#breaking.methods
    this.#changing = new Changing(this.#members, options, () => this.#breaking.cast())
    this.changer = this.#changing.methods
  }

  /** Use `startCluster`. */
  async start(): Promise<void> {
    try {
      await this.#members.start()
      this.#changing.begin()
      this.#story.begin()
    } catch (error) {
      // The reason of the failed start counts, whatever comes of it.
      await this.close().catch(() => undefined)
      throw error
    }
  }

  get dir(): string {
    return this.#directory.path
  }

  /**
   * Happenings of every kind, and why: role changes with their reasons, votes, kills, failures, snapshots, standstills.
   * A listener that is added as soon as the cluster has started hears all since the beginning. Listeners are called in a
   * turn of their own: an error of theirs is told as a warning of the process, and changes nothing in the cluster.
   */
  get events(): ClusterEvents {
    return this.#story.events
  }

  /**
   * The cluster's life until now, in order: happenings with their causes, how far the logs came when, and the messages
   * between nodes. No node is asked. Of each kind, the last is kept: 10,000 happenings, and for each node 8,192 rows of
   * heartbeats, votes and snapshots and 32,768 of commands, which is about a second under full load.
   */
  readonly story = (): Story => this.#story.story()

  /** Who leads, as far as the nodes have told; `undefined` while nobody does. */
  get leaderId(): NodeId | undefined {
    return this.#members.leaderId
  }

  /**
   * The configuration by which the leader goes: voters, learners, and in a joint configuration the voters before them.
   * While no node leads, the latest that a node has told; `undefined` before any has.
   */
  get membership(): MembershipTold | undefined {
    return this.#members.configuration
  }

  /** Every node's role, pointers and counters, read from shared memory without asking the nodes. */
  status(): NodeStatus[] {
    return this.#members.status()
  }

  /** The vitals and latencies of every node, and those of calls, read from shared memory without asking the nodes. */
  look(): ClusterLook {
    return { nodes: this.#members.look(), calls: this.#client.calls.read(), ...this.#story.look() }
  }

  /** Tells `companion` of the lives of the nodes, and of their faults. Resolves with the end of it. */
  readonly accompany = (companion: Companion): Promise<() => void> => this.#members.accompany(companion)

  /** A reader of the messages between nodes from now on, a sample of them under load. No node is asked. */
  readonly messages = (): MessageTail => this.#story.messages()

  /** From now on `tracer` chooses calls to follow, until `end` is called. A cluster has one tracer at a time. */
  trace(tracer: CallTracer): CallTracing {
    return { memories: this.#story.memories, end: this.#client.calls.traceBy(tracer) }
  }

  put(key: Bytes, value: Bytes): Promise<Written> {
    return this.kv.put(key, value)
  }

  delete(key: Bytes): Promise<Deleted> {
    return this.kv.delete(key)
  }

  /** Puts the value behind the present one; an absent key counts as an empty value. */
  append(key: Bytes, value: Bytes): Promise<Written> {
    return this.kv.append(key, value)
  }

  /** Puts `value` if the key holds `expected`; `undefined` expects that there is no such key. */
  cas(key: Bytes, expected: Bytes | undefined, value: Bytes): Promise<Swapped> {
    return this.kv.cas(key, expected, value)
  }

  /**
   * A linearizable read: it sees every write that was acknowledged before it was called, whichever node serves it. With
   * `stale`, a node answers at once from what it has applied, and says how far that may lie behind.
   */
  get(key: Bytes, options?: ReadOptions): Promise<Entry | undefined>
  get(key: Bytes, options: StaleReadOptions): Promise<Stale<Entry | undefined>>
  get(key: Bytes, options?: ReadOptions | StaleReadOptions): Promise<unknown> {
    return this.kv.get(key, options as ReadOptions)
  }

  /** A read of all keys within bounds, in order: linearizable or stale, as `get` is. */
  range(options?: RangeOptions & ReadOptions): Promise<RangeResult>
  range(options: RangeOptions & StaleReadOptions): Promise<Stale<RangeResult>>
  range(options?: RangeOptions & (ReadOptions | StaleReadOptions)): Promise<unknown> {
    return this.kv.range(options as ReadOptions)
  }

  /** Commands for a state machine of one's own, applied one after the other with nothing in between. */
  propose(commands: Uint8Array | readonly Uint8Array[]): Promise<Applied> {
    return this.#own.propose(commands)
  }

  /** A query of a state machine of one's own: linearizable or stale, as `get` is. */
  query(query: Uint8Array, options?: ReadOptions): Promise<Buffer>
  query(query: Uint8Array, options: StaleReadOptions): Promise<Stale<Buffer>>
  query(query: Uint8Array, options?: ReadOptions | StaleReadOptions): Promise<unknown> {
    return this.#own.query(query, options as ReadOptions)
  }

  /**
   * A call of a client for a machine of one's own, as `kv` is one. `write` packs into a frame of the call's own, whose
   * commands then go into the frame of the turn: code of the caller never touches the commands of other calls.
   */
  call<Outcome, Parts extends unknown[]>(
    reading: Reading<Outcome>,
    write: (into: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome> {
    return this.#own.call(reading, write, ...parts)
  }

  /**
   * A client of its own for one of several users of the cluster, such as a connection. However many calls the others make,
   * it finds room for its own, and its calls do not wait behind theirs.
   */
  readonly client = (): ClusterClient => new ClusterClient(new Caller(this.#client), this.options.machine)

  /** As the function `callsFromInside` has it. */
  static readonly callsFromInside = (cluster: Cluster): Calls => new Caller(cluster.#client, 'inside')

  /**
   * Starts a node with an empty disk and an id that no node had before, and makes it a voter once it has caught up. With
   * `learner` it holds the log and has no vote. Resolves with its id.
   */
  readonly addNode: MembershipMethods['addNode'] = (...call) => this.#calls.add(this.changer.addNode(...call))

  /**
   * Takes nodes out of the cluster for good, all in one change, and ends them. A leader among them hands over first. Their
   * folders are removed, unless `keep` is true. Resolves with their ids.
   */
  readonly removeNode: MembershipMethods['removeNode'] = (...call) =>
    this.#calls.add(this.changer.removeNode(...call))

  /** Puts a new node in the place of one that may be dead. Resolves with the new id. */
  readonly replaceNode: MembershipMethods['replaceNode'] = (...call) =>
    this.#calls.add(this.changer.replaceNode(...call))

  /** Gives a learner a vote, once it has caught up. */
  readonly promote: MembershipMethods['promote'] = (...call) => this.#calls.add(this.changer.promote(...call))

  /** Takes the vote of a node, which goes on as a learner. */
  readonly demote: MembershipMethods['demote'] = (...call) => this.#calls.add(this.changer.demote(...call))

  /** Makes several changes of the members at once: all of them count, or none. Nodes are neither started nor ended. */
  readonly changeMembership: MembershipMethods['changeMembership'] = (...call) =>
    this.#calls.add(this.changer.changeMembership(...call))

  /** Hands leadership over to a voter, or to the one whose log is longest. Resolves with the node that leads then. */
  readonly transfer: MembershipMethods['transfer'] = (...call) =>
    this.#calls.add(this.changer.transfer(...call))

  /** All faults that stand, the oldest first. */
  get faults(): readonly StandingFault[] {
    return this.breaker.faults
  }

  /**
   * Ends a node at once, as a crash of its machine would: nothing more leaves it or is written. Calls that it
   * was sent and did not answer go to the next leader. Returns the node that it was. Rejects when the node could
   * not let go of its disk cleanly; it is dead even then. With `forMs` it is brought back after so long.
   */
  kill(node: NodeId | 'leader' | 'follower' | 'any', options?: ForTime): Promise<NodeId>
  kill(target: Target, options?: ForTime): Promise<NodeId | readonly NodeId[]>
  kill(target: Target, options: ForTime = {}): Promise<NodeId | readonly NodeId[]> {
    return this.#calls.add(this.#breaking.kill(target, options))
  }

  /**
   * Ends nodes as `kill` does, but a leader among them hands over first, to a voter that goes on. Where none takes over
   * within a few election timeouts, the leader is ended all the same. Resolves with their ids.
   */
  readonly stop: MembershipMethods['stop'] = (...call) => this.#calls.add(this.changer.stop(...call))

  /**
   * Starts a node that was ended or has failed, from what its disk holds. With `renew`, a node that lost its disk
   * begins anew, as with the option of this name.
   */
  restart(target: Target, options: { readonly renew?: boolean } = {}): Promise<void> {
    return this.#calls.add(this.#breaking.restart(target, options))
  }

  /** Ends nodes so that all that their disks have not flushed is gone, and brings them back, at once or after `forMs`. */
  readonly losePower: FaultMethods['losePower'] = (...call) =>
    this.#calls.add(this.breaker.losePower(...call))

  /** Freezes the threads of nodes: nothing of them runs, their timers are missed, and messages wait for them. */
  readonly pause: FaultMethods['pause'] = (...call) => this.#calls.add(this.breaker.pause(...call))

  /** Lets paused nodes go on. */
  readonly resume: FaultMethods['resume'] = (...call) => this.#calls.add(this.breaker.resume(...call))

  /**
   * Sets the clocks of nodes `offsetMs` ahead (behind, below 0), and lets them run `drift` of themselves too fast (too
   * slow, below 0). With reads `lease`, no further than a lease allows.
   */
  readonly skew: FaultMethods['skew'] = (...call) => this.#calls.add(this.breaker.skew(...call))

  /** Lets each flush of the disks of nodes take so much longer. */
  readonly slowDisk: FaultMethods['slowDisk'] = (...call) => this.#calls.add(this.breaker.slowDisk(...call))

  /** No flush of the disks of nodes ends, and none fails. */
  readonly stallDisk: FaultMethods['stallDisk'] = (...call) =>
    this.#calls.add(this.breaker.stallDisk(...call))

  /** The next flush fails, and the node stops. A node that stopped so is brought back when the fault is healed. */
  readonly failDisk: FaultMethods['failDisk'] = (...call) => this.#calls.add(this.breaker.failDisk(...call))

  /** `bytesLeft` (default 0) more bytes fit on the disk, and the node stops at the write that does not. */
  readonly fullDisk: FaultMethods['fullDisk'] = (...call) => this.#calls.add(this.breaker.fullDisk(...call))

  /** Nothing passes on a link. An end is a node, a role, `*` (all nodes) or `clients`. */
  readonly cut: FaultMethods['cut'] = (...call) => this.#calls.add(this.breaker.cut(...call))

  /** Each message of a link takes so much longer, and up to `jitterMs` more by chance. */
  readonly delay: FaultMethods['delay'] = (...call) => this.#calls.add(this.breaker.delay(...call))

  /** A share of the messages of a link, from 0 to 1, is lost. */
  readonly drop: FaultMethods['drop'] = (...call) => this.#calls.add(this.breaker.drop(...call))

  /** A share of the messages of a link arrives twice. */
  readonly duplicate: FaultMethods['duplicate'] = (...call) =>
    this.#calls.add(this.breaker.duplicate(...call))

  /** A share of the messages of a link is overtaken by later ones. */
  readonly reorder: FaultMethods['reorder'] = (...call) => this.#calls.add(this.breaker.reorder(...call))

  /** So many bytes a second pass on a link. Messages for which its queue has no room are lost. */
  readonly throttle: FaultMethods['throttle'] = (...call) => this.#calls.add(this.breaker.throttle(...call))

  /** The links between groups of nodes are cut. A node of no group hears everybody. */
  readonly partition: FaultMethods['partition'] = (...call) =>
    this.#calls.add(this.breaker.partition(...call))

  /** The links between nodes and all others are cut, but for those to the clients. */
  readonly isolate: FaultMethods['isolate'] = (...call) => this.#calls.add(this.breaker.isolate(...call))

  /**
   * Heals all faults; those that hit a target or a link of it; or, with both ends, those of a link. Resolves with the
   * faults that were healed, once the nodes have noticed.
   */
  heal(one?: Target): Promise<readonly StandingFault[]>
  heal(one: EndTarget, other: EndTarget): Promise<readonly StandingFault[]>
  heal(one?: EndTarget, other?: EndTarget): Promise<readonly StandingFault[]> {
    return this.#calls.add(this.#breaking.heal(one, other))
  }

  /**
   * A part of a node's log, as its disk has it: read beside the node, which is not asked and does not wait. `undefined`
   * while the node has no log. With `from` up to 1000 entries, and `next` says where to go on; without, the last 20.
   */
  async log(nodeId: NodeId, range: LogRange = {}): Promise<LogOfNode | undefined> {
    return this.#members.log(nodeId, range)
  }

  /** Draws faults of all kinds by chance, once it is started. The seed decides the draws. */
  readonly nemesis = (seed: number): Nemesis => this.#breaking.nemesis(seed)

  /**
   * Lets nodes take snapshots of all that they have applied, and cut their logs right behind them. Resolves once the
   * snapshots are on their disks.
   */
  snapshot(target: Target = 'all'): Promise<readonly SnapshotTaken[]> {
    return this.#calls.add(takeSnapshots(this.#members, () => this.#breaking.nodesOf(target)))
  }

  /**
   * Writes what a node has applied to a file, as `importSnapshot` reads it. The node takes a snapshot for it. All that was
   * acknowledged before the call is in an export from the leader.
   */
  export(file: string, options: ExportFromOptions = {}): Promise<ExportHead & { readonly nodeId: NodeId }> {
    const machine = { ...this.#directory.machine, machine: machineKindOf(this.options.machine) }
    const nodesOf = (target: Target) => this.#breaking.nodesOf(target)
    return this.#calls.add(exportFrom(this.#members, nodesOf, file, machine, options))
  }

  /** The hash of each running node's state machine, and the index that it stands for. */
  readonly hashes = (): Promise<Map<NodeId, HashAt>> => hashesOf(this.#members)

  /** How late followers saw heartbeats since the last call, in microseconds, over all running nodes. */
  readonly takeHeartbeatLateness = (): Promise<LatencyHistogram> => takeHeartbeatLateness(this.#members)

  /**
   * Ends every call, node and thread, and removes the folder when it was a temporary one. All nodes end at once, so no
   * leader hands over: nobody would be left to lead. A command that was sent and not answered rejects with
   * `UNKNOWN_OUTCOME`, and each other call with `STOPPED`. A call that nobody has looked at by then ends no process by its
   * rejection. Rejects when a part did not end cleanly, as when its directory was removed; even then nothing of the cluster
   * runs on.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  readonly [Symbol.asyncDispose] = (): Promise<void> => this.close()

  async #close(): Promise<void> {
    const thrown = await takeAll([
      () => this.#calls.close(),
      () => this.#breaking.close(),
      () => this.#client.close(),
      () => this.#members.close(),
      () => this.#changing.close(),
      () => this.#story.close(),
      () => this.#directory.release(),
    ])
    if (thrown.length > 0) throw uncleanEnd(this.dir, thrown)
  }
}
