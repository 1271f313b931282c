import { expect, test } from 'vitest'
import { encode, writeGet, writePut } from '../../src/machine/index.js'
import { emptyRun, entryKinds, packCommands, type Replication, stampRun } from '../../src/raft/index.js'
import { QueriedLeader, QueriedNode } from './queried-leader.js'

const tickMs = 25
const heartbeatMs = 2 * tickMs
const electionTimeoutMs = 20 * tickMs
const query = packCommands([encode(writeGet, 'k')])

/** A follower of node 2 in term 1 that holds the opening entry of the term. */
class QueriedFollower extends QueriedNode {
  readonly time: { nowMs: number }

  constructor(time = { nowMs: 0 }) {
    super({ now: () => time.nowMs })
    this.time = time
    this.hears({ entries: [emptyRun(1, 1)] })
  }

  hears(fields: Partial<Replication>): void {
    const place = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, entries: [] }
    const envelope = { from: 2, to: 1, term: 1 } as const
    this.receive({ type: 'appendEntries', mode: 'replication', ...envelope, ...place, ...fields })
    this.flushAll()
  }

  /** Node 2 puts a value at index 2, and commits up to `leaderCommit`. */
  hearsOfPut(value: string, leaderCommit: number): void {
    const run = stampRun(packCommands([encode(writePut, 'k', value)]), 2, 1, entryKinds.commands)
    this.hears({ prevLogIndex: 1, prevLogTerm: 1, leaderCommit, entries: [run] })
  }

  get questions(): number[] {
    return this.sent.flatMap((message) => (message.type === 'readIndex' ? message.question : []))
  }

  answers(readIndex: number | undefined): void {
    const question = this.questions.at(-1) ?? 0
    this.receive({ type: 'readIndexResponse', from: 2, to: 1, term: 1, question, readIndex })
  }

  /** A stale read, and the age that it is told. */
  ageNow(): number {
    return this.staleness(this.request('staleRead', query)).ageMs
  }

  staleness(request: number) {
    const settlement = this.settled.find((each) => each.request === request)
    if (settlement?.outcome !== 'read' || settlement.staleness === undefined) throw new Error('it has no age')
    return settlement.staleness
  }
}

test('[RD20][RQ3] a follower answers once it has applied the readIndex', () => {
  const node = new QueriedFollower()
  const read = node.request('readHere', query)
  expect(node.toldTo(read), 'nobody was asked').toBeUndefined()
  node.answers(2)
  expect(node.toldTo(read), 'the entry at the readIndex is not here').toBeUndefined()
  node.hearsOfPut('new', 0)
  expect(node.toldTo(read)).toBe('new')
})

test('[RQ1][RD19] a follower refuses what it cannot ask about any more', () => {
  const node = new QueriedFollower()
  const read = node.request('readHere', query)
  node.receive({
    type: 'appendEntries',
    mode: 'heartbeat',
    from: 3,
    to: 1,
    term: 2,
    prevLogIndex: 0,
    prevLogTerm: 0,
    leaderCommit: 0,
    round: 1,
  })
  expect(node.settled.filter(({ request }) => request === read)).toEqual([
    { request: read, outcome: 'refused', code: 'notLeader', leaderId: 3 },
  ])
})

test('[RQ8] a stale read is told what is applied, and waits for no readIndex', () => {
  const node = new QueriedFollower()
  node.hearsOfPut('old', 2)
  const waiting = node.request('readHere', query)
  node.answers(3)
  const stale = node.request('staleRead', query)
  expect(node.toldTo(waiting)).toBeUndefined()
  expect(node.toldTo(stale)).toBe('old')
  expect(node.staleness(stale).index).toBe(2)
})

test('[RQ9] before a node knows that it is up to date, the age is infinite', () => {
  const node = new QueriedFollower()
  node.hearsOfPut('x', 2)
  expect(node.ageNow()).toBe(Number.POSITIVE_INFINITY)
})

test('[RQ9] the age counts from when the node asked, and not from when it was answered', () => {
  const node = new QueriedFollower()
  node.hearsOfPut('x', 2)
  node.time.nowMs = 1000
  node.ageNow()
  node.time.nowMs = 1030
  node.answers(2)
  node.time.nowMs = 1040
  expect(node.ageNow()).toBe(40)
})

test('[RQ9] an answer counts once its readIndex is applied', () => {
  const node = new QueriedFollower()
  node.time.nowMs = 1000
  node.ageNow()
  node.answers(2)
  node.time.nowMs = 1010
  expect(node.ageNow()).toBe(Number.POSITIVE_INFINITY)
  node.hearsOfPut('x', 2)
  expect(node.ageNow()).toBe(10)
})

test('[RQ9] an answer that does not come makes no state younger', () => {
  const node = new QueriedFollower()
  node.hearsOfPut('x', 2)
  node.ageNow()
  node.answers(2)
  expect(node.ageNow()).toBe(0)
  node.time.nowMs = 400
  node.ageNow()
  node.answers(undefined)
  node.time.nowMs = 500
  expect(node.ageNow()).toBe(500)
})

test('[RQ9] a leader that holds its lease is up to date, and one that does not is as old as its last answer', () => {
  const time = { nowMs: 0 }
  const node = new QueriedLeader({ reads: 'lease', now: () => time.nowMs })
  node.driver.tick()
  node.driver.tick()
  node.driver.turn()
  node.confirm()
  time.nowMs = 5
  node.request('staleRead', query)
  expect(node.settled.at(-1)).toMatchObject({ staleness: { index: 1, ageMs: 0 } })
  time.nowMs = electionTimeoutMs
  node.request('staleRead', query)
  expect(node.settled.at(-1)).toMatchObject({ staleness: { index: 1, ageMs: electionTimeoutMs - 5 } })
})

test('[RQ10] a node that is read from asks once a heartbeat, and any node once an election timeout', () => {
  const node = new QueriedFollower()
  const askedAt: number[] = []
  const pass = (isRead: boolean, untilMs: number) => {
    for (; node.time.nowMs < untilMs; node.time.nowMs += tickMs) {
      const { length } = node.questions
      if (isRead) node.ageNow()
      node.hears({})
      node.driver.tick()
      node.driver.turn()
      if (node.questions.length === length) continue
      askedAt.push(node.time.nowMs)
      node.answers(0)
    }
  }
  pass(false, 2 * electionTimeoutMs)
  expect(askedAt).toEqual([0, electionTimeoutMs])
  askedAt.length = 0
  pass(true, 2 * electionTimeoutMs + 3 * heartbeatMs)
  expect(askedAt.map((atMs) => atMs - 2 * electionTimeoutMs)).toEqual([0, heartbeatMs, 2 * heartbeatMs])
})
