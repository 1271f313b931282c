/** What happens in a cluster, in words: who did what, and why. */
import type { ClusterEvent } from '../cluster/index.js'
import { printable } from '../terminal/index.js'

type RoleEvent = Extract<ClusterEvent, { type: 'role' }>

const reasons: Record<RoleEvent['reason'], string> = {
  electionTimeout: 'no heartbeat came for a whole election timeout',
  campaign: 'it was asked to',
  preVoteWon: 'a majority said that it would vote for it',
  electionWon: 'a majority voted for it',
  electionLost: 'a majority refused',
  higherTerm: 'a message came from that later term',
  leaderDiscovered: 'the leader of the term made itself known',
  quorumLost: 'it heard no majority for a whole election timeout, so others may have a leader by now',
  diskStalled: 'its disk finished no write for a whole election timeout',
}

type DropEvent = Extract<ClusterEvent, { type: 'messageDropped' }>

const dropReasons: Record<DropEvent['reason'], string> = {
  notACount: 'one of its numbers is no whole number, or too large',
  misdirected: 'it is not from a peer to this node',
  contradictory: 'its fields contradict each other, or its type is unknown',
  neverAsked: 'it answers what was never asked',
  notAMember: 'it is an answer, and its sender is no member',
}

export function inWords(event: ClusterEvent): string {
  const node = `node ${event.nodeId}`
  switch (event.type) {
    case 'role':
      return `${node} ${change(event)}: ${reasons[event.reason]}`
    case 'voteIgnored':
      return `${node} ignores that node ${event.from} asks for votes in term ${event.term}: a leader may be alive`
    case 'messageDropped':
      return `${node} drops a message from node ${event.from}: ${dropReasons[event.reason]}`
    case 'snapshotSending':
      return `${node} sends a snapshot up to index ${event.index} to node ${event.to}, which lags behind the log`
    case 'snapshotInstalling':
      return `${node} takes in a snapshot up to index ${event.index} from node ${event.from}`
    case 'started':
      return `${node} runs, with a log up to index ${event.lastIndex}`
    case 'killed':
      return `${node} was killed`
    case 'failed':
      return `${node} failed: ${printable(event.why)}`
  }
}

function change({ role, term, leaderId }: RoleEvent): string {
  switch (role) {
    case 'preCandidate':
      return `starts a pre-vote for term ${term + 1}`
    case 'candidate':
      return `starts an election for term ${term}`
    case 'leader':
      return `leads term ${term}`
    case 'follower':
      return leaderId === undefined
        ? `waits for a leader in term ${term}`
        : `follows node ${leaderId} in term ${term}`
  }
}
