/** One node's protocol: `step` tells it a fact, and answers the end of a turn with what is to be done. */
import { onAppendEntries } from './append-entries.js'
import type {
  Answer,
  EndTurn,
  Input,
  OperationRefusal,
  Proposed,
  Ready,
  Recorder,
  Refusal,
} from './border.js'
import { maybeCommit } from './commit.js'
import { type Cut, cutBehind, type LogBounds, nextSnapshot, snapshotDue } from './compaction.js'
import {
  askForVotes,
  campaign,
  ignoresVoteRequest,
  onHardStateFlushed,
  onPreVote,
  onPreVoteResponse,
  onRequestVote,
  onRequestVoteResponse,
  tellOfVote,
  timeoutNow,
} from './elections.js'
import { Invariants } from './invariants.js'
import { holdsLease, isPromised } from './lease.js'
import { RaftLog } from './log.js'
import { onChangeMembership } from './membership-changes.js'
import { whyDropped } from './message-checks.js'
import { isAnswer, type Message } from './messages.js'
import { defaultLimits, emptyDisk, type RaftLimits, type RaftOptions } from './options.js'
import { copyOf } from './plain-data.js'
import { Random } from './random.js'
import { askTicked, onReadIndex, onReadIndexResponse } from './read-index.js'
import { onRead } from './reads.js'
import { checkQuorum, onAppendEntriesResponse, onPropose, sendHeartbeats } from './replication.js'
import { becomeFollower, randomizedElectionTimeoutTicks, setElectionTimeout } from './roles.js'
import { onInstallSnapshot, onInstallSnapshotResponse, onSnapshotMissing } from './snapshots.js'
import { emptyOutbox, isDiskStalled, isLeader, type RaftState } from './state.js'
import { onTimeoutNow, onTransfer, tellToStart, transferTicked } from './transfer.js'
import { onEndTurn } from './turn.js'
import { assert, isCount, type LogIndex, logOrigin, type Snapshot } from './types.js'
import { RaftView } from './view.js'

export class Raft {
  readonly #state: RaftState
  readonly #invariants: Invariants
  readonly #recorder: Recorder | undefined
  /** For people, drivers and tests: what is read here changes nothing. */
  readonly state: RaftView

