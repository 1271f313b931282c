/** The steps of a violation in words. */
import type { MembershipChange, Message } from '../raft/index.js'
import type { PlacedStep } from './member.js'

/** The words for a step, after the name of its node. */
export function wordsOf({ id, step, isHeld }: PlacedStep): string {
  const words = `node ${id} ${happening(step)}`
  return isHeld ? `${words}; its write is not flushed yet` : words
}

function happening(step: PlacedStep['step']): string {
  switch (step.type) {
    case 'deliver':
      return `takes ${messageIn(step.message)}`
    case 'timeOut':
      return 'hears nobody for an election timeout'
    case 'heartbeat':
      return 'sends a round of heartbeats'
    case 'propose':
      return 'takes a command'
    case 'crash':
      return 'loses its power, and starts again'
    case 'flush':
      return 'has its write flushed'
    case 'transfer':
      return `is asked to hand over to node ${step.to}`
    case 'change':
      return `is asked to ${step.changes.map(changeIn).join(' and to ')}`
  }
}

function changeIn({ type, nodeId }: MembershipChange): string {
  return `${type} node ${nodeId}`
}

function messageIn(message: Message): string {
  const sent = `${message.type} of node ${message.from} in term ${message.term}`
  switch (message.type) {
    case 'appendEntries': {
      if (message.mode === 'heartbeat') return `a heartbeat of node ${message.from} in term ${message.term}`
      const entries = message.entries.map(({ index, term }) => `${index}@${term}`).join(' ') || 'nothing'
      return `${sent}: ${entries} behind ${message.prevLogIndex}@${message.prevLogTerm}, commit ${message.leaderCommit}`
    }
    case 'appendEntriesResponse':
      return `${sent}: ${message.success ? `matches up to ${message.matchIndex}` : 'refused'}`
    case 'requestVoteResponse':
      return `${sent}: ${message.voteGranted ? 'granted' : 'refused'}`
    case 'requestVote':
      return `${sent}: its log ends in ${message.lastLogIndex}@${message.lastLogTerm}`
    default:
      return sent
  }
}
