import { expect, onTestFinished, test } from 'vitest'
import { micro } from '../../bench/groups/micro.js'
import { runSuite } from '../../bench/suite/suite.js'

test('each small part runs, and comes with the distribution of its runs', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  const { record, failures } = await runSuite({
    ...{ groups: [micro], extent: 'quick', rounds: 1, seconds: 0.01 },
    signal: new AbortController().signal,
    tell: () => undefined,
  })
  expect([failures, warnings]).toEqual([[], []])
  expect(record.results.map(({ id }) => id)).toEqual(micro.cases('quick').map(({ name }) => `micro/${name}`))
  for (const { id, figures, distributions } of record.results) {
    expect(figures.every(({ values }) => values.every((value) => value > 0))).toBe(true)
    expect(
      distributions.map(({ name }) => name),
      id,
    ).toEqual(['run'])
  }
})
