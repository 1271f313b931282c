/** From the samples of all rounds to the results that are kept. */
import type { BenchResult, Distribution, Figure, TimelinePoint } from '../../src/report/index.js'
import type { BenchCase, Sample } from './case.js'

const percentiles = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 100]

/** Throws where a round lacks a figure, or where a figure is no finite number. */
export function resultOf(group: string, bench: BenchCase, samples: readonly Sample[]): BenchResult {
  const { name, title, parameters } = bench
  const id = `${group}/${name}`
  return {
    id,
    group,
    title,
    parameters,
    figures: figuresOf(samples),
    distributions: distributionsOf(samples),
    timeline: samples.flatMap((sample, round): TimelinePoint[] =>
      (sample.timeline ?? []).map((second) => ({ round, ...second })),
    ),
  }
}

function figuresOf(samples: readonly Sample[]): Figure[] {
  return (samples[0]?.figures ?? []).map(({ name, unit, better }) => {
    const values = samples.map(({ figures }) => figures.find((figure) => figure.name === name)?.value)
    const finite = values.filter((value): value is number => Number.isFinite(value))
    if (finite.length !== samples.length) throw new Error(`${name} is ${values.join(', ')}`)
    return { name, unit, better, values: finite }
  })
}

/** Over all rounds, added to the first one's histogram; a name that one round lacks had nothing to measure there. */
function distributionsOf(samples: readonly Sample[]): Distribution[] {
  const names = new Set(samples.flatMap(({ distributions = [] }) => distributions.map(({ name }) => name)))
  return [...names].flatMap((name) => {
    const [all, ...others] = samples.flatMap(({ distributions = [] }) =>
      distributions.filter((one) => one.name === name),
    )
    if (all === undefined) return []
    const { histogram, toMs } = all
    for (const other of others) histogram.add(other.histogram)
    if (histogram.count === 0) return []
    // A percentile is the end of its class, the least value is exact.
    const at = (percentile: number): number =>
      toMs(percentile === 0 ? histogram.min : histogram.percentile(percentile))
    return [{ name, points: percentiles.map((percentile) => [percentile, at(percentile)] as const) }]
  })
}
