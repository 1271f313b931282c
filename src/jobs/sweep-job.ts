/** Runs one range of seeds, in a thread of the pool. */
import { simulate } from '../sim/index.js'
import { addSweeps, failureOf, noSweep, type SeedRange, type SweepResult } from './sweep.js'

export default function sweepJob({ from, count }: SeedRange): SweepResult {
  let sum = noSweep
  for (let seed = from; seed < from + count; seed++) sum = addSweeps(sum, sweepOf(seed))
  return sum
}

function sweepOf(seed: number): SweepResult {
  try {
    const result = simulate({ seed })
    const failed = failureOf(result)
    return {
      seeds: 1,
      violations: failed === undefined ? [] : [failed],
      virtualUs: Math.round(1000 * result.virtualMs),
      counts: result.counts,
      fingerprint: result.fingerprint,
    }
  } catch (error) {
    // An error of the simulator itself is told with its seed, since only the seed repeats it.
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ...noSweep, seeds: 1, violations: [{ seed, rule: 'the simulator runs', detail, atMs: 0 }] }
  }
}
