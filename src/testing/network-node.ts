/** One node of a `RaftNetwork`: the protocol, a disk that can stall, and a state machine that keeps a list. */
import {
  type Answer,
  type EndTurn,
  type EntryId,
  type EntryRun,
  type Frame,
  type Input,
  type LogRun,
  lastIndexOf,
  type Membership,
  type MembershipChange,
  type Message,
  type NodeId,
  type OperationRefusal,
  type Persist,
  type Proposed,
  Raft,
  type RaftEvent,
  type RaftLimits,
  type RaftView,
  type ReadState,
  type Ready,
  type Refusal,
  type Snapshot,
  type Term,
} from '../raft/index.js'
import { entriesOf, frameOf, type LoggedEntry, type LogSpec, termsOf } from './log-spec.js'
import { type DiskSetup, ModelDisk } from './model-disk.js'

/** How a node begins. Everything may be left out: an empty node that starts for the first time. */
export interface NodeSetup {
  readonly log?: LogSpec
  /** currentTerm on disk. Default: the term of the last entry. */
  readonly term?: Term
  readonly votedFor?: NodeId
  readonly membership?: Membership
  /** The node took the place of one that lost its disk, as `RaftOptions.recovered` tells. */
  readonly votesFromTerm?: Term
  readonly limits?: Partial<RaftLimits>
  /** A snapshot in front of the log: of a state machine that holds `applied`. */
  readonly snapshot?: { readonly applied: LogSpec; readonly membership?: Membership }
  readonly seed?: number
  /** 0: the node never leads. */
  readonly priority?: number
}

/** What a node is given by its network. */
export interface NodeHost {
  readonly id: NodeId
  readonly membership: Membership
  readonly limits: Partial<RaftLimits>
  send(message: Message): void
  /** Sees each fact that the protocol was told, with its answer, before any of it is done. */
  readonly observe?: StepObserver
}

export type StepObserver = (id: NodeId, input: Input, answer: Answer<Input>) => void

