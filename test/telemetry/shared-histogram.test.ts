/** Histograms in shared memory agree with a plain count. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classEndsUs, SharedHistogram } from '../../src/telemetry/index.js'

function newHistogram(): SharedHistogram {
  return new SharedHistogram(new ArrayBuffer(SharedHistogram.byteLength))
}

/** Latencies of every size, and how often each occurred. */
const latencies = fc.array(
  fc.record({
    us: fc.integer({ min: 0, max: 29 }).chain((power) => fc.double({ min: 0, max: 2 ** power, noNaN: true })),
    times: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1 },
)

const longestUs = 2 ** 26

describe('a histogram', () => {
  test('has classes that follow each other and are at most a quarter of their least latency wide', () => {
    for (const [at, end] of classEndsUs.entries()) {
      const least = at === 0 ? 0 : (classEndsUs[at - 1] ?? 0) + 1
      expect(end).toBeGreaterThanOrEqual(least)
      if (end < longestUs) expect(end - least + 1).toBeLessThanOrEqual(Math.max(1, least / 4))
    }
    expect(classEndsUs.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9, 11])
    expect(classEndsUs.slice(-2)).toEqual([longestUs - 1, Number.POSITIVE_INFINITY])
  })

  test('puts each latency into the class that ends at or behind it', () => {
    for (const us of [0, 0.9, 1, 3, 4, 7, 8, 9, 10, 255, 256, 1000, longestUs - 1, longestUs, 1e12]) {
      const histogram = newHistogram()
      histogram.record(us)
      const at = histogram.read().counts.indexOf(1)
      expect(classEndsUs[at], `${us} us`).toBeGreaterThanOrEqual(Math.floor(us))
      expect(classEndsUs[at - 1] ?? -1, `${us} us`).toBeLessThan(Math.floor(us))
    }
  })

  test('tells count, sum and percentiles as a list of all latencies has them, to the width of a class', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0, 50, 90, 99, 99.9, 100), (recorded, percent) => {
        const histogram = newHistogram()
        for (const { us, times } of recorded) histogram.record(us, times)
        const all = recorded.flatMap(({ us, times }) => Array<number>(times).fill(us)).sort((a, b) => a - b)
        const reading = histogram.read()
        expect(reading.count).toBe(all.length)
        expect(reading.sumUs).toBeCloseTo(
          all.reduce((sum, us) => sum + us, 0),
          3,
        )
        const exact = Math.floor(all[Math.max(1, Math.ceil((percent / 100) * all.length)) - 1] ?? 0)
        const told = reading.percentile(percent)
        if (exact >= longestUs) expect(told).toBe(longestUs)
        else {
          expect(told).toBeGreaterThanOrEqual(exact)
          expect(told).toBeLessThanOrEqual(exact * 1.25)
        }
      }),
    )
  })

  test('tells what came since an earlier reading as one that began empty then', () => {
    fc.assert(
      fc.property(latencies, latencies, (before, after) => {
        const [all, late] = [newHistogram(), newHistogram()]
        for (const { us, times } of before) all.record(us, times)
        const earlier = all.read()
        for (const { us, times } of after) for (const one of [all, late]) one.record(us, times)
        const [since, expected] = [all.read().since(earlier), late.read()]
        expect(since.counts).toEqual(expected.counts)
        expect(since.count).toBe(expected.count)
        expect(since.sumUs).toBeCloseTo(expected.sumUs, 3)
      }),
    )
  })

  test('has no percentile while it is empty', () => {
    expect(newHistogram().read().percentile(99)).toBe(0)
  })
})
