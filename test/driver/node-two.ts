/** Node 2 as tests of the driver speak for it: the vote that makes node 1 leader, and what it holds. */
import type { Driver } from '../../src/driver/index.js'
import type { AppendEntriesResponse, Message } from '../../src/raft/index.js'

interface NodeOne {
  readonly driver: Driver
  receive(message: Message): void
}

/** Makes node 1 the leader of the next term, with its empty entry on disk and committed. `flush` ends what it writes. */
export function elect(node: NodeOne, flush: () => void): void {
  const { state } = node.driver.raft
  const term = state.currentTerm + 1
  node.driver.raft.step({ type: 'campaign' })
  node.driver.turn()
  const { campaign } = state
  node.receive({ type: 'preVoteResponse', from: 2, to: 1, term: term - 1, campaign, voteGranted: true })
  flush()
  const vote = { type: 'requestVoteResponse', from: 2, to: 1, term, electionTerm: term } as const
  node.receive({ ...vote, voteGranted: true })
  flush()
  node.receive({ ...acknowledgement(state.log.lastIndex), term })
}

/** Node 2 holds everything up to here: it answers the heartbeat of the round when there is one, and entries otherwise. */
export function acknowledgement(matchIndex: number, round?: number): AppendEntriesResponse {
  const answer = { success: true, conflictIndex: 0, conflictTerm: 0, prevLogIndex: 0 } as const
  const envelope = { type: 'appendEntriesResponse', from: 2, to: 1, term: 1 } as const
  if (round === undefined) return { ...envelope, mode: 'replication', matchIndex, ...answer }
  return { ...envelope, mode: 'heartbeat', round, matchIndex, ...answer }
}
