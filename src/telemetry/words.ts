/** Happenings in words, with or without the node, or the cluster, that is their subject. */
import type { DropReason, Membership, MessageType, NodeId, RaftEvent, VoteReason } from '../raft/index.js'
import type { Happened, Happening } from './happenings.js'

/** A happening of a story has its cause with it, where that is known. */
type Told = Happening & Partial<Pick<Happened, 'cause'>>
type RoleEvent = Extract<RaftEvent, { type: 'role' }>
type VoteEvent = Extract<RaftEvent, { type: 'voteAnswered' }>

const dropReasons: Record<DropReason, string> = {
  notACount: 'one of its numbers is no whole number, or too large',
  misdirected: 'it is not from a peer to this node',
  contradictory: 'its fields contradict each other, or its type is unknown',
  neverAsked: 'it answers what was never asked',
  notAMember: 'it is an answer, and its sender is no member',
}

const voteReasons: Record<VoteReason, string> = {
  logUpToDate: 'its log holds all that this log holds',
  votedBefore: 'it has this vote already',
  earlierTerm: 'there has been a later term',
  votedForAnother: 'another candidate has the vote of this term',
  logBehind: 'its log lacks entries that this log holds',
  diskLost: 'a node that lost its disk votes for nobody until it has caught up',
  leaderMayBeAlive: 'a leader may be alive',
}

/**
 * A sentence on who did what, and why. Node 0 is the cluster. `cause` is the cause of the event, where it is known: a
 * repetition is told in its words.
 */
export function describeHappened(event: Happened, tickMs: number, cause?: Happened): string {
  if (event.type === 'repeated' && cause !== undefined)
    return `${describeHappened(cause, tickMs)} (${event.times} times more)`
  const who = event.nodeId === 0 ? 'the cluster' : `node ${event.nodeId}`
  return `${who} ${describeEvent(event, tickMs)}`
}

/** `tickMs` tells times in milliseconds; without it they are told in ticks. */
export function describeEvent(event: Told, tickMs?: number): string {
  switch (event.type) {
    case 'role':
      return `${changeOf(event)}: ${causeOf(event, tickMs)}`
    case 'voteAnswered':
      return answerOf(event)
    case 'messageDropped':
      return `drops a message from node ${event.from}: ${dropReasons[event.reason]}`
    case 'snapshotSending':
      return `sends a snapshot up to index ${event.index} to node ${event.to}, which lags behind the log`
    case 'snapshotInstalling':
      return `takes in a snapshot up to index ${event.index} from node ${event.from}`
    case 'membership':
      return `${event.isCommitted ? 'knows as committed' : 'goes by'} ${membersInWords(event.membership)}, of index ${event.index}`
    case 'transferBegan':
      return `begins to hand over to node ${event.to}`
    case 'transferEnded':
      return event.isDone ? `has asked node ${event.to} to lead` : `gives up handing over to node ${event.to}`
    default:
      return describeHappening(event)
  }
}

function describeHappening(happening: Exclude<Told, RaftEvent>): string {
  switch (happening.type) {
    case 'started':
      return `runs, with a log up to index ${happening.lastIndex}`
    case 'killed':
      return happening.isOnPurpose ? 'was stopped' : 'was killed'
    case 'removed':
      return 'was taken out of the cluster'
    case 'failed':
      return `failed: ${happening.why}`
    case 'paused':
      return 'is paused'
    case 'resumed':
      return `goes on after ${ms(happening.afterMs)}`
    case 'heartbeatMissed':
      return `has heard nothing of its leader, node ${happening.from}, for ${ms(happening.silentMs)}`
    case 'threadStood':
      return `stood still for ${ms(happening.forMs)}${happening.cause === undefined ? ': its thread was busy, or got no processor' : ''}`
    case 'leaseHeld':
      return `holds its lease in term ${happening.term}: a majority answered it`
    case 'leaseLost':
      if (happening.reason === 'givenUp') return `gives up its lease in term ${happening.term} to hand over`
      return `loses its lease in term ${happening.term}: no majority answered it in time`
    case 'flushLate':
      return `waits for its disk, which has not finished a write for ${ms(happening.sinceMs)}`
    case 'flushEnded':
      return `has its write on disk after ${ms(happening.afterMs)}`
    case 'commitLate':
      return `has entries up to index ${happening.index}, and committed none for ${ms(happening.sinceMs)}`
    case 'commitEnded':
      return `commits up to index ${happening.index} after ${ms(happening.afterMs)}`
    case 'overloaded':
      return `turned ${happening.refused} requests away: too much is waiting`
    case 'repeated':
      return `repeated an earlier happening ${happening.times} times`
    case 'missed':
      return `told ${happening.count} things more than could be kept`
    case 'hostBlocked':
      return `got no turn for ${ms(happening.forMs)}: its program was busy, or got no processor`
    case 'faultBegan':
      return `has a fault: ${happening.fault.line}`
    case 'faultHealed':
      return `is healed of a fault${happening.by === 'time' ? ', whose time is over' : ''}: ${happening.fault.line}`
  }
}

