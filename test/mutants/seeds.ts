/**
 * A program that runs seeds of the simulator up to the first that breaks a promise. The program is a process of its own, so
 * that the mutated file is loaded. The output is a line of JSON for each seed, with the violation in the last one.
 */
import { planOf, simulate } from '../../src/sim/index.js'
import type { FixedPlan } from './mutant.js'

const [from = 1, count = 1] = process.argv.slice(2, 4).map(Number)
const { load, ...fixed } = JSON.parse(process.argv[4] ?? '{}') as FixedPlan
for (let seed = from; seed < from + count; seed++) {
  const violation = violationOf(seed)
  process.stdout.write(`${JSON.stringify({ seed, ...violation })}\n`)
  if (violation !== undefined) break
}

function violationOf(seed: number): { rule: string; detail: string } | undefined {
  try {
    const { violation } = simulate({ seed, ...fixed, load: { ...planOf(seed).load, ...load } })
    return violation && { rule: violation.rule, detail: violation.detail }
  } catch (error) {
    return { rule: 'the simulator runs', detail: String(error) }
  }
}
