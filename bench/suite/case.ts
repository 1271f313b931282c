/** The parts of the suite: groups of cases, each run once a round. */
import type { Second } from '../../src/load/index.js'
import type { Figure } from '../../src/report/index.js'
import type { LatencyHistogram } from '../../src/telemetry/index.js'

/** How much is measured: `quick` a few cases of each group, `long` the same as usual, only longer where it matters. */
export type Extent = 'quick' | 'usual' | 'long'

export function pick<T>(extent: Extent, usual: readonly T[], quick: readonly T[]): readonly T[] {
  return extent === 'quick' ? quick : usual
}

export interface Group {
  readonly name: string
  /** In the order in which they are run in each round. */
  cases(extent: Extent): BenchCase[]
}

export interface BenchCase {
  /** The name of the case within its group. Every run gives the same name, so that two runs can be compared. */
  readonly name: string
  readonly title: string
  readonly parameters: Readonly<Record<string, string | number>>
  run(context: RunContext): Promise<Sample>
}

export interface RunContext {
  /** How long a measurement takes, where the case does not end by itself. */
  readonly seconds: number
  readonly signal: AbortSignal
  tell(progress: string): void
}

/** The results of one round of a case. Every round brings the same figures and distributions, by name. */
export interface Sample {
  readonly figures: readonly SampleFigure[]
  readonly distributions?: readonly SampleDistribution[]
  readonly timeline?: readonly Second[]
}

export interface SampleFigure extends Omit<Figure, 'values'> {
  readonly value: number
  /** The suite fails if the median of the rounds is below this. */
  readonly atLeast?: number
}

export interface SampleDistribution {
  readonly name: string
  readonly histogram: LatencyHistogram
  /** The meaning of a value in the histogram. */
  toMs(value: number): number
}

const figure =
  (better: Figure['better']) =>
  (name: string, unit: string, value: number, target?: Pick<SampleFigure, 'atLeast'>): SampleFigure => ({
    ...{ name, unit, better, value },
    ...target,
  })
export const higher = figure('higher')
export const lower = figure('lower')
export const neither = figure('neither')

/** As clients record what they waited. */
export const microseconds = (value: number): number => value / 1000
export const nanoseconds = (value: number): number => value / 1e6
