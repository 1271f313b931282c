/** `explain stall`: the longest time without a commit, and what stood in the way. */
import type { NodeId } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'
import {
  type Candidate,
  type Cause,
  candidateOf,
  causeOf,
  followerKinds,
  leaderKinds,
  replicationKinds,
  silencers,
  weighed,
} from './causes.js'
import { type Election, electionOf, electionsIn, lastStepOf, type Nothing } from './election.js'
import { busyGaps, gapsBetween, isBusy, refusedIn } from './felt.js'
import { holds, lengthOf, overlaps, type Stretch, shareCovered } from './stretch.js'
import { type Obstacle, type Timeline, timelineOf } from './timeline.js'
import { isMajority, membershipAt, votersOf } from './voters.js'
import { causesOfEnd, disksOf } from './why-began.js'

export type StallReason =
  /** Nobody led: `election` tells why. */
  | 'noLeader'
  /** Too few nodes stood by the leader: `causes` tells what was with the others. */
  | 'noMajority'
  /** The disks were late. */
  | 'disk'
  /** The leader's node stood still. */
  | 'leaderStood'
  /** The program that holds the cluster and its clients stood still. */
  | 'hostBlocked'
  /** The leader was handing over, and took no commands meanwhile. */
  | 'handingOver'
  /** Requests were turned away, since too much waited. */
  | 'backPressure'
  /** Nobody asked for anything. */
  | 'noLoad'
  /** The stall is no longer than the time from one heartbeat to the next, and nothing stood in the way. */
  | 'ordinary'
  | 'unknown'

export interface Stall extends Stretch {
  readonly type: 'stall'
  readonly forMs: number
  /** False: nothing has been committed since. */
  readonly isOver: boolean
  /** False: nothing that is kept tells that somebody asked for anything meanwhile. */
  readonly isAsked: boolean
  readonly reason: StallReason
  /** The reason holds for so much of the stall. `undefined`: for all of it, or for the most. */
  readonly partMs: number | undefined
  /** The node that led meanwhile, or for the most of it. */
  readonly leaderId: NodeId | undefined
  readonly causes: readonly Cause[]
  /** The election that tells why, of `noLeader`. */
  readonly election: Election | undefined
  /** Requests that were turned away, as too much waited. */
  readonly refused: number
}

/** Shorter gaps than the longest ones are looked at no more, when all of these were without load. */
const gapsMax = 50
const shareMin = 0.5
/** After a loss, a follower refuses what comes next, is asked for its end, and takes and acknowledges the rest. */
const afterLoss = 4
/** A reason for less than this share of a stall is none of it. */
const partShareMin = 0.2

export function explainStall(story: Story): Stall | Nothing {
  const timeline = timelineOf(story)
  if (timeline.commits.length === 0) return { type: 'nothing', why: 'what is kept tells of no commit' }
  const seen = stallsSeen(timeline)
  const longest = [...seen.gaps.keys()].sort((a, b) => gapMs(seen, b) - gapMs(seen, a)).slice(0, gapsMax)
  const stalls = longest.map((at) => stallAfter(seen, at)).sort((a, b) => b.forMs - a.forMs)
  return stalls.sort((a, b) => rankOf(a) - rankOf(b))[0] as Stall
}

/** Stalls that kept somebody waiting come first, and then the time in which nobody led, even if nobody asked. */
function rankOf({ reason, isAsked }: Stall): number {
  if (reason === 'noLoad') return 3
  if (reason === 'ordinary') return 2
  return isAsked ? 0 : 1
}

function gapMs({ gaps }: StallsSeen, at: number): number {
  return lengthOf(gaps[at] as Stretch)
}

/** `election`: the one that ended it, or that nobody has won. `undefined`: nobody has campaigned. */
type Leaderless = Stretch & { readonly election: Election | undefined; readonly causes: readonly Cause[] }

