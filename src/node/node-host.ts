/**
 * A node on the parts that it is handed: in a worker thread of its own, or inline beside others in the main
 * thread. It is told apart from a simulated node by nothing but what it hands to the driver.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { Driver } from '../driver/index.js'
import { failure, RaftError, type Result, reasonOf } from '../errors/index.js'
import { loadMachine, resultBytesMaxDefault, type StateMachine } from '../machine/index.js'
import type { Message, NodeId } from '../raft/index.js'
import { NodeRecorder, RecordingFile } from '../recording/index.js'
import type { LogStore } from '../storage/index.js'
import {
  Counters,
  type LatencyCounts,
  LatencyHistogram,
  Meter,
  RingSink,
  Sequence,
  storyNow,
} from '../telemetry/index.js'
import { type FromNode, type LinkEnd, portsOf, postSettlements, type ToNode } from '../transport/index.js'
import type { HashAt, NodeControl, NodeOptions } from './control.js'
import { limitsOf, type OpenedStore } from './open-store.js'
import type { NodeLinks, NodeParts } from './parts.js'
import { takeAll } from './teardown.js'

/** The parts of a node that runs. */
interface Running {
  readonly nodeId: NodeId
  readonly client: MessagePort
  readonly driver: Driver
  readonly store: LogStore
  readonly lookAfter: OpenedStore['lookAfter']
  readonly machine: StateMachine
  readonly meter: Meter
  readonly stopTicks: () => void
  readonly recording: RecordingFile | undefined
  readonly recorder: NodeRecorder | undefined
}

export class NodeHost implements NodeControl {
  readonly #parts: NodeParts
  readonly #links: NodeLinks
  #running: Running | undefined
  /** How it ended: also asked for while it starts, when nothing runs yet. */
  #closed: Promise<Result<undefined>> | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#links = parts.createLinks(
      (first) => this.#received(first),
      (message) => this.#running?.driver.receive(message),
    )
  }

  async start(
    options: NodeOptions,
    client: MessagePort,
    links: readonly LinkEnd[],
  ): Promise<Result<undefined>> {
    const { nodeId, tickMs } = options
    let opened: LogStore | undefined
    let recording: RecordingFile | undefined
    try {
      const createMachine = await loadMachine(options.machine)
      if (this.#closed !== undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}` })
      const machine = createMachine()
      const disk = this.#parts.openStore(options)
      const { store, lookAfter } = disk
      opened = store
      recording = options.recording === undefined ? undefined : new RecordingFile(options.recording)
      const recorder = recording && new NodeRecorder(nodeId, recording.write)
      const meter = this.#newMeter(options, client)
      const driver = this.#newDriver(options, client, disk, machine, meter, recorder)
      const { log } = driver.raft.state
      const snapshotIndex = log.snapshot?.index ?? 0
      meter.tell({ type: 'started', lastIndex: log.lastIndex, snapshotIndex })
      for (const link of links) this.#links.connect(link)
      client.on('message', (message: ToNode) => this.#requested(message))
      const stopTicks = this.#parts.startTicks(tickMs, () => this.#ticked())
      this.#running = {
        nodeId,
        client,
        driver,
        store,
        lookAfter,
        machine,
        meter,
        stopTicks,
        recording,
        recorder,
      }
      return done
    } catch (error) {
      const ports = [client, ...links.flatMap(portsOf)]
      // The reason of the failed start counts, whatever comes of it.
      await takeAll([
        () => opened?.close(),
        () => recording?.close(),
        ...ports.map((port) => () => port.close()),
      ])
      if (error instanceof RaftError) return failure(error.code, error.details)
      return failure('STORAGE_FAILED', { nodeId, why: reasonOf(error) })
    }
  }

  #newMeter({ counters, story, tickMs, limits }: NodeOptions, client: MessagePort): Meter {
    const { clock } = this.#parts
    return new Meter({
      counters: new Counters(counters),
      happenings: new RingSink(story.happened, new Sequence(story.sequence), () =>
        post(client, { type: 'happened' }),
      ),
      waymarks: story,
      now: () => clock.now(),
      storyNow,
      tickMs,
      heartbeatIntervalMs: tickMs * limits.heartbeatTicks,
      electionTimeoutMs: tickMs * limits.electionTimeoutTicks,
      failed: (error) => this.#failed(error),
    })
  }

  #newDriver(
    options: NodeOptions,
    client: MessagePort,
    { store, recovered }: OpenedStore,
    machine: StateMachine,
    probe: Meter,
    recorder: NodeRecorder | undefined,
  ): Driver {
    const { nodeId, seed, bounds, tickMs, reads } = options
    const { membership } = recovered
    return new Driver({
      raft: { id: nodeId, membership, seed, limits: limitsOf(options), recovered },
      bounds,
      resultBytesMax: resultBytesMaxDefault,
      store,
      machine,
      links: this.#links,
      clock: this.#parts.clock,
      probe,
      tickMs,
      reads,
      recorder,
      settle: (settlements) => postSettlements(client, settlements),
    })
  }

  connect(link: LinkEnd): Result<undefined> {
    this.#links.connect(link)
    return done
  }

  hash(): Result<HashAt> {
    if (this.#running === undefined) return failure('STOPPED', { what: 'the node' })
    const { nodeId, driver, machine } = this.#running
    try {
      return { ok: true, value: { lastApplied: driver.raft.state.log.lastApplied, hash: machine.hash() } }
    } catch (error) {
      return failure('NODE_FAILED', { nodeId, why: `hash() of its machine threw: ${reasonOf(error)}` })
    }
  }

  takeHeartbeatLateness(): Result<LatencyCounts> {
    return { ok: true, value: this.#running?.meter.takeHeartbeatLateness() ?? new LatencyHistogram() }
  }

  crash(): Promise<Result<undefined>> {
    this.#closed ??= this.#close()
    return this.#closed
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
      this.#running?.lookAfter()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Takes all that waits, votes and heartbeats first. What arrived during the last flush is the next batch. */
  #drain(): void {
    const running = this.#running
    if (running === undefined) return
    this.#links.drain()
    for (let got = receiveMessageOnPort(running.client); got; got = receiveMessageOnPort(running.client)) {
      this.#request(got.message as ToNode)
    }
  }

  #request({ requests, read }: ToNode): void {
    for (const buffer of read) this.#running?.driver.reuse(buffer)
    for (const request of requests) this.#running?.driver.request(request)
  }

  #failed(error: unknown): void {
    const client = this.#running?.client
    if (client !== undefined) post(client, { type: 'failed', why: reasonOf(error) })
    void this.crash()
  }

  async #close(): Promise<Result<undefined>> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return done
    const { nodeId, stopTicks, driver, store, client, lookAfter, recording, recorder } = running
    const thrown = await takeAll([
      stopTicks,
      () => driver.stop(),
      () => recorder?.ends(driver.raft),
      () => recording?.close(),
      () => this.#links.close(),
      lookAfter,
      () => store.close(),
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
