import { expect, test } from 'vitest'
import { LatencyHistogram } from '../../src/telemetry/index.js'

function histogramOf(...latencies: (readonly [us: number, calls: number])[]): LatencyHistogram {
  const histogram = new LatencyHistogram()
  for (const [us, calls] of latencies) histogram.record(us, calls)
  return histogram
}

test('a percentile is the latency within which so many of the calls were answered', () => {
  // In no order, and one of them twice.
  const histogram = histogramOf([30, 25], [10, 50], [2000, 1], [20, 14], [30, 10])
  expect(histogram.count).toBe(100)
  const at = (percent: number) => histogram.percentile(percent)
  expect([at(0), at(50), at(50.1), at(64), at(64.1), at(99), at(99.1), at(100)]).toEqual([
    10, 10, 20, 20, 30, 30, 2000, 2000,
  ])
})

test('the slowest of a thousand is beyond 99.9 % of them', () => {
  for (let thousands = 1; thousands <= 200; thousands++) {
    const histogram = histogramOf([1, 999 * thousands], [1000, thousands])
    expect(histogram.percentile(99.9)).toBe(1)
  }
})

test('latencies below two milliseconds are exact, longer ones are never told as shorter, nor by a thousandth longer', () => {
  for (let us = 0; us < 2048; us++) expect(histogramOf([us, 1]).percentile(100)).toBe(us)
  for (let us = 2048; us < 4e9; us = Math.ceil(us * 1.37)) {
    for (const near of [us - 1, us, us + 1]) {
      const told = histogramOf([near, 1]).percentile(100)
      expect(told).toBeGreaterThanOrEqual(near)
      expect(told).toBeLessThan(near * 1.001)
    }
  }
})

test('the least latency is exact, however long', () => {
  expect(histogramOf([1_234_567, 3], [7_654_321, 1]).min).toBe(1_234_567)
})

test('however different the latencies, there are a thousand classes for each doubling', () => {
  const histogram = new LatencyHistogram()
  const told = new Set<number>()
  for (let us = 4096; us < 8192; us++) histogram.record(us, 1)
  for (let percent = 0; percent <= 100; percent += 100 / 4096) told.add(histogram.percentile(percent))
  expect(told.size).toBe(1024)
})

test('calls of another histogram are taken in, and stay in it', () => {
  const all = histogramOf([500, 1])
  const other = histogramOf([100, 2], [900, 1])
  all.add(other)
  expect([all.count, all.min, all.percentile(50), all.percentile(100)]).toEqual([4, 100, 100, 900])
  expect([other.count, other.min, other.percentile(100)]).toEqual([3, 100, 900])
  // Of a class that is wider than a microsecond, too.
  all.add(histogramOf([7_654_321, 1], [1_234_567, 1]))
  expect([all.count, all.min]).toEqual([6, 100])
  expect(all.percentile(100)).toBe(histogramOf([7_654_321, 1]).percentile(100))
  const long = new LatencyHistogram()
  long.add(histogramOf([1_234_567, 1]))
  expect(long.min).toBe(1_234_567)
})

test('a clone, as it comes from another thread, is taken in like the histogram itself', () => {
  const all = histogramOf([500, 1])
  all.add(structuredClone(histogramOf([100, 2], [7_654_321, 1])))
  expect([all.count, all.min, all.percentile(50)]).toEqual([4, 100, 100])
  expect(all.percentile(100)).toBe(histogramOf([7_654_321, 1]).percentile(100))
})

test('of no calls at all, no latency is told', () => {
  const histogram = new LatencyHistogram()
  expect([histogram.count, histogram.min, histogram.percentile(50)]).toEqual([0, Number.POSITIVE_INFINITY, 0])
})
