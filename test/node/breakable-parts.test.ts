/** The parts of a node behind its board: clock and ticks, which a cluster cannot show without measuring time. */
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { StandingFault } from '../../src/faults/index.js'
import { BreakableParts } from '../../src/node/breakable-parts.js'
import type { NodeOptions } from '../../src/node/control.js'
import { Board, type NodeParts, Notice, realParts } from '../../src/node/index.js'

/** Parts on a clock that the test sets, and the intervals of the ticks that were begun. */
function parts() {
  const board = new Board()
  const time = { nowMs: 1000 }
  const intervals: number[] = []
  let running = 0
  const own: NodeParts = {
    ...realParts,
    clock: { ...realParts.clock, now: () => time.nowMs },
    startTicks: (tickMs) => {
      intervals.push(tickMs)
      running++
      return () => void running--
    },
  }
  const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
  const options = { nodeId: 1, membership, seed: 1, board: board.memory } as unknown as NodeOptions
  const ends: string[] = []
  const made = new BreakableParts(own, options, { freezes: () => {}, ends: () => ends.push('ends') })
  const skew = (...skews: readonly { offsetMs: number; drift: number }[]) => {
    const standing = skews.map(
      (each, id): StandingFault => ({
        id: id + 1,
        fault: { type: 'skew', nodes: [1], ...each },
        sinceMs: 0,
        untilMs: undefined,
      }),
    )
    board.write(new Notice(standing))
    made.look()
  }
  return { board, time, intervals, made, skew, ends, running: () => running }
}

test('a clock that is ahead stands still for as long when that is healed, and never falls', () => {
  const { time, made, skew } = parts()
  skew({ offsetMs: 50, drift: 0 })
  expect(made.clock.now()).toBe(1050)
  skew()
  expect(made.clock.now()).toBe(1050)
  time.nowMs += 60
  expect(made.clock.now()).toBe(1060)
})

test('ticks follow the drift of the clock, and are begun anew only when it changes', () => {
  const { time, made, skew, intervals, running } = parts()
  const stop = made.startTicks(100, () => {})
  skew({ offsetMs: 10, drift: 0 })
  expect(intervals).toEqual([100])
  skew({ offsetMs: 10, drift: 0.25 })
  skew({ offsetMs: 20, drift: 0.25 })
  expect(intervals).toEqual([100, 80])
  const { nowMs } = time
  const before = made.clock.now()
  time.nowMs += 100
  expect(made.clock.now() - before).toBeCloseTo(125)
  expect(time.nowMs - nowMs).toBe(100)
  skew()
  expect(intervals).toEqual([100, 80, 100])
  expect(running()).toBe(1)
  stop()
  expect(running()).toBe(0)
})

test('a node whose gate is ending takes no turn any more', () => {
  const { board, made, ends } = parts()
  board.close()
  board.end()
  made.look()
  expect(ends).toEqual(['ends'])
})

test('[CL2] news that its board shows after a node has ended change nothing', () => {
  const { made, skew, ends, board } = parts()
  made.close()
  skew({ offsetMs: 50, drift: 0 })
  board.close()
  board.end()
  made.look()
  expect(made.clock.now()).toBe(1000)
  expect(ends).toEqual([])
})

test('a board that is half written is never used', async () => {
  const board = new Board()
  const reader = new Worker(new URL('./board-reader.js', import.meta.url), { workerData: board.memory })
  await once(reader, 'message')
  const readThree = once(reader, 'message')
  const notices = [500, 600, 700].map(
    (length) =>
      new Notice(
        Array.from({ length }, (_, id): StandingFault => {
          return { id, fault: { type: 'pause', nodes: [1] }, sinceMs: length, untilMs: undefined }
        }),
      ),
  )
  let hasReadThree = false
  void readThree.then(() => (hasReadThree = true))
  for (let n = 0; n < 20_000 || !hasReadThree; n++) {
    board.write(notices[n % notices.length] ?? new Notice([]))
    if (n % 20 === 0) await nextTurn()
  }
  const told = once(reader, 'message')
  board.close()
  const [{ wrong }] = await told
  expect(wrong).toEqual([])
})
