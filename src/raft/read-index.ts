/**
 * Reads that a node serves without leading (thesis §6.4): it asks its leader for the readIndex, and serves them once it
 * has applied that much. A single question is on its way at a time, for all reads that waited when it left.
 */
import type { Refusal } from './border.js'
import type { ReadIndex, ReadIndexResponse } from './messages.js'
import { isLeader, type RaftState, send } from './state.js'

/** The read waits for the next question. A node that knows no leader has nobody to ask. */
export function waitsToAsk(state: RaftState, id: number): Refusal | undefined {
  const { leaderId, readsToAsk, askedReads, limits } = state
  if (leaderId === undefined) return { code: 'notLeader', leaderId }
  const waiting = readsToAsk.length + (askedReads?.ids.length ?? 0)
  if (waiting >= limits.waitingReadsMax) return { code: 'overloaded', leaderId }
  readsToAsk.push(id)
  return undefined
}

/** Asks for all reads that wait, unless an earlier question is not answered yet. */
export function askLeader(state: RaftState): void {
  const { readsToAsk: ids } = state
  if (ids.length === 0 || state.askedReads !== undefined) return
  state.askedReads = { question: ++state.readQuestion, ids, elapsedTicks: 0 }
  state.readsToAsk = []
  sendQuestion(state)
}

/** The question or its answer may be lost. The answer to an earlier copy serves the same reads: all were waiting then. */
export function askTicked(state: RaftState): void {
  const { askedReads, limits } = state
  if (askedReads === undefined || ++askedReads.elapsedTicks < limits.heartbeatTicks) return
  askedReads.elapsedTicks = 0
  sendQuestion(state)
}

function sendQuestion(state: RaftState): void {
  const { id: from, leaderId: to, currentTerm: term, readQuestion: question } = state
  if (to !== undefined) send(state, { type: 'readIndex', from, to, term, question })
}

/**
 * The leader takes a question as a waiting read of its own. Each member has one question at a time: a later one takes
 * the place of an earlier one, which its node has given up.
 */
export function onReadIndex(state: RaftState, { from, question }: ReadIndex): void {
  if (!isLeader(state) || !state.leadership.progress.has(from)) return refuse(state, from, question)
  const { waitingQuestions, confirmingReads } = state.leadership
  // A question that is sent again is answered by the round that confirms its first copy.
  if (confirmingReads?.questions.some((one) => one.from === from && one.question === question)) return
  const earlier = waitingQuestions.findIndex((one) => one.from === from)
  if (earlier >= 0) waitingQuestions.splice(earlier, 1)
  waitingQuestions.push({ from, question })
}

function refuse(state: RaftState, to: number, question: number): void {
  const { id: from, currentTerm: term } = state
  send(state, { type: 'readIndexResponse', from, to, term, question, readIndex: undefined })
}

/** Answers to earlier questions, and those of nodes that do not lead here, tell nothing about the reads that wait now. */
export function onReadIndexResponse(state: RaftState, message: ReadIndexResponse): void {
  const { question, readIndex, from, term } = message
  const { askedReads, leaderId, toldCommit } = state
  if (askedReads?.question !== question || from !== leaderId) return
  state.askedReads = undefined
  state.outbox.reads.push({ ids: askedReads.ids, readIndex })
  if (readIndex !== undefined && readIndex > toldCommit.index) state.toldCommit = { index: readIndex, term }
  learnCommit(state)
}

/**
 * A leader's answer tells that an entry of its term is committed. A log that holds this entry agrees with the leader's
 * up to there (log matching), so that the reads need not wait for the next leaderCommit.
 */
export function learnCommit({ log, toldCommit }: RaftState): void {
  if (toldCommit.index > log.commitIndex && log.has(toldCommit)) log.commitIndex = toldCommit.index
}

/** The leader who was asked, or was to be, is not known to lead any more. */
export function giveUpAskedReads(state: RaftState): void {
  const { readsToAsk, askedReads } = state
  if (readsToAsk.length === 0 && askedReads === undefined) return
  state.outbox.reads.push({ ids: [...(askedReads?.ids ?? []), ...readsToAsk], readIndex: undefined })
  state.readsToAsk = []
  state.askedReads = undefined
}
