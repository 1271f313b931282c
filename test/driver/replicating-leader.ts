import { expect } from 'vitest'
import { entriesIn, type Message, packCommands, type ReplicationResponse } from '../../src/raft/index.js'
import { DrivenNode, type DrivenNodeOptions } from './driven-node.js'

const command = new Uint8Array(80)

/** Node 1, which leads; node 2 has all that it is sent at once, and node 3 is the test. */
export class ReplicatingLeader extends DrivenNode {
  /** What was sent to node 3, and not looked at yet. */
  readonly sentToThree: Message[] = []

  constructor(options: DrivenNodeOptions) {
    super(options)
    this.driver.raft.step({ type: 'campaign' })
    this.#goOn()
    expect(this.driver.raft.state.role).toBe('leader')
  }

  get log() {
    return this.driver.raft.state.log
  }

  /** Commits and applies so many more bytes of log. */
  write(bytes: number): void {
    const { weight } = this.log
    while (this.log.weight < weight + bytes) {
      this.driver.request({ request: this.log.lastIndex, type: 'propose', frame: packCommands([command]) })
      this.#goOn()
      expect(this.failures).toEqual([])
      expect(this.log.lastApplied).toBe(this.log.lastIndex)
    }
  }

  /** Node 3 is there again, with an empty log, and is never heard of after that. */
  hearOfEmptyFollower(): void {
    // It answers a heartbeat, which says that entries can reach it.
    for (let tick = 0; tick < this.driver.raft.state.limits.heartbeatTicks; tick++) this.driver.tick()
    const round = this.driver.raft.state.leadership?.heartbeatRound ?? 0
    this.receive({ ...answerOf(0), mode: 'heartbeat', from: 3, success: true, round })
    this.#goOn()
  }

  #goOn(): void {
    for (;;) {
      this.driver.turn()
      this.flushAll()
      // What the flush allows leaves in the next turn.
      this.driver.turn()
      const message = this.sent.shift()
      if (message === undefined) return
      if (message.to === 2) this.#answer(message)
      else this.sentToThree.push(message)
    }
  }

  #answer(message: Message): void {
    const { term } = message
    if (message.type === 'preVote') {
      const { campaign } = message
      this.receive({ type: 'preVoteResponse', from: 2, to: 1, term: 0, campaign, voteGranted: true })
    } else if (message.type === 'requestVote') {
      const vote = { type: 'requestVoteResponse', from: 2, to: 1, term, electionTerm: term } as const
      this.receive({ ...vote, voteGranted: true })
    } else if (message.type === 'appendEntries') {
      const last = entriesIn(message).at(-1)
      const lastIndex = last === undefined ? message.prevLogIndex : last.index + last.count - 1
      this.receive({ ...answerOf(message.prevLogIndex), from: 2, success: true, matchIndex: lastIndex })
    }
  }
}

function answerOf(prevLogIndex: number): ReplicationResponse {
  const none = { success: false, matchIndex: 0, conflictIndex: 0, conflictTerm: 0 }
  return {
    type: 'appendEntriesResponse',
    mode: 'replication',
    from: 2,
    to: 1,
    term: 1,
    prevLogIndex,
    ...none,
  }
}
