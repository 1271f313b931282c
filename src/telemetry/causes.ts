/**
 * Finds what led to a happening where the node itself could not know it: another node's question, end or standstill, or
 * a fault that stands. All happenings of a cluster are told to it in their order.
 */
import type { NodeId, RaftEvent, Term } from '../raft/index.js'
import type { FaultTold, Happened } from './happenings.js'

interface Standing {
  readonly fault: FaultTold
  readonly sequence: number
}

interface InTerm {
  readonly sequence: number
  readonly term: Term
}

/** A node, as far as the happenings told of it. */
interface Known {
  /** Its end, or what keeps it from speaking: undefined while it runs. */
  silence: number | undefined
  /** The end of the life before, until this life has a role: a leader that came back leads no more. */
  ended: number | undefined
  /** Its latest pause, which may be over: from the begin of the fault on, also where the node could not tell of it. */
  paused: { readonly sequence: number; untilMs: number } | undefined
  /** The latest skew that made its clock slow and that was healed. */
  slowed: { readonly sequence: number; readonly untilMs: number } | undefined
  /** The latest standstill of its thread, and when it was told. */
  stood: { readonly sequence: number; readonly atMs: number; readonly forMs: number } | undefined
  role: Extract<Happened, { type: 'role' }> | undefined
  /** The begin of its latest pre-vote and of its latest candidacy, with the terms that they were for. */
  preVote: InTerm | undefined
  election: InTerm | undefined
  /** Its latest leadership. */
  led: InTerm | undefined
  /** The first answer of each kind and voter in the candidacy or pre-vote that goes on. */
  readonly answers: Map<string, number>
  snapshot: number | undefined
}

type Answered = Extract<Happened, { type: 'voteAnswered' }>

/** At half of its speed, a clock makes each tick a whole tick late, which is the least that is told as a standstill. */
const slowDriftMost = -0.5

export class Causes {
  readonly #nodes = new Map<NodeId, Known>()
  readonly #standing = new Map<number, Standing>()
  /** The last fault that ended or brought back a node. */
  readonly #acted = new Map<NodeId, Standing>()

  /** The happening with its cause. Called once for each, in the order of their sequence numbers. */
  explained(told: Happened): Happened {
    const cause = this.#causeOf(told) ?? told.cause
    this.#note(told)
    return cause === told.cause ? told : { ...told, cause }
  }

