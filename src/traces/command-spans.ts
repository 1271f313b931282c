/**
 * The spans of one command, out of the stages that the nodes passed. A stage is a moment: its span begins at the moment
 * before it and ends there. The spans of a node lie within one of its own; what a node does for a command after its
 * client was answered goes on behind the end of the client's span.
 */
import { type LogIndex, type Membership, type NodeId, type Term, tallyVotes } from '../raft/index.js'
import type { Stage } from '../telemetry/index.js'
import { clientService, linkTo, type Span, serviceOf, Trace, within } from './span.js'
import type { CallersSpan } from './traceparent.js'
import type { Tracks } from './tracks.js'

/** A call that has ended. Times in milliseconds since 1970. */
export interface EndedCall {
  readonly callers: CallersSpan | undefined
  readonly calledAtMs: number
  readonly endedAtMs: number
  /** The place of its last command in the log; `undefined`: it failed. */
  readonly index: LogIndex | undefined
  /** The code of its error. */
  readonly error: string | undefined
}

export interface CommandTrace {
  readonly spans: readonly Span[]
  /** Nodes without spans, since rows of theirs were lost. */
  readonly lostAt: readonly NodeId[]
  /** How many spans it lacks by that. */
  readonly missing: number
}

/** Spans of the leader in a whole trace, beside two for each follower, and of a follower. */
const spansOf = { leader: 6, leaderForFollower: 2, follower: 5 }

/** The configuration by which a node went at a time; `undefined`: nobody told, and all nodes count as voters. */
type MembershipAt = (nodeId: NodeId, atMs: number) => Membership | undefined

export function commandTrace(
  call: EndedCall,
  tracks: Tracks,
  membershipAt: MembershipAt = () => undefined,
): CommandTrace {
  const { callers, index } = call
  const trace = new Trace(callers?.traceId)
  if (index === undefined) {
    addCommand(trace, call, {})
    return { spans: trace.spans, lostAt: [], missing: 0 }
  }
  const way = new Way(call, index, tracks, membershipAt)
  const lostAt = way.nodeIds.filter((nodeId) => way.isPatchy(nodeId))
  const { leaderId } = way
  const attributes: Record<string, string | number> = { 'raftbox.index': index }
  if (leaderId !== undefined) attributes['raftbox.leader'] = leaderId
  if (lostAt.length > 0) attributes['raftbox.lost_at'] = lostAt.join(',')
  const root = addCommand(trace, call, attributes)
  if (leaderId === undefined || lostAt.includes(leaderId)) {
    const missing = lostAt.length === 0 ? 0 : spansOfAll(way.nodeIds.length)
    return { spans: trace.spans, lostAt, missing }
  }
  const led = leaderSpans(trace, root, way, leaderId)
  for (const nodeId of way.followers) if (!lostAt.includes(nodeId)) followerSpans(trace, led, way, nodeId)
  return { spans: trace.spans, lostAt, missing: spansOf.follower * lostAt.length }
}

/** Without the leader's spans those of its followers have nothing to stand in. */
function spansOfAll(nodes: number): number {
  return spansOf.leader + (spansOf.leaderForFollower + spansOf.follower) * (nodes - 1)
}

/** The client's span. */
function addCommand(trace: Trace, call: EndedCall, attributes: Span['attributes']): Span {
  const { callers, calledAtMs, endedAtMs, error } = call
  return trace.add({
    service: clientService,
    name: 'command',
    kind: 'client',
    parent: callers && { spanId: callers.spanId, isRemote: true },
    startMs: calledAtMs,
    endMs: endedAtMs,
    attributes,
    error,
  })
}

/** The moments of one command. */
class Way {
  readonly nodeIds: readonly NodeId[]
  /** The nodes besides the leader. */
  readonly followers: readonly NodeId[]
  readonly leaderId: NodeId | undefined
  readonly committedMs: number | undefined
  readonly #call: EndedCall
  readonly #index: LogIndex
  readonly #tracks: Tracks
  readonly #membershipAt: MembershipAt

