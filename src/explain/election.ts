/** `explain election`: why an election began, how each node voted, why one of them won, and what clients felt. */
import type { NodeId, Term } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'
import type { Cause } from './causes.js'
import { type Felt, feltIn } from './felt.js'
import { type Foiled, foiledOf } from './foiled.js'
import { electionTermOf, type Reign, type RoleChange, type Timeline, timelineOf } from './timeline.js'
import { membershipAt } from './voters.js'
import { type Vote, votesIn } from './votes.js'
import {
  beganWith,
  type GaveUp,
  gaveUpOf,
  readyFor,
  type Steps,
  stepsOf,
  unknownCause,
  whyAbsent,
} from './why-began.js'

/** A node that missed its leader. */
export interface Missed {
  readonly nodeId: NodeId
  /** The time at which it last heard of a leader, or led itself. */
  readonly sinceMs: number
  readonly silentMs: number
}

export interface Election {
  readonly type: 'election'
  readonly term: Term
  /** `undefined`: nobody has won. */
  readonly winnerId: NodeId | undefined
  /** The time at which it was won, or at which the last node campaigned. */
  readonly atMs: number
  readonly before: { readonly leaderId: NodeId; readonly term: Term } | undefined
  readonly cause: Cause
  /** Other causes that kept one of the voters from hearing the leader. */
  readonly also: readonly Cause[]
  /** The node that was to lead first, by the will of the leader or of somebody else. */
  readonly foiled: Foiled | undefined
  /** The leader of before ended its leadership itself. */
  readonly gaveUp: GaveUp | undefined
  /** The nodes that missed the leader before the election, the one that campaigned first. */
  readonly missed: readonly Missed[]
  /** In the order in which they were given, pre-votes too. */
  readonly votes: readonly Vote[]
  /** The nodes that had a vote by the configuration of the winner, or of the last candidate. */
  readonly voters: readonly NodeId[]
  /** While a change of the members is under way: the voters before it, of whom a majority is needed as well. */
  readonly votersOutgoing: readonly NodeId[]
  /** The nodes whose votes decided, the winner included. */
  readonly decidedBy: readonly NodeId[]
  /** Nodes that campaigned in vain, each once, in the order of their first campaign. */
  readonly rivals: readonly NodeId[]
  /** Campaigns that led to nothing, those of the winner included. */
  readonly failedCampaigns: number
  /** While nobody has won: what keeps the others from voting for the last candidate. */
  readonly absent: readonly Cause[]
  /** The stretch in which nobody led a majority. */
  readonly leaderlessSinceMs: number
  readonly leaderlessMs: number
  /** False: nobody has led since. */
  readonly isOver: boolean
  /** Nobody won, since this leader of an earlier term led on: a majority had a leader all the while. */
  readonly ledOn: NodeId | undefined
  readonly felt: Felt | undefined
}

/** The answer where nothing can be explained, or no longer. */
export interface Nothing {
  readonly type: 'nothing'
  readonly why: string
}

export function explainElection(story: Story, term?: Term): Election | Nothing {
  const timeline = timelineOf(story)
  const last = lastStepOf(timeline, term)
  if (last === undefined) return { type: 'nothing', why: whyNone(timeline, term) }
  return electionOf(timeline, last)
}

/** All elections that were won, the oldest first. */
export function explainElections(story: Story): Election[] {
  return electionsIn(timelineOf(story))
}

export function electionsIn(timeline: Timeline): Election[] {
  const wins = timeline.roleChanges.filter(({ role }) => role === 'leader')
  return wins.map((win) => electionOf(timeline, win))
}

function whyNone({ roleChanges }: Timeline, term: Term | undefined): string {
  const terms = roleChanges.filter(({ role }) => role !== 'follower').map(electionTermOf)
  if (terms.length === 0) return 'no election is told of in what is kept'
  const range = `from ${Math.min(...terms)} to ${Math.max(...terms)}`
  return `no election of term ${term} is told of in what is kept, which has terms ${range}`
}

