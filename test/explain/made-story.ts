/** Stories made by hand, a sentence a call: times in milliseconds since the story's first moment. */
import type { Configuration, NodeId, VoteReason } from '../../src/raft/index.js'
import type {
  Carried,
  FaultTold,
  Happened,
  Happening,
  Passed,
  Stage,
  Story,
} from '../../src/telemetry/index.js'

const tickMs = 100
const voteMs = 4

type FaultGiven = Partial<FaultTold> & Pick<FaultTold, 'type' | 'line'>

export class MadeStory {
  readonly nodeIds: readonly NodeId[]
  readonly #happened: Happened[] = []
  readonly #passed: Passed[] = []
  readonly #carried: Carried[] = []
  #faults = 0
  #askedMs: number | undefined
  #sequence: number

  /** `firstSequence` over 1: what came before is no longer kept. */
  constructor(nodes = 3, firstSequence = 1) {
    this.nodeIds = Array.from({ length: nodes }, (_, at) => at + 1)
    this.#sequence = firstSequence
  }

  get story(): Story {
    return {
      nodeIds: this.nodeIds,
      heartbeatIntervalMs: tickMs,
      electionTimeoutMs: 5 * tickMs,
      tickMs,
      happened: this.#happened,
      passed: this.#passed,
      carried: this.#carried,
      ...(this.#askedMs === undefined ? {} : { askedMs: this.#askedMs }),
    }
  }

  /** Nothing more happens until the story is asked for. */
  askedAt(atMs: number): this {
    this.#askedMs = atMs
    return this
  }

  tell(atMs: number, nodeId: NodeId, happening: Happening, cause?: number): this {
    this.#happened.push({ ...happening, sequence: this.#sequence++, atMs, nodeId, cause })
    return this
  }

  starts(atMs: number, nodeId: NodeId, configuration?: Configuration): this {
    return this.tell(atMs, nodeId, { type: 'started', lastIndex: 0, snapshotIndex: 0, configuration })
  }

  /** All nodes start, and node 1 leads term 1 from 620 ms on. Nothing that they passed since then is lost. */
  begins(): this {
    const others = this.nodeIds.slice(1)
    for (const nodeId of this.nodeIds) this.starts(0, nodeId)
    this.elects(620, 1, 1, others).passes(620, 1, 'appended', 1)
    for (const nodeId of others) this.passes(621, nodeId, 'received', 1, 1)
    return this
  }

  asks(atMs: number, nodeId: NodeId, term: number, silentMs = 600): this {
    const elapsedTicks = silentMs / tickMs
    const role = { role: 'preCandidate', term: term - 1, leaderId: undefined } as const
    return this.tell(atMs, nodeId, {
      type: 'role',
      ...role,
      reason: 'electionTimeout',
      elapsedTicks,
      lacking: 'heartbeat',
    })
  }

  answers(
    atMs: number,
    voterId: NodeId,
    candidateId: NodeId,
    term: number,
    isPreVote: boolean,
    reason: VoteReason = 'logUpToDate',
  ): this {
    const voteGranted = reason === 'logUpToDate' || reason === 'votedBefore'
    return this.tell(atMs, voterId, {
      type: 'voteAnswered',
      candidateId,
      term,
      isPreVote,
      voteGranted,
      reason,
    })
  }

  /** The winner campaigns after the silence, and wins by the votes of the voters; all of them follow it. */
  elects(atMs: number, winnerId: NodeId, term: number, voters: readonly NodeId[], silentMs = 600): this {
    const decidedBy = [winnerId, ...voters]
    this.asks(atMs - 2 * voteMs, winnerId, term, silentMs)
    for (const voterId of voters) this.answers(atMs - voteMs - 1, voterId, winnerId, term, true)
    const candidate = { type: 'role', role: 'candidate', term, leaderId: undefined } as const
    this.tell(atMs - voteMs, winnerId, { ...candidate, reason: 'preVoteWon', decidedBy })
    for (const voterId of voters) this.answers(atMs - 1, voterId, winnerId, term, false)
    const leader = { type: 'role', role: 'leader', term, leaderId: winnerId } as const
    this.tell(atMs, winnerId, { ...leader, reason: 'electionWon', decidedBy })
    for (const voterId of voters) this.follows(atMs + 1, voterId, winnerId, term)
    return this
  }

  follows(atMs: number, nodeId: NodeId, leaderId: NodeId, term: number): this {
    const told = { reason: 'leaderDiscovered', from: leaderId, messageType: 'appendEntries' } as const
    return this.tell(atMs, nodeId, { type: 'role', role: 'follower', term, leaderId, ...told })
  }

  givesUp(atMs: number, nodeId: NodeId, term: number, reason: 'quorumLost' | 'diskStalled'): this {
    const role = { role: 'follower', term, leaderId: undefined } as const
    return this.tell(atMs, nodeId, { type: 'role', ...role, reason, elapsedTicks: 5 })
  }

  /** A fault of these nodes is healed at one of them. */
  healsAt(atMs: number, id: number, given: FaultGiven): this {
    const fault: FaultTold = { id, nodes: [], ways: [], messages: undefined, figures: {}, ...given }
    return this.tell(atMs, 0, { type: 'faultHealed', fault, by: 'verb' })
  }

  /** Returns the id of the fault. */
  breaks(atMs: number, given: FaultGiven, healedMs?: number): number {
    const id = ++this.#faults
    const fault: FaultTold = { id, nodes: [], ways: [], messages: undefined, figures: {}, ...given }
    this.tell(atMs, 0, { type: 'faultBegan', fault })
    if (healedMs !== undefined) this.tell(healedMs, 0, { type: 'faultHealed', fault, by: 'verb' })
    return id
  }

  passes(atMs: number, nodeId: NodeId, stage: Stage, index: number, peer?: NodeId): this {
    this.#passed.push({ atMs, nodeId, stage, peer, index })
    return this
  }

  /** A command of a client every `everyMs`: committed and answered by the leader within a millisecond. */
  commits(leaderId: NodeId, fromMs: number, toMs: number, firstIndex: number, everyMs = 20): this {
    let index = firstIndex
    for (let atMs = fromMs; atMs <= toMs; atMs += everyMs) {
      this.passes(atMs, leaderId, 'appended', index).passes(atMs + 0.8, leaderId, 'committed', index)
      this.passes(atMs + 1, leaderId, 'answered', index++)
    }
    return this
  }

  /** A message that nobody takes has no `takenMs`. */
  carries(
    sentMs: number,
    from: NodeId,
    to: NodeId,
    message: Pick<Carried, 'type' | 'term'> & Partial<Pick<Carried, 'mark' | 'isYes'>>,
    takenMs?: number,
  ): this {
    const carried = { mark: 0, isYes: undefined, ...message }
    this.#carried.push({ atMs: sentMs, nodeId: from, direction: 'sent', peer: to, ...carried })
    if (takenMs === undefined) return this
    this.#carried.push({ atMs: takenMs, nodeId: to, direction: 'received', peer: from, ...carried })
    return this
  }
}

/** Both directions of the links between a node and others. */
export function links(one: NodeId, ...others: NodeId[]): FaultTold['ways'] {
  return others.flatMap((other) => [
    { from: one, to: other },
    { from: other, to: one },
  ])
}