  constructor(call: EndedCall, index: LogIndex, tracks: Tracks, membershipAt: MembershipAt) {
    this.#membershipAt = membershipAt
    this.#call = call
    this.#index = index
    this.#tracks = tracks
    this.nodeIds = tracks.nodeIds
    const whoPassed = (stage: Stage): NodeId | undefined =>
      this.nodeIds.find((nodeId) => (this.at(nodeId, stage) ?? Number.POSITIVE_INFINITY) <= call.endedAtMs)
    // A command whose answer was lost is answered again: then the node that appended it tells who led.
    this.leaderId = whoPassed('answered') ?? whoPassed('appended')
    this.followers = this.nodeIds.filter((nodeId) => nodeId !== this.leaderId)
    this.committedMs = this.leaderId === undefined ? undefined : this.at(this.leaderId, 'committed')
  }

  get calledAtMs(): number {
    return this.#call.calledAtMs
  }

  /** Whether rows of the node may be lost that tell of the command. A slow node tells of it long after its client's answer. */
  isPatchy(nodeId: NodeId): boolean {
    const { calledAtMs, endedAtMs } = this.#call
    if (!this.#tracks.isPatchy(nodeId, calledAtMs, Number.POSITIVE_INFINITY)) return false
    const last = [this.at(nodeId, 'applied')]
    if (nodeId === this.leaderId)
      last.push(...this.followers.map((peer) => this.at(nodeId, 'acknowledged', peer)))
    const lastMs = Math.max(endedAtMs, ...last.map((ms) => ms ?? Number.POSITIVE_INFINITY))
    return this.#tracks.isPatchy(nodeId, calledAtMs, lastMs)
  }

  /** The leader committed in the term in which it took the command: otherwise a later leader may have committed it first. */
  get isOfOneTerm(): boolean {
    const termAt = (stage: Stage): Term | undefined => {
      const atMs = this.leaderId === undefined ? undefined : this.at(this.leaderId, stage)
      return atMs && this.#tracks.termAt(this.leaderId ?? 0, stage, atMs)
    }
    const term = termAt('appended')
    return term !== undefined && term === termAt('committed')
  }

  /** True when these nodes are a majority of the voters by whom the leader committed. */
  isMajority(nodeIds: readonly NodeId[]): boolean {
    const { leaderId = 0, committedMs = 0 } = this
    const allVote = { voters: this.nodeIds, votersOutgoing: [], learners: [] }
    const membership = this.#membershipAt(leaderId, committedMs) ?? allVote
    return tallyVotes(membership, (id) => nodeIds.includes(id)) === 'won'
  }

  /** When the node passed the stage. Of entries that replaced each other, the one that was committed counts. */
  at(nodeId: NodeId, stage: Stage, peer: NodeId = 0): number | undefined {
    const { calledAtMs } = this.#call
    const isFinal = stage === 'committed' || stage === 'applied' || stage === 'answered'
    const untilMs = isFinal ? calledAtMs : (this.committedMs ?? calledAtMs)
    return this.#tracks.passing(nodeId, stage, peer, this.#index, calledAtMs, untilMs)
  }
}

interface Led {
  readonly leaderId: NodeId
  readonly sent: ReadonlyMap<NodeId, Span>
  /** Where acknowledgements came to the leader, whose links go to the flushes that they promise. */
  readonly acknowledged: ReadonlyMap<NodeId, Span>
  readonly committed: Span | undefined
}

/** A part of a node's own span. */
interface Part {
  readonly name: Stage
  readonly startMs: number
  readonly endMs: number
  readonly peer?: NodeId | undefined
}

function leaderSpans(trace: Trace, root: Span, way: Way, leaderId: NodeId): Led {
  const at = (stage: Stage, peer?: NodeId): number | undefined => way.at(leaderId, stage, peer)
  const appendedMs = at('appended') ?? way.calledAtMs
  const service = serviceOf(leaderId)
  trace.add({
    service,
    name: 'appended',
    kind: 'server',
    parent: within(root),
    startMs: way.calledAtMs,
    endMs: appendedMs,
    attributes: { 'raftbox.node': leaderId },
  })
  const parts: Part[] = []
  const part = (name: Stage, startMs: number | undefined, endMs: number | undefined, peer?: NodeId): void => {
    if (startMs !== undefined && endMs !== undefined)
      parts.push({ name, startMs, endMs: Math.max(startMs, endMs), peer })
  }
  part('flushed', appendedMs, at('flushed'))
  for (const peer of way.followers) {
    part('sent', appendedMs, at('sent', peer), peer)
    part('acknowledged', at('sent', peer), at('acknowledged', peer), peer)
  }
  const committedMs = at('committed')
  const decided = decidedBy(way, leaderId, parts)
  part('committed', decided?.endMs ?? appendedMs, committedMs)
  part('applied', committedMs, at('applied'))
  part('answered', at('applied'), at('answered'))
  const own = trace.add({
    service,
    name: 'lead',
    kind: 'server',
    parent: within(root),
    startMs: appendedMs,
    endMs: Math.max(appendedMs, ...parts.map(({ endMs }) => endMs)),
    attributes: { 'raftbox.node': leaderId },
  })
  const spans = new Map<Part, Span>()
  for (const each of parts) {
    const promise = each.name === 'committed' && decided !== undefined ? spans.get(decided) : undefined
    spans.set(each, addPart(trace, own, each, promise))
  }
  const byPeer = (name: Stage): ReadonlyMap<NodeId, Span> =>
    new Map(
      [...spans].flatMap(([each, span]) =>
        each.name === name && each.peer !== undefined ? [[each.peer, span]] : [],
      ),
    )
  const committed = [...spans].find(([{ name }]) => name === 'committed')?.[1]
  return { leaderId, sent: byPeer('sent'), acknowledged: byPeer('acknowledged'), committed }
}

/** The promise with which the copies of voters became a majority. The copy of a learner does not count. */
function decidedBy(way: Way, leaderId: NodeId, parts: readonly Part[]): Part | undefined {
  const { committedMs = 0 } = way
  if (!way.isOfOneTerm) return undefined
  const holders: NodeId[] = []
  const promises = parts.filter(
    ({ name, endMs }) => (name === 'flushed' || name === 'acknowledged') && endMs <= committedMs,
  )
  promises.sort((a, b) => a.endMs - b.endMs)
  return promises.find(({ peer = leaderId }) => {
    holders.push(peer)
    return way.isMajority(holders)
  })
}

/** A follower's span begins where its leader sent the command, so that the way from thread to thread is within it. */
function followerSpans(
  trace: Trace,
  { leaderId, sent, acknowledged, committed }: Led,
  way: Way,
  nodeId: NodeId,
): void {
  const from = sent.get(nodeId)
  const receivedMs = way.at(nodeId, 'received', leaderId)
  if (from === undefined || receivedMs === undefined) return
  const flushedMs = way.at(nodeId, 'flushed')
  const committedMs = way.at(nodeId, 'committed')
  const appliedMs = way.at(nodeId, 'applied')
  const startMs = from.endMs
  const own = trace.add({
    service: serviceOf(nodeId),
    name: 'follow',
    kind: 'consumer',
    parent: within(from),
    startMs,
    endMs: Math.max(startMs, ...[receivedMs, flushedMs ?? 0, committedMs ?? 0, appliedMs ?? 0]),
    attributes: { 'raftbox.node': nodeId },
    after: [from],
  })
  addPart(trace, own, { name: 'received', startMs, endMs: receivedMs, peer: leaderId }, from)
  if (flushedMs !== undefined) {
    const flushed = addPart(trace, own, { name: 'flushed', startMs: receivedMs, endMs: flushedMs })
    // The acknowledgement promises this flush.
    acknowledged.get(nodeId)?.links.push(linkTo(flushed))
  }
  if (committedMs === undefined) return
  // The leader tells the follower what is committed.
  const toldMs = Math.min(committedMs, Math.max(receivedMs, committed?.endMs ?? receivedMs))
  addPart(trace, own, { name: 'committed', startMs: toldMs, endMs: committedMs }, committed)
  if (appliedMs !== undefined)
    addPart(trace, own, { name: 'applied', startMs: committedMs, endMs: appliedMs })
}

function addPart(trace: Trace, own: Span, part: Part, after?: Span): Span {
  const { name, startMs, endMs, peer } = part
  const attributes = peer === undefined ? {} : { 'raftbox.peer': peer }
  return trace.add({
    service: own.service,
    name,
    parent: within(own),
    startMs,
    endMs,
    attributes,
    after: [after],
  })
}
