import { expect, test } from 'vitest'
import { FrameHistory, type KeptFrame } from '../../src/observer/history.js'
import type { Frame } from '../../src/observer/index.js'
import { madeFrame, madeNode } from '../page/made-frames.js'

function keptAfter(seconds: number, everyMs = 100): readonly KeptFrame[] {
  const history = new FrameHistory()
  for (let atMs = 0; atMs < 1000 * seconds; atMs += everyMs) history.add(keptFrame(1 + atMs / everyMs, atMs))
  return history.frames
}

function keptFrame(number: number, atMs: number): KeptFrame {
  return { number, atMs, text: JSON.stringify(madeFrame(number, atMs, latenciesOf(number))) }
}

/** Each frame tells of two calls and a failed one, and has a peak of its own in one of three figures. */
function latenciesOf(number: number): Partial<Frame> {
  const peakUs = (of: number) => ({ count: 2, p50us: 5, p99us: number % 3 === of ? number : 0 })
  return {
    calls: { ...peakUs(0), failed: 1 },
    nodes: [madeNode(1), madeNode(2, { flushes: peakUs(1), heartbeatsLate: peakUs(2) })],
  }
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

test('each frame tells of the calls and the worst latencies since the one before it that is kept', () => {
  const history = new FrameHistory()
  for (let at = 0; at < 9000; at++) history.add(keptFrame(at + 1, 100 * at))
  let lastNumber = 0
  for (const { number, text } of history.frames) {
    const { calls, nodes } = JSON.parse(text) as Frame
    const numbers = Array.from({ length: number - lastNumber }, (_, at) => lastNumber + 1 + at)
    const worst = (of: number) => Math.max(0, ...numbers.filter((each) => each % 3 === of))
    expect(calls).toEqual({ count: 2 * numbers.length, p50us: 5, p99us: worst(0), failed: numbers.length })
    expect(nodes[1]?.flushes.p99us).toBe(worst(1))
    expect(nodes[1]?.heartbeatsLate.p99us).toBe(worst(2))
    lastNumber = number
  }
})

test('frames that somebody holds stay as they are', () => {
  const history = new FrameHistory()
  for (let at = 0; at < 600; at++) history.add(keptFrame(at + 1, 100 * at))
  const held = history.frames.map((kept) => ({ kept, ...kept }))
  for (let at = 600; at < 700; at++) history.add(keptFrame(at + 1, 100 * at))
  for (const { kept, text } of held) expect(kept.text).toBe(text)
})

test('after hours, the oldest are forgotten', () => {
  const frames = keptAfter(5 * 3600, 1000)
  expect(frames.length).toBeLessThanOrEqual(600 + 600 + 1080)
  expect(frames[0]?.number).toBeGreaterThan(1)
})
