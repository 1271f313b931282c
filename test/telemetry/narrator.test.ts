/** The happenings that a node tells of itself, and their causes as far as it knows. */
import { beforeEach, expect, test } from 'vitest'
import type { Message, RaftEvent, RaftView } from '../../src/raft/index.js'
import type { Happening } from '../../src/telemetry/index.js'
import { Narrator } from '../../src/telemetry/narrator.js'

type Told = Happening & { readonly sequence: number; readonly cause: number | undefined }

let nowMs = 0
let told: Told[] = []
let narrator: Narrator

/** Ticks and heartbeats take 100 ms, and an election timeout 500 ms. */
beforeEach(() => {
  nowMs = 0
  told = []
  const tell = (happening: Happening, _atMs: number, cause: number | undefined): number => {
    told.push({ ...happening, sequence: told.length + 1, cause })
    return told.length
  }
  narrator = new Narrator({
    sink: { tell },
    now: () => nowMs,
    tickMs: 100,
    heartbeatIntervalMs: 100,
    electionTimeoutMs: 500,
  })
})

const follows: RaftEvent = {
  ...{ type: 'role', role: 'follower', term: 1, leaderId: 2 },
  ...{ reason: 'leaderDiscovered', from: 2, messageType: 'appendEntries' },
}
const leads: RaftEvent = {
  ...{ type: 'role', role: 'leader', term: 1, leaderId: 1 },
  ...{ reason: 'electionWon', decidedBy: [1, 2] },
}
const timedOut: RaftEvent = {
  ...{ type: 'role', role: 'preCandidate', term: 1, leaderId: undefined },
  ...{ reason: 'electionTimeout', elapsedTicks: 6 },
}

interface State {
  readonly isLeaseHeld?: boolean
  readonly isLeaseGivenUp?: boolean
  readonly committed?: number
  readonly last?: number
}

/** A tick after the given time. Given a state, it is a leader's. */
function tick(afterMs = 100, leader?: State): void {
  nowMs += afterMs
  const {
    committed: commitIndex = 0,
    last: lastIndex = 0,
    isLeaseHeld = false,
    isLeaseGivenUp = false,
  } = leader ?? {}
  const state = {
    role: leader ? 'leader' : 'follower',
    currentTerm: 1,
    log: { commitIndex, lastIndex },
    leadership: { isLeaseGivenUp },
  }
  narrator.ticked(state as unknown as RaftView, () => isLeaseHeld)
}

function hear(from: number): void {
  narrator.received({ type: 'appendEntries', mode: 'heartbeat', from } as Message)
  narrator.isNow(nowMs)
}

/** The happenings since the last call. */
function news(): Told[] {
  return told.splice(0)
}

test('[HP1] a heartbeat that is missed is told once until the leader is heard again', () => {
  narrator.happened(follows)
  tick()
  news()
  tick(110)
  expect(news()).toMatchObject([{ type: 'heartbeatMissed', from: 2, silentMs: 210 }])
  tick()
  expect(news()).toEqual([])
  hear(3)
  tick()
  expect(news(), 'another node is not the leader').toEqual([])
  hear(2)
  tick()
  expect(news()).toEqual([])
  tick()
  expect(news()).toMatchObject([{ type: 'heartbeatMissed', silentMs: 200 }])
})

test('[HP2] an election that begins has the missed heartbeat for its cause, and each step of it the one before', () => {
  narrator.happened(follows)
  tick()
  tick()
  narrator.happened(timedOut)
  narrator.happened({ ...timedOut, role: 'candidate', reason: 'preVoteWon', decidedBy: [1] } as RaftEvent)
  narrator.happened(leads)
  expect(told.map(({ type, cause }) => [type, cause])).toEqual([
    ['role', undefined],
    ['heartbeatMissed', undefined],
    ['role', 2],
    ['role', 3],
    ['role', 4],
  ])
})

test('[HP1] a thread that stood still is told once a tick comes more than a heartbeat late', () => {
  tick(5000)
  expect(news(), 'before its first tick a node has no time to keep').toEqual([])
  tick(200)
  expect(news()).toEqual([])
  tick(310)
  expect(news()).toMatchObject([{ type: 'threadStood', forMs: 210, cause: undefined }])
})

test('[HP1] a flush that takes half an election timeout is told while it stands, and its end with its length', () => {
  tick(0)
  narrator.flushBegan(nowMs)
  tick()
  tick()
  expect(news()).toEqual([])
  tick()
  tick()
  expect(news()).toMatchObject([{ type: 'flushLate', sinceMs: 300 }])
  nowMs += 50
  narrator.flushEnded(nowMs)
  expect(news()).toMatchObject([{ type: 'flushEnded', afterMs: 450, cause: 1 }])
  narrator.flushBegan(nowMs)
  nowMs += 249
  narrator.flushEnded(nowMs)
  expect(news()).toEqual([])
})

