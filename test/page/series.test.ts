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

  test('have a gap where nothing was measured, and where all nodes were stopped', () => {
    const frames = [committed(1, 1000, 10), madeFrame(2, 2000), committed(3, 3000, 10)]
    expect(seriesOf(frames, all, 1e6)).toMatchObject({
      committed: [null, null, 10],
      callsP99: [null, null, null],
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
