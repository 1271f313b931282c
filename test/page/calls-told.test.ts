/** The calls of the second before a moment: counted once, over the time in which they came. */
import { expect, test } from 'vitest'
import { callsUpTo } from '../../src/page/calls-told.js'
import { madeFrame } from './made-frames.js'

const frame = (number: number, atMs: number, count: number, us = 0) =>
  madeFrame(number, atMs, { calls: { count, failed: count / 10, p50us: us, p99us: 2 * us } })

test('the frames of a second are added up, with the worst of their latencies', () => {
  const frames = Array.from({ length: 21 }, (_, at) => frame(at + 1, at * 100, 10, at === 15 ? 900 : 50))
  const told = { coveredMs: 1000, count: 100, failed: 10, p50us: 900, p99us: 1800 }
  expect(callsUpTo(frames, 2000)).toEqual(told)
  expect(callsUpTo(frames, 1000)).toMatchObject({ count: 100, p50us: 50 })
})

test('a last frame without calls does not make the calls before it take no time', () => {
  const frames = [frame(1, 0, 0), frame(2, 100, 10, 50), frame(3, 200, 0)]
  expect(callsUpTo(frames, 200)).toEqual({ coveredMs: 200, count: 10, failed: 1, p50us: 50, p99us: 100 })
})

test('where frames were left out, their time does not count', () => {
  const frames = [frame(1, 0, 10), frame(11, 1000, 10), frame(12, 1100, 10)]
  expect(callsUpTo(frames, 1000)).toMatchObject({ coveredMs: 0, count: 0 })
  expect(callsUpTo(frames, 1100)).toMatchObject({ coveredMs: 100, count: 10 })
  expect(callsUpTo([], 1000)).toMatchObject({ coveredMs: 0, count: 0 })
})
