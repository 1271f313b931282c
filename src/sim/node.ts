/**
 * One simulated node: the driver on virtual time, with a disk that outlives it. It is told apart from a real
 * one (`node-host.ts`) by nothing but what it hands to the driver.
 */

import { Driver } from '../driver/index.js'
import { reasonOf } from '../errors/index.js'
import type { Dice, StandingFault } from '../faults/index.js'
import { checkAtTick, type Promises, type WatchedNode } from '../proof/index.js'
import type { Message, NodeId, RaftView, Snapshot } from '../raft/index.js'
import { isInvariantViolation } from '../raft/index.js'
import { NodeRecorder } from '../recording/index.js'
import type { OpenStore } from '../storage/index.js'
import type { Happening } from '../telemetry/index.js'
import type { ClientRequest } from '../transport/index.js'
import { AppliedWatch } from './applied-watch.js'
import { deriveSeed, diceOf } from './dice.js'
import type { DurableView } from './durable.js'
import { Inbox } from './inbox.js'
import { Interruption } from './moments.js'
import { NodeClock } from './node-clock.js'
import { NodeDisk } from './node-disk.js'
import { NodeMoments } from './node-moments.js'
import type { SimulatedNodeOptions, Surroundings } from './node-options.js'
import { NodeStory } from './node-story.js'
import { QuorumWatch } from './quorum-watch.js'
import { WatchedMachine } from './watched-machine.js'
import { WatchedStore } from './watched-store.js'
import type { World } from './world.js'

export class SimulatedNode implements WatchedNode {
  readonly id: NodeId
  readonly neverLeads: boolean
  readonly disk: NodeDisk
  readonly story: NodeStory
  readonly #options: SimulatedNodeOptions
  readonly #world: World
  readonly #surroundings: Surroundings
  readonly #promises: Promises
  readonly #dice: Dice
  readonly clock: NodeClock
  driver: Driver | undefined
  #machine: WatchedMachine | undefined
  /** Counts the starts: what was meant for an earlier incarnation never reaches a later one. */
  incarnation = 0
  isPaused = false
  #pausedAtMs = 0
  /** Why it stopped by itself, if it did. */
  error: unknown
  readonly #inbox = new Inbox()
  readonly #recorder: NodeRecorder | undefined
  readonly #moments: NodeMoments
  readonly #applied: AppliedWatch
  #quorumWatch = new QuorumWatch()
  /** What came due while the node was paused: it all comes at once. */
  #held: (() => void)[] = []
  /** When the tick began that the pause interrupts. */
  #heldTickUs: number | undefined
  #isWakeDue = false

