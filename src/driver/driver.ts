/**
 * The interpreter of what the protocol asks for: step, persist beside send, apply, reply. It
 * runs on threads, inline and in virtual time alike: time, links, disk and clients are handed to it.
 */

import { isFrameOfSession, ResultBuilder, SessionMachine } from '../machine/index.js'
import type {
  EntryRun,
  Input,
  MembershipChange,
  Message,
  NodeId,
  Persist,
  Propose,
  Read,
  Ready,
  Refusal,
  Snapshot,
} from '../raft/index.js'
import { assert, entryKinds, lastIndexOf, needsFlush, Raft } from '../raft/index.js'
import type { ClientRequest, Settlement } from '../transport/index.js'
import { Freshness } from './freshness.js'
import { LogTime } from './log-time.js'
import { type ChangeOutcome, Operations, type TransferOutcome } from './operations.js'
import type { DriverOptions } from './options.js'
import { Proposals } from './proposals.js'
import { Reads } from './reads.js'
import { Snapshotter } from './snapshotter.js'
import { StoredBytes } from './stored-bytes.js'

/** Bytes of log applied in one turn; what remains waits until the ports have been looked at. */
const applyBytesPerTurn = 256 << 10

export class Driver {
  readonly raft: Raft
  readonly machine: SessionMachine
  readonly #options: DriverOptions
  readonly #proposals: Proposals
  readonly #reads: Reads
  readonly #stored: StoredBytes
  readonly #operations = new Operations()
  readonly #snapshotter: Snapshotter
  readonly #logTime: LogTime
  readonly #freshness: Freshness
  readonly #results = new ResultBuilder()
  #settled: Settlement[] = []
  /** What is with the store: one write at a time, so that all that comes meanwhile is the next one. */
  #writing: Persist | undefined
  /** Whether `turn` is at work, so that the flush of a quick disk goes on in the same turn. */
  #isInTurn = false
  /** Whether a write of this turn was flushed since the protocol was last asked. */
  #hasFlushed = false
  #isStopped = false
  #isTurnDeferred = false

