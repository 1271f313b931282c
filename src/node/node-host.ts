/**
 * A node on the parts that it is handed: in a worker thread of its own, or inline beside others in the main
 * thread. It is told apart from a simulated node by nothing but what it hands to the driver.
 */
import type { MessagePort } from 'node:worker_threads'
import { type ChangeOutcome, Driver, type DriverOptions, type TransferOutcome } from '../driver/index.js'
import { failure, RaftError, type Result, reasonOf } from '../errors/index.js'
import { loadMachine, resultBytesMaxDefault } from '../machine/index.js'
import {
  type LogIndex,
  type MembershipChange,
  type Message,
  type NodeId,
  Random,
  type Snapshot,
} from '../raft/index.js'
import { NodeRecorder, type RecordingFile } from '../recording/index.js'
import {
  Counters,
  type LatencyCounts,
  LatencyHistogram,
  MembershipMemory,
  Meter,
  NodeLatencies,
  RingSink,
  Sequence,
  storyNow,
  storyTimeOf,
} from '../telemetry/index.js'
import { type ClientWayEnd, type FromNode, type LinkEnd, portsOf, type ToNode } from '../transport/index.js'
import { BreakableParts } from './breakable-parts.js'
import type { HashAt, NodeControl, NodeOptions } from './control.js'
import { openRecording } from './node-recording.js'
import { limitsOf, type OpenedStore } from './open-store.js'
import type { NodeClients, NodeLinks, NodeParts } from './parts.js'
import { takeAll } from './teardown.js'

/** The parts of a node that runs. */
interface Running {
  readonly nodeId: NodeId
  readonly client: MessagePort
  readonly clients: NodeClients
  readonly driver: Driver
  readonly opened: OpenedStore
  readonly meter: Meter
  readonly stopTicks: () => void
  readonly recording: RecordingFile | undefined
  readonly recorder: NodeRecorder | undefined
}