/** A timeline with all that stalls are looked for in. */
export type StallsSeen = Timeline & {
  /** After each commit, the time without another one. */
  readonly gaps: readonly Stretch[]
  /** The stretches in which nobody led. */
  readonly leaderless: readonly Leaderless[]
}

export function stallsSeen(timeline: Timeline): StallsSeen {
  return {
    ...timeline,
    gaps: gapsBetween(timeline.commits, timeline.endedMs),
    leaderless: leaderlessIn(timeline),
  }
}

/** The stall after a commit, counted from 0. */
export function stallAfter(seen: StallsSeen, at: number): Stall {
  const gap = seen.gaps[at] as Stretch
  const isOver = at < seen.gaps.length - 1
  const asked = askedIn(seen, at)
  if (asked !== undefined) return stallOf(seen, asked, { isOver, isAsked: true })
  const [longest] = leaderlessOf(seen, gap)
    .map((each) => common(each, gap))
    .sort((a, b) => lengthOf(b) - lengthOf(a))
  // A leader that hands over is followed by the next one at once.
  if (longest === undefined || lengthOf(longest) <= seen.story.heartbeatIntervalMs)
    return stallOf(seen, gap, { isOver, isAsked: false }, { reason: 'noLoad' })
  // A leader that opened its term has ended the time without a leader, and not the time without a call.
  return stallOf(seen, longest, { isOver: isOver || longest.untilMs < gap.untilMs, isAsked: false })
}

function leaderlessOf({ leaderless }: StallsSeen, gap: Stretch): Leaderless[] {
  return leaderless.filter(({ sinceMs, untilMs }) => sinceMs < gap.untilMs && untilMs > gap.sinceMs)
}

/** The part of a gap in which somebody waited for a commit. `undefined`: nobody did, as far as the story tells. */
function askedIn(timeline: StallsSeen, at: number): Stretch | undefined {
  const { story, obstacles, gaps, commits, openings } = timeline
  const gap = gaps[at] as Stretch
  const committed = commits[at]?.index ?? 0
  const pending = story.passed.find(
    ({ stage, index, atMs }) =>
      stage === 'appended' && index > committed && !openings.has(index) && holds(gap, atMs),
  )
  const starts = [isLoaded(gaps, at) ? gap.sinceMs : undefined, pending?.atMs]
  for (const each of story.happened) {
    if (!holds(gap, each.atMs)) continue
    if (each.type === 'commitLate') starts.push(each.atMs - each.sinceMs)
    else if (each.type === 'overloaded') starts.push(each.atMs)
  }
  const leaderless = leaderlessOf(timeline, gap)
  const known = starts.filter((start) => start !== undefined)
  const areFelt = leaderless.some(({ election }) => election?.felt && overlaps(election.felt, gap))
  if (known.length > 0 || areFelt) known.push(...leaderless.map(({ sinceMs }) => sinceMs))
  // A program or a leader that stood still, or that was missing, kept those waiting who had called until then.
  if (isBusy(gaps.slice(Math.max(0, at - busyGaps), at), gap)) {
    const calledUntilMs = gap.sinceMs + 2 * story.heartbeatIntervalMs
    const stood = obstacles.filter((each) => isOfHost(each) || isFrozenLeader(timeline, each))
    for (const { sinceMs, untilMs } of [...leaderless, ...stood])
      if (sinceMs <= calledUntilMs && untilMs > gap.sinceMs) known.push(sinceMs)
  }
  if (known.length === 0) return undefined
  return { sinceMs: Math.max(gap.sinceMs, Math.min(...known)), untilMs: gap.untilMs }
}

function isOfHost({ type }: { readonly type: string }): boolean {
  return type === 'hostBlocked'
}

function isFrozenLeader({ reigns }: Timeline, frozen: Obstacle): boolean {
  return (
    frozen.type === 'paused' &&
    reigns.some((reign) => reign.nodeId === frozen.nodeId && overlaps(reign, frozen))
  )
}