  constructor(
    options: SimulatedNodeOptions,
    world: World,
    surroundings: Surroundings,
    promises: Promises,
    dice: Dice,
    diskDice: Dice,
  ) {
    this.id = options.id
    this.neverLeads = options.priority === 0
    this.#options = options
    this.#world = world
    this.#recorder = world.record && new NodeRecorder(options.id, world.record)
    this.#surroundings = surroundings
    this.#moments = new NodeMoments(options.id, world, (how) => this.stop(how))
    this.#applied = new AppliedWatch(options.id, world)
    this.story = new NodeStory(options, world, surroundings, this.#moments)
    this.#promises = promises
    this.#dice = dice
    this.clock = new NodeClock(world, options.tickMs, options.clockDrift, dice)
    this.disk = new NodeDisk(world, diskDice, options.disk, options.id, options.membership, options.bounds)
  }

  get state(): RaftView | undefined {
    return this.driver?.raft.state
  }

  get durable(): DurableView {
    return this.disk.durable
  }

  get isUp(): boolean {
    return this.driver !== undefined
  }

  get isRunning(): boolean {
    return this.isUp && !this.isPaused
  }

  /** By its own clock nobody else can lead: it may answer reads. */
  get isLeaseHeld(): boolean {
    return this.driver?.raft.holdsLease(this.clock.nowTicks) === true
  }

  /** Messages that wait at the node. */
  get waitingCount(): number {
    return this.#inbox.messageCount
  }

  start(): void {
    this.incarnation++
    this.error = undefined
    const opened = this.disk.start()
    if (opened instanceof Error) {
      this.error = opened
      return this.story.tell(`does not start: ${opened.message}`)
    }
    this.#world.checker.recovered(this.id, opened)
    const machine = this.#newMachine()
    this.#machine = machine
    this.#applied.begins()
    this.driver = this.#guarded('the node cannot start', () => this.#newDriver(opened, machine))
    this.#moments.begins()
    const { log, membershipIndex: index = 0, membership } = this.driver?.raft.state ?? {}
    const [lastIndex = 0, snapshotIndex] = [log?.lastIndex, log?.snapshot?.index ?? 0]
    const configuration = membership && { index, membership }
    const started = { type: 'started', lastIndex, snapshotIndex, configuration } as const
    this.story.tell(`starts with log ${log?.base.index}…${lastIndex}, snapshot ${snapshotIndex}`, started)
    this.#afterStep()
    this.#later(this.#dice.next() * this.clock.tickUs, () => this.#tick())
  }

  #newMachine(): WatchedMachine {
    const { checker } = this.#world
    const [mask, { passes }] = [32 * this.incarnation + this.id, this.#moments]
    return new WatchedMachine(checker, this.id, mask, this.#options, () => checker.observe(this), passes)
  }

  #newDriver({ store, recovered }: OpenStore, machine: WatchedMachine): Driver {
    const { id, seed, priority, limits, bounds, resultBytesMax, tickMs, reads } = this.#options
    const { incarnation } = this
    const raftSeed = deriveSeed(seed, diceOf.raft, id, incarnation)
    const clock = {
      now: () => this.clock.nowMs,
      steady: () => this.clock.steadyMs,
      defer: (callback: () => void) => this.#later(this.#pace(), callback),
    }
    return new Driver({
      raft: { id, membership: recovered.membership, seed: raftSeed, priority, limits, recovered },
      bounds,
      resultBytesMax,
      store: new WatchedStore(
        store,
        this,
        this.#world,
        (work) => this.#inNode(incarnation, work),
        this.#moments.passes,
      ),
      machine,
      links: { send: (message) => this.#sends(message) },
      clock,
      probe: this.story.newMeter(clock.now, (error) => this.#failed(error)),
      tickMs,
      reads,
      recorder: this.#recorder,
      settle: (settlements) => this.#moments.answers(() => this.#surroundings.settle(id, settlements)),
    })
  }

  /** Ends the node in the middle of whatever it did. After a power loss all that its disk had not flushed is gone, too. */
  stop(how: 'kill' | 'losePower' | 'stop'): void {
    if (!this.isUp) return
    if (how === 'stop') return this.#stop('is stopped', 'kill', { type: 'killed', isOnPurpose: true })
    if (how === 'kill') this.#world.counts.kills++
    else this.#world.counts.powerLosses++
    this.#stop(how === 'kill' ? 'is killed' : 'loses its power', how, { type: 'killed' })
  }

  /** From now on these faults stand at its clock, its disk and its thread. */
  set(standing: readonly StandingFault[]): void {
    this.clock.set(standing)
    this.disk.set(standing)
    if (standing.some(({ fault }) => fault.type === 'pause')) this.#pause()
    else this.#resume()
  }

  /** Stopped like a process: no ticks, no answers, and its queues fill. */
  #pause(): void {
    if (!this.isRunning) return
    this.isPaused = true
    this.#pausedAtMs = this.#world.time.nowMs
    this.story.tell('is paused', { type: 'paused' })
  }

  #resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.story.tell('goes on', { type: 'resumed', afterMs: this.#world.time.nowMs - this.#pausedAtMs })
    const held = this.#held
    if (held.length > 0 || this.#heldTickUs !== undefined) this.#world.counts.pauses++
    this.#held = []
    // Which comes first, ports or timers or the disk, is up to the event loop.
    const works = [() => this.#wakeNow(), ...held]
    const dueUs = this.#heldTickUs
    if (dueUs !== undefined) works.push(() => this.#tick(dueUs))
    this.#heldTickUs = undefined
    const first = this.#dice.below(works.length)
    for (const work of [...works.slice(first), ...works.slice(0, first)]) this.#later(this.#pace(), work)
  }

  deliver(message: Message): void {
    if (this.isUp && this.#inbox.deliver(message)) return this.#wake()
    if (this.isUp) this.#world.counts.overflowed++
    const why = this.isUp ? 'its port is full' : 'not running'
    this.#world.tracer.record(this.id, { type: 'undelivered', message, why })
  }

  ask(request: ClientRequest): void {
    this.#inbox.ask(request)
    this.#wake()
  }

  /** Takes a snapshot of all that the node has applied. `told` hears of nothing when it does not run, or stops before. */
  takeSnapshot(told: (snapshot: Snapshot | undefined) => void): void {
    if (!this.isRunning) return told(undefined)
    this.driver?.takeSnapshot(told)
    this.#afterStep()
  }

  /** An operator asks for something, unless the node ends before it comes to it. */
  operate(ask: (driver: Driver) => void): void {
    this.#later(this.#pace(), () => {
      if (this.driver !== undefined) ask(this.driver)
    })
  }

  /** For the end of a run, or of a life. */
  endRecording(): void {
    if (this.driver !== undefined) this.#recorder?.ends(this.driver.raft)
  }

  /** The state that the node has now, sessions included, by its own account. */
  hash(): string | undefined {
    return this.driver?.machine.hash()
  }

  /** The whole state against the model, and with sessions against what other nodes have. */
  checkState(): void {
    if (this.state !== undefined) this.#machine?.checkState(this.state.log.lastApplied, this.hash())
  }

  #wake(): void {
    if (this.#isWakeDue || this.isPaused) return
    this.#isWakeDue = true
    this.#later(this.#pace(), () => {
      this.#isWakeDue = false
      this.#wakeNow()
    })
  }

  #wakeNow(): void {
    if (this.#inbox.isEmpty) return
    this.#drain()
    this.#turn()
  }

  #tick(dueUs = this.#world.time.nowUs): void {
    const { checker } = this.#world
    this.#moments.ticks()
    this.#drain()
    this.driver?.tick()
    this.#afterStep()
    this.#turn()
    checkAtTick(this, checker.nodeCount, checker)
    if (this.state !== undefined) this.disk.logSize.checkAtTick(this.state)
    const helpless = this.state && this.#quorumWatch.ticked(this.state)
    if (helpless !== undefined) checker.report('a leader is of use', helpless)
    this.#scheduleTick(dueUs)
  }