function answerOf({ candidateId, term, isPreVote, voteGranted, reason }: VoteEvent): string {
  const why = voteReasons[reason]
  if (reason === 'leaderMayBeAlive')
    return `ignores that node ${candidateId} asks for ${isPreVote ? 'a pre-vote' : 'votes'} in term ${term}: ${why}`
  if (isPreVote)
    return `${voteGranted ? 'would' : 'would not'} vote for node ${candidateId} in term ${term}: ${why}`
  return `${voteGranted ? 'votes' : 'does not vote'} for node ${candidateId} in term ${term}: ${why}`
}

function changeOf({ role, term, leaderId, reason }: RoleEvent): string {
  switch (role) {
    case 'preCandidate':
      return `starts a pre-vote for term ${term + 1}`
    case 'candidate':
      return `starts an election for term ${term}`
    case 'leader':
      return `leads term ${term}`
    case 'follower':
      if (leaderId !== undefined) return `follows node ${leaderId} in term ${term}`
      return reason === 'higherTerm' ? `adopts term ${term}` : `waits for a leader in term ${term}`
  }
}

function causeOf(event: RoleEvent, tickMs: number | undefined): string {
  switch (event.reason) {
    case 'electionTimeout':
      return waitOf(event.lacking, timeOf(event.elapsedTicks, tickMs))
    case 'quorumLost':
      return `no majority answered it for ${timeOf(event.elapsedTicks, tickMs)}`
    case 'diskStalled':
      return `its disk finished no write for ${timeOf(event.elapsedTicks, tickMs)}`
    case 'preVoteWon':
      return `${nodesOf(event.decidedBy)} would vote for it`
    case 'electionWon':
      return `${nodesOf(event.decidedBy)} voted for it`
    case 'electionLost':
      return `${nodesOf(event.decidedBy)} refused`
    case 'higherTerm':
    case 'leaderDiscovered':
      return `told by node ${event.from}'s ${paperNameOf(event.messageType)}`
    case 'campaign':
      return 'it was told to campaign at once'
    case 'transfer':
      return `node ${event.from} hands over to it`
    case 'removed':
      return 'the configuration without its vote is committed'
  }
}

/** The time of a node that campaigned counts from there, so that it tells nothing of heartbeats. */
function waitOf(lacking: Extract<RoleEvent, { reason: 'electionTimeout' }>['lacking'], time: string): string {
  if (lacking === 'heartbeat') return `no heartbeat for ${time}`
  const over = `its election timeout of ${time} is over`
  return lacking === undefined ? over : `${over} without a ${lacking}`
}

/** A configuration as the end of a sentence: `nodes 1, 2 and 3 as voters`. */
export function membersInWords({ voters, votersOutgoing, learners }: Membership): string {
  const joint =
    votersOutgoing.length === 0 ? '' : `, together with the voters before them (${nodesOf(votersOutgoing)})`
  const listening = learners.length === 0 ? '' : `, with ${nodesOf(learners)} learning`
  return `${nodesOf(voters)} as voters${joint}${listening}`
}

function timeOf(ticks: number, tickMs: number | undefined): string {
  return tickMs === undefined ? `${ticks} ticks` : ms(ticks * tickMs)
}

function ms(time: number): string {
  return `${Math.round(time)} ms`
}

/** `no node`, `node 1`, `nodes 1 and 2`, `nodes 1, 2 and 3`. */
export function nodesOf(ids: readonly NodeId[]): string {
  const sorted = [...ids].sort((a, b) => a - b)
  const last = sorted.pop()
  if (last === undefined) return 'no node'
  return sorted.length === 0 ? `node ${last}` : `nodes ${sorted.join(', ')} and ${last}`
}

function paperNameOf(type: MessageType): string {
  return type.charAt(0).toUpperCase() + type.slice(1)
}
