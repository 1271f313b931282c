/** The trace of an election: who missed the leader, who campaigned, who voted how and why, and who won. */
import { type Election, explainElection } from '../explain/index.js'
import type { NodeId } from '../raft/index.js'
import { describeHappened, type Happened, type Story } from '../telemetry/index.js'
import { type Span, serviceOf, Trace, within } from './span.js'

type RoleChange = Extract<Happened, { type: 'role' }>

/** A node that nobody hears may campaign for hours: the last campaigns are shown. */
const campaignsMax = 64

/**
 * `last`: the leadership that came of it, or, where nobody has won, the last campaign. A node that is cut off campaigns for
 * as long as it is, while the others follow their leader: the trace begins when that leader is missed, at most an election
 * timeout before nobody led a majority.
 */
export function electionTrace(story: Story, last: RoleChange): readonly Span[] {
  const term = last.role === 'preCandidate' ? last.term + 1 : last.term
  const election = explainElection(story, term)
  if (election.type === 'nothing') return []
  const changes = story.happened.filter((each): each is RoleChange => each.type === 'role')
  const sinceMs = election.leaderlessSinceMs - story.electionTimeoutMs
  const wonBefore = changes.findLast(({ role, sequence }) => role === 'leader' && sequence < last.sequence)
  const campaigns = changes
    .filter(
      ({ role, sequence, atMs }) =>
        (role === 'candidate' || role === 'preCandidate') &&
        atMs >= sinceMs &&
        sequence > (wonBefore?.sequence ?? 0) &&
        sequence <= last.sequence,
    )
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
  for (const campaign of campaigns) addCampaign(trace, story, root, campaign, changes)
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
  { happened, tickMs }: Story,
  root: Span,
  campaign: RoleChange,
  changes: readonly RoleChange[],
): void {
  const { nodeId, role, term, sequence } = campaign
  const isPreVote = role === 'preCandidate'
  const next = changes.find((each) => each.nodeId === nodeId && each.sequence > sequence)
  const endMs = Math.min(next?.atMs ?? root.endMs, root.endMs)
  const isWon = next?.reason === 'preVoteWon' || next?.reason === 'electionWon'
  const span = trace.add({
    ...{ service: serviceOf(nodeId), name: isPreVote ? 'pre-vote' : 'candidacy', parent: within(root) },
    ...{ startMs: campaign.atMs, endMs },
    attributes: {
      'raftbox.term': isPreVote ? term + 1 : term,
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
    if (isWon && decided(next, vote.nodeId)) span.links.push({ traceId: cast.traceId, spanId: cast.spanId })
  }
}

function decided(next: RoleChange, voterId: NodeId): boolean {
  return 'decidedBy' in next && next.decidedBy.includes(voterId)
}

type Answered = Extract<Happened, { type: 'voteAnswered' }>

/** A voter may answer after the campaign is over, but not after its candidate asks anew. */
function votesFor(happened: readonly Happened[], campaign: RoleChange, untilMs: number): Answered[] {
  const isPreVote = campaign.role === 'preCandidate'
  const term = isPreVote ? campaign.term + 1 : campaign.term
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
