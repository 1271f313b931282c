import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Cluster, ClusterEvent, ClusterEvents } from '../../src/cluster/index.js'
import { Tally } from '../../src/load/tally.js'
import { Timeline } from '../../src/load/timeline.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A time line that has begun, of a cluster of which the test says what happens. */
function begun() {
  const events: ClusterEvents = new EventEmitter()
  const tally = new Tally(() => Date.now())
  const timeline = new Timeline({ events } as unknown as Cluster, tally)
  tally.open()
  timeline.start()
  const campaign = (): void => {
    events.emit('event', { type: 'role', role: 'candidate' } as unknown as ClusterEvent)
  }
  return { events, tally, timeline, campaign }
}

test('each second has its own commits, latencies and elections', () => {
  const { tally, timeline, campaign } = begun()
  vi.advanceTimersByTime(400)
  tally.answered('put', 0, 3, 10)
  campaign()
  vi.advanceTimersByTime(1000)
  tally.answered('put', 0, 5, 20)
  vi.advanceTimersByTime(600)
  timeline.stop()
  expect(timeline.seconds).toEqual([
    { second: 0, commitsPerSecond: 10, p99ms: expect.closeTo(3, 1), elections: 1 },
    { second: 1, commitsPerSecond: 20, p99ms: expect.closeTo(5, 1), elections: 0 },
  ])
})

test('a short rest gives no rate, and its elections are not lost', () => {
  const { timeline, campaign } = begun()
  vi.advanceTimersByTime(1300)
  campaign()
  timeline.stop()
  expect(timeline.seconds).toMatchObject([{ second: 0, elections: 1 }])
})

test('nothing changes when it is stopped again', () => {
  const { timeline, campaign } = begun()
  vi.advanceTimersByTime(1300)
  campaign()
  timeline.stop()
  const once = structuredClone(timeline.seconds)
  vi.advanceTimersByTime(1000)
  timeline.stop()
  expect(timeline.seconds).toEqual(once)
})

test('a longer rest is told at its own rate', () => {
  const { tally, timeline } = begun()
  vi.advanceTimersByTime(1500)
  tally.answered('put', 0, 1, 10)
  timeline.stop()
  expect(timeline.seconds).toMatchObject([{ commitsPerSecond: 0 }, { commitsPerSecond: 20 }])
})

test('a window shorter than a second is one all the same, and after its end nothing is heard', () => {
  const { events, timeline, campaign } = begun()
  campaign()
  vi.advanceTimersByTime(100)
  timeline.stop()
  expect(timeline.seconds).toMatchObject([{ second: 0, elections: 1 }])
  expect(events.listenerCount('event')).toBe(0)
})