export class NodeHost implements NodeControl {
  readonly #parts: NodeParts
  /** Decides what a power loss leaves. */
  readonly #random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1)
  #faulty: BreakableParts | undefined
  #links: NodeLinks | undefined
  #running: Running | undefined
  /** How it ended: also asked for while it starts, when nothing runs yet. */
  #closed: Promise<Result<undefined>> | undefined
  /** The answer to each question once the node has ended: why it failed, if it did. */
  #ended = failure('STOPPED', { what: 'the node' })
  /** Each ends a call of an operator that is not answered yet. */
  readonly #waiting = new Set<() => void>()

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  async start(
    options: NodeOptions,
    client: ClientWayEnd,
    links: readonly LinkEnd[],
  ): Promise<Result<string | undefined>> {
    const { nodeId } = options
    this.#ended = failure('STOPPED', { what: `node ${nodeId}` })
    let opened: OpenedStore | undefined
    let recording: RecordingFile | undefined
    const { port } = client
    const parts = this.#breakable(options, port)
    const peers = parts.createLinks(
      (first) => this.#received(first),
      (message) => this.#running?.driver.receive(message),
    )
    this.#links = peers
    try {
      const createMachine = await loadMachine(options.machine, options.machineName)
      if (this.#closed !== undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}` })
      const machine = createMachine()
      opened = parts.openStore(options)
      recording = openRecording(options)
      const recorder = recording && new NodeRecorder(nodeId, recording.write)
      const meter = this.#newMeter(options, port, parts)
      const clients = parts.openClients(
        client,
        (first) => this.#requested(first),
        (message) => this.#request(message),
      )
      const driver = this.#newDriver(options, opened, {
        links: peers,
        clock: parts.clock,
        machine,
        probe: meter,
        recorder,
        settle: (settlements) => clients.settle(settlements),
        areClientsBehind: () => clients.waitsIfFull(),
      })
      const own = { nodeId, client: port, clients, driver, opened, meter, recording, recorder }
      this.#running = this.#join(own, parts, options.tickMs, links)
      if (options.campaigns) driver.campaign()
      return { ok: true, value: machine.name }
    } catch (error) {
      const ports = [port, ...links.flatMap(portsOf)]
      // The reason of the failed start counts, whatever comes of it.
      await takeAll([
        () => opened?.store.close(),
        () => recording?.close(),
        () => peers.close(),
        ...ports.map((each) => () => each.close()),
      ])
      if (error instanceof RaftError) return failure(error.code, error.details)
      return failure('STORAGE_FAILED', { nodeId, why: reasonOf(error) })
    }
  }

  /** The node takes messages, requests and ticks from now on. */
  #join(
    own: Omit<Running, 'stopTicks'>,
    parts: NodeParts,
    tickMs: number,
    links: readonly LinkEnd[],
  ): Running {
    const { clients, driver, meter } = own
    const { log, membershipIndex, membership } = driver.raft.state
    meter.begins(driver.raft.state)
    meter.tell({
      type: 'started',
      lastIndex: log.lastIndex,
      snapshotIndex: log.snapshot?.index ?? 0,
      configuration: { index: membershipIndex, membership },
    })
    for (const link of links) this.#links?.connect(link)
    clients.listen()
    return { ...own, stopTicks: parts.startTicks(tickMs, () => this.#ticked()) }
  }

  #breakable(options: NodeOptions, client: MessagePort): BreakableParts {
    const parts = new BreakableParts(this.#parts, options, {
      freezes: () => post(client, { type: 'frozen' }),
      ends: () => this.#running?.driver.stop(),
    })
    this.#faulty = parts
    return parts
  }

  #newMeter(
    { counters, membershipMemory, vitals, latencies, story, tickMs, limits }: NodeOptions,
    client: MessagePort,
    parts: BreakableParts,
  ): Meter {
    return new Meter({
      counters: new Counters(counters),
      happenings: new RingSink(story.happened, new Sequence(story.sequence), () =>
        post(client, { type: 'happened' }),
      ),
      waymarks: story,
      membership: new MembershipMemory(membershipMemory),
      vitals,
      latencies: new NodeLatencies(latencies),
      now: () => parts.clock.now(),
      storyNow,
      lastLook: () => storyTimeOf(parts.lookedAtMs),
      tickMs,
      heartbeatIntervalMs: tickMs * limits.heartbeatTicks,
      electionTimeoutMs: tickMs * limits.electionTimeoutTicks,
      failed: (error) => this.#failed(error),
    })
  }

  #newDriver(
    options: NodeOptions,
    { store, recovered }: OpenedStore,
    parts: Pick<
      DriverOptions,
      'links' | 'clock' | 'machine' | 'probe' | 'recorder' | 'settle' | 'areClientsBehind'
    >,
  ): Driver {
    const { nodeId, seed, priority, bounds, tickMs, reads } = options
    const { membership } = recovered
    return new Driver({
      ...parts,
      raft: { id: nodeId, membership, seed, priority, limits: limitsOf(options), recovered },
      bounds,
      resultBytesMax: resultBytesMaxDefault,
      store,
      tickMs,
      reads,
    })
  }

  connect(link: LinkEnd): Result<undefined> {
    if (this.#links === undefined) for (const port of portsOf(link)) port.close()
    else this.#links.connect(link)
    return done
  }

  disconnect(peerId: NodeId): Result<undefined> {
    this.#links?.disconnect(peerId)
    return done
  }

  changeMembership(changes: readonly MembershipChange[]): Promise<Result<ChangeOutcome>> {
    return this.#asked((driver, settle) => driver.changeMembership(changes, settle))
  }

  transfer(to: NodeId | undefined): Promise<Result<TransferOutcome>> {
    return this.#asked((driver, settle) => driver.transfer(to, settle))
  }

  look(): Result<undefined> {
    this.#faulty?.look()
    return done
  }

  hash(): Result<HashAt> {
    if (this.#running === undefined) return this.#ended
    const { nodeId, driver } = this.#running
    try {
      return {
        ok: true,
        value: { lastApplied: driver.raft.state.log.lastApplied, hash: driver.machine.hash() },
      }
    } catch (error) {
      return failure('NODE_FAILED', { nodeId, why: `hash() of its machine threw: ${reasonOf(error)}` })
    }
  }

  takeSnapshot(): Promise<Result<Snapshot>> {
    // A driver that has stopped tells of none. The end of the node comes next, and answers with its reason.
    return this.#asked((driver, settle) =>
      driver.takeSnapshot((snapshot) => snapshot !== undefined && settle(snapshot)),
    )
  }

  readSnapshot(index: LogIndex, offset: number, length: number): Result<Uint8Array | undefined> {
    if (this.#running === undefined) return this.#ended
    const { nodeId, opened } = this.#running
    try {
      return { ok: true, value: opened.store.readSnapshot(index, offset, length) }
    } catch (error) {
      return failure('STORAGE_FAILED', { nodeId, why: reasonOf(error) })
    }
  }

  takeHeartbeatLateness(): Result<LatencyCounts> {
    return { ok: true, value: this.#running?.meter.takeHeartbeatLateness() ?? new LatencyHistogram() }
  }

  async losePower(): Promise<Result<undefined>> {
    const running = this.#running
    await running?.opened.losePower?.(this.#random).gone
    running?.driver.stop()
    running?.opened.disk.losePower()
    return done
  }

  crash(): Promise<Result<undefined>> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Passes on a request of an operator, which is answered also when the node ends before that. */
  #asked<T>(ask: (driver: Driver, settle: (outcome: T) => void) => void): Promise<Result<T>> {
    const running = this.#running
    if (running === undefined) return Promise.resolve(this.#ended)
    return new Promise((resolve) => {
      const ends = () => resolve(this.#ended)
      this.#waiting.add(ends)
      ask(running.driver, (outcome) => {
        this.#waiting.delete(ends)
        resolve({ ok: true, value: outcome })
      })
    })
  }

  #received(message: Message): void {
    this.#running?.driver.receive(message)
    this.#drain()
    this.#running?.driver.turn()
  }

  #requested(message: ToNode): void {
    this.#request(message)
    this.#drain()
    this.#running?.driver.turn()
  }

  /** Time passes only after the ports were drained: a stall of this thread must not look like a dead leader. */
  #ticked(): void {
    this.#drain()
    this.#running?.driver.tick()
    this.#running?.driver.turn()
    this.#lookAfterDisk()
  }

  #lookAfterDisk(): void {
    try {
      this.#running?.opened.lookAfter()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Takes all that waits, votes and heartbeats first. What arrived during the last flush is the next batch. */
  #drain(): void {
    const running = this.#running
    if (running === undefined) return
    this.#links?.drain()
    running.clients.drain()
  }

  #request({ requests, read }: ToNode): void {
    for (const buffer of read) this.#running?.driver.reuse(buffer)
    for (const request of requests) this.#running?.driver.request(request)
  }

  #failed(error: unknown): void {
    const running = this.#running
    if (running !== undefined) {
      const why = reasonOf(error)
      this.#ended = failure('NODE_FAILED', { nodeId: running.nodeId, why })
      post(running.client, { type: 'failed', why })
    }
    void this.crash()
  }

  async #close(): Promise<Result<undefined>> {
    const running = this.#running
    this.#running = undefined
    for (const end of this.#waiting) end()
    if (running === undefined) return done
    const { nodeId, stopTicks, driver, opened, client, recording, recorder } = running
    const thrown = await takeAll([
      stopTicks,
      () => driver.stop(),
      () => recorder?.ends(driver.raft),
      () => recording?.close(),
      () => this.#links?.close(),
      () => this.#faulty?.close(),
      opened.lookAfter,
      () => opened.store.close(),
      () => client.close(),
    ])
    if (thrown.length === 0) return done
    return failure('STORAGE_FAILED', { nodeId, why: thrown.map(reasonOf).join('; ') })
  }
}

const done: Result<undefined> = { ok: true, value: undefined }

function post(client: MessagePort, message: FromNode): void {
  client.postMessage(message)
}