/** The last step of an election: the leadership that came of it, or the last campaign in vain. */
export function lastStepOf(timeline: Timeline, term: Term | undefined): RoleChange | undefined {
  const { roleChanges } = timeline
  const wins = roleChanges.filter(({ role }) => role === 'leader')
  const campaigns = roleChanges.filter(({ role }) => role === 'candidate' || role === 'preCandidate')
  if (term !== undefined) {
    const ofTerm = (change: RoleChange): boolean => electionTermOf(change) === term
    return wins.find(ofTerm) ?? campaigns.findLast(ofTerm)
  }
  const win = wins.at(-1)
  const campaign = campaigns.at(-1)
  if (win === undefined || campaign === undefined) return win ?? campaign
  // A node that is cut off campaigns for as long, and the others follow their leader.
  return campaign.sequence > win.sequence && !isLed(timeline) ? campaign : win
}

/** True when the leader of the latest term leads still: it has not ended, and is not frozen. */
function isLed({ reigns, obstacles, endedMs }: Timeline): boolean {
  const reign = reigns.at(-1)
  if (reign?.untilMs !== Number.POSITIVE_INFINITY) return false
  return !obstacles.some(
    (each) => each.type === 'paused' && each.nodeId === reign.nodeId && each.untilMs > endedMs,
  )
}

/** A leader that no majority answers gives up within two election timeouts. */
function outlasts(timeline: Timeline, reign: Reign, atMs: number): boolean {
  if (reign === timeline.reigns.at(-1) && isLed(timeline)) return true
  return reign.untilMs > atMs + 2 * timeline.story.electionTimeoutMs && Number.isFinite(reign.untilMs)
}

export function electionOf(timeline: Timeline, last: RoleChange): Election {
  const { story, endedMs, roleChanges, reigns } = timeline
  const term = electionTermOf(last)
  const { nodeId, atMs } = last
  const isWon = last.role === 'leader'
  const before = reignBefore(reigns, last)
  const steps = stepsOf(roleChanges, last)
  const gaveUp = gaveUpOf(before, atMs)
  const campaigns = campaignsOf(timeline, last)
  const { causes, inVain: foiled } = beganWith(timeline, steps, before, campaigns)
  const [cause = unknownCause(timeline, before)] = causes
  const missed = missedBy(timeline, steps, before, campaigns)
  const ready = readyFor(steps)
  const inVain = campaigns.filter((each) => each !== steps.asked && each !== steps.stood)
  const missedByReady = missed.filter((each) => ready.includes(each.nodeId))
  const sinceMs = leaderlessSince(timeline, { before, cause, missed: missedByReady, atMs })
  const overMs = isWon ? atMs : reigns.find((each) => each.term > term)?.sinceMs
  const untilMs = overMs ?? endedMs
  const { voters, votersOutgoing } = membershipAt(story, last)
  const ledOn = !isWon && before !== undefined && outlasts(timeline, before, atMs) ? before.nodeId : undefined
  return {
    type: 'election',
    term,
    winnerId: isWon ? nodeId : undefined,
    atMs,
    before: before && { leaderId: before.nodeId, term: before.term },
    cause,
    also: causes.slice(1).filter(({ type }) => type !== 'unknown'),
    foiled: foiled && foiledOf(timeline, foiled, atMs),
    gaveUp,
    missed,
    votes: votesIn(story.happened, campaigns, term, last),
    voters,
    votersOutgoing,
    decidedBy: last.reason === 'electionWon' ? last.decidedBy : [],
    rivals: [...new Set(inVain.map((each) => each.nodeId))].filter((id) => id !== nodeId),
    failedCampaigns: (isWon ? inVain : campaigns).filter(beginsCampaign).length,
    absent: isWon ? [] : whyAbsent(timeline, nodeId, { sinceMs: campaigns[0]?.atMs ?? atMs, untilMs }),
    leaderlessSinceMs: ledOn === undefined ? sinceMs : untilMs,
    leaderlessMs: ledOn === undefined ? Math.max(0, untilMs - sinceMs) : 0,
    isOver: overMs !== undefined,
    ledOn,
    felt: feltIn(timeline, { sinceMs, untilMs }, gaveUp && Math.min(sinceMs, gaveUp.atMs - gaveUp.afterMs)),
  }
}

