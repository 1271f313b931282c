import { describe, expect, test } from 'vitest'
import type { StateMachine } from '../../src/machine/index.js'
import { type AppendEntriesResponse, type Message, packCommands } from '../../src/raft/index.js'
import { DrivenNode } from './driven-node.js'

const logBytesMax = 10_000
const command = new Uint8Array(80)

/** A machine that keeps nothing, and whose snapshot has so many bytes all the same. */
function machineOf(snapshotBytes: number): StateMachine {
  return {
    apply: (run, results) => {
      for (let at = 0; at < run.count; at++) results?.append(new Uint8Array(0))
    },
    read: () => undefined,
    snapshot: () => [new Uint8Array(snapshotBytes)].values(),
    restore: () => undefined,
    hash: () => '',
  }
}

/** Leads; node 2 has all that it is sent at once, node 3 is down. */
class Leader extends DrivenNode {
  constructor(options: { snapshotBytes: number; trailingBytes?: number }) {
    const { snapshotBytes, trailingBytes = 0 } = options
    super({ machine: machineOf(snapshotBytes), logBytesMax, trailingBytes })
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
    this.receive({ ...answerOf(0), from: 3, success: true, round: 1 })
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
    }
  }

  #answer(message: Message): void {
    const { term } = message
    if (message.type === 'preVote') {
      const { nextTerm } = message
      this.receive({ type: 'preVoteResponse', from: 2, to: 1, term: 0, nextTerm, voteGranted: true })
    } else if (message.type === 'requestVote') {
      this.receive({ type: 'requestVoteResponse', from: 2, to: 1, term, voteGranted: true })
    } else if (message.type === 'appendEntries') {
      const last = message.entries.at(-1)
      const lastIndex = last === undefined ? message.prevLogIndex : last.index + last.count - 1
      this.receive({ ...answerOf(message.prevLogIndex), from: 2, success: true, matchIndex: lastIndex })
    }
  }
}

function answerOf(prevLogIndex: number): AppendEntriesResponse {
  const none = { success: false, matchIndex: 0, conflictIndex: 0, conflictTerm: 0, round: 0 }
  return { type: 'appendEntriesResponse', from: 2, to: 1, term: 1, prevLogIndex, ...none }
}

describe('behind a snapshot', () => {
  test('the log is cut but for its margin', () => {
    const leader = new Leader({ snapshotBytes: 10, trailingBytes: 4000 })
    leader.write(1.2 * logBytesMax)
    expect(leader.log.base.index).toBeGreaterThan(0)
    expect(leader.log.base.index).toBeLessThan(leader.log.snapshot!.index)
    expect(leader.log.weightAfter(leader.log.base.index)).toBeLessThan(0.6 * logBytesMax + 1000)
  })

  test('a margin is kept in proportion to the snapshot when that is what bounds the log', () => {
    const leader = new Leader({ snapshotBytes: 20 * logBytesMax, trailingBytes: 4000 })
    leader.write(1.2 * logBytesMax)
    const first = leader.log.snapshot?.index
    expect(first).toBeGreaterThan(0)
    while (leader.log.snapshot?.index === first) leader.write(1)
    const kept = leader.log.weightAfter(leader.log.base.index)
    expect(leader.log.base.index).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(10 * 4000)
  })
})

describe('while a follower is sent a snapshot', () => {
  /** A leader whose log was cut, and which sends its snapshot to node 3. */
  function sendingLeader(snapshotBytes: number): { leader: Leader; sent: number } {
    const leader = new Leader({ snapshotBytes })
    leader.write(1.2 * logBytesMax)
    leader.hearOfEmptyFollower()
    const sent = leader.driver.raft.state.progress.get(3)?.snapshot?.index
    expect(sent).toBe(leader.log.snapshot?.index)
    return { leader, sent: sent! }
  }

  test.each([10, 20 * logBytesMax])('the log behind that is kept, a snapshot of %i bytes', (size) => {
    const { leader, sent } = sendingLeader(size)
    leader.write(1.5 * Math.max(logBytesMax, size))
    expect(leader.log.snapshot?.index).toBeGreaterThan(sent)
    expect(leader.log.base.index).toBe(sent)
  })

  test.each([10, 20 * logBytesMax])('it is cut when that takes for ever, a snapshot of %i bytes', (size) => {
    const { leader, sent } = sendingLeader(size)
    leader.write(6 * Math.max(logBytesMax, size))
    expect(leader.log.base.index).toBeGreaterThan(sent)
    expect(leader.log.weightAfter(leader.log.base.index)).toBeLessThan(5 * Math.max(logBytesMax, size))
  })
})
