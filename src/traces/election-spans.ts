/** The trace of an election: who missed the leader, who campaigned, who voted how and why, and who won. */
import {
  campaignsOf,
  type Election,
  electionOf,
  electionTermOf,
  type RoleChange,
  type Timeline,
} from '../explain/index.js'
import type { NodeId } from '../raft/index.js'
import { describeHappened, type Happened, type Story } from '../telemetry/index.js'
import { linkTo, type Span, serviceOf, Trace, within } from './span.js'

/** A node that nobody hears may campaign for hours: the last campaigns are shown. */
const campaignsMax = 64

/**
 * `last`: the leadership with which the election ended, or, where nobody has won, the last campaign. A node that is cut off
 * campaigns while the others follow their leader: the trace begins when that leader is missed, at most an election timeout
 * before nobody led a majority.
 */
export function electionTrace(timeline: Timeline, last: RoleChange): readonly Span[] {
  const { story } = timeline
  const election = electionOf(timeline, last)
  const sinceMs = election.leaderlessSinceMs - story.electionTimeoutMs
  const campaigns = campaignsOf(timeline, last)
    .filter(({ atMs }) => atMs >= sinceMs)
    .slice(-campaignsMax)
  const silences = election.missed
    .map(({ nodeId, sinceMs: fromMs, silentMs }) => ({
      ...{ nodeId, startMs: Math.max(fromMs, sinceMs), endMs: Math.min(fromMs + silentMs, election.atMs) },
    }))
    .filter(({ startMs, endMs }) => startMs <= endMs)
  const trace = new Trace()
  const starts = [...silences.map(({ startMs }) => startMs), ...campaigns.map(({ atMs }) => atMs)]
  const startMs = Math.min(election.leaderlessSinceMs, ...starts)
  const root = addRoot(trace, story, election, campaigns, startMs)
  for (const { nodeId, ...times } of silences)
    trace.add({
      ...{ service: serviceOf(nodeId), name: 'silence', parent: within(root), ...times },
      attributes: { 'raftbox.node': nodeId },
    })
  for (const campaign of campaigns) addCampaign(trace, timeline, root, campaign)
  return trace.spans
}

function addRoot(
  trace: Trace,
  story: Story,
  election: Election,
  campaigns: readonly RoleChange[],
  startMs: number,
): Span {
  const { term, winnerId, atMs, before, cause, decidedBy } = election
  const nodeId = winnerId ?? campaigns.at(-1)?.nodeId ?? 0
  const why = story.happened.find(({ sequence }) => sequence === campaigns[0]?.cause)
  return trace.add({
    ...{ service: serviceOf(nodeId), name: 'election' },
    ...{ startMs, endMs: atMs },
    attributes: {
      'raftbox.term': term,
      'raftbox.node': nodeId,
      'raftbox.cause': cause.type,
      'raftbox.leaderless_ms': election.leaderlessMs,
      'raftbox.decided_by': decidedBy.join(','),
      ...(before === undefined ? {} : { 'raftbox.leader_before': before.leaderId }),
      ...(why === undefined ? {} : { 'raftbox.why': describeHappened(why, story.tickMs) }),
    },
    error: winnerId === undefined ? 'nobody has won' : undefined,
  })
}

/** A campaign ends with the next change of its node's role. */
function addCampaign(
  trace: Trace,
  { story: { happened, tickMs }, roleChanges }: Timeline,
  root: Span,
  campaign: RoleChange,
): void {
  const { nodeId, role, sequence } = campaign
  const next = roleChanges.find((each) => each.nodeId === nodeId && each.sequence > sequence)
  const endMs = Math.min(next?.atMs ?? root.endMs, root.endMs)
  const isWon = next?.reason === 'preVoteWon' || next?.reason === 'electionWon'
  const span = trace.add({
    ...{
      service: serviceOf(nodeId),
      name: role === 'preCandidate' ? 'pre-vote' : 'candidacy',
      parent: within(root),
    },
    ...{ startMs: campaign.atMs, endMs },
    attributes: {
      'raftbox.term': electionTermOf(campaign),
      'raftbox.node': nodeId,
      'raftbox.why': describeHappened(campaign, tickMs),
      'raftbox.outcome': next === undefined ? 'none' : describeHappened(next, tickMs),
    },
    error: isWon ? undefined : 'not won',
  })
  const untilMs = next?.atMs ?? Number.POSITIVE_INFINITY
  for (const vote of votesFor(happened, campaign, untilMs)) {
    const cast = trace.add({
      ...({ service: serviceOf(vote.nodeId), name: 'vote', kind: 'server', parent: within(span) } as const),
      ...{ startMs: campaign.atMs, endMs: vote.atMs },
      attributes: {
        'raftbox.node': vote.nodeId,
        'raftbox.granted': vote.voteGranted,
        'raftbox.reason': vote.reason,
      },
      after: [span],
    })
    if (isWon && decided(next, vote.nodeId)) span.links.push(linkTo(cast))
  }
}

function decided(next: RoleChange, voterId: NodeId): boolean {
  return 'decidedBy' in next && next.decidedBy.includes(voterId)
}

type Answered = Extract<Happened, { type: 'voteAnswered' }>

/**
 * The answers to one campaign. An `Election` holds the last answer to each candidate, whichever of its campaigns asked; a
 * trace shows each campaign with its own answers. A voter may answer after the campaign is over, but not after its candidate
 * asks anew.
 */
function votesFor(happened: readonly Happened[], campaign: RoleChange, untilMs: number): Answered[] {
  const isPreVote = campaign.role === 'preCandidate'
  const term = electionTermOf(campaign)
  const answers = new Map<NodeId, Answered>()
  for (const each of happened) {
    if (each.type !== 'voteAnswered' || each.sequence < campaign.sequence) continue
    if (each.candidateId !== campaign.nodeId || each.isPreVote !== isPreVote || each.term !== term) continue
    // A candidate asks again until it is answered, and asks the same question in its next campaign.
    if (answers.has(each.nodeId) && each.atMs > untilMs) continue
    answers.set(each.nodeId, each)
  }
  return [...answers.values()]
}