  /** Other than `fork`, everybody makes one of options. */
  constructor(from: RaftOptions | { readonly forked: RaftState }, recorder?: Recorder) {
    if (!('forked' in from)) recorder?.begins(from)
    this.#recorder = recorder
    this.#state = 'forked' in from ? from.forked : initialState(from)
    this.#invariants = new Invariants(this.#state)
    this.state = new RaftView(this.#state)
  }

  /**
   * Takes one fact. The answer tells a proposal's place in the log, why a request was refused, or what is to be done at
   * the end of a turn. A refused request has changed nothing. Throws `InvariantViolation` when the node must stop.
   */
  step<Told extends Input>(input: Told): Answer<Told> {
    this.#recorder?.told(input)
    const answer = this.#step(input)
    this.#invariants.check()
    return answer as Answer<Told>
  }

  /** A second node in the same state. What one is told from now on does not reach the other. */
  fork(): Raft {
    return new Raft({ forked: copyOf(this.#state) })
  }

  /** True when this end of a turn would ask for anything. The turn itself is taken by a fork. */
  hasWork(turn: EndTurn): boolean {
    const { messages, persist, apply, reads, events } = this.fork().step(turn)
    return persist !== undefined || [messages, apply, reads, events].some(({ length }) => length > 0)
  }

  /**
   * A copy of all that this node's protocol holds, its private fields included: for comparing two nodes, and for tests.
   */
  dump(): Readonly<RaftState> {
    return copyOf(this.#state)
  }

  /** True when no other node can lead at `now`, in ticks of this node's clock. */
  holdsLease(now: number): boolean {
    return isLeader(this.#state) && holdsLease(this.#state, now)
  }

  /** The snapshot of the state machine that is to be taken now; `undefined`: none is. */
  snapshotDue(bounds: LogBounds): Omit<Snapshot, 'size'> | undefined {
    return snapshotDue(this.#state, bounds)
  }

  /** The snapshot that can be taken now, due or not; `undefined`: there is nothing new to take. */
  nextSnapshot(): Omit<Snapshot, 'size'> | undefined {
    return nextSnapshot(this.#state)
  }

  /**
   * The `base` that `compacted` is told once this snapshot is on disk, and the snapshots that the store keeps
   * meanwhile.
   */
  cutBehind(snapshot: Snapshot, bounds: LogBounds): Cut {
    return cutBehind(this.#state, snapshot, bounds)
  }

  #step(input: Input): Proposed | Refusal | OperationRefusal | Ready | undefined {
    const state = this.#state
    switch (input.type) {
      case 'propose':
        return onPropose(state, input)
      case 'read':
        return onRead(state, input)
      case 'changeMembership':
        return onChangeMembership(state, input.changes)
      case 'transfer':
        return onTransfer(state, input.to)
      case 'endTurn':
        return onEndTurn(state, input)
      case 'tick':
        onTick(state)
        break
      case 'message':
        onMessage(state, input.message)
        break
      case 'flushed':
        onFlushed(state, input.sequence)
        break
      case 'applied':
        onApplied(state, input.index)
        break
      case 'compacted':
        state.log.cut(input.base, input.snapshot)
        break
      case 'snapshotMissing':
        onSnapshotMissing(state, input.to, input.index)
        break
      case 'campaign':
        if (!isPromised(state)) campaign(state, { reason: 'campaign' })
        break
      case 'timeoutNow':
        timeoutNow(state, { reason: 'campaign' })
        break
      case 'setElectionTimeout':
        setElectionTimeout(state, input.ticks)
        break
    }
    return undefined
  }
}

function initialState(options: RaftOptions): RaftState {
  const { id, membership, seed, priority = 1, recovered = emptyDisk } = options
  const limits: RaftLimits = Object.freeze({ ...defaultLimits, ...options.limits })
  for (const [name, limit] of Object.entries(limits)) {
    assert(Number.isInteger(limit) && limit > 0, `${name} is a whole number above 0`)
  }
  assert(
    limits.heartbeatTicks * 3 <= limits.electionTimeoutTicks,
    'an election timeout spans at least three heartbeats',
  )
  const { hardState } = recovered
  assertRecovered(recovered)
  const random = new Random(seed)
  const randomizedTimeoutTicks = randomizedElectionTimeoutTicks(limits, random)
  const firstNumber = random.below(2 ** 32)
  const log = new RaftLog(recovered.base, recovered.snapshot, recovered.entries, membership)
  return {
    id,
    limits,
    random,
    priority,
    votesFromTerm: recovered.votesFromTerm ?? 0,
    currentTerm: hardState.currentTerm,
    votedFor: hardState.votedFor,
    log,
    role: 'follower',
    leaderId: undefined,
    electionElapsedTicks: 0,
    // A node in term 0 has never answered a leader, so it has promised nothing.
    leaderElapsedTicks: hardState.currentTerm === 0 ? limits.electionTimeoutTicks : 0,
    randomizedElectionTimeoutTicks: randomizedTimeoutTicks,
    heartbeatElapsedTicks: 0,
    diskElapsedTicks: 0,
    campaign: firstNumber,
    transferTerm: 0,
    votes: new Map(),
    leadership: undefined,
    readsToAsk: [],
    askedReads: undefined,
    readQuestion: firstNumber,
    toldCommit: logOrigin,
    incomingSnapshot: undefined,
    toldMembership: {
      index: log.membershipIndex,
      membership: log.membership,
      isCommitted: log.membershipIndex <= log.commitIndex,
    },
    writeSequence: 0,
    pendingHardStates: [],
    submittedHardState: hardState,
    flushedHardState: hardState,
    outbox: emptyOutbox(),
  }
}

/**
 * The parts of what was on disk belong together. A node that begins with a snapshot alone needs the snapshot's term
 * too.
 */
function assertRecovered({ hardState, snapshot, base, entries }: typeof emptyDisk): void {
  const { currentTerm, votedFor } = hardState
  assert(
    isCount(currentTerm) && isCount(votedFor ?? 0),
    'recovered.hardState holds a term and a node, or none',
  )
  const lastTerm = entries.at(-1)?.term ?? Math.max(base.term, snapshot?.term ?? 0)
  assert(
    lastTerm <= currentTerm,
    `no entry is of a later term than the node: recovered.hardState.currentTerm is ${currentTerm}, and the log or its snapshot ends in term ${lastTerm}; pass a currentTerm of at least ${lastTerm}`,
  )
}

function onTick(state: RaftState): void {
  const { limits } = state
  state.electionElapsedTicks++
  state.leaderElapsedTicks++
  state.heartbeatElapsedTicks++
  if (state.pendingHardStates.length > 0) state.diskElapsedTicks++
  const isHeartbeatDue = state.heartbeatElapsedTicks >= limits.heartbeatTicks

  if (isLeader(state)) {
    if (isDiskStalled(state)) {
      const { currentTerm, diskElapsedTicks: elapsedTicks } = state
      return becomeFollower(state, currentTerm, undefined, { reason: 'diskStalled', elapsedTicks })
    }
    if (state.electionElapsedTicks >= limits.electionTimeoutTicks) {
      state.electionElapsedTicks = 0
      checkQuorum(state)
    }
    if (isLeader(state)) transferTicked(state)
    if (isLeader(state) && isHeartbeatDue) {
      sendHeartbeats(state)
      tellToStart(state)
    }
    return
  }
  askTicked(state)

  if (state.electionElapsedTicks >= state.randomizedElectionTimeoutTicks) {
    const elapsedTicks = state.electionElapsedTicks
    state.electionElapsedTicks = 0
    // Who cannot write its own vote cannot win, and would only raise its term in memory.
    if (!isDiskStalled(state))
      campaign(state, { reason: 'electionTimeout', elapsedTicks, lacking: whatLacks(state) })
  } else if (state.role !== 'follower' && isHeartbeatDue) {
    state.heartbeatElapsedTicks = 0
    askForVotes(state)
  }
}

/** A node waited in vain for so long. */
function whatLacks({ role, leaderId }: RaftState): 'heartbeat' | 'leader' | 'majority' {
  if (role !== 'follower') return 'majority'
  return leaderId === undefined ? 'leader' : 'heartbeat'
}

function onFlushed(state: RaftState, sequence: number): void {
  const written = state.pendingHardStates.shift()
  assert(written?.sequence === sequence, 'writes are flushed in order, each once')
  state.flushedHardState = written.hardState
  state.diskElapsedTicks = 0
  state.log.flush(sequence)
  state.log.leaveToStore(state.limits.logMemoryBytesMax)
  if (isLeader(state)) maybeCommit(state)
  onHardStateFlushed(state)
}

function onApplied({ log, limits }: RaftState, index: LogIndex): void {
  assert(isCount(index), 'an index is a whole number')
  log.lastApplied = Math.max(log.lastApplied, index)
  log.leaveToStore(limits.logMemoryBytesMax)
}

function onMessage(state: RaftState, message: Message): void {
  const reason = whyDropped(state, message)
  if (reason !== undefined) {
    state.outbox.events.push({ type: 'messageDropped', from: message.from, reason })
    return
  }
  // An answer of an earlier term is to a question of an earlier term.
  if (message.term < state.currentTerm && isAnswer(message)) return
  const isVoteRequest = message.type === 'preVote' || message.type === 'requestVote'
  if (isVoteRequest && ignoresVoteRequest(state, message))
    return tellOfVote(state, message, 'leaderMayBeAlive')
  // If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower (§5.1).
  if (message.term > state.currentTerm) {
    const isFromLeader = message.type === 'appendEntries' || message.type === 'installSnapshot'
    const reason = state.role === 'follower' && isFromLeader ? 'leaderDiscovered' : 'higherTerm'
    const { from, term, type: messageType } = message
    becomeFollower(state, term, isFromLeader ? from : undefined, { reason, from, messageType })
  }
  switch (message.type) {
    case 'preVote':
      return onPreVote(state, message)
    case 'preVoteResponse':
      return onPreVoteResponse(state, message)
    case 'requestVote':
      return onRequestVote(state, message)
    case 'requestVoteResponse':
      return onRequestVoteResponse(state, message)
    case 'appendEntries':
      return onAppendEntries(state, message)
    case 'appendEntriesResponse':
      return onAppendEntriesResponse(state, message)
    case 'installSnapshot':
      return onInstallSnapshot(state, message)
    case 'installSnapshotResponse':
      return onInstallSnapshotResponse(state, message)
    case 'timeoutNow':
      return onTimeoutNow(state, message)
    case 'readIndex':
      return onReadIndex(state, message)
    case 'readIndexResponse':
      return onReadIndexResponse(state, message)
  }
}
