/** Frames for a reader that is behind. */
import { expect, test } from 'vitest'
import type { Frame, Observer } from '../../src/observer/index.js'
import { sendFrames } from '../../src/server/frame-feed.js'
import type { Reader } from '../../src/server/readers.js'

test('a reader that is behind is sent no frame meanwhile, and each of them is counted', () => {
  const watchers: Parameters<Observer['watch']>[0][] = []
  const observer = { head: {}, frames: [], watch: (watcher: (typeof watchers)[0]) => watchers.push(watcher) }
  const sent: (number | undefined)[] = []
  const leftOut: unknown[] = []
  const reader = {
    isBehind: false,
    send: ({ id }: { id?: number }) => void sent.push(id),
    leavesOut: (...left: unknown[]) => void leftOut.push(left),
    onDrain: () => undefined,
    onClose: () => undefined,
  }
  sendFrames(observer as unknown as Observer, reader as unknown as Reader, false)
  for (const number of [1, 2, 3, 4, 5]) {
    reader.isBehind = number === 3 || number === 4
    watchers[0]?.({ number } as Frame, { number, atMs: number * 100, text: '{}' })
  }
  expect([sent, leftOut]).toEqual([
    [undefined, 1, 2, 5],
    [
      ['frames', 1],
      ['frames', 1],
    ],
  ])
})
