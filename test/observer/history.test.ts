import { expect, test } from 'vitest'
import { FrameHistory, type KeptFrame } from '../../src/observer/history.js'

function keptAfter(seconds: number): readonly KeptFrame[] {
  const history = new FrameHistory()
  for (let at = 0; at < 10 * seconds; at++) history.add({ number: at + 1, atMs: 100 * at, text: '{}' })
  return history.frames
}

test('of the last minute all frames are kept', () => {
  expect(keptAfter(60).map(({ number }) => number)).toEqual(Array.from({ length: 600 }, (_, at) => at + 1))
})

test('of ten minutes before, a frame a second is kept, and of the time before one in ten seconds', () => {
  const frames = keptAfter(3600)
  const gaps = frames.slice(1).map(({ atMs }, at) => atMs - (frames[at]?.atMs ?? 0))
  expect(gaps.slice(-599).every((gap) => gap === 100)).toBe(true)
  expect(gaps.slice(-1150, -600).every((gap) => gap === 1000)).toBe(true)
  expect(gaps.slice(0, 200).every((gap) => gap === 10_000)).toBe(true)
  expect(frames[0]?.number).toBe(1)
})

test('after hours, the oldest are forgotten', () => {
  const frames = keptAfter(5 * 3600)
  expect(frames.length).toBeLessThanOrEqual(600 + 600 + 1080)
  expect(frames[0]?.number).toBeGreaterThan(1)
})