  #causeOf(told: Happened): number | undefined {
    const { nodeId } = told
    switch (told.type) {
      case 'role':
        return this.#causeOfRole(told)
      case 'voteAnswered': {
        const { preVote, election } = this.#known(told.candidateId)
        return sequenceIn(told.term, told.isPreVote ? preVote : election)
      }
      case 'snapshotInstalling':
        return this.#known(told.from).snapshot
      case 'heartbeatMissed':
        // A node that is gone explains its silence, whatever else was slow meanwhile.
        return this.#causeOfEnd(told) ?? told.cause ?? this.#causeOfSilence(told)
      case 'leaseLost':
        if (told.reason === 'givenUp') return told.cause
        return told.cause ?? this.#causeOfLoneliness(nodeId)
      case 'commitLate':
        return told.cause ?? this.#causeOfLoneliness(nodeId)
      case 'flushLate':
        return (
          this.#pauseSince(nodeId, told.atMs - told.sinceMs) ??
          this.#faultAt(nodeId, ['slowDisk', 'stallDisk'])
        )
      case 'failed':
        return this.#faultAt(nodeId, ['failDisk', 'fullDisk', 'losePower'])
      case 'killed':
        return this.#faultAt(nodeId, ['kill', 'losePower'])
      case 'paused':
        return this.#faultAt(nodeId, ['pause'])
      case 'resumed':
        return this.#known(nodeId).paused?.sequence
      case 'threadStood':
        return (
          this.#pauseSince(nodeId, told.atMs - told.forMs) ??
          this.#slowClockSince(nodeId, told.atMs - told.forMs)
        )
      case 'started':
        return this.#acted.get(nodeId)?.sequence
      case 'faultHealed':
        return this.#standing.get(told.fault.id)?.sequence
      default:
        return told.cause
    }
  }

  #causeOfRole(told: Extract<Happened, { type: 'role' }>): number | undefined {
    const known = this.#known(told.nodeId)
    switch (told.reason) {
      // The last answer decides. A node that is the majority alone needs none.
      case 'preVoteWon':
      case 'electionWon':
      case 'electionLost': {
        const isPreVote = known.role?.role === 'preCandidate'
        const voteGranted = told.reason !== 'electionLost'
        const answers = told.decidedBy.flatMap(
          (nodeId) => known.answers.get(keyOf({ nodeId, isPreVote, voteGranted })) ?? [],
        )
        return answers.length > 0 ? Math.max(...answers) : told.cause
      }
      case 'higherTerm':
      case 'leaderDiscovered':
        return this.#stepBehind(told) ?? told.cause
      case 'quorumLost':
        return told.cause ?? this.#causeOfLoneliness(told.nodeId)
      default:
        return told.cause
    }
  }

  /** The step by which the sender of a message came to the term that the message told. */
  #stepBehind({ from, messageType, term }: Extract<RaftEvent, { readonly from: NodeId; term: Term }>) {
    const { role, election, led } = this.#known(from)
    // The candidate may lead by the time at which its question is taken.
    if (messageType === 'requestVote') return sequenceIn(term, election)
    const leading = messageType === 'appendEntries' || messageType === 'installSnapshot'
    if (leading) return sequenceIn(term, led)
    return role !== undefined && role.term >= term ? role.sequence : undefined
  }

  /** The end or the pause of a leader that was not heard. */
  #causeOfEnd({ from, atMs, silentMs }: Extract<Happened, { type: 'heartbeatMissed' }>) {
    const { silence, ended } = this.#known(from)
    return silence ?? ended ?? this.#pauseSince(from, atMs - silentMs)
  }

  /** The latest pause of the node, unless it was over by then. */
  #pauseSince(nodeId: NodeId, sinceMs: number): number | undefined {
    const { paused } = this.#known(nodeId)
    return paused !== undefined && paused.untilMs > sinceMs ? paused.sequence : undefined
  }

  /** The cause that a follower did not hear its leader, which runs as far as is known. */
  #causeOfSilence({ nodeId: to, from, atMs, silentMs }: Extract<Happened, { type: 'heartbeatMissed' }>) {
    const { role, stood } = this.#known(from)
    const onWay = this.#newestFault(({ ways }) => ways.some((way) => way.from === from && way.to === to))
    if (onWay !== undefined) return onWay
    if (role !== undefined && role.role !== 'leader') return role.sequence
    if (stood !== undefined && stood.atMs >= atMs - silentMs) return stood.sequence
    return this.#slowClockSince(from, atMs - silentMs)
  }

  /** The skew by which the clock of the node is slow, or was at that time. A clock that is set or fast delays no tick. */
  #slowClockSince(nodeId: NodeId, sinceMs: number): number | undefined {
    const skews = [...this.#standing.values()].filter(
      ({ fault }) => fault.type === 'skew' && fault.nodes.includes(nodeId),
    )
    const drift = skews.reduce((sum, { fault }) => sum + driftOf(fault), 0)
    if (drift <= slowDriftMost) return skews.findLast(({ fault }) => driftOf(fault) < 0)?.sequence
    const { slowed } = this.#known(nodeId)
    return slowed !== undefined && slowed.untilMs > sinceMs ? slowed.sequence : undefined
  }

  /** The cause that a leader got no answer of a majority: a fault between it and others, or the silence of others. */
  #causeOfLoneliness(leaderId: NodeId): number | undefined {
    const onWay = this.#newestFault(({ ways }) =>
      ways.some(
        ({ from, to }) => (from === leaderId || to === leaderId) && from !== 'clients' && to !== 'clients',
      ),
    )
    if (onWay !== undefined) return onWay
    const silent = [...this.#nodes].flatMap(([nodeId, { silence }]) =>
      nodeId === leaderId || silence === undefined ? [] : [silence],
    )
    if (silent.length > 0) return Math.max(...silent)
    return this.#newestFault(
      ({ type, nodes }) => type.endsWith('Disk') && nodes.some((id) => id !== leaderId),
    )
  }

  #faultAt(nodeId: NodeId, types: readonly string[]): number | undefined {
    return this.#newestFault(({ type, nodes }) => types.includes(type) && nodes.includes(nodeId))
  }

  #newestFault(rule: (fault: FaultTold) => boolean): number | undefined {
    return [...this.#standing.values()].findLast(({ fault }) => rule(fault))?.sequence
  }

  #note(told: Happened): void {
    const { sequence, atMs } = told
    switch (told.type) {
      case 'role':
        return this.#noteRole(told)
      case 'voteAnswered':
        return this.#noteAnswer(told)
      case 'threadStood':
        this.#known(told.nodeId).stood = { sequence, atMs, forMs: told.forMs }
        return
      case 'snapshotSending':
        this.#known(told.nodeId).snapshot = sequence
        return
      case 'paused':
        this.#known(told.nodeId).paused = { sequence, untilMs: Number.POSITIVE_INFINITY }
        this.#known(told.nodeId).silence = sequence
        return
      case 'killed':
      case 'failed':
        this.#known(told.nodeId).silence = sequence
        return
      case 'started': {
        const { silence } = this.#known(told.nodeId)
        this.#nodes.delete(told.nodeId)
        this.#known(told.nodeId).ended = silence
        this.#acted.delete(told.nodeId)
        return
      }
      case 'removed':
        this.#noteRemoved(told.nodeId)
        return
      case 'resumed': {
        const known = this.#known(told.nodeId)
        known.silence = undefined
        if (known.paused !== undefined) known.paused.untilMs = atMs
        return
      }
      case 'faultBegan':
        this.#standing.set(told.fault.id, { fault: told.fault, sequence })
        if (told.fault.type !== 'pause') return
        for (const nodeId of told.fault.nodes)
          this.#known(nodeId).paused = { sequence, untilMs: Number.POSITIVE_INFINITY }
        return
      case 'faultHealed':
        this.#noteHealed(told)
    }
  }

  /** A candidate asks again until it is answered: an answer that repeats the first one decides nothing. */
  #noteAnswer(told: Answered): void {
    const { answers } = this.#known(told.candidateId)
    if (told.reason !== 'votedBefore' && !answers.has(keyOf(told))) answers.set(keyOf(told), told.sequence)
  }

  /** A node that was removed is in no fault: what is healed at all other nodes stands no more. */
  #noteRemoved(nodeId: NodeId): void {
    this.#nodes.delete(nodeId)
    this.#acted.delete(nodeId)
    for (const [id, { fault, sequence }] of this.#standing) {
      const nodes = fault.nodes.filter((each) => each !== nodeId)
      this.#standing.set(id, { fault: { ...fault, nodes }, sequence })
    }
  }

  /** A fault may be healed at some of its nodes, and stand at the others. */
  #noteHealed({ fault, sequence, atMs }: Extract<Happened, { type: 'faultHealed' }>): void {
    for (const nodeId of fault.type === 'skew' ? fault.nodes : []) {
      const slow = this.#slowClockSince(nodeId, atMs)
      if (slow !== undefined) this.#known(nodeId).slowed = { sequence: slow, untilMs: atMs }
    }
    const standing = this.#standing.get(fault.id)
    const others = standing?.fault.nodes.filter((nodeId) => !fault.nodes.includes(nodeId)) ?? []
    if (standing === undefined || others.length === 0) this.#standing.delete(fault.id)
    else this.#standing.set(fault.id, { ...standing, fault: { ...standing.fault, nodes: others } })
    for (const nodeId of fault.nodes) {
      this.#acted.set(nodeId, { fault, sequence })
      const { paused } = this.#known(nodeId)
      if (fault.type === 'pause' && paused !== undefined) paused.untilMs = Math.min(paused.untilMs, atMs)
    }
  }

  #noteRole(told: Extract<RaftEvent, { type: 'role' }> & Happened): void {
    const known = this.#known(told.nodeId)
    known.role = told as Extract<Happened, { type: 'role' }>
    const { sequence, term } = told
    if (told.role === 'preCandidate') known.preVote = { sequence, term: term + 1 }
    if (told.role === 'candidate') known.election = { sequence, term }
    if (told.role === 'leader') known.led = { sequence, term }
    known.ended = undefined
    known.answers.clear()
  }

  #known(nodeId: NodeId): Known {
    const known = this.#nodes.get(nodeId) ?? {
      silence: undefined,
      ended: undefined,
      paused: undefined,
      slowed: undefined,
      stood: undefined,
      role: undefined,
      preVote: undefined,
      election: undefined,
      led: undefined,
      answers: new Map(),
      snapshot: undefined,
    }
    this.#nodes.set(nodeId, known)
    return known
  }
}

function sequenceIn(term: Term, step: InTerm | undefined): number | undefined {
  return step?.term === term ? step.sequence : undefined
}

function keyOf({
  nodeId,
  isPreVote,
  voteGranted,
}: Pick<Answered, 'nodeId' | 'isPreVote' | 'voteGranted'>): string {
  return `${nodeId} ${isPreVote} ${voteGranted}`
}

function driftOf({ figures: { drift = 0 } }: FaultTold): number {
  return drift
}
