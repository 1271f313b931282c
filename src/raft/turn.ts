/** The end of a turn: all that the facts of the turn made possible, as data. */
import type { EndTurn, Persist, Ready } from './border.js'
import { isSameMembership } from './configuration.js'
import { type LogRun, lastIndexOf, wholeRuns } from './entry-run.js'
import { holdsLease, noteRoundsSent } from './lease.js'
import { askLeader } from './read-index.js'
import { areReadsDue, confirmByLease, openReadRound } from './reads.js'
import { sendAppends, sendReadRound } from './replication.js'
import { isLeader, isSameHardState, type LeaderState, type RaftState } from './state.js'
import { advanceTransfer } from './transfer.js'
import { hardStateOf } from './types.js'

const nothing: readonly LogRun[] = Object.freeze([])

export function onEndTurn(state: RaftState, { now, mayWrite, applyBytesMax }: EndTurn): Ready {
  if (isLeader(state)) advanceTransfer(state)
  if (isLeader(state)) sendAsLeader(state, now)
  else askLeader(state)
  tellOfMembership(state)
  const { outbox, log } = state
  const { messages, reads, events } = outbox
  outbox.messages = []
  outbox.reads = []
  outbox.events = []
  const persist = mayWrite ? takePersist(state) : undefined
  const apply = entriesToApply(state, applyBytesMax)
  const last = apply.at(-1)
  const hasMore = last !== undefined && lastIndexOf(last) < log.commitIndex
  return { messages, persist, apply, hasMore, reads, events }
}

function sendAsLeader(state: LeaderState, now: number | undefined): void {
  if (areReadsDue(state)) {
    if (now !== undefined && holdsLease(state, now)) {
      confirmByLease(state)
    } else {
      openReadRound(state)
      sendReadRound(state)
    }
  }
  sendAppends(state, now)
  if (now !== undefined) noteRoundsSent(state, now)
}

/** Tells people by which configuration this node goes, and when that one is committed. */
function tellOfMembership(state: RaftState): void {
  const { log, toldMembership: told } = state
  const index = log.membershipIndex
  const isCommitted = index <= log.commitIndex
  if (index === told.index && isCommitted === told.isCommitted) return
  const isNews = isCommitted !== told.isCommitted || !isSameMembership(log.membership, told.membership)
  state.toldMembership = { index, membership: log.membership, isCommitted }
  if (!isNews) return
  state.outbox.events.push({ type: 'membership', index, membership: log.membership, isCommitted })
}

/** All that is not on its way to the disk yet, as one write; `undefined` when there is nothing. */
function takePersist(state: RaftState): Persist | undefined {
  const { outbox, log } = state
  const current = hardStateOf(state)
  const hardState = isSameHardState(current, state.submittedHardState) ? undefined : current
  const from = Math.max(log.submittedIndex, log.base.index) + 1
  const isNothingNew = hardState === undefined && from > log.lastIndex && log.truncatedFrom === undefined
  const isNothingReceived = outbox.snapshotChunks.length === 0 && outbox.install === undefined
  const messages = outbox.messagesAfterFlush
  if (outbox.waitingAck !== undefined) messages.push(outbox.waitingAck)
  if (isNothingNew && isNothingReceived && messages.length === 0) return undefined

  const sequence = ++state.writeSequence
  const persist: Persist = {
    sequence,
    hardState,
    snapshotChunks: outbox.snapshotChunks,
    install: outbox.install,
    truncateFrom: log.truncatedFrom,
    entries: wholeRuns(log.slice(from, log.lastIndex, Number.POSITIVE_INFINITY)),
    messages,
  }
  log.submit(sequence)
  state.submittedHardState = current
  state.pendingHardStates.push({ sequence, hardState: current })
  outbox.messagesAfterFlush = []
  outbox.waitingAck = undefined
  outbox.snapshotChunks = []
  outbox.install = undefined
  return persist
}

/** If commitIndex > lastApplied: apply log[lastApplied + 1] (Figure 2, all servers). */
function entriesToApply({ log }: RaftState, bytesMax: number): readonly LogRun[] {
  // A received snapshot comes first: nothing behind it is applied to the state before it.
  const isRestoring = log.lastApplied < (log.snapshot?.index ?? 0)
  if (isRestoring || log.lastApplied === log.commitIndex) return nothing
  return log.slice(log.lastApplied + 1, log.commitIndex, bytesMax)
}