/** The nodes that missed the leader: those that campaigned for it, the last step's node first, and those ready to vote. */
function missedBy(
  { story }: Timeline,
  steps: Steps,
  before: Reign | undefined,
  campaigns: readonly RoleChange[],
): Missed[] {
  const { nodeId: lastId, atMs: endMs } = steps.stood ?? steps.last
  const missed = new Map<NodeId, Missed>()
  for (const each of story.happened) {
    if (each.type !== 'heartbeatMissed' || each.from !== before?.nodeId || each.atMs > endMs) continue
    const sinceMs = each.atMs - each.silentMs
    const isOld = each.atMs < endMs - 2 * story.electionTimeoutMs
    if (isOld || !readyFor(steps).includes(each.nodeId)) continue
    missed.set(each.nodeId, { nodeId: each.nodeId, sinceMs, silentMs: endMs - sinceMs })
  }
  const heard = new Map(missed)
  // A node that campaigns in vain counts from there again: its first campaign tells how long it had waited.
  for (const each of campaigns.toReversed()) {
    if (each.role !== 'preCandidate' || each.reason !== 'electionTimeout') continue
    const { nodeId } = each
    const ticksSinceMs = each.atMs - each.elapsedTicks * story.tickMs
    // The first tick comes less than a tick after the last heartbeat, so a count of ticks is up to one too long.
    const toldSinceMs = heard.get(nodeId)?.sinceMs ?? ticksSinceMs
    const isSame = toldSinceMs >= ticksSinceMs && toldSinceMs <= ticksSinceMs + story.tickMs
    const sinceMs = isSame ? toldSinceMs : ticksSinceMs
    missed.set(nodeId, { nodeId, sinceMs, silentMs: each.atMs - sinceMs })
  }
  const isOther = ({ nodeId }: Missed): number => Number(nodeId !== lastId)
  return [...missed.values()].sort((a, b) => isOther(a) - isOther(b) || a.nodeId - b.nodeId)
}

function reignBefore(reigns: readonly Reign[], last: RoleChange): Reign | undefined {
  return reigns.findLast((reign) => reign.term < electionTermOf(last))
}

/** The campaigns up to the last step of an election, since the leader of before was elected, without those that it survived. */
export function campaignsOf({ roleChanges, reigns }: Timeline, last: RoleChange): RoleChange[] {
  const before = reignBefore(reigns, last)
  const isCampaign = ({ role }: RoleChange): boolean => role === 'candidate' || role === 'preCandidate'
  const found = roleChanges.filter(
    (each) =>
      isCampaign(each) &&
      each.sequence <= last.sequence &&
      each.atMs >= (before?.sinceMs ?? Number.NEGATIVE_INFINITY),
  )
  return found.filter((each) => !roleChanges.some((later) => returns(later, each, last)))
}

/** A node that was told to take over asks for no pre-votes. */
function beginsCampaign({ role, reason }: RoleChange): boolean {
  return role === 'preCandidate' || reason !== 'preVoteWon'
}

/** After the campaign, its node came back to a leader before the election was decided. */
function returns(later: RoleChange, campaign: RoleChange, last: RoleChange): boolean {
  return (
    later.nodeId === campaign.nodeId &&
    later.sequence > campaign.sequence &&
    later.sequence < last.sequence &&
    later.leaderId !== undefined
  )
}

interface Ending {
  readonly before: Reign | undefined
  readonly cause: Cause
  /** The silences of the nodes that were ready to vote. */
  readonly missed: readonly Missed[]
  readonly atMs: number
}

/** A leader that is down or stands still leads nobody. Otherwise its last sign of life counts, or that it gave up. */
function leaderlessSince({ beganMs, story }: Timeline, { before, cause, missed, atMs }: Ending): number {
  if (before === undefined) return beganMs
  const { sinceMs: stoppedMs = atMs } = cause
  // A leader that learned of a later term after the election had led nobody for long.
  const isStopped = cause.nodeId === before.nodeId && stops.has(cause.type) && stoppedMs < atMs
  const heardMs = missed.length > 0 ? Math.max(...missed.map(({ sinceMs }) => sinceMs)) : atMs
  // The last heartbeat is up to an interval older than the end of a leader that sent heartbeats to its end.
  const ledMs = heardMs + 2 * story.heartbeatIntervalMs >= before.untilMs ? before.untilMs : heardMs
  const endMs = isStopped ? stoppedMs : ledMs
  return Math.max(before.sinceMs, Math.min(endMs, atMs))
}

const stops: ReadonlySet<Cause['type']> = new Set([
  'killed',
  'failed',
  'removed',
  'laterTerm',
  'paused',
  'threadStood',
  'hostBlocked',
])
