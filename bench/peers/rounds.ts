/** All measurements in turn, round by round, and what the rows say of them. */
import { Failed, lineOf } from '../../src/terminal/index.js'
import { turnsOf } from '../suite/index.js'
import { type Figures, isOwn, labelOf, type Measurement, type Outcome } from './measurement.js'
import { isMet, ratioOf, type Spread, spreadOf } from './ratio.js'
import { type Row, type Side, sidesOf } from './rows.js'

/** Outcomes by the label of their measurement. */
export type Round = ReadonlyMap<string, Outcome>

export interface RoundsOptions {
  readonly rows: readonly Row[]
  readonly rounds: number
  readonly signal: AbortSignal
  /** Rejects with a `Failed` when there are no figures to tell. */
  perform(measurement: Measurement): Promise<Figures>
  tell(progress: string): void
}

export interface RowResult {
  readonly row: Row
  /** One for each round in which both sides have figures; without an opponent, raftbox's own figure. */
  readonly ratios: readonly number[]
  readonly spread: Spread | undefined
  /** The figures themselves, of the rounds that have them. */
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  /** `undefined` without a target, or without a round to judge. */
  readonly isMet: boolean | undefined
  /** raftbox's, in the measured windows of this row over all rounds. */
  readonly elections: number
  /** One line for each round that has no ratio. */
  readonly failures: readonly string[]
}

/** The measurements that the rows need, each once, in the order of the rows. */
export function measurementsOf(rows: readonly Row[]): Measurement[] {
  const byLabel = new Map(
    rows.flatMap(sidesOf).map(({ measurement }) => [labelOf(measurement), measurement] as const),
  )
  return [...byLabel.values()]
}

export async function runRounds({ rows, rounds, signal, perform, tell }: RoundsOptions): Promise<Round[]> {
  const measurements = measurementsOf(rows)
  const done: Map<string, Outcome>[] = []
  for (const { item, round, at } of turnsOf(measurements, rounds, 'back and forth')) {
    const label = labelOf(item)
    tell(`round ${round + 1} of ${rounds}, ${at + 1} of ${measurements.length}: ${label}`)
    done[round] ??= new Map()
    done[round].set(label, await outcomeOf(item, perform))
    signal.throwIfAborted()
  }
  return done
}

/** A peer that fails is told of and the rest goes on; a mistake of our own ends the run. */
async function outcomeOf(measurement: Measurement, perform: RoundsOptions['perform']): Promise<Outcome> {
  try {
    return { figures: await perform(measurement) }
  } catch (error) {
    if (error instanceof Failed) return { failed: `${measurement.program}: ${lineOf(error)}` }
    throw error
  }
}

export function resultOf(row: Row, rounds: readonly Round[]): RowResult {
  const ratios: number[] = []
  const failures: string[] = []
  for (const [at, round] of rounds.entries()) {
    const ours = figureIn(row.ours, round)
    const ratio = row.theirs === undefined ? ours : ratioOf(ours, figureIn(row.theirs, round))
    if (ratio !== undefined) ratios.push(ratio)
    else failures.push(`round ${at + 1}: ${whyNone(row, round)}`)
  }
  const spread = spreadOf(ratios)
  return {
    row,
    ratios,
    spread,
    ours: figuresOfSide(row.ours, rounds),
    theirs: row.theirs === undefined ? [] : figuresOfSide(row.theirs, rounds),
    isMet: row.target && spread && isMet(row.target, spread),
    elections: electionsIn(row, rounds),
    failures,
  }
}

function figuresIn({ measurement }: Side, round: Round): Figures | undefined {
  const outcome = round.get(labelOf(measurement))
  return outcome !== undefined && 'figures' in outcome ? outcome.figures : undefined
}

function figureIn(side: Side, round: Round): number | undefined {
  return figuresIn(side, round)?.[side.figure]
}

function figuresOfSide(side: Side, rounds: readonly Round[]): number[] {
  return rounds.map((round) => figureIn(side, round)).filter((value) => value !== undefined)
}

function whyNone(row: Row, round: Round): string {
  const reasons = sidesOf(row).flatMap(({ measurement }) => {
    const outcome = round.get(labelOf(measurement))
    return outcome !== undefined && 'failed' in outcome ? outcome.failed : []
  })
  return reasons.length > 0 ? reasons.join('; ') : 'a figure is missing'
}

function electionsIn(row: Row, rounds: readonly Round[]): number {
  const sides = sidesOf(row).filter(({ measurement }) => isOwn(measurement.program))
  return rounds
    .flatMap((round) => sides.map((side) => figuresIn(side, round)?.elections ?? 0))
    .reduce((sum, elections) => sum + elections, 0)
}
