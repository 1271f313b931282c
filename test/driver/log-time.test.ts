import { expect, test } from 'vitest'
import { clockFrame, createKv, readSessionHeader, registerFrame } from '../../src/machine/index.js'
import { entryKinds, type Frame, packCommands, type RaftLimits } from '../../src/raft/index.js'
import { callFrame, Diary } from '../machine/session-log.js'
import { DrivenNode } from './driven-node.js'
import { acknowledgement, elect } from './node-two.js'

/** The leader of three nodes, whose clock the test sets. Node 2 holds all that the leader's disk holds. */
class Leader {
  nowMs = 5_000_000
  /** By how much its clock is set ahead. */
  aheadMs = 0
  readonly node: DrivenNode
  #request = 0

  constructor(limits: Partial<RaftLimits> = {}, machine = createKv()) {
    this.node = new DrivenNode({
      now: () => this.nowMs + this.aheadMs,
      steady: () => this.nowMs,
      limits,
      machine,
    })
    elect(this.node, () => this.node.flushAll())
  }

  propose(frame: Frame): void {
    this.node.driver.request({ request: ++this.#request, type: 'propose', frame, isOfSession: true })
    this.commit()
  }

  /** So much time passes before the next tick. */
  passes(ms: number): void {
    this.nowMs += ms
    this.node.driver.tick()
    this.commit()
  }

  commit(): void {
    this.node.driver.turn()
    this.node.flushAll()
    const { log, currentTerm: term } = this.node.driver.raft.state
    this.node.receive({ ...acknowledgement(log.lastIndex), term })
  }

  /** Node 3 leads from now on. */
  isDeposed(term: number): void {
    const { lastIndex } = this.node.driver.raft.state.log
    this.node.receive({
      type: 'appendEntries',
      mode: 'heartbeat',
      from: 3,
      to: 1,
      term,
      prevLogIndex: lastIndex,
      prevLogTerm: this.node.driver.raft.state.log.last.term,
      leaderCommit: lastIndex,
      round: 1,
    })
  }

  /** The times that stand in the log. */
  get told(): number[] {
    const { log } = this.node.driver.raft.state
    return log.slice(1, log.lastIndex, Number.POSITIVE_INFINITY).flatMap((run) => {
      if (run.kind !== entryKinds.session || run.bytes === undefined) return []
      const header = readSessionHeader({ bytes: run.bytes, count: run.count })
      return header?.op === 'clock' ? [header.timeMs] : []
    })
  }
}

test("[LT1] a leader tells the log's time sixty times in the shortest timeout, by its own clock", () => {
  const leader = new Leader()
  leader.propose(registerFrame(120_000))
  leader.propose(registerFrame(60_000))
  for (const ms of [25, 999, 1, 700, 400]) leader.passes(ms)
  expect(leader.told).toEqual([1000, 2100])
  expect(leader.node.driver.machine.timeMs).toBe(2100)
})

test("[LT1] the log's time neither runs ahead of the leader's clock nor falls behind it", () => {
  const leader = new Leader()
  leader.propose(registerFrame(60_000))
  leader.passes(25)
  for (let second = 0; second < 10; second++) leader.passes(1000.7)
  expect(leader.told.at(-1)).toBe(10_007)
})

test("[LT1] nobody tells the log's time while there is no session", () => {
  const leader = new Leader()
  leader.passes(10_000)
  expect(leader.told).toEqual([])
  leader.propose(registerFrame(60_000))
  // A lead may be older than its sessions: only the time since then counts.
  leader.passes(25)
  expect(leader.told).toEqual([])
  for (let second = 0; second < 70; second++) leader.passes(1000)
  expect(leader.told.at(-1)).toBe(61_000)
})

test("[LT1] a leader goes on from the log's time, whatever its own clock shows", () => {
  const leader = new Leader()
  leader.propose(registerFrame(60_000))
  leader.node.driver.raft.step({ type: 'propose', frame: clockFrame(7000), isOfSession: true })
  leader.commit()
  expect(leader.node.driver.machine.timeMs).toBe(7000)
  leader.passes(25)
  leader.passes(1000)
  expect(leader.node.driver.machine.timeMs).toBe(8000)
})

test('[LT1] a clock that is set ahead or back moves no time of the log', () => {
  const leader = new Leader()
  leader.propose(registerFrame(60_000))
  leader.passes(25)
  const toldAfter = [3_600_000, -3_600_000, 0].map((aheadMs) => {
    leader.aheadMs = aheadMs
    leader.passes(1000)
    return leader.told.at(-1)
  })
  expect(toldAfter).toEqual([1000, 2000, 3000])
})

test('[LT1] a leader whose entries are not committed tells one time, and the whole of it afterwards', () => {
  const leader = new Leader()
  leader.propose(registerFrame(60_000))
  leader.passes(25)
  for (let second = 0; second < 5; second++) {
    leader.nowMs += 1000
    leader.node.driver.tick()
    leader.node.driver.turn()
  }
  expect(leader.told).toEqual([1000])
  leader.commit()
  leader.passes(25)
  expect(leader.told).toEqual([1000, 5025])
})

test('[LT1] a time that the leader does not take is told later', () => {
  const leader = new Leader({ uncommittedBytesMax: 500 })
  leader.propose(registerFrame(60_000))
  leader.passes(25)
  const frame = callFrame({ session: 2, sequence: 1, firstOutstanding: 1 }, 'v'.repeat(1000))
  leader.node.driver.request({ request: 9, type: 'propose', frame, isOfSession: true })
  leader.nowMs += 1000
  leader.node.driver.tick()
  expect(leader.told).toEqual([])
  leader.commit()
  leader.passes(25)
  expect(leader.told).toEqual([1025])
})

test('[LT1] a follower tells no time', () => {
  const leader = new Leader()
  leader.propose(registerFrame(60_000))
  leader.isDeposed(2)
  leader.passes(25)
  leader.passes(10_000)
  expect(leader.told).toEqual([])
})

test('[LT1] a leader tells the time sixty times in the timeout of a machine that waits, and stops with it', () => {
  const diary = new Diary()
  const leader = new Leader({}, diary)
  diary.leastTimeoutMs = 15_000
  for (const ms of [25, 200, 50, 250]) leader.passes(ms)
  expect(leader.told).toEqual([250, 500])
  expect(diary.times.map(([, , timeMs]) => timeMs)).toEqual(leader.told)
  diary.leastTimeoutMs = Number.POSITIVE_INFINITY
  leader.passes(10_000)
  expect(leader.told).toEqual([250, 500])
})

test.each(['x', Number.NaN, -1])('a machine that says that it waits for %s stops its node', (wrong) => {
  const diary = new Diary()
  const leader = new Leader({}, diary)
  Object.assign(diary, { leastTimeoutMs: wrong })
  leader.passes(25)
  expect(leader.node.failures.map(String)).toEqual([
    expect.stringContaining('the machine owes leastTimeoutMs as a number from 0 on'),
  ])
})

test('[LT1] no time passes between two leads', () => {
  const diary = new Diary()
  diary.leastTimeoutMs = 15_000
  const leader = new Leader({}, diary)
  for (const ms of [25, 250]) leader.passes(ms)
  leader.isDeposed(2)
  // A follower that heard of a leader campaigns only after a whole election timeout.
  for (let tick = 0; tick < 60; tick++) leader.passes(1000)
  elect(leader.node, () => leader.node.flushAll())
  for (const ms of [25, 250]) leader.passes(ms)
  expect(leader.told).toEqual([250, 500])
})

test.each([
  ["the log's time", clockFrame(1000)],
  ['a frame without a header', packCommands([Buffer.from('x')])],
  ['a call of no commands', callFrame({ session: 1, sequence: 1, firstOutstanding: 1 })],
  ['a frame of no commands', { bytes: new Uint8Array(40), count: 0 }],
])('[LT2] a client cannot propose %s', (_, frame) => {
  const leader = new Leader()
  const { lastIndex } = leader.node.driver.raft.state.log
  leader.propose(frame)
  expect(leader.node.settled).toMatchObject([{ outcome: 'refused', code: 'malformed' }])
  expect(leader.node.driver.raft.state.log.lastIndex).toBe(lastIndex)
})