/** An effect that a node has for its protocol: `flush` makes the oldest write durable, and tells so. */
export type Effect =
  | { readonly type: 'send'; readonly message: Message }
  | { readonly type: 'write'; readonly persist: Persist }
  | { readonly type: 'apply'; readonly runs: readonly LogRun[] }
  | { readonly type: 'flush' }
  | { readonly type: 'restore'; readonly snapshot: Snapshot }

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class NetworkNode {
  readonly id: NodeId
  readonly disk: ModelDisk
  /** What happened since the start of the test, incarnations included. */
  readonly events: RaftEvent[] = []
  /** Reads that were confirmed or given up, in order. */
  readonly reads: ReadState[] = []
  /** What the state machine holds: every entry that was applied, from the first one on. */
  applied: LoggedEntry[] = []
  /** What its clock shows, in ticks; `undefined`: it has none. */
  now: number | undefined
  /** While true, nothing that is committed is applied. */
  isApplyHeld = false
  /** While true, nothing that the protocol asks for is done but by `doNext`. */
  isByHand = false

  readonly #host: NodeHost
  readonly #setup: NodeSetup
  #raft: Raft | undefined
  #incarnation = 0
  /** Effects that the last turn asked for and that are not done, in the order of `border.ts`. */
  readonly #effects: Effect[] = []

  constructor(host: NodeHost, setup: NodeSetup) {
    this.id = host.id
    this.#host = host
    this.#setup = setup
    this.disk = new ModelDisk(diskSetupOf(setup, setup.membership ?? host.membership))
    this.restart()
    // The test begins later than the node: whatever its disk holds, it may vote.
    this.waitOutPromise()
  }

  get isUp(): boolean {
    return this.#raft !== undefined
  }

  /** The protocol itself. Throws while the node is down. */
  get raft(): Raft {
    if (this.#raft === undefined) throw new Error(`node ${this.id} is down`)
    return this.#raft
  }

  get state(): RaftView {
    return this.raft.state
  }

  /** The term of each entry in the log, in order. */
  get terms(): Term[] {
    const { log } = this.state
    return termsOf(log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY))
  }

  /** Every entry in the log, with its command. */
  get entries(): LoggedEntry[] {
    const { log } = this.state
    return entriesOf(this.runsOf(log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)))
  }

  /** The same runs, each with its bytes: what the log has left to the disk is read there. */
  runsOf(runs: readonly LogRun[]): EntryRun[] {
    return runs.map((run) => {
      const whole = run.bytes === undefined ? this.disk.readEntries(run) : run
      if (whole === undefined) throw new Error(`entry ${run.index} is not on the disk of node ${this.id}`)
      return whole
    })
  }

  /** Tells the protocol one fact, then does all that it asks for. */
  step<Told extends Input>(input: Told): Answer<Told> {
    const answer = this.#tell(input)
    this.work()
    return answer
  }

  tick(times = 1): void {
    for (let i = 0; i < times; i++) this.step({ type: 'tick' })
  }

  /** Lets it forget its leader: just long enough to vote for another, and too short for an election of its own. */
  waitOutPromise(): void {
    const { limits } = this.state
    while (this.state.role !== 'leader' && this.state.leaderElapsedTicks < limits.electionTimeoutTicks)
      this.tick()
  }

  /** Campaigns once it may. */
  campaign(): void {
    this.waitOutPromise()
    this.step({ type: 'campaign' })
  }

  /** Proposes text commands in one frame. */
  propose(...commands: readonly string[]): Proposed | Refusal {
    return this.proposeFrame(frameOf(...commands))
  }

  proposeFrame(frame: Frame): Proposed | Refusal {
    return this.step({ type: 'propose', frame })
  }

  read(id: number): Refusal | undefined {
    return this.step({ type: 'read', id })
  }

  /** Asks for a read that this node serves, whether it leads or not. */
  readHere(id: number): Refusal | undefined {
    return this.step({ type: 'read', id, isServedHere: true })
  }

  changeMembership(...changes: readonly MembershipChange[]): Proposed | OperationRefusal {
    return this.step({ type: 'changeMembership', changes })
  }

  /** Asks it to hand over its leadership. */
  transfer(to?: NodeId): OperationRefusal | undefined {
    return this.step({ type: 'transfer', to })
  }

  receive(message: Message): void {
    this.step({ type: 'message', message })
  }

  /** Takes and does all that the protocol asks for, until it asks for nothing more. Nothing while `isByHand`. */
  work(): void {
    if (this.isByHand) return
    for (let effects = 0; this.doNext() !== undefined; effects++) {
      if (effects > 100_000) throw new Error(`node ${this.id} does not come to rest`)
    }
  }

  /** Does the next effect that the protocol asks for, and tells which; `undefined` when there is none. */
  doNext(): Effect | undefined {
    const effect = this.#nextEffect()
    if (effect !== undefined) this.#do(effect)
    return effect
  }

  /** Whether `doNext` would find anything to do. Nothing is taken by the question. */
  get hasWork(): boolean {
    return this.#effects.length > 0 || this.#effectsOf(this.raft.fork().step(this.#turn)).length > 0
  }

  /** Flushes the oldest write, also on a stalled disk, and does what then may be done. False when none waits. */
  flushNext(): boolean {
    if (this.disk.unflushedCount === 0) return false
    this.#flush()
    this.work()
    return true
  }

  /** Lets a stalled disk go on, and flushes what piled up. */
  releaseDisk(): void {
    this.disk.isHeld = false
    this.work()
  }

  /** Ends the node: its memory, its unflushed writes and its state machine are gone. */
  crash(): void {
    this.#raft = undefined
    this.#effects.length = 0
    this.disk.crash()
    this.applied = []
  }

  /** Starts the node from what its disk holds. */
  restart(): void {
    const {
      seed = this.id,
      membership = this.#host.membership,
      limits,
      votesFromTerm = 0,
      priority = 1,
    } = this.#setup
    const recovered = { ...this.disk.recover(), votesFromTerm }
    this.#raft = new Raft({
      id: this.id,
      membership,
      seed: seed * 1000 + this.#incarnation++,
      limits: { ...this.#host.limits, ...limits },
      priority,
      recovered,
    })
    this.applied = recovered.snapshot === undefined ? [] : this.#restored(recovered.snapshot)
  }

  /**
   * Takes a snapshot of the state machine, as far as the node's own disk holds the entries behind it, and cuts the log
   * but for the last `keep` entries of them.
   */
  compact(keep = 0): Snapshot {
    const { log } = this.state
    const held = this.applied.filter(({ index }) => index <= log.flushedIndex)
    const last = held.at(-1)
    if (last === undefined) throw new Error('a snapshot needs something that was applied and flushed')
    const data = encodeApplied(held)
    const membership = log.membershipAt(last.index)
    const snapshot = { index: last.index, term: last.term, membership, size: data.byteLength }
    const index = Math.max(log.base.index, last.index - keep)
    const base: EntryId = { index, term: log.termAt(index) ?? 0 }
    this.disk.compact(snapshot, data, base)
    this.step({ type: 'compacted', snapshot, base })
    return snapshot
  }

  #tell<Told extends Input>(input: Told): Answer<Told> {
    const answer = this.raft.step(input)
    this.#host.observe?.(this.id, input, answer)
    return answer
  }

  /** The oldest effect that is not done; ends a turn once all are. `undefined` when that asks for nothing. */
  #nextEffect(): Effect | undefined {
    if (this.#effects.length === 0) this.#endTurn()
    return this.#effects.shift()
  }

  #endTurn(): void {
    const ready = this.#tell(this.#turn)
    this.events.push(...ready.events)
    this.reads.push(...ready.reads)
    this.#effects.push(...this.#effectsOf(ready))
  }

  #effectsOf({ messages, persist, apply }: Ready): Effect[] {
    const effects: Effect[] = messages.map((message) => ({ type: 'send', message }))
    if (persist !== undefined) effects.push({ type: 'write', persist })
    if (!this.isApplyHeld && apply.length > 0) effects.push({ type: 'apply', runs: apply })
    const isUnflushed = persist !== undefined || this.disk.unflushedCount > 0
    if (!this.disk.isHeld && isUnflushed) effects.push({ type: 'flush' })
    return effects
  }

  get #turn(): EndTurn {
    const { now } = this
    return { type: 'endTurn', now, mayWrite: this.disk.hasRoom, applyBytesMax: Number.POSITIVE_INFINITY }
  }

  #do(effect: Effect): void {
    if (effect.type === 'send') this.#send(effect.message)
    else if (effect.type === 'write') this.disk.write(effect.persist)
    else if (effect.type === 'apply') this.#apply(effect.runs)
    else if (effect.type === 'restore') this.#restore(effect.snapshot)
    else this.#flush()
  }

  /** The messages that waited for the flush come before all other effects of the node. */
  #flush(): void {
    const persist = this.disk.flushNext()
    if (persist === undefined) return
    this.#tell({ type: 'flushed', sequence: persist.sequence })
    const { messages, install } = persist
    const restore = install === undefined ? [] : [{ type: 'restore', snapshot: install } as const]
    this.#effects.unshift(...messages.map((message) => ({ type: 'send', message }) as const), ...restore)
  }

  #restore(snapshot: Snapshot): void {
    if (this.state.log.snapshot?.index !== snapshot.index) return
    this.applied = this.#restored(snapshot)
    this.#tell({ type: 'applied', index: snapshot.index })
  }

  #apply(runs: readonly LogRun[]): void {
    this.applied.push(...entriesOf(this.runsOf(runs)))
    for (const run of runs.slice(-1)) this.#tell({ type: 'applied', index: lastIndexOf(run) })
  }

  /** Entries and chunks get their bytes as they leave. */
  #send(message: Message): void {
    if (message.type === 'appendEntries' && message.mode === 'replication')
      return this.#host.send({ ...message, entries: this.runsOf(message.entries) })
    if (message.type !== 'installSnapshot') return this.#host.send(message)
    const { lastIncludedIndex: index, offset, length, to } = message
    const data = this.disk.snapshotData(index)?.slice(offset, offset + length)
    if (data === undefined) this.#tell({ type: 'snapshotMissing', to, index })
    else this.#host.send({ ...message, data })
  }

  #restored({ index }: Snapshot): LoggedEntry[] {
    const data = this.disk.snapshotData(index)
    if (data === undefined) throw new Error(`no snapshot at ${index}`)
    return decodeApplied(data)
  }
}

/** A snapshot of the state machine: the list itself, as text. */
export function encodeApplied(applied: readonly LoggedEntry[]): Uint8Array {
  return encoder.encode(JSON.stringify(applied))
}

function decodeApplied(data: Uint8Array): LoggedEntry[] {
  return JSON.parse(decoder.decode(data)) as LoggedEntry[]
}

function diskSetupOf(setup: NodeSetup, membership: Membership): DiskSetup {
  const { log = [], term, votedFor, snapshot } = setup
  const disk = new ModelDisk({ log: snapshot?.applied ?? [] })
  const applied = entriesOf(disk.entries)
  const last = applied.at(-1)
  if (snapshot === undefined || last === undefined) return { log, ...hardStateIn(term, votedFor) }
  const data = encodeApplied(applied)
  const meta: Snapshot = {
    index: last.index,
    term: last.term,
    membership: snapshot.membership ?? membership,
    size: data.byteLength,
  }
  return { log, snapshot: { meta, data }, ...hardStateIn(term, votedFor) }
}

function hardStateIn(
  currentTerm: Term | undefined,
  votedFor: NodeId | undefined,
): Pick<DiskSetup, 'hardState'> {
  return currentTerm === undefined ? {} : { hardState: { currentTerm, votedFor } }
}
