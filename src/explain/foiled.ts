/** A node that was to lead by the will of the leader, or of somebody else, and did not come to lead. */
import type { NodeId, Term } from '../raft/index.js'
import {
  type Candidate,
  type Cause,
  candidateOf,
  causeOf,
  type Silence,
  silencers,
  weighed,
} from './causes.js'
import { holds, type Stretch } from './stretch.js'
import { electionTermOf, type RoleChange, type Timeline } from './timeline.js'
import { isMajority, membershipAt, votersOf } from './voters.js'
import { type Vote, votesIn } from './votes.js'
import { disksOf } from './why-began.js'

export interface Foiled {
  readonly nodeId: NodeId
  readonly term: Term
  readonly atMs: number
  /** The causes that kept its questions or their answers back, or ended it. */
  readonly causes: readonly Cause[]
  /** The votes that it was refused. */
  readonly refusals: readonly Vote[]
}

/** The campaign was in vain, and another one went on until `endMs`. */
export function foiledOf(timeline: Timeline, campaign: RoleChange, endMs: number): Foiled {
  const { nodeId, atMs } = campaign
  const { happened } = timeline.story
  const term = electionTermOf(campaign)
  const window = { sinceMs: atMs, untilMs: Math.min(endMs, endOf(timeline, campaign)) }
  const votes = votesIn(happened, [campaign], term, campaign).filter((vote) => vote.candidateId === nodeId)
  const refusals = votes.filter(({ voteGranted }) => !voteGranted)
  const refusing = refusals.map(({ voterId }) => voterId)
  const silences = unanswered(timeline, campaign, window)
  const membership = membershipAt(timeline.story, campaign)
  const absent = [...silences].filter(([, silence]) => weighed([silence]).length > 0).map(([id]) => id)
  const left = votersOf(membership).filter((id) => !absent.includes(id) && !refusing.includes(id))
  // Causes that kept a few voters away are not why it did not win, while a majority was left.
  const kept = isMajority(membership, left) ? [] : weighed([...silences.values()]).map(causeOf)
  const ends = endsOf(timeline, nodeId, window).filter(({ type }) => kept.every((each) => each.type !== type))
  return { nodeId, term, atMs, causes: [...kept, ...ends], refusals }
}

/** The time at which a campaign ended, or at which the others campaigned instead. */
function endOf({ roleChanges }: Timeline, { nodeId, sequence }: RoleChange): number {
  const end = roleChanges.find(
    (each) =>
      each.sequence > sequence &&
      (each.nodeId === nodeId || each.role === 'preCandidate' || each.role === 'candidate'),
  )
  return end?.atMs ?? Number.POSITIVE_INFINITY
}

/** By voter: the silence between the candidate and it. */
function unanswered(timeline: Timeline, campaign: RoleChange, window: Stretch): Map<NodeId, Silence> {
  const { nodeId, role } = campaign
  const isPreVote = role === 'preCandidate'
  const [question, answer] = isPreVote
    ? ['preVote', 'preVoteResponse']
    : ['requestVote', 'requestVoteResponse']
  // Candidates and voters flush a vote before they tell of it.
  const disksFor = (id: NodeId): Candidate[] => (isPreVote ? [] : disksOf(timeline, id))
  const others = votersOf(membershipAt(timeline.story, campaign)).filter((id) => id !== nodeId)
  const silences = others.map((id): [NodeId, Silence] => {
    const asked = silencers(timeline, nodeId, id, [question])
    const answered = silencers(timeline, id, nodeId, [answer])
    const candidates = [...asked, ...answered, ...disksFor(nodeId), ...disksFor(id)]
    return [id, { window, candidates }]
  })
  return new Map(silences)
}

/** A candidate that ended wins no election. */
function endsOf({ obstacles }: Timeline, nodeId: NodeId, window: Stretch): Cause[] {
  const ends = obstacles.filter(
    (each) =>
      each.nodeId === nodeId &&
      (each.type === 'killed' || each.type === 'failed') &&
      holds(window, each.sinceMs),
  )
  return ends.map((each) => causeOf({ candidate: candidateOf(each), window, weight: 1 }))
}
