/** An election in words. */
import type { NodeId, VoteReason } from '../raft/index.js'
import { nodesOf } from '../telemetry/index.js'
import type { Election } from './election.js'
import { causeInWords, moment, sentence, span } from './phrases.js'
import type { Vote } from './votes.js'

export function electionInWords(election: Election, beganMs: number): string {
  const lines = [
    headOf(election, beganMs),
    sentence(whyBegan(election, beganMs)),
    ...election.also.map((cause) => sentence(`Besides, ${causeInWords(cause, beganMs)}`)),
    ...foiledIn(election, beganMs),
    ...gaveUpIn(election, beganMs),
    ...missedIn(election),
    ...election.votes.map((vote) => `  ${voteInWords(vote)}`),
    sentence(whyWon(election)),
    ...election.absent.map((cause) => sentence(`Not there to vote: ${causeInWords(cause, beganMs)}`)),
    ...feltIn(election),
  ]
  return lines.join('\n')
}

function headOf({ term, winnerId, atMs, before }: Election, beganMs: number): string {
  const ledBefore = before === undefined ? '' : `; node ${before.leaderId} had led term ${before.term}`
  if (winnerId === undefined) return sentence(`Nobody has won the election of term ${term}${ledBefore}`)
  return sentence(`Node ${winnerId} won the election of term ${term} at ${moment(atMs, beganMs)}${ledBefore}`)
}

function whyBegan({ cause }: Election, beganMs: number): string {
  if (cause.type === 'unknown') return `Why it began is not known: ${cause.why}`
  return `Why it began: ${causeInWords(cause, beganMs)}`
}

/** Why the node that was to lead did not. */
export function foiledIn({ foiled }: Pick<Election, 'foiled'>, beganMs: number): string[] {
  if (foiled === undefined) return []
  const { nodeId, term, causes, refusals } = foiled
  const head = `Node ${nodeId} did not come to lead in term ${term}`
  const why = causes.map((cause) => causeInWords(cause, beganMs)).join('; ')
  const known =
    why === '' ? sentence(`${head}, and what is kept does not tell why`) : sentence(`${head}: ${why}`)
  if (refusals.length === 0) return [known]
  return [why === '' ? sentence(head) : known, ...refusals.map((vote) => `  ${voteInWords(vote)}`)]
}

function gaveUpIn({ gaveUp, before }: Election, beganMs: number): string[] {
  if (gaveUp === undefined) return []
  const why = gaveUp.reason === 'quorumLost' ? 'no majority answered it' : 'its disk finished no write'
  const when = moment(gaveUp.atMs, beganMs)
  return [sentence(`Node ${before?.leaderId} gave up at ${when}: ${why} for ${span(gaveUp.afterMs)}`)]
}

function missedIn({ missed, before, winnerId }: Election): string[] {
  return missed.map(({ nodeId, silentMs }) => {
    const isOther = before !== undefined && before.leaderId !== nodeId
    const whom = isOther ? `node ${before.leaderId}` : 'a leader'
    const then = nodeId === winnerId ? ', and asked the others for their votes' : ''
    return sentence(`Node ${nodeId} had heard nothing of ${whom} for ${span(silentMs)}${then}`)
  })
}

export const voteReasons: Record<VoteReason, (vote: Vote) => string> = {
  logUpToDate: ({ candidateId, voterId }) =>
    `the log of node ${candidateId} holds all that the log of node ${voterId} holds`,
  votedBefore: ({ candidateId }) => `node ${candidateId} has its vote already`,
  earlierTerm: () => 'it knows of a later term',
  votedForAnother: () => 'it has given its vote of this term to another node',
  logBehind: ({ candidateId, voterId }) =>
    `the log of node ${candidateId} lacks entries that the log of node ${voterId} holds`,
  diskLost: ({ voterId }) => `node ${voterId} lost its disk, and votes for nobody until it has caught up`,
  leaderMayBeAlive: ({ voterId }) =>
    `node ${voterId} leads, heard a leader a moment ago, or started anew and may have heard one before`,
}

function voteInWords(vote: Vote): string {
  const { voterId, candidateId, isPreVote, voteGranted, reason } = vote
  const why = voteReasons[reason](vote)
  if (reason === 'leaderMayBeAlive')
    return `node ${voterId} ignored that node ${candidateId} asks for ${isPreVote ? 'a pre-vote' : 'its vote'}: ${why}`
  const yes = isPreVote ? 'would vote' : 'voted'
  const no = isPreVote ? 'would not vote' : 'did not vote'
  return `node ${voterId} ${voteGranted ? yes : no} for node ${candidateId}: ${why}`
}

function whyWon(election: Election): string {
  const { winnerId, rivals, failedCampaigns, term, voters, votersOutgoing } = election
  if (winnerId === undefined) {
    const others = rivals.length === 0 ? '' : `; ${nodesOf(rivals)} asked too`
    const campaigns = `${failedCampaigns} ${failedCampaigns === 1 ? 'campaign' : 'campaigns'}`
    return `No majority of ${sizeOf(election)} was found for term ${term} in ${campaigns}${others}`
  }
  const hasVote = [...voters, ...votersOutgoing].some((id) => id === winnerId)
  const own = hasVote ? ', its own among them,' : ''
  const majority = `Node ${winnerId} won: ${decidedIn(election, 'votes', `${own} are a majority`)}`
  if (failedCampaigns === 0) return `${majority}, and it asked first`
  const before = `${failedCampaigns} ${failedCampaigns === 1 ? 'campaign' : 'campaigns'} before`
  const others = rivals.length === 0 ? '' : `; ${nodesOf(rivals)} asked too`
  return `${majority}. ${before} found none${others}`
}

/** `3 nodes`. While a change of the members is under way, a majority of those before it and of those after it is needed. */
export function sizeOf({ voters, votersOutgoing }: Pick<Election, 'voters' | 'votersOutgoing'>): string {
  if (votersOutgoing.length === 0) return `${voters.length} nodes`
  return `${votersOutgoing.length} nodes before the change of the members and of the ${voters.length} after it`
}

/** How many of all have decided, and what so many are: `2 of 3 votes are a majority`. */
export function decidedIn(election: Election, noun: string, are: string): string {
  const { decidedBy, voters, votersOutgoing } = election
  const share = (half: readonly NodeId[]): [number, number] => [
    decidedBy.filter((id) => half.includes(id)).length,
    half.length,
  ]
  const [yes, all] = share(voters)
  if (votersOutgoing.length === 0) return `${yes} of ${all} ${noun}${are}`
  const [yesBefore, allBefore] = share(votersOutgoing)
  const before = `${yesBefore} of ${allBefore} ${noun} before the change of the members`
  return `${before} and ${yes} of ${all} after it${are} of each`
}

function feltIn({ leaderlessMs, felt, isOver, ledOn }: Election): string[] {
  const without = `${isOver ? 'No majority had' : 'No majority has had'} a leader for ${span(leaderlessMs)}`
  const led = ledOn === undefined ? without : `Node ${ledOn} led a majority all the while`
  if (felt === undefined) return [sentence(led)]
  const refused = felt.refused === 0 ? '' : `, and ${felt.refused} requests were turned away`
  const waited = `the longest time without ${felt.waitedFor === 'answer' ? 'an answer to a client' : 'a commit'} was ${span(felt.untilMs - felt.sinceMs)}`
  return [sentence(`${led}; ${waited}${refused}`)]
}
