/** Checks that are made once in a tick of a node: queues and windows stay within their limits, and what can be written is. */
import type { WatchedNode, Witness } from './watched.js'

/** `peerCount`: how many nodes there are, members or not: any of them may ask, and is answered. */
export function checkAtTick(node: WatchedNode, peerCount: number, witness: Pick<Witness, 'report'>): void {
  checkBounds(node, peerCount, witness)
  checkIsWritten(node, witness)
}

function checkBounds({ id, state }: WatchedNode, peerCount: number, witness: Pick<Witness, 'report'>): void {
  if (state === undefined) return
  const { limits, leadership, messagesAfterFlush, pendingWrites } = state
  const { progress = [], waitingReads = [], waitingQuestions = [], sentRounds = [] } = leadership ?? {}
  for (const [to, { inflightMessages, inflightBytes, nextIndex, matchIndex }] of progress) {
    if (inflightMessages > limits.inflightMessagesMax)
      witness.report('bounds', `node ${id} has ${inflightMessages} messages on their way to ${to}`)
    if (inflightMessages > 1 && inflightBytes > limits.inflightBytesMax + (2 << 20))
      witness.report('bounds', `node ${id} has ${inflightBytes} bytes on their way to ${to}`)
    if (nextIndex <= matchIndex)
      witness.report('bounds', `node ${id} would send ${to} ${nextIndex}, which it has`)
  }
  // A stalled disk gathers no queue: at most one message of a type waits for each peer, and one write is under way.
  if (messagesAfterFlush > 4 * peerCount)
    witness.report('bounds', `${messagesAfterFlush} messages wait for a flush at node ${id}`)
  if (pendingWrites > 1) witness.report('bounds', `${pendingWrites} writes are under way at node ${id}`)
  if (sentRounds.length > limits.electionTimeoutTicks)
    witness.report('bounds', `node ${id} keeps ${sentRounds.length} rounds for its lease`)
  const reads = Math.max(waitingReads.length, state.waitingReads)
  if (reads > limits.waitingReadsMax) witness.report('bounds', `${reads} reads wait at node ${id}`)
  const askers = new Set(waitingQuestions.map(({ from }) => from))
  if (askers.size < waitingQuestions.length)
    witness.report('bounds', `two questions of one node wait at node ${id}`)
}

/** Where no write is under way at the end of a turn, the disk holds the node's term, its vote and the end of its log. */
function checkIsWritten({ id, state, durable }: WatchedNode, witness: Pick<Witness, 'report'>): void {
  if (state === undefined || state.pendingWrites > 0) return
  const { currentTerm, votedFor, log } = state
  const { currentTerm: foundTerm = 0, votedFor: foundVote } = durable.hardState ?? {}
  if (foundTerm !== currentTerm || foundVote !== votedFor)
    witness.report(
      'all is written',
      `node ${id} is in term ${currentTerm} with the vote for ${votedFor}, and its disk says ${foundTerm} and ${foundVote}`,
    )
  if (!durable.holds(log.last))
    witness.report(
      'all is written',
      `node ${id} ends in ${log.last.index}@${log.last.term}, which its disk lacks`,
    )
}
