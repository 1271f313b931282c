/** Frames for a reader that is behind. */
import { expect, test } from 'vitest'
import type { Frame, Observer } from '../../src/observer/index.js'
import { sendFrames } from '../../src/server/frame-feed.js'
import type { Reader } from '../../src/server/readers.js'
import { madeFrame } from '../page/made-frames.js'

test('a reader that is behind is sent no frame meanwhile, each of them is counted, and the next one tells their latencies', () => {
  const watchers: Parameters<Observer['watch']>[0][] = []
  const observer = { head: {}, frames: [], watch: (watcher: (typeof watchers)[0]) => watchers.push(watcher) }
  const sent: Frame[] = []
  const leftOut: unknown[] = []
  const reader = {
    isBehind: false,
    send: ({ event, data }: { event: string; data: string }) =>
      void (event === 'frame' && sent.push(JSON.parse(data) as Frame)),
    leavesOut: (...left: unknown[]) => void leftOut.push(left),
    onDrain: () => undefined,
    onClose: () => undefined,
  }
  sendFrames(observer as unknown as Observer, reader as unknown as Reader, false)
  for (const number of [1, 2, 3, 4, 5, 6]) {
    reader.isBehind = number === 3 || number === 4
    const calls = { count: 1, p50us: 10, p99us: number === 3 ? 9000 : 20, failed: 0 }
    const frame = madeFrame(number, number * 100, { calls })
    watchers[0]?.(frame, { number, atMs: frame.atMs, text: JSON.stringify(frame) })
  }
  expect(sent.map(({ number, calls: { count, p99us } }) => [number, count, p99us])).toEqual([
    [1, 1, 20],
    [2, 1, 20],
    [5, 3, 9000],
    [6, 1, 20],
  ])
  expect(leftOut).toEqual([
    ['frames', 1],
    ['frames', 1],
  ])
})
