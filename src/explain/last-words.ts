/** The last thing worth telling, for a person who never read the paper. */
import { nodesOf, type Story } from '../telemetry/index.js'
import type { Election } from './election.js'
import { decidedIn, foiledIn, sizeOf } from './election-words.js'
import type { Last, Trouble } from './last.js'
import { causeInWords, moment, sentence, shown, span } from './phrases.js'
import { stallInWords } from './stall-words.js'

export function lastInWords(last: Last, story: Story, beganMs: number): string {
  const lines: string[] = []
  if (last.trouble !== undefined) lines.push(...troubleIn(last, beganMs))
  if (last.about === 'stall' && last.stall !== undefined) lines.push(stallInWords(last.stall, story, beganMs))
  else if (last.about === 'election' && last.election !== undefined) {
    lines.push(...electionFor(last.election, story, beganMs))
  }
  lines.push(...stateIn(last))
  return lines.join('\n')
}

function electionFor(election: Election, story: Story, beganMs: number): string[] {
  const { winnerId, before, cause, missed, decidedBy, voters, leaderlessMs, felt, atMs, gaveUp } = election
  const ofVoters = voters.length === 1 ? 'the only node' : `more than half of the ${sizeOf(election)}`
  const lines: string[] = []
  if (before !== undefined)
    lines.push(sentence(`Node ${before.leaderId} led the cluster, and ${endOf(election, beganMs)}`))
  else lines.push(sentence(causeInWords(cause, beganMs)))
  lines.push(...foiledIn(election, beganMs))
  if (gaveUp !== undefined) {
    const why =
      gaveUp.reason === 'quorumLost' ? 'too few nodes had answered it' : 'its disk had finished no write'
    lines.push(sentence(`Node ${before?.leaderId} gave up, since ${why} for ${span(gaveUp.afterMs)}`))
  }
  const first = missed.find(({ nodeId }) => nodeId !== before?.leaderId)
  if (first !== undefined && before !== undefined) {
    const often = `A leader sends all others a sign of life every ${span(story.heartbeatIntervalMs)}`
    lines.push(sentence(`${often}; node ${first.nodeId} had heard none for ${span(first.silentMs)}`))
  }
  if (winnerId === undefined) {
    lines.push(sentence(`Nobody leads yet: it takes the votes of ${ofVoters}`))
    return [
      ...lines,
      sentence(`It has been so for ${span(leaderlessMs)}, and without a leader nothing can be written`),
    ]
  }
  const others = decidedBy.filter((id) => id !== winnerId)
  const agreed = others.length === 0 ? '' : `${nodesOf(others)} agreed that node ${winnerId} leads, and `
  const majority = `${agreed}${decidedIn(election, 'nodes', ' are more than half')}`
  lines.push(sentence(`${majority}: node ${winnerId} has led since ${moment(atMs, beganMs)}`))
  const waited =
    felt === undefined ? '' : `, and the longest that clients waited was ${span(felt.untilMs - felt.sinceMs)}`
  lines.push(sentence(`The cluster was without a leader for ${span(leaderlessMs)}${waited}`))
  if (before !== undefined) {
    lines.push('What had been answered before is still there: nobody can win whose log lacks any of it.')
  }
  return lines
}

function endOf({ cause, before }: Election, beganMs: number): string {
  const words = causeInWords(cause, beganMs)
  const ofLeader = `node ${before?.leaderId} `
  return words.startsWith(ofLeader) ? words.slice(ofLeader.length) : `then an election began: ${words}`
}

function troubleIn({ trouble, election, committedSince, leaderId, about }: Last, beganMs: number): string[] {
  if (trouble === undefined) return []
  const lines = [sentence(`at ${moment(trouble.atMs, beganMs)}, ${whatOf(trouble)}`)]
  if (about === 'trouble' && leaderId !== undefined && election?.winnerId === leaderId) {
    const since = `node ${leaderId} has led since ${moment(election.atMs, beganMs)}`
    const commits = `${committedSince} ${committedSince === 1 ? 'entry was' : 'entries were'} committed after it`
    lines.push(sentence(`It cost no leader: ${since}, and ${commits}`))
  }
  return lines
}

function whatOf(trouble: Trouble): string {
  const { nodeId } = trouble
  switch (trouble.type) {
    case 'killed':
      return `node ${nodeId} was killed`
    case 'failed':
      return `node ${nodeId} failed (${shown(trouble.why)})`
    case 'paused':
      return `node ${nodeId} was frozen`
    case 'faultBegan':
      return `a fault began (${shown(trouble.fault.line)})`
    case 'hostBlocked':
      return `the program that holds the cluster had stood still for ${span(trouble.forMs)}`
    case 'threadStood':
      return `the thread of node ${nodeId} had stood still for ${span(trouble.forMs)}`
    case 'flushLate':
      return `the disk of node ${nodeId} had not finished a write for ${span(trouble.sinceMs)}`
    case 'overloaded':
      return `node ${nodeId} had turned ${trouble.refused} requests away, since too much waited`
  }
}

function stateIn({ leaderId, away, faults }: Last): string[] {
  const state = leaderId === undefined ? 'nobody leads' : `node ${leaderId} leads`
  const gone = away.length === 0 ? '' : `; ${nodesOf(away)} ${away.length === 1 ? 'does' : 'do'} not run`
  const standing = faults.length === 0 ? '' : `; these faults stand: ${faults.map(shown).join('; ')}`
  return [sentence(`Now ${state}${gone}${standing}`)]
}
