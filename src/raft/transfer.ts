/** The handing over of leadership (thesis §3.10), both sides. */
import type { OperationRefusal } from './border.js'
import { timeoutNow } from './elections.js'
import type { TimeoutNow } from './messages.js'
import { isVoter } from './quorum.js'
import { becomeFollower } from './roles.js'
import { isLeader, type LeaderState, type RaftState, send } from './state.js'
import type { NodeId } from './types.js'

/** The reasons that all requests of operators share. */
export const notLeading = 'this node does not lead'
export const handingOver = 'the leader is handing over'

/** From now on this leader takes no commands; once the follower holds its whole log, the follower is told to take over. */
export function onTransfer(state: RaftState, to: NodeId | undefined): OperationRefusal | undefined {
  const { leaderId } = state
  if (!isLeader(state)) return { code: 'notLeader', leaderId, why: notLeading }
  if (state.leadership.transfer !== undefined) return { code: 'transferring', leaderId, why: handingOver }
  const invalid = whyNoSuccessor(state, to)
  if (invalid !== undefined) return { code: 'invalid', leaderId, why: invalid }
  const successor = to ?? bestSuccessor(state)
  if (successor === undefined)
    return { code: 'notCaughtUp', leaderId, why: 'no other voter that may lead answers the leader' }
  if (!isHeard(state, successor))
    return { code: 'notCaughtUp', leaderId, why: `node ${successor} does not answer the leader` }
  begin(state, successor)
  return undefined
}

function whyNoSuccessor(state: LeaderState, to: NodeId | undefined): string | undefined {
  const { voters } = state.log.membership
  if (to === undefined) return voters.some((id) => id !== state.id) ? undefined : 'nobody else is a voter'
  if (to === state.id) return `node ${to} leads already`
  if (!voters.includes(to)) return `node ${to} is no voter, and only voters lead`
  return mayLead(state, to) ? undefined : `node ${to} never leads: its priority is 0`
}

/** A leader that is no voter any more hands over to the best of the voters, as soon as one that may lead answers. */
export function handOver({ leadership }: LeaderState): void {
  leadership.transfer = { to: undefined, elapsedTicks: 0, isToldToStart: false }
}

function begin({ leadership, outbox }: LeaderState, to: NodeId, elapsedTicks = 0): void {
  leadership.transfer = { to, elapsedTicks, isToldToStart: false }
  outbox.events.push({ type: 'transferBegan', to })
}

/** Of the voters that answer and have told that they may lead, the one whose log is longest. */
function bestSuccessor(state: LeaderState): NodeId | undefined {
  const { log, leadership, id: self } = state
  const matchOf = (id: NodeId) => leadership.progress.get(id)?.matchIndex ?? 0
  const isAble = (id: NodeId) => isHeard(state, id) && leadership.progress.get(id)?.neverLeads === false
  const able = log.membership.voters.filter((id) => id !== self && isAble(id))
  return able.sort((a, b) => matchOf(b) - matchOf(a))[0]
}

function mayLead({ leadership }: LeaderState, id: NodeId): boolean {
  return leadership.progress.get(id)?.neverLeads !== true
}

function isHeard({ leadership }: LeaderState, id: NodeId): boolean {
  return leadership.progress.get(id)?.isHeard() === true
}

/** At the end of a turn: the lease ends before the message leaves, since the voters' promises end with it. */
export function advanceTransfer(state: LeaderState): void {
  const { id, leadership, log } = state
  chooseSuccessor(state)
  const { transfer } = leadership
  if (transfer?.to === undefined || transfer.isToldToStart) return
  if (leadership.progress.get(transfer.to)?.matchIndex !== log.lastIndex) return
  const isVoting = isVoter(log.membership, id)
  // Nobody tells a removed leader of commits: its clients learn from it what became of their commands, or never.
  if (!isVoting && log.commitIndex < log.lastIndex) return
  leadership.isLeaseGivenUp = true
  transfer.isToldToStart = true
  tellToStart(state)
  if (!isVoting) stepDown(state)
}

function chooseSuccessor(state: LeaderState): void {
  const { transfer } = state.leadership
  if (transfer === undefined || transfer.to !== undefined) return
  const successor = bestSuccessor(state)
  if (successor !== undefined) begin(state, successor, transfer.elapsedTicks)
}

/** The message may be lost, so it leaves again with each heartbeat until the transfer has ended. */
export function tellToStart(state: LeaderState): void {
  const { id: from, currentTerm: term, leadership } = state
  const { to, isToldToStart = false } = leadership.transfer ?? {}
  if (to !== undefined && isToldToStart) send(state, { type: 'timeoutNow', from, to, term })
}

/** A handing over that takes an election timeout is given up, and commands are taken again. */
export function transferTicked(state: LeaderState): void {
  const { leadership, limits, outbox, log } = state
  const { transfer } = leadership
  if (transfer === undefined) return
  transfer.elapsedTicks++
  if (transfer.elapsedTicks < limits.electionTimeoutTicks) return
  leadership.transfer = undefined
  if (transfer.to !== undefined) outbox.events.push({ type: 'transferEnded', to: transfer.to, isDone: false })
  const isRemoved = log.membershipIndex <= log.commitIndex && !isVoter(log.membership, state.id)
  if (isRemoved) stepDown(state)
}

function stepDown(state: LeaderState): void {
  becomeFollower(state, state.currentTerm, undefined, { reason: 'removed' })
}

/** The leader of this term asks us to take over. */
export function onTimeoutNow(state: RaftState, message: TimeoutNow): void {
  const { from, type: messageType, term } = message
  if (term < state.currentTerm || state.leaderId !== from) return
  timeoutNow(state, { reason: 'transfer', from, messageType })
}