  /** Like an interval of Node: the next tick is due one tick after this one began, and those that were missed never. */
  #scheduleTick(dueUs: number): void {
    const { incarnation } = this
    const { time } = this.#world
    time.after(Math.max(0, dueUs + this.clock.tickUs - time.nowUs), () => {
      if (incarnation !== this.incarnation || !this.isUp) return
      if (this.isPaused) this.#heldTickUs = time.nowUs
      else this.#moments.interruptible(() => this.#tick())
    })
  }

  /** Takes all that waits, votes and heartbeats first. */
  #drain(): void {
    const { messages, requests } = this.#inbox.takeAll()
    for (const message of messages) this.#receive(message)
    for (const request of requests) {
      this.#world.tracer.record(this.id, { type: 'asked', request: request.request, what: request.type })
      this.#surroundings.taken(request.request)
      if (request.type === 'read' && this.isLeaseHeld) this.#world.counts.readUnderLease++
      this.driver?.request(request)
      this.#afterStep()
    }
  }

  #receive(message: Message): void {
    const { fingerprint, mail, tracer } = this.#world
    mail.received(this.id, message)
    fingerprint.add(this.id)
    fingerprint.addMessage(message)
    tracer.record(this.id, { type: 'received', message })
    this.#quorumWatch.heard(message.from)
    this.#world.questions.asked(this, message)
    this.driver?.receive(message)
    this.#world.questions.took(this, message)
    this.#world.checker.observe(this, message)
    this.#moments.took(message)
  }

  #turn(): void {
    this.driver?.turn()
    this.#afterStep()
  }

  /** What just happened in the node is looked at, before anything else happens. */
  #afterStep(): void {
    const { state } = this
    if (state === undefined) return
    this.#world.checker.observe(this)
    if (this.#applied.stepped(state.log.lastApplied, this.#machine)) this.checkState()
  }

  #sends(message: Message): void {
    if (!this.isRunning) this.#world.checker.report('a stopped node is silent', `node ${this.id} sends`)
    this.#world.checker.observe(this)
    this.#promises.sent(this, message)
    this.#world.questions.sent(this, message)
    this.#moments.sends(message, this.#surroundings.send)
  }

  #failed(error: unknown): void {
    if (error instanceof Interruption) return this.stop(error.how)
    this.error = error
    if (isInvariantViolation(error) || !(this.disk.hasFailed || this.disk.met(error)))
      this.#world.checker.report('a node never stops by itself', `node ${this.id}: ${reasonOf(error)}`)
    // It is in the middle of a turn: nothing of it may run on, and its disk is let go of as after a crash.
    const why = reasonOf(error)
    this.#stop(`stops: ${why}`, 'losePower', { type: 'failed', why })
  }

  #stop(what: string, how: 'kill' | 'losePower', happening: Happening): void {
    this.endRecording()
    this.driver?.stop()
    this.driver = undefined
    this.#machine = undefined
    this.#moments.ends()
    this.incarnation++
    this.isPaused = false
    this.#held = []
    this.#heldTickUs = undefined
    this.#isWakeDue = false
    this.#quorumWatch = new QuorumWatch()
    this.#inbox.takeAll()
    this.disk[how]()
    this.story.tell(what, happening)
    this.#surroundings.stopped(this.id)
  }

  /** Runs `work` in this incarnation: at once, or when the node goes on. */
  #inNode(incarnation: number, work: () => void): void {
    if (incarnation !== this.incarnation) return
    if (this.isPaused) return void this.#held.push(() => this.#inNode(incarnation, work))
    this.#world.fingerprint.add(this.id)
    this.#world.fingerprint.add(this.#world.time.nowUs)
    this.#moments.interruptible(work)
    this.#afterStep()
  }

  #later(delayUs: number, work: () => void): void {
    const { incarnation } = this
    this.#world.time.after(delayUs, () => this.#inNode(incarnation, work))
  }

  /** How long the event loop takes until it comes to something. */
  #pace(): number {
    return 1000 * this.#options.turnMs * this.#dice.next()
  }

  #guarded<T>(what: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.error = error
      this.#world.checker.report(what, `node ${this.id}: ${reasonOf(error)}`)
      return undefined
    }
  }
}
