/** Causes of an election: they kept the nodes that were ready to elect another leader from hearing the one of before. */
import type { NodeId } from '../raft/index.js'
import {
  type Candidate,
  type Cause,
  candidateOf,
  causeOf,
  followerKinds,
  leaderKinds,
  noCause,
  type Silence,
  silencers,
  weighed,
} from './causes.js'
import type { Stretch } from './stretch.js'
import { holdsDisk, type Reign, type RoleChange, type Timeline } from './timeline.js'
import { votersAt } from './voters.js'

/** The steps of one node to its leadership, as far as it came: each follows from the one before. */
export interface Steps {
  /** The pre-vote. `undefined`: the story no longer tells of it, or the node was asked to skip it. */
  readonly asked: RoleChange | undefined
  /** The election itself. */
  readonly stood: RoleChange | undefined
  /** The last of them. */
  readonly last: RoleChange
}

export function stepsOf(roleChanges: readonly RoleChange[], last: RoleChange): Steps {
  const stepBefore = (role: RoleChange['role'], step: RoleChange | undefined): RoleChange | undefined =>
    step &&
    roleChanges.findLast(
      (each) => each.nodeId === last.nodeId && each.role === role && each.sequence < step.sequence,
    )
  const stood =
    last.role === 'leader' ? stepBefore('candidate', last) : last.role === 'candidate' ? last : undefined
  const asked = last.role === 'preCandidate' ? last : stepBefore('preCandidate', stood)
  return { asked, stood, last }
}

/** The nodes that were ready to elect another leader. */
export function readyFor({ stood, last }: Steps): readonly NodeId[] {
  return stood?.reason === 'preVoteWon' ? stood.decidedBy : [last.nodeId]
}

/** The causes of an election: `first` is the first campaign since the leader of before was lost. */
export function causesFor(
  timeline: Timeline,
  steps: Steps,
  before: Reign | undefined,
  first: RoleChange | undefined,
): Cause[] {
  const { asked, stood, last } = steps
  if (before === undefined && timeline.isWhole) return [noCause('clusterBegan')]
  if (stood?.reason === 'campaign' || asked?.reason === 'campaign') return [noCause('asked', last.nodeId)]
  if (stood?.reason === 'transfer') return [noCause('transfer', stood.from)]
  if (before === undefined) return []
  const causes = silencesBefore(timeline, before, (stood ?? asked ?? last).atMs, readyFor(steps))
  if (causes.length > 0 || first === undefined) return causes
  // The silence of the leader may be long over where campaign after campaign was in vain. A first campaign long before
  // the leader's end is that of a node that was cut off.
  if (before.untilMs > first.atMs + timeline.story.electionTimeoutMs) return causes
  return silencesBefore(timeline, before, first.atMs, [first.nodeId])
}

/** The causes that kept nodes from hearing their leader until they were ready to elect another one. */
function silencesBefore(
  timeline: Timeline,
  before: Reign,
  untilMs: number,
  ready: readonly NodeId[],
): Cause[] {
  // Nobody says yes to a pre-vote within an election timeout after a sign of a leader.
  const window = { sinceMs: untilMs - timeline.story.electionTimeoutMs, untilMs }
  const gaveUp = gaveUpOf(before, untilMs)
  const silences = ready.map((listener): Silence => {
    const candidates = [
      ...silencers(timeline, before.nodeId, listener, leaderKinds),
      ...endOfProcess(timeline, before, untilMs),
    ]
    return {
      window,
      candidates: gaveUp === undefined ? candidates : [...candidates, gaveUpCandidate(before)],
    }
  })
  const causes = weighed(silences).flatMap((each) =>
    each.candidate.type === 'gaveUp' ? causesOfGivingUp(timeline, before) : [causeOf(each)],
  )
  // A cause that silenced a leader may also be why it gave up.
  return causes.filter((cause, at) => causes.findIndex((earlier) => isSame(earlier, cause)) === at)
}

/** A leader that was ended leads no more, also when it is back long before anybody misses it. */
function endOfProcess({ obstacles }: Timeline, before: Reign, untilMs: number): Candidate[] {
  return obstacles
    .filter(
      ({ type, nodeId, sinceMs }) =>
        type === before.end && nodeId === before.nodeId && sinceMs === before.untilMs,
    )
    .map((obstacle) => candidateOf({ ...obstacle, untilMs }))
}

