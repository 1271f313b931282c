import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../../src/observer/index.js'
import { seriesOf } from '../../src/page/series.js'
import { madeFrame, madeNode, noLatency } from './made-frames.js'

function committed(number: number, atMs: number, commitIndex: number, told: Partial<Frame> = {}): Frame {
  return madeFrame(number, atMs, { nodes: [madeNode(1, { commitIndex }), madeNode(2)], ...told })
}

const all = { fromMs: 0, toMs: 100_000 }

describe('the series of the plots', () => {
  test('tell commits a second, whatever the time between two frames is', () => {
    const frames = [committed(1, 1000, 10), committed(2, 1100, 30), committed(3, 3100, 50)]
    expect(seriesOf(frames, all, 1e6)).toMatchObject({ atS: [1, 1.1, 3.1], committed: [null, 200, 10] })
  })

  test('know by the frame before the span how much was committed at its beginning', () => {
    const frames = [committed(1, 1000, 10), committed(2, 2000, 30)]
    expect(seriesOf(frames, { fromMs: 1500, toMs: 3000 }, 100).committed).toEqual([20])
  })

  test('have a gap where nothing was measured', () => {
    const frames = [committed(1, 1000, 10), madeFrame(2, 2000), committed(3, 3000, 10)]
    expect(seriesOf(frames, all, 1e6).callsP99).toEqual([null, null, null])
  })

  test('tell commits a second of records whose nodes do not count their commands', () => {
    const frames = [
      committed(1, 1000, 10),
      committed(2, 2000, 14),
      // All nodes were started again, and do not know yet how far they were.
      ...[committed(3, 3000, 0), committed(4, 4000, 17)],
    ]
    expect(seriesOf(frames, all, 1e6).committed).toEqual([null, 4, 0, 3])
    expect(seriesOf(frames, { fromMs: 3500, toMs: 5000 }, 100).committed).toEqual([3])
  })

  describe('count commands', () => {
    /** Each node: its commit index, and the commands that it applied in all of its lives. */
    const applied = (number: number, leaderId: number | undefined, ...told: readonly [number, number][]) =>
      madeFrame(number, 1000 * number, {
        leaderId,
        nodes: told.map(([commitIndex, commandsApplied], at) =>
          madeNode(at + 1, { commitIndex, commandsApplied }),
        ),
      })
    const committedIn = (frames: readonly Frame[]) => seriesOf(frames, all, 1e6).committed

    test('and not the other entries among which they are committed', () => {
      expect(committedIn([applied(1, 1, [10, 5], [8, 4]), applied(2, 1, [20, 10], [20, 10])])).toEqual([
        null,
        5,
      ])
    })

    test('of the leader, where a follower applies its log anew, and is killed', () => {
      const frames = [
        applied(1, 1, [100, 50], [90, 45]),
        applied(2, 1, [104, 52], [104, 97]),
        applied(3, 1, [110, 55], [110, 100]),
        applied(4, 1, [120, 60], [110, 100]),
        // The other one leads, and has applied its log twice.
        applied(5, 2, [120, 60], [124, 107]),
      ]
      expect(committedIn(frames)).toEqual([null, 2, 3, 5, 4])
    })

    test('no more than there are entries, when all nodes apply their logs anew', () => {
      const frames = [
        applied(1, 1, [100, 50], [100, 50]),
        applied(2, undefined, [0, 50], [0, 50]),
        applied(3, undefined, [0, 50], [98, 99]),
        applied(4, 1, [106, 103], [98, 99]),
        applied(5, 1, [110, 105], [110, 105]),
      ]
      expect(committedIn(frames)).toEqual([null, 0, 0, 6, 2])
    })

    test('of a node whose counts begin anew never less than none', () => {
      expect(committedIn([applied(1, 1, [100, 50]), applied(2, 1, [104, 2])])).toEqual([null, 0])
    })
  })

  test('tell the latencies of the slowest node in milliseconds', () => {
    const nodes = [500, 7000].map((p99us, at) =>
      madeNode(at + 1, { flushes: { count: 3, p50us: 100, p99us }, heartbeatsLate: noLatency }),
    )
    const series = seriesOf([madeFrame(1, 1000, { nodes })], all, 100)
    expect(series).toMatchObject({ flushP50: [0.1], flushP99: [7], lateP99: [null] })
  })

  test('keep the worst latency and the mean rate when they are thinned', () => {
    const calls = [1000, 90_000, 2000, 1000].map((p99us) => ({ count: 1, p50us: 500, p99us, failed: 0 }))
    const frames = calls.map((each, at) => committed(at + 1, 1000 + 100 * at, 10 * at, { calls: each }))
    const series = seriesOf(frames, { fromMs: 1000, toMs: 1300 }, 1)
    expect(series.callsP99).toEqual([1, 90])
    expect(series.committed[1]).toBeCloseTo(100)
  })

  test('have no more points than asked for, lists of one length, and times that grow', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 400 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 300 }), (gaps, pointsMax) => {
        let atMs = 0
        const frames = gaps.map((gapMs, at) => {
          atMs += gapMs
          return madeFrame(at + 1, atMs)
        })
        const series = seriesOf(frames, { fromMs: 0, toMs: atMs }, pointsMax)
        expect(series.atS.length).toBeLessThanOrEqual(pointsMax + 2)
        for (const list of Object.values(series)) expect(list).toHaveLength(series.atS.length)
        expect(series.atS).toEqual([...new Set(series.atS)].sort((a, b) => a - b))
        if (frames.length > 0) expect(series.atS.at(-1)).toBe(atMs / 1000)
      }),
      { seed: 1 },
    )
  })
})