test('[HP1] a flush in whose time the whole thread waited is told with its end', () => {
  narrator.flushBegan(nowMs)
  nowMs += 250
  narrator.flushEnded(nowMs)
  expect(news()).toMatchObject([
    { type: 'flushLate', sinceMs: 250 },
    { type: 'flushEnded', afterMs: 250, cause: 1 },
  ])
})

test('[HP2] a leader that steps down since its disk stalls, or no majority answers it, tells the cause', () => {
  narrator.happened(leads)
  narrator.flushBegan(nowMs)
  for (let n = 0; n < 5; n++) tick(100, {})
  const gaveUp = { type: 'role', role: 'follower', term: 1, leaderId: undefined, elapsedTicks: 5 } as const
  narrator.happened({ ...gaveUp, reason: 'diskStalled' })
  expect(told.at(-1)?.cause).toBe(told.find(({ type }) => type === 'flushLate')?.sequence)
  narrator.happened(leads)
  tick(100, { isLeaseHeld: true })
  tick(100, { isLeaseHeld: false })
  narrator.happened({ ...gaveUp, reason: 'quorumLost' })
  expect(told.slice(-4).map(({ type }) => type)).toEqual(['role', 'leaseHeld', 'leaseLost', 'role'])
  expect(told.at(-1)?.cause).toBe(told.at(-2)?.sequence)
})

test('[HP2] a leader that hands over gives up its lease for that, and steps down for no lost majority', () => {
  narrator.happened(leads)
  tick(100, { isLeaseHeld: true })
  narrator.happened({ type: 'transferBegan', to: 2 })
  narrator.flushBegan(nowMs - 500)
  news()
  tick(100, { isLeaseGivenUp: true })
  narrator.happened({
    ...{ type: 'role', role: 'follower', term: 1, leaderId: undefined },
    ...{ reason: 'quorumLost', elapsedTicks: 5 },
  })
  expect(news().map(({ type, cause, ...more }) => [type, cause, 'reason' in more && more.reason])).toEqual([
    ['flushLate', undefined, false],
    ['leaseLost', 3, 'givenUp'],
    ['role', undefined, 'quorumLost'],
  ])
})

test('[HP1] a leader tells once that it commits nothing of what waits, and the end of that', () => {
  narrator.happened(leads)
  news()
  tick(100, { last: 5 })
  tick(100, { last: 6 })
  tick(100, { last: 7 })
  expect(news(), 'it waits for 200 ms').toEqual([])
  tick(100, { last: 9 })
  tick(100, { last: 9 })
  expect(news()).toMatchObject([{ type: 'commitLate', index: 9, sinceMs: 300 }])
  tick(100, { last: 9, committed: 8 })
  expect(news()).toMatchObject([{ type: 'commitEnded', index: 8, afterMs: 500, cause: 1 }])
  for (let n = 10; n < 20; n++) tick(100, { last: n + 1, committed: n })
  expect(news(), 'something is committed all the time').toEqual([])
})

test('[HP3] refusals are counted, and told once a tick', () => {
  tick(0)
  for (let n = 0; n < 30; n++) narrator.refused()
  tick()
  tick()
  expect(news()).toMatchObject([{ type: 'overloaded', refused: 30 }])
})

test('[HP3] a storm of one kind is told once a second, with the number of repetitions', () => {
  const dropped: RaftEvent = { type: 'messageDropped', from: 2, reason: 'neverAsked' }
  tick(1000)
  for (let n = 0; n < 50; n++) {
    for (let m = 0; m < 100; m++) narrator.happened(dropped)
    tick()
  }
  const counted = told.reduce((sum, each) => sum + (each.type === 'repeated' ? each.times : 1), 0)
  expect(counted, 'none is lost').toBe(5000)
  expect(told.length).toBe(10)
  expect(told[1]).toMatchObject({ type: 'repeated', cause: 1 })
})

test('[HP3] a storm of many kinds is bounded too, and what is not told is counted', () => {
  tick(1000)
  for (let from = 1; from <= 1000; from++)
    narrator.happened({ type: 'messageDropped', from, reason: 'misdirected' })
  for (let n = 0; n < 10; n++) tick()
  expect(told.length).toBe(65)
  expect(told.find(({ type }) => type === 'missed')).toMatchObject({ count: 936 })
})
