/**
 * One node of a search: the protocol and a disk. A step does all that the protocol asks for in it, except a write that is
 * held: the flush of such a write is a step of its own.
 */
import {
  type EntryRun,
  type HardState,
  lastIndexOf,
  logOrigin,
  type MembershipChange,
  type Message,
  type NodeId,
  needsFlush,
  type Persist,
  packCommands,
  Raft,
  type RaftEvent,
  type RaftLimits,
  type RaftView,
} from '../raft/index.js'

/** A step of one node. */
export type Step =
  | { readonly type: 'deliver'; readonly message: Message }
  /** A leader that hears nobody for two election timeouts steps down; another node begins an election. */
  | { readonly type: 'timeOut' }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'propose'; readonly number: number }
  /** The power is lost, and comes back. Between both the node takes no part, as any node that takes no step. */
  | { readonly type: 'crash' }
  | { readonly type: 'flush' }
  | { readonly type: 'transfer'; readonly to: NodeId }
  | { readonly type: 'change'; readonly changes: readonly MembershipChange[] }

/** A step, and the node that takes it. */
export interface PlacedStep {
  readonly id: NodeId
  readonly step: Step
  /** The write that the step asks for is not flushed in the step. */
  readonly isHeld: boolean
}

/** The rest of a node after a power loss. */
export interface Disk {
  readonly hardState: HardState
  readonly entries: readonly EntryRun[]
}

/** A promise of a message that is not on its sender's disk. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
}

export const electionTimeoutTicks = 3
/**
 * Small figures make the limits matter: a heartbeat is one tick, and a message carries one entry, so that entries of
 * different terms travel apart.
 */
const limits: Partial<RaftLimits> = Object.freeze({ electionTimeoutTicks, heartbeatTicks: 1 })
/** Bytes of entries in one message of a search: each entry comes alone. */
export const appendBytesMaxDefault = 1

export interface MemberOptions {
  /** The node begins where that one stands. */
  readonly from?: Member
  /** Called with each event of the node, with its reason. */
  readonly hear?: (event: RaftEvent) => void
  /** Bytes of entries in one message. Default: one entry. */
  readonly appendBytesMax?: number
}

export class Member {
  readonly id: NodeId
  readonly #nodes: number
  readonly #appendBytesMax: number
  #raft: Raft
  #disk: Disk
  /** The write that is held. */
  #held: Persist | undefined
  #sent: Message[] = []
  readonly #hear: ((event: RaftEvent) => void) | undefined
  #hasWritten = false

  constructor(id: NodeId, nodes: number, options: MemberOptions = {}) {
    const { from, hear, appendBytesMax = appendBytesMaxDefault } = options
    this.id = id
    this.#nodes = nodes
    this.#appendBytesMax = appendBytesMax
    this.#hear = hear
    this.#disk = from?.disk ?? { hardState: { currentTerm: 0, votedFor: undefined }, entries: [] }
    this.#held = from?.held
    this.#raft = from?.raft.fork() ?? this.#started()
  }

  get raft(): Raft {
    return this.#raft
  }

  get state(): RaftView {
    return this.#raft.state
  }

  get disk(): Disk {
    return this.#disk
  }

  get held(): Persist | undefined {
    return this.#held
  }

  /** The last step asked for a write that had to be flushed. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** Takes a step, and answers with the messages that leave. `isHeld`: the next write is not flushed. */
  take(step: Step, isHeld: boolean): Message[] {
    this.#sent = []
    this.#hasWritten = false
    const isLeader = this.state.role === 'leader'
    this.#tell(step)
    if (step.type === 'timeOut' && isLeader) {
      this.#hearNobody()
      return []
    }
    this.#work(isHeld)
    this.#forgetLeader()
    return this.#sent
  }

