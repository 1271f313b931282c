/** The latencies that a node measures, on a clock that the test moves. */
import { expect, test } from 'vitest'
import type { Message } from '../../src/raft/index.js'
import { NodeLatencies } from '../../src/telemetry/index.js'
import { Stopwatch } from '../../src/telemetry/stopwatch.js'

const tickMs = 50

function timed() {
  const latencies = new NodeLatencies()
  const clock = { nowMs: 1000 }
  const stopwatch = new Stopwatch(latencies, () => clock.nowMs, tickMs)
  /** A round leaves for two peers. */
  const sends = (term: number, round: number): void => {
    for (const to of [2, 3]) stopwatch.sent(heartbeat({ type: 'appendEntries', from: 1, to, term, round }))
  }
  const answers = (from: number, term: number, round: number): void =>
    stopwatch.received(heartbeat({ type: 'appendEntriesResponse', from, to: 1, term, round }))
  const roundTrips = (peer: number) => latencies.read().roundTrips.get(peer)
  return { latencies, clock, stopwatch, sends, answers, roundTrips }
}

function heartbeat(
  fields: Pick<Message, 'type' | 'from' | 'to' | 'term'> & { readonly round: number },
): Message {
  return { mode: 'heartbeat', ...fields } as Message
}

test('a flush takes from its begin to its end, a longer one longer', () => {
  const { latencies, clock, stopwatch } = timed()
  for (const takesMs of [1, 3]) {
    stopwatch.flushBegan()
    clock.nowMs += takesMs
    stopwatch.flushEnded(clock.nowMs)
  }
  expect(latencies.read().flushes).toMatchObject({ count: 2, sumUs: 4000 })
})

test('a tick is late by what is more than a tick since the one before, and never early', () => {
  const { latencies, clock, stopwatch } = timed()
  for (const afterMs of [0, tickMs, tickMs + 7, tickMs - 5]) {
    clock.nowMs += afterMs
    stopwatch.ticked(clock.nowMs)
  }
  expect(latencies.read().ticksLate).toMatchObject({ count: 4, sumUs: 7000 })
})

test('each peer has its own round trips, from the leaving of a round to the answer', () => {
  const { clock, sends, answers, roundTrips } = timed()
  sends(1, 1)
  clock.nowMs += 2
  answers(2, 1, 1)
  sends(1, 2)
  clock.nowMs += 3
  answers(3, 1, 1)
  answers(2, 1, 2)
  expect(roundTrips(2)).toMatchObject({ count: 2, sumUs: 5000 })
  expect(roundTrips(3)).toMatchObject({ count: 1, sumUs: 5000 })
})

test('an answer to another term, to a round long ago, or to none that left is not timed', () => {
  const { sends, answers, roundTrips } = timed()
  for (let round = 1; round <= 70; round++) sends(2, round)
  answers(2, 1, 70)
  answers(2, 3, 70)
  answers(2, 2, 71)
  answers(2, 2, 6)
  expect(roundTrips(2)).toBeUndefined()
  answers(2, 2, 7)
  expect(roundTrips(2)?.count).toBe(1)
})

test('the next life of a node counts on', () => {
  const { latencies } = timed()
  latencies.answered(2, 100)
  latencies.flushes.record(5)
  const next = new NodeLatencies(latencies.memory)
  next.answered(2, 100)
  next.flushes.record(5)
  const { flushes, roundTrips } = latencies.read()
  expect([flushes.count, roundTrips.get(2)?.count]).toEqual([2, 2])
})

test('where more peers answer than there are places, the one that answered longest ago loses its own', () => {
  const { latencies } = timed()
  for (let peer = 1; peer <= 32; peer++) latencies.answered(peer, 10)
  latencies.answered(1, 10)
  latencies.answered(33, 10)
  const { roundTrips } = latencies.read()
  expect(roundTrips.size).toBe(32)
  expect([1, 2, 33].map((peer) => roundTrips.get(peer)?.count)).toEqual([2, undefined, 1])
})