/** A gap between commits that follow close upon each other is one in a load that went on. */
function isLoaded(gaps: readonly Stretch[], at: number): boolean {
  const gap = gaps[at] as Stretch
  return (
    isBusy(gaps.slice(Math.max(0, at - busyGaps), at), gap) &&
    isBusy(gaps.slice(at + 1, at + 1 + busyGaps), gap)
  )
}

function leaderlessIn(timeline: Timeline): Leaderless[] {
  const elections = electionsIn(timeline)
  const last = lastStepOf(timeline, undefined)
  if (last !== undefined && last.role !== 'leader') elections.push(electionOf(timeline, last))
  const found = elections.map((election): Leaderless => {
    const untilMs = election.winnerId === undefined ? Number.POSITIVE_INFINITY : election.atMs
    return { sinceMs: election.leaderlessSinceMs, untilMs, election, causes: [election.cause] }
  })
  const reign = timeline.reigns.at(-1)
  const isLeft = reign !== undefined && reign.untilMs !== Number.POSITIVE_INFINITY
  if (!isLeft || (last !== undefined && last.role !== 'leader')) return found
  const causes = causesOfEnd(timeline, reign)
  return [
    ...found,
    { sinceMs: reign.untilMs, untilMs: Number.POSITIVE_INFINITY, election: undefined, causes },
  ]
}

function stallOf(
  timeline: StallsSeen,
  window: Stretch,
  told: Pick<Stall, 'isOver' | 'isAsked'>,
  given?: Found,
): Stall {
  const { story, reigns } = timeline
  const ledShare = (reign: Stretch): number => shareCovered(window, [reign])
  const [led] = [...reigns].sort((a, b) => ledShare(b) - ledShare(a))
  const leaderId = led !== undefined && ledShare(led) > 0 ? led.nodeId : undefined
  return {
    type: 'stall',
    ...window,
    forMs: lengthOf(window),
    ...told,
    leaderId,
    causes: [],
    election: undefined,
    partMs: undefined,
    refused: refusedIn(story, window),
    ...(given ?? reasonIn(timeline, window, leaderId)),
  }
}

type Found = Pick<Stall, 'reason'> & Partial<Pick<Stall, 'causes' | 'election' | 'partMs'>>

/** The reason of the whole stall, or of its largest part that has one. */
function reasonIn(timeline: StallsSeen, window: Stretch, leaderId: NodeId | undefined): Found {
  const whole = reasonOf(timeline, window, leaderId)
  if (whole.reason !== 'unknown') return whole
  if (lengthOf(window) <= timeline.story.heartbeatIntervalMs) return { reason: 'ordinary' }
  const ofLeader = timeline.obstacles.filter((each) => isOfHost(each) || each.nodeId === leaderId)
  const parts = [...timeline.leaderless, ...ofLeader.filter(standsStill)]
    .map((each) => common(each, window))
    .sort((a, b) => lengthOf(b) - lengthOf(a))
  const [part] = parts
  if (part === undefined || lengthOf(part) < partShareMin * lengthOf(window)) return whole
  const ofPart = reasonOf(timeline, part, leaderId)
  return ofPart.reason === 'unknown' ? whole : { ...ofPart, partMs: lengthOf(part) }
}

function common(one: Stretch, other: Stretch): Stretch {
  return {
    sinceMs: Math.max(one.sinceMs, other.sinceMs),
    untilMs: Math.min(one.untilMs, other.untilMs),
  }
}

