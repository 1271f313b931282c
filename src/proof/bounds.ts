/** Queues and windows of a node stay within their limits. */
import type { WatchedNode, Witness } from './watched.js'

/** `peerCount`: how many nodes there are, members or not: any of them may ask, and is answered. */
export function checkBounds(
  { id, state }: WatchedNode,
  peerCount: number,
  witness: Pick<Witness, 'report'>,
): void {
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
