import { beforeEach, describe, expect, test } from 'vitest'
import { frameAt, indexOfLast, thinned, withFrames } from '../../src/page/history.js'
import * as store from '../../src/page/store.js'
import type { Happened } from '../../src/telemetry/index.js'
import { madeFrame, madeNode } from './made-frames.js'

const head = {
  run: 'a',
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 500,
  tickMs: 100,
  dir: '/d',
  beganMs: 0,
}
const numbers = (frames: readonly { readonly number: number }[]) => frames.map(({ number }) => number)

const frame = (number: number) => madeFrame(number, number * 100)

function event(sequence: number, atMs = sequence): Happened {
  return { type: 'killed', sequence, atMs, nodeId: 1, cause: undefined }
}

beforeEach(() => store.beginAnew('cluster'))

describe('the frames that are kept', () => {
  test('are taken once each, in their order', () => {
    const kept = withFrames([frame(1), frame(2)], [frame(2), frame(3)])
    expect(numbers(kept)).toEqual([1, 2, 3])
  })

  test('are all of the last minute, one a second of ten, and one in ten seconds of the time before', () => {
    const tenthsOfHour = Array.from({ length: 36_000 }, (_, at) => madeFrame(at + 1, at * 100))
    const kept = thinned(tenthsOfHour)
    const ages = kept.map(({ atMs }) => 3_599_900 - atMs)
    expect(ages.filter((age) => age <= 60_000)).toHaveLength(601)
    expect(ages.filter((age) => age > 60_000 && age < 600_000)).toHaveLength(540)
    expect(ages.filter((age) => age >= 600_000)).toHaveLength(301)
  })

  test('tell of the calls and the worst latencies of those that were left out before them', () => {
    const calls = (number: number) => ({ count: 1, p50us: 5, p99us: number, failed: 2 })
    const flushes = (number: number) => ({ count: 1, p50us: 5, p99us: 100_000 - number })
    const all = Array.from({ length: 9000 }, (_, at) =>
      madeFrame(at + 1, at * 100, {
        calls: calls(at + 1),
        nodes: [madeNode(1), madeNode(2, { flushes: flushes(at + 1) })],
      }),
    )
    const before = JSON.stringify(all)
    // Thinned as they came, and then once more.
    const kept = thinned([...thinned(all.slice(0, 5000)), ...all.slice(5000)])
    let lastNumber = 0
    for (const { number, calls: told, nodes } of kept) {
      const count = number - lastNumber
      expect(told).toEqual({ ...calls(number), count, failed: 2 * count })
      expect(nodes[1]?.flushes).toEqual({ ...flushes(lastNumber + 1), count })
      lastNumber = number
    }
    expect(kept.length).toBeLessThan(1300)
    expect(JSON.stringify(all)).toBe(before)
  })

  test('stay bounded over a day', () => {
    const seconds = Array.from({ length: 86_400 }, (_, at) => madeFrame(at + 1, at * 1000))
    const kept = thinned(seconds)
    expect(kept.length).toBeLessThan(1300)
    expect(kept.at(-1)!.atMs - kept[0]!.atMs).toBeLessThanOrEqual(120 * 60_000)
  })

  test('are thinned out as they come', () => {
    let kept: readonly ReturnType<typeof madeFrame>[] = []
    for (let at = 0; at < 3000; at++) kept = withFrames(kept, [madeFrame(at + 1, at * 100)])
    expect(kept.length).toBeLessThan(600 + 240 + 51)
    expect(kept.at(-1)?.number).toBe(3000)
  })
})

test('a frame is found by its number, by the last one before a gap, or as the first one', () => {
  const frames = [frame(3), frame(4), frame(9)]
  expect(frameAt(frames, 4)?.number).toBe(4)
  expect(frameAt(frames, 8)?.number).toBe(4)
  expect(frameAt(frames, 1)?.number).toBe(3)
  expect(indexOfLast([], () => true)).toBe(-1)
})

describe('the store', () => {
  test('shows the newest frame, and an earlier one when the cursor stands on it', () => {
    store.takeHead(head)
    store.takeFrames([frame(1), frame(2)])
    expect(store.shownFrame.value?.number).toBe(2)
    store.cursor.value = 1
    store.takeFrames([frame(3)])
    expect(store.shownFrame.value?.number).toBe(1)
    expect(store.isPast.value).toBe(true)
  })

  test('shows the events up to the moment that is shown', () => {
    store.takeFrames([madeFrame(1, 15), madeFrame(2, 30)])
    store.takeEvents([event(10), event(20)])
    expect(store.shownEvents.value).toHaveLength(2)
    store.cursor.value = 1
    expect(store.shownEvents.value.map(({ sequence }) => sequence)).toEqual([10])
  })

  test('takes an event once, however often it is told', () => {
    store.takeEvents([event(1), event(2)])
    store.takeEvents([event(2), event(3)])
    expect(store.events.value.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  })

  test('keeps the last 20,000 events', () => {
    store.takeEvents(Array.from({ length: 20_005 }, (_, at) => event(at + 1)))
    expect(store.events.value).toHaveLength(20_000)
    expect(store.events.value[0]?.sequence).toBe(6)
  })

  test('stays in the past when the same run is told anew, and goes live when another one is', () => {
    store.takeHead(head)
    store.takeFrames([frame(1), frame(2)])
    store.cursor.value = 1
    expect(store.takeHead(head)).toBe(false)
    store.takeFrames([frame(1), frame(2)])
    expect(store.shownFrame.value?.number).toBe(1)
    expect(store.takeHead({ ...head, run: 'b' })).toBe(true)
    expect(store.isPast.value).toBe(false)
    expect(store.frames.value).toEqual([])
  })

  describe('the node that is beside the leader in the panel of keys', () => {
    const without5 = frame(1)
    const with5 = (number: number) => madeFrame(number, number * 100, { nodes: [madeNode(1), madeNode(5)] })

    beforeEach(() => {
      store.takeHead(head)
      store.takeFrames([without5, with5(2)])
      store.besideId.value = 5
    })

    test('is let go once the newest frame has no such node', () => {
      store.takeFrames([with5(3)])
      expect(store.besideId.value).toBe(5)
      store.takeFrames([frame(4)])
      expect(store.besideId.value).toBeUndefined()
    })

    test('stays while the same run is told anew from its first frame on', () => {
      store.takeHead(head)
      store.takeFrames([without5])
      store.takeFrames([with5(2), with5(3)])
      expect(store.besideId.value).toBe(5)
    })

    test('is forgotten when another run begins', () => {
      store.takeHead({ ...head, run: 'b' })
      expect(store.besideId.value).toBeUndefined()
      store.besideId.value = 5
      store.takeFrames([frame(1)])
      expect(store.besideId.value).toBeUndefined()
    })
  })

  test('forgets all of a cluster when another one is to be shown', () => {
    store.takeHead(head)
    store.takeFrames([frame(1)])
    store.takeEvents([event(1)])
    store.takeMissed(4)
    store.beginAnew('scenario')
    expect([store.frames.value, store.events.value, store.eventsMissed.value]).toEqual([[], [], 0])
    expect(store.head.value).toBeUndefined()
  })
})