function reasonOf(timeline: StallsSeen, window: Stretch, leaderId: NodeId | undefined): Found {
  const { obstacles, story } = timeline
  const causesAmong = (candidates: readonly Candidate[]): Cause[] =>
    weighed([{ window, candidates }]).map(causeOf)
  const host = obstacles.filter(isOfHost)
  const ledByNobody = shareCovered(window, timeline.leaderless)
  // A busy machine takes turns from the program in any stall. The program is the reason of those that it covers best.
  const ofLeader = leaderId === undefined ? [] : silencers(timeline, leaderId, leaderId, leaderKinds)
  const atLeader = causesAmong([...host.map(candidateOf), ...ofLeader.filter(standsStill)])
  if (atLeader[0]?.type === 'hostBlocked' && shareCovered(window, host) >= ledByNobody)
    return { reason: 'hostBlocked', causes: atLeader.slice(0, 1) }
  if (ledByNobody >= shareMin) {
    const share = (each: Stretch): number => shareCovered(window, [each])
    const [most] = [...timeline.leaderless].sort((a, b) => share(b) - share(a))
    return { reason: 'noLeader', causes: most?.causes ?? [], election: most?.election }
  }
  if (leaderId === undefined) return { reason: 'unknown' }
  if (atLeader.length > 0)
    return { reason: atLeader[0]?.type === 'disk' ? 'disk' : 'leaderStood', causes: atLeader }
  const lost = copiesLost(timeline, window, leaderId)
  if (lost !== undefined) {
    return { reason: lost.every(({ type }) => type === 'disk') ? 'disk' : 'noMajority', causes: lost }
  }
  if (shareCovered(window, handOversOf(timeline, leaderId)) >= shareMin) return { reason: 'handingOver' }
  return { reason: refusedIn(story, window) > 0 ? 'backPressure' : 'unknown' }
}

const handOverEnds: ReadonlySet<string> = new Set(['transferEnded', 'killed', 'failed', 'removed'])

/** The stretches in which the node was handing over. */
function handOversOf({ story: { happened } }: Timeline, nodeId: NodeId): Stretch[] {
  const own = happened.filter((each) => each.nodeId === nodeId)
  return own.flatMap((each, at) => {
    if (each.type !== 'transferBegan') return []
    const end = own.slice(at + 1).find(({ type }) => handOverEnds.has(type))
    return [{ sinceMs: each.atMs, untilMs: end?.atMs ?? Number.POSITIVE_INFINITY }]
  })
}

/** A clock that runs too slow or too fast stops no thread and no disk. */
function standsStill({ type }: Candidate | Obstacle): boolean {
  return type !== 'clock'
}

/** A stall that is over was not made by a delay that lasts longer. */
function isTooLong({ fault }: Candidate, window: Stretch, { endedMs }: Timeline): boolean {
  const { delayMs = 0, jitterMs = 0 } = fault?.figures ?? {}
  return fault?.type === 'delay' && window.untilMs < endedMs && delayMs - jitterMs > lengthOf(window)
}

/** The causes that kept too many copies from being acknowledged, the leader's own among them; `undefined`: a majority could. */
function copiesLost(timeline: Timeline, window: Stretch, leaderId: NodeId): Cause[] | undefined {
  const membership = membershipAt(timeline.story, { nodeId: leaderId, atMs: window.untilMs })
  const forMs = lengthOf(window)
  const silences = votersOf(membership).map((id) => {
    const ofDisk = disksOf(timeline, id, forMs)
    if (id === leaderId) return { id, window, candidates: ofDisk }
    // An entry and its acknowledgement share the time.
    const need = { forMs: forMs / 2, inRow: afterLoss }
    const toFollower = silencers(timeline, leaderId, id, replicationKinds, need)
    const toLeader = silencers(timeline, id, leaderId, followerKinds, need)
    const ofFollower = [...toFollower, ...toLeader, ...ofDisk].filter(
      (each) =>
        (each.type === 'link' || (each.nodeId === id && standsStill(each))) &&
        !isTooLong(each, window, timeline),
    )
    return { id, window, candidates: ofFollower }
  })
  const lost = silences.filter((silence) => weighed([silence]).length > 0)
  const left = silences.filter((silence) => !lost.includes(silence)).map(({ id }) => id)
  return isMajority(membership, left) ? undefined : weighed(lost).map(causeOf)
}
