import { expect, test } from 'vitest'
import {
  type BenchCase,
  type Group,
  higher,
  lower,
  microseconds,
  type Sample,
} from '../../bench/suite/case.js'
import { resultOf } from '../../bench/suite/record.js'
import { runSuite } from '../../bench/suite/suite.js'
import { LatencyHistogram } from '../../src/telemetry/index.js'

function benchCase(name: string, run: () => Promise<Sample>): BenchCase {
  return { name, title: name, parameters: {}, run }
}

function sample(value: number): Sample {
  return { figures: [lower('ms', 'ms', value)] }
}

function run(cases: readonly BenchCase[], rounds: number, signal = new AbortController().signal) {
  const group: Group = { name: 'group', cases: () => [...cases] }
  return runSuite({
    ...{ groups: [group], extent: 'quick', rounds, seconds: 1, signal },
    tell: () => undefined,
  })
}

test('the cases run in turn, round by round', async () => {
  const order: string[] = []
  const noting = (name: string) =>
    benchCase(name, async () => {
      order.push(name)
      return sample(order.length)
    })
  const { record, failures } = await run([noting('a'), noting('b')], 3)
  expect(order.join('')).toBe('ababab')
  expect(failures).toEqual([])
  expect(record.results.map(({ id, figures }) => [id, figures[0]?.values])).toEqual([
    ['group/a', [1, 3, 5]],
    ['group/b', [2, 4, 6]],
  ])
})

test('a case that fails once is told, left out and not run again; the others go on', async () => {
  let runs = 0
  const failing = benchCase('failing', async () => {
    runs++
    if (runs === 2) throw new Error('no luck')
    return sample(1)
  })
  const { record, failures } = await run([failing, benchCase('fine', async () => sample(2))], 4)
  expect(runs).toBe(2)
  expect(failures).toEqual(['not in the record: group/failing: no luck'])
  expect(record.results.map(({ id, figures }) => [id, figures[0]?.values])).toEqual([
    ['group/fine', [2, 2, 2, 2]],
  ])
})

test('an interrupted run ends with the interruption, not with a record', async () => {
  const interruption = new AbortController()
  const interrupting = benchCase('interrupting', async () => {
    interruption.abort(new Error('interrupted'))
    return sample(1)
  })
  await expect(run([interrupting], 2, interruption.signal)).rejects.toThrow('interrupted')
})

test('a figure that is no number, or that a round lacks, is a mistake in the case', () => {
  const bench = benchCase('case', async () => sample(1))
  expect(() => resultOf('group', bench, [sample(1), sample(Number.NaN)])).toThrow('ms is 1, NaN')
  expect(() => resultOf('group', bench, [sample(1), { figures: [] }])).toThrow('ms is 1, ')
})

test('a distribution is of all rounds, and a time line names its round', () => {
  const second = { second: 0, commitsPerSecond: 7, p99ms: 2, elections: 0 }
  const samples = [[1000, 2000], [9000]].map((values): Sample => {
    const histogram = new LatencyHistogram()
    for (const value of values) histogram.record(value, 1)
    return {
      figures: [],
      distributions: [{ name: 'put', histogram, toMs: microseconds }],
      timeline: [second],
    }
  })
  const { distributions, timeline } = resultOf(
    'group',
    benchCase('case', async () => sample(1)),
    samples,
  )
  const points = new Map(distributions[0]?.points)
  // Histograms keep three digits.
  expect([points.get(0), points.get(50), points.get(100)]).toEqual(
    [1, 2, 9].map((ms) => expect.closeTo(ms, 1)),
  )
  expect(timeline).toEqual([
    { round: 0, ...second },
    { round: 1, ...second },
  ])
})

test('a figure whose median misses its target is in the record, and fails the run', async () => {
  const aimed = (name: string, values: number[]) =>
    benchCase(name, async () => ({ figures: [higher('kept', '', values.shift() ?? 0, { atLeast: 0.7 })] }))
  const { record, failures } = await run(
    [aimed('met', [0.6, 0.9, 0.7]), aimed('missed', [0.6, 0.9, 0.69])],
    3,
  )
  expect(record.results.map(({ figures }) => figures[0]?.values)).toEqual([
    [0.6, 0.9, 0.7],
    [0.6, 0.9, 0.69],
  ])
  expect(failures).toEqual(['group/missed: kept is 0.69, and not at least 0.7'])
})

test('a figure that is no number costs its own case its place, and no other', async () => {
  const { record, failures } = await run(
    [benchCase('broken', async () => sample(Number.NaN)), benchCase('whole', async () => sample(1))],
    2,
  )
  expect(record.results.map(({ id }) => id)).toEqual(['group/whole'])
  expect(failures).toEqual(['not in the record: group/broken: ms is NaN, NaN'])
})
