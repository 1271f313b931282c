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
  shareMin,
  silencers,
  weighed,
} from './causes.js'
import { type Stretch, shareCovered } from './stretch.js'
import { holdsDisk, type Obstacle, type Reign, type RoleChange, type Timeline } from './timeline.js'
import { membershipAt, votersOf } from './voters.js'

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
  // A node that was told to take over asks for no pre-votes: what it asked before was for another election.
  const preVoted = stood?.reason === 'preVoteWon' ? stood : undefined
  const asked = last.role === 'preCandidate' ? last : stepBefore('preCandidate', preVoted)
  return { asked, stood, last }
}

/** The nodes that were ready to elect another leader. */
export function readyFor({ stood, last }: Steps): readonly NodeId[] {
  return stood?.reason === 'preVoteWon' ? stood.decidedBy : [last.nodeId]
}

/** How an election began, as far as the story tells. */
export interface Began {
  readonly causes: readonly Cause[]
  /** The campaign in vain of a node that was told to take over, or asked to campaign, with which it began. */
  readonly inVain: RoleChange | undefined
}

export function beganWith(
  timeline: Timeline,
  steps: Steps,
  before: Reign | undefined,
  campaigns: readonly RoleChange[],
): Began {
  const own = wishOf(steps)
  const began = (...causes: readonly Cause[]): Began => ({ causes, inVain: undefined })
  if (before === undefined && timeline.isWhole) return began(noCause('clusterBegan'))
  if (own !== undefined) return began(own)
  if (before === undefined) return began()
  const wishFor = (step: RoleChange | undefined): Cause | undefined =>
    step && wishOf(stepsOf(timeline.roleChanges, step))
  const deposer = deposerOf(timeline, before, campaigns)
  const deposed = wishFor(deposer)
  // A leader that was deposed by it led no more, whatever silenced its node afterwards.
  if (deposed !== undefined) return { causes: [deposed], inVain: deposer }
  const { asked, stood, last } = steps
  const silences = silencesBefore(timeline, before, (stood ?? asked ?? last).atMs, readyFor(steps))
  const causes = silences.length === 0 && before.end === 'removed' ? [removalOf(before)] : silences
  const [first] = campaigns
  // A first campaign long before the leader's end is that of a node that was cut off.
  const isOld = first !== undefined && before.untilMs > first.atMs + timeline.story.electionTimeoutMs
  const early = isOld ? undefined : first
  const wish = wishFor(early)
  if (wish !== undefined) return { causes: [...causes, wish], inVain: early }
  if (causes.length > 0) return began(...causes)
  // The silence of the leader may be long over where campaign after campaign was in vain.
  const longAgo = early === undefined ? [] : silencesBefore(timeline, before, early.atMs, [early.nodeId])
  return began(...(longAgo.length > 0 ? longAgo : laterTermOf(timeline, before, last)))
}

function removalOf({ nodeId, untilMs }: Reign): Cause {
  return { ...noCause('removed', nodeId), sinceMs: untilMs }
}

/** The will by which a node campaigned that missed no leader. */
function wishOf({ asked, stood, last }: Steps): Cause | undefined {
  if (stood?.reason === 'campaign' || asked?.reason === 'campaign') return noCause('asked', last.nodeId)
  if (stood?.reason === 'transfer') return { ...noCause('transfer', stood.from), to: last.nodeId }
  return undefined
}

/** The leader of before learned of a later term. Where it learned that from the election's winner, that is no cause. */
function laterTermOf(timeline: Timeline, before: Reign, last: RoleChange): Cause[] {
  const told = toldOf(timeline, before)
  if (told === undefined || (last.role === 'leader' && told.sequence > last.sequence)) return []
  return [{ ...noCause('laterTerm', before.nodeId), to: told.from, sinceMs: told.atMs }]
}

/** The campaign by whose term the leader of before learned that it led no more. */
function deposerOf(
  timeline: Timeline,
  before: Reign,
  campaigns: readonly RoleChange[],
): RoleChange | undefined {
  const told = toldOf(timeline, before)
  return campaigns.find((each) => each.role === 'candidate' && each.term === told?.term)
}

type ToldTerm = Extract<RoleChange, { readonly from: NodeId }>

/** The step in which the leader learned of a later term. */
function toldOf({ roleChanges }: Timeline, { nodeId, term, untilMs }: Reign): ToldTerm | undefined {
  return roleChanges.find(
    (each): each is ToldTerm =>
      each.nodeId === nodeId && each.atMs === untilMs && each.term > term && each.reason === 'higherTerm',
  )
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
  const membership = membershipAt(timeline.story, { nodeId: candidateId, atMs: window.untilMs })
  const others = votersOf(membership).filter((id) => id !== candidateId)
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
  const membership = membershipAt(timeline.story, { nodeId, atMs: untilMs })
  const followers = votersOf(membership).filter((id) => id !== nodeId)
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
  if (reign.end === 'removed') return [removalOf(reign)]
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
  const frozen = obstacles.filter((each) => each.type === 'paused' && each.nodeId === nodeId)
  // A write that a freeze holds back is late without the disk.
  const isOfFreeze = ({ sinceMs, untilMs }: Obstacle): boolean =>
    shareCovered({ sinceMs, untilMs: Math.min(untilMs, timeline.endedMs) }, frozen) >= shareMin
  const late = obstacles
    .filter((each) => each.type === 'disk' && each.nodeId === nodeId && !isOfFreeze(each))
    .map(candidateOf)
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
      : 'nothing that is kept accounts for it'
  return noCause('unknown', before?.nodeId, why)
}
