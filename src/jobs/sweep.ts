/** The sum of a sweep over seeds: plain values that add up to the same sum in any order. */
import { type Counts, noCounts, type SimulationResult } from '../sim/index.js'

/** A range of seeds: the work of one job. */
export interface SeedRange {
  readonly from: number
  readonly count: number
}

/** A run that ended with a violation, or not at all. */
export interface FailedRun {
  readonly seed: number
  readonly rule: string
  readonly detail: string
  readonly atMs: number
}

export interface SweepResult {
  readonly seeds: number
  readonly violations: readonly FailedRun[]
  /** Microseconds, which are whole: a sum of seconds would depend on the order. */
  readonly virtualUs: number
  readonly counts: Counts
  /** Equal for sweeps whose runs were equal to the byte, whatever order the runs came in. */
  readonly fingerprint: string
}

export const noSweep: SweepResult = {
  seeds: 0,
  violations: [],
  virtualUs: 0,
  counts: noCounts(),
  fingerprint: '0',
}

/** The violation of a run, if it has one. */
export function failureOf({ seed, violation }: SimulationResult): FailedRun | undefined {
  if (violation === undefined) return undefined
  const { rule, detail, atMs } = violation
  return { seed, rule, detail, atMs }
}

export function addSweeps(one: SweepResult, other: SweepResult): SweepResult {
  return {
    seeds: one.seeds + other.seeds,
    violations: [...one.violations, ...other.violations].sort((a, b) => a.seed - b.seed),
    virtualUs: one.virtualUs + other.virtualUs,
    counts: addCounts(one.counts, other.counts),
    fingerprint: addFingerprints(one.fingerprint, other.fingerprint),
  }
}

function addFingerprints(one: string, other: string): string {
  return BigInt.asUintN(64, BigInt(`0x${one}`) + BigInt(`0x${other}`)).toString(16)
}

function addCounts(one: Counts, other: Counts): Counts {
  const sum = noCounts()
  for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] = one[name] + other[name]
  return sum
}