function isSame(one: Cause, other: Cause): boolean {
  if (one.faultId !== undefined || other.faultId !== undefined) return one.faultId === other.faultId
  return one.type === other.type && one.nodeId === other.nodeId
}

const voteKinds = ['preVote', 'requestVote']
const answerKinds = ['preVoteResponse', 'requestVoteResponse']

/** The causes that keep the other nodes from answering a candidate. */
export function whyAbsent(timeline: Timeline, candidateId: NodeId, window: Stretch): Cause[] {
  const others = votersAt(timeline.story, window.untilMs).filter((id) => id !== candidateId)
  const silences = others.map((id): Silence => {
    const questions = silencers(timeline, candidateId, id, voteKinds)
    return { window, candidates: [...questions, ...silencers(timeline, id, candidateId, answerKinds)] }
  })
  return weighed(silences).map(causeOf)
}

/** A leader ended its leadership itself. */
export interface GaveUp {
  readonly atMs: number
  readonly reason: 'quorumLost' | 'diskStalled'
  readonly afterMs: number
}

export function gaveUpOf(before: Reign | undefined, atMs: number): GaveUp | undefined {
  if (before === undefined || before.untilMs > atMs) return undefined
  const { end: reason, untilMs, elapsedMs: afterMs = 0 } = before
  if (reason !== 'quorumLost' && reason !== 'diskStalled') return undefined
  return { atMs: untilMs, reason, afterMs }
}

function gaveUpCandidate({ nodeId, untilMs }: Reign): Candidate {
  const stretches = [{ sinceMs: untilMs, untilMs: Number.POSITIVE_INFINITY }]
  return { type: 'gaveUp', nodeId, to: undefined, fault: undefined, why: undefined, stretches }
}

/** The causes that made a leader give up: they kept its followers' answers away, or held its disk. */
function causesOfGivingUp(timeline: Timeline, reign: Reign): Cause[] {
  const { nodeId, untilMs, elapsedMs = 0, end } = reign
  const window: Stretch = { sinceMs: untilMs - elapsedMs, untilMs }
  if (end === 'diskStalled') {
    const found = weighed([{ window, candidates: disksOf(timeline, nodeId) }]).map(causeOf)
    return found.length > 0 ? found : [{ ...noCause('disk', nodeId), ...window }]
  }
  const followers = votersAt(timeline.story, untilMs).filter((id) => id !== nodeId)
  const silences = followers.map((follower): Silence => {
    const candidates = [
      ...silencers(timeline, follower, nodeId, followerKinds),
      ...silencers(timeline, nodeId, follower, leaderKinds).filter(({ type }) => type === 'link'),
    ]
    return { window, candidates }
  })
  const found = weighed(silences).map(causeOf)
  return found.length > 0 ? found : [unknownCause(timeline, reign)]
}

/** The causes that ended a leadership after which nobody campaigned: the nodes that could are down, or wait still. */
export function causesOfEnd(timeline: Timeline, reign: Reign): Cause[] {
  if (reign.end === 'quorumLost' || reign.end === 'diskStalled') return causesOfGivingUp(timeline, reign)
  const window = { sinceMs: reign.untilMs, untilMs: Math.max(reign.untilMs, timeline.endedMs) }
  return weighed([{ window, candidates: endOfProcess(timeline, reign, window.untilMs) }]).map(causeOf)
}

/**
 * Causes that can have held the disk of a node for so long: writes that were late, and faults, which may stand without a
 * write.
 */
export function disksOf(
  timeline: Timeline,
  nodeId: NodeId,
  forMs = timeline.story.electionTimeoutMs,
): Candidate[] {
  const { obstacles, faults } = timeline
  const late = obstacles.filter((each) => each.type === 'disk' && each.nodeId === nodeId).map(candidateOf)
  const broken = faults
    .filter(({ fault }) => fault.nodes.includes(nodeId) && holdsDisk(fault, forMs))
    .map((stretch): Candidate => ({ ...candidateOf(stretch), type: 'disk', nodeId }))
  // A late write tells of its fault, when it has one.
  return [...broken, ...late.filter(({ fault }) => fault === undefined)]
}

export function unknownCause({ isWhole }: Timeline, before: Reign | undefined): Cause {
  const why =
    before === undefined && !isWhole
      ? 'what came before it is no longer kept'
      : 'no fault stood in the way, no node was down or stood still, and no disk was late'
  return noCause('unknown', before?.nodeId, why)
}