  readonly #isLeaseHeld = (): boolean => {
    const { clock, tickMs } = this.#options
    return this.raft.holdsLease(clock.now() / tickMs)
  }

  readonly #ageMs = (): number => this.#freshness.ageMs()

  readonly #settle = (settlement: Settlement): void => {
    this.#settled.push(settlement)
  }

  /** One function for all writes: V8 forgets the compiled code of one that nobody holds between two calls. */
  readonly #written = (error: Error | undefined): void => {
    if (error !== undefined) return this.#fail(error)
    const persist = this.#writing
    assert(persist !== undefined, 'only what was given to the store is flushed')
    this.#writing = undefined
    this.#options.probe.flushEnded(persist)
    this.#guard(this.#flushed, persist)
    if (!this.#isInTurn) this.turn()
  }

  constructor(options: DriverOptions) {
    this.#options = options
    this.raft = new Raft(options.raft, options.recorder)
    this.#proposals = new Proposals(this.#settle, (commands) => options.probe.proposalsFailed(commands))
    const machine = new SessionMachine(options.machine)
    this.machine = machine
    this.#reads = new Reads(machine, options.resultBytesMax, this.#settle)
    const { store, clock, bounds, probe } = options
    this.#snapshotter = new Snapshotter(this.raft, store, machine, bounds, probe, (error) =>
      this.#fail(error),
    )
    this.#freshness = new Freshness(this.raft, clock, options.tickMs)
    this.#logTime = new LogTime(clock, machine, (frame) => {
      return 'first' in this.raft.step({ type: 'propose', frame, isOfSession: true })
    })
    this.#stored = new StoredBytes(store)
    const { snapshot } = this.raft.state.log
    if (snapshot !== undefined) machine.restore(this.#stored.piecesOf(snapshot))
    probe.turnEnded(this.raft.state)
  }

  /** One unit of the protocol's time. The host has drained the ports before [TN1]. */
  tick(): void {
    this.#guard(this.#ticked, undefined)
    if (this.#isStopped) return
    const { count: reads, waitingBytes: readBytes } = this.#reads
    const waiting = { proposals: this.#proposals.count, reads, readBytes }
    this.#options.probe.ticked(this.raft.state, this.#isLeaseHeld, waiting)
  }

  receive(message: Message): void {
    this.#options.probe.received(message)
    this.#guard(this.#step, { type: 'message', message })
  }

  request(request: ClientRequest): void {
    this.#guard(this.#take, request)
  }

  /** Begins an election now instead of after a timeout, unless the node may have promised a leader to elect nobody. */
  campaign(): void {
    this.#guard(this.#step, { type: 'campaign' })
    this.turn()
  }

  /** Asks for other members. Answered once the change is done or refused, and never when the node ends before that. */
  changeMembership(changes: readonly MembershipChange[], settle: (outcome: ChangeOutcome) => void): void {
    this.#guard(() => {
      const answer = this.raft.step({ type: 'changeMembership', changes })
      if ('code' in answer) settle({ outcome: 'refused', ...answer })
      else this.#operations.addChange(answer.first, settle)
    }, undefined)
    this.turn()
  }

  /** Asks the leader to hand over to `to`, or to the voter that is the furthest. Answered like `changeMembership`. */
  transfer(to: NodeId | undefined, settle: (outcome: TransferOutcome) => void): void {
    this.#guard(() => {
      const refusal = this.raft.step({ type: 'transfer', to })
      if (refusal !== undefined) settle({ outcome: 'refused', ...refusal })
      else this.#operations.addTransfer(settle)
    }, undefined)
    this.turn()
  }

  /** Takes back the buffer of results whose clients have read them. */
  reuse(buffer: ArrayBuffer): void {
    this.#reads.reuse(buffer)
  }

  /** Does all that the facts of this turn made possible. Called once the ports are drained. */
  turn(): void {
    this.#guard(this.#takeTurn, undefined)
  }

  /**
   * Takes a snapshot of all that is applied, and cuts the log right behind it. `told` hears of it once it is on the disk,
   * or of `undefined` when the node stops before.
   */
  takeSnapshot(told: (snapshot: Snapshot | undefined) => void): void {
    if (this.#isStopped) return told(undefined)
    this.#snapshotter.wish(told)
    this.turn()
  }

  /** Nothing leaves the node, and nothing more is written, from now on: as after a crash. */
  stop(): void {
    this.#isStopped = true
    this.#snapshotter.stop()
  }

  #step(input: Input): void {
    this.raft.step(input)
  }

  #ticked(): void {
    this.raft.step({ type: 'tick' })
    // A leader tells the log's time, by which sessions expire on all nodes alike.
    this.#logTime.tick(this.raft.state.role === 'leader')
    this.#freshness.ticked()
  }

  #take({ type, request, frame, isOfSession }: ClientRequest): void {
    const { leaderId } = this.raft.state
    const commands = type === 'propose' ? frame.count : 0
    if (type !== 'propose' && this.#reads.isFull)
      return this.#refuse(request, { code: 'overloaded', leaderId }, commands)
    if (isOfSession === true && !isFrameOfSession(frame))
      return this.#refuse(request, { code: 'malformed', leaderId }, commands)
    if (type === 'readHere' || type === 'staleRead') this.#freshness.wanted()
    if (type === 'staleRead') return this.#reads.addStale(request, frame)
    const input: Propose | Read =
      type === 'propose'
        ? { type, frame, isOfSession }
        : { type: 'read', id: request, isServedHere: type === 'readHere' }
    const answer = this.raft.step(input)
    if (answer !== undefined && 'code' in answer) {
      this.#refuse(request, answer, commands)
    } else if (answer !== undefined) {
      this.#proposals.add(request, answer.first, frame.count)
    } else {
      this.#reads.add(request, frame)
    }
  }

  #refuse(request: number, { code, leaderId }: Refusal, commands: number): void {
    this.#options.probe.refused(code)
    if (commands > 0) this.#options.probe.proposalsFailed(commands)
    this.#settle({ request, outcome: 'refused', code, leaderId })
  }

  #takeTurn(): void {
    this.#isInTurn = true
    let ready = this.#endTurn()
    // A quick disk flushes before its write returns. What waited for the flush then leaves before anything is applied [OE3].
    while (this.#hasFlushed && !this.#isStopped) ready = this.#endTurn()
    this.#isInTurn = false
    // The flush of a quick disk may have failed within this turn.
    if (this.#isStopped) return
    this.#apply(ready)
    const last = this.#settled.findLast((settlement) => settlement.outcome === 'applied')
    if (last?.outcome === 'applied') this.#options.probe.answered(last.index + last.count - 1)
    // A caller that has its answer finds its command in the counters.
    this.#options.probe.turnEnded(this.raft.state)
    this.#reply()
    const { log } = this.raft.state
    if (log.lastApplied === log.lastIndex) this.#reads.readAhead(log.lastApplied)
  }

  #endTurn(): Ready {
    const { clock, tickMs, probe, reads: confirmation } = this.#options
    // The probe gives this turn the time of the clock's last reading, so the clock is read also where no lease needs it.
    const nowMs = clock.now()
    probe.turnEnding(this.raft.state)
    const ready = this.raft.step({
      type: 'endTurn',
      now: confirmation === 'lease' ? nowMs / tickMs : undefined,
      mayWrite: this.#writing === undefined,
      applyBytesMax: applyBytesPerTurn,
    })
    this.#hasFlushed = false
    // Events are told before any message leaves, so a cause is told before what another node makes of it [HP4].
    for (const event of ready.events) {
      probe.happened(event)
      this.#operations.happened(event)
    }
    for (const message of ready.messages) this.#send(message)
    for (const reads of ready.reads) {
      this.#reads.confirmed(reads, this.raft.state.leaderId)
      this.#freshness.confirmed(reads)
    }
    if (ready.persist !== undefined) this.#write(ready.persist)
    return ready
  }

  #write(persist: Persist): void {
    // A write of nothing but messages needs no flush: every write before it is on the disk already [WR2].
    if (!needsFlush(persist)) return this.#flushed(persist)
    this.#writing = persist
    this.#options.probe.flushBegan()
    this.#options.store.write(persist, this.#written)
  }

  /** The write is flushed, so the messages that promise durability leave now. */
  #flushed(persist: Persist): void {
    this.raft.step({ type: 'flushed', sequence: persist.sequence })
    for (const message of persist.messages) this.#send(message)
    if (persist.install !== undefined) this.#install(persist.install)
    this.#hasFlushed = true
  }

  /** The state machine begins anew from a snapshot that the leader sent (Figure 13, rule 8). */
  #install(snapshot: Snapshot): void {
    const { log } = this.raft.state
    // A newer snapshot was received during this write, and the flush of its own write restores it.
    if (log.snapshot?.index !== snapshot.index) return
    this.#snapshotter.abandon()
    this.machine.restore(this.#stored.piecesOf(snapshot))
    this.raft.step({ type: 'applied', index: snapshot.index })
    this.#proposals.skipped(snapshot)
    this.#operations.skipped()
    this.#options.probe.snapshotInstalled()
  }

  /** Applies what is committed (Figure 2, all servers), or as much of it as may be answered in one turn. */
  #apply({ apply, hasMore }: Ready): void {
    const { probe, resultBytesMax } = this.#options
    // While the clients have not read what they were sent, results and answers wait here. Once they have read, they wake
    // the node, so no turn is deferred for them [OV3].
    const areClientsBehind = this.#options.areClientsBehind?.() === true
    let applied = 0
    for (const known of apply) {
      if (areClientsBehind && this.#proposals.awaits(known)) break
      const run = this.#stored.wholeOf(known)
      assert(run !== undefined, 'what is not applied is not cut off')
      const isForMachine = run.kind === entryKinds.commands || run.kind === entryKinds.session
      probe.applied(run, isForMachine ? this.#applyRun(run) : 0)
      this.raft.step({ type: 'applied', index: lastIndexOf(run) })
      this.#proposals.applied(run)
      this.#operations.applied(run)
      applied++
      // The result of a command may be far larger than the command, so the bytes of the run bound nothing [TN3].
      if (this.#results.byteLength >= resultBytesMax) break
    }
    const { log } = this.raft.state
    const isApplied = applied === apply.length && !hasMore
    if (!areClientsBehind) {
      const isServed = this.#reads.serve(log.lastApplied, this.#ageMs)
      if (!isApplied || !isServed) this.#deferTurn()
    }
    // A snapshot that is ahead of what is applied came from the leader, and waits for its flush to be restored.
    if (isApplied && log.lastApplied >= (log.snapshot?.index ?? 0)) this.#snapshotter.begin()
  }

  /** Answers how many commands were applied. */
  #applyRun(run: EntryRun): number {
    const { machine } = this
    if (!this.#proposals.awaits(run)) return machine.apply(run, undefined)
    const before = this.#results.count
    const applied = machine.apply(run, this.#results)
    const answered = this.#results.count - before
    if (answered !== run.count)
      throw new Error(`the machine owes a result for each command: it gave ${answered} for ${run.count}`)
    return applied
  }

  #reply(): void {
    if (this.#settled.length === 0) return
    const settled = this.#settled
    this.#settled = []
    this.#options.settle({ settled, results: this.#results.take().bytes })
  }

  #deferTurn(): void {
    if (this.#isTurnDeferred) return
    this.#isTurnDeferred = true
    this.#options.clock.defer(() => {
      this.#isTurnDeferred = false
      this.turn()
    })
  }

  #send(message: Message): void {
    const filled = this.#stored.filled(message)
    if (filled !== undefined) {
      this.#options.probe.sent(filled)
      this.#options.links.send(filled)
    } else if (message.type === 'installSnapshot') {
      // The store no longer has that snapshot. The protocol probes the follower anew, and sends the newest one if it must.
      const { to, lastIncludedIndex: index } = message
      this.raft.step({ type: 'snapshotMissing', to, index })
    }
  }

  /** An error here is a broken invariant or a broken part, so the node stops [SP2]. */
  #guard<Given>(work: (this: Driver, given: Given) => void, given: Given): void {
    if (this.#isStopped) return
    try {
      work.call(this, given)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    try {
      this.stop()
    } catch {
      // A machine may throw when its snapshot is given up. The reason why the node stops is the earlier error.
    }
    this.#options.probe.failed(error)
  }
}