  #tell(step: Step): void {
    const raft = this.#raft
    switch (step.type) {
      case 'deliver':
        raft.step({ type: 'message', message: step.message })
        break
      case 'timeOut':
        if (this.state.role !== 'leader') raft.step({ type: 'timeoutNow' })
        break
      case 'heartbeat':
        raft.step({ type: 'tick' })
        break
      case 'propose':
        raft.step({ type: 'propose', frame: packCommands([new Uint8Array([step.number])]) })
        break
      case 'crash':
        this.#held = undefined
        this.#raft = this.#started()
        break
      case 'flush':
        this.#flush()
        break
      case 'transfer':
        raft.step({ type: 'transfer', to: step.to })
        break
      case 'change':
        raft.step({ type: 'changeMembership', changes: step.changes })
        break
    }
  }

  /** Time passes, and what the leader sends meanwhile is lost. */
  #hearNobody(): void {
    for (let tick = 0; tick < 2 * electionTimeoutTicks; tick++) this.#raft.step({ type: 'tick' })
    this.#work(false)
    this.#sent = []
  }

  /**
   * A node votes for nobody for an election timeout after it heard its leader. This time always passes before the next
   * step: a request that the node would ignore meanwhile counts as lost.
   */
  #forgetLeader(): void {
    const { state } = this
    while (state.role !== 'leader' && state.leaderElapsedTicks < electionTimeoutTicks)
      this.#raft.step({ type: 'tick' })
  }

  /** Does what the protocol asks for, until it asks for nothing more. */
  #work(isHeld: boolean): void {
    for (;;) {
      const mayWrite = this.#held === undefined
      const { messages, persist, apply, events } = this.#raft.step({
        type: 'endTurn',
        now: undefined,
        mayWrite,
        applyBytesMax: Number.POSITIVE_INFINITY,
      })
      if (this.#hear !== undefined) for (const event of events) this.#hear(event)
      this.#send(messages)
      if (persist !== undefined) {
        this.#held = persist
        this.#hasWritten ||= needsFlush(persist)
        if (!isHeld || !needsFlush(persist)) this.#flush()
      }
      const last = apply.at(-1)
      if (last !== undefined) this.#raft.step({ type: 'applied', index: lastIndexOf(last) })
      if (messages.length === 0 && persist === undefined && last === undefined) return
    }
  }

  #flush(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    const { sequence, hardState = this.#disk.hardState, truncateFrom, entries, messages } = held
    const kept = this.#disk.entries.filter(
      (run) => lastIndexOf(run) < (truncateFrom ?? Number.POSITIVE_INFINITY),
    )
    this.#checkVote(hardState)
    this.#disk = { hardState, entries: [...kept, ...entries] }
    this.#raft.step({ type: 'flushed', sequence })
    this.#send(messages)
  }

  /** The vote of a term that is on a disk stays, also across restarts. */
  #checkVote({ currentTerm, votedFor }: HardState): void {
    const { hardState: earlier } = this.#disk
    if (currentTerm < earlier.currentTerm)
      throw new BrokenPromise(`node ${this.id} goes back to term ${currentTerm} from ${earlier.currentTerm}`)
    const isOther = earlier.votedFor !== undefined && votedFor !== earlier.votedFor
    if (currentTerm === earlier.currentTerm && isOther)
      throw new BrokenPromise(
        `node ${this.id} voted for ${earlier.votedFor} and then for ${votedFor} in term ${currentTerm}`,
      )
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#checkPromise(message)
      this.#sent.push(message)
    }
  }

  /** The promise of a message is on the disk before the message leaves (Figure 2; thesis §10.2.1). */
  #checkPromise(message: Message): void {
    const { hardState, entries } = this.#disk
    const { term } = message
    if (message.type === 'requestVote' || (message.type === 'requestVoteResponse' && message.voteGranted)) {
      const candidate = message.type === 'requestVote' ? this.id : message.to
      const isVoteKept = hardState.currentTerm === term && hardState.votedFor === candidate
      if (!isVoteKept && hardState.currentTerm <= term)
        throw new BrokenPromise(
          `node ${this.id} votes for ${candidate} in term ${term}, and its disk does not say so`,
        )
    }
    if (message.type !== 'appendEntriesResponse' || !message.success) return
    const last = entries.at(-1)
    const lastIndex = last === undefined ? 0 : lastIndexOf(last)
    if (hardState.currentTerm < term || lastIndex < message.matchIndex)
      throw new BrokenPromise(
        `node ${this.id} acknowledges entry ${message.matchIndex} in term ${term}, and its disk does not hold both`,
      )
  }

  #started(): Raft {
    const voters = Array.from({ length: this.#nodes }, (_, at) => at + 1)
    const { hardState, entries } = this.#disk
    return new Raft({
      id: this.id,
      membership: { voters, votersOutgoing: [], learners: [] },
      // All nodes draw the same, since a search leaves the time of elections open.
      seed: 1,
      limits: { ...limits, appendBytesMax: this.#appendBytesMax },
      recovered: { hardState, snapshot: undefined, base: logOrigin, entries },
    })
  }
}
