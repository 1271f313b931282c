/**
 * A mutant: a mistake as a change of one place in one file of `src`. The product has no switch for it. The change is made
 * in a copy, and the tests or the simulator that `killedBy` names have to notice the mistake.
 */
import { readFileSync } from 'node:fs'
import type { Plan } from '../../src/sim/index.js'
import { BadInput } from '../../src/terminal/index.js'

/** Parts of a plan that are not left to the seed. */
export type FixedPlan = Partial<Omit<Plan, 'load'>> & { readonly load?: Partial<Plan['load']> }

export interface Mutant {
  /** Words with dashes between them. */
  readonly id: string
  /** The rules of a SPEC.md that the mistake breaks, or the figure that it tells wrongly. */
  readonly breaks: string
  /** The mistake, in a sentence. */
  readonly what: string
  readonly file: string
  /** Text that stands in the file once. */
  readonly find: string
  readonly replace: string
  /** The simulator alone, or tests of which one has to fail. */
  readonly killedBy: 'simulator' | readonly string[]
  /**
   * Where what shows the mistake is rare: the part of a seed's plan that is fixed, so that it comes often. `undefined`: all
   * is drawn.
   */
  readonly fixed?: FixedPlan
}

type Row = Omit<Mutant, 'killedBy' | 'fixed'>

/** Mistakes that break a promise of the cluster: the simulator finds them, whatever the tests say. */
export function bySimulator(rows: readonly Row[], fixed?: FixedPlan): Mutant[] {
  return rows.map((row) => ({ ...row, killedBy: 'simulator', ...(fixed && { fixed }) }))
}

/** Mistakes that one of these tests finds. */
export function byTests(tests: readonly string[], rows: readonly Row[]): Mutant[] {
  return rows.map((row) => ({ ...row, killedBy: tests }))
}

/** The folder of `src` that the mutant is in. */
export function roomOf({ file }: Mutant): string {
  return file.split('/')[1] ?? ''
}

/** The text of the mutant's file with the mistake in it. Throws when the change does not apply any more. */
export function mutatedText({ id, file, find, replace }: Mutant): string {
  const parts = readFileSync(file, 'utf8').split(find)
  if (parts.length === 2 && find !== replace) return parts.join(replace)
  throw new BadInput(`${id} does not apply: its text is ${parts.length - 1} times in ${file}, not once`)
}
