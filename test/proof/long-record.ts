/** The record of a long proof, for the repository. */
import { inGroups } from '../../src/sim/index.js'
import type { Verdict } from '../mutants/hunt.js'
import { recordWith } from '../mutants/words.js'
import type { ProofState } from './long-state.js'

/** `unmutated`: what the program without a mistake did, once it was run. */
export function recordOf(
  { digest, seeds, labs, losses, search, mutants }: ProofState,
  unmutated?: readonly Verdict[],
): string {
  const { violations, virtualUs, counts, fingerprint } = seeds.sum
  const { results } = mutants
  const head = {
    sources: digest,
    node: process.version,
    seeds: {
      from: 1,
      seeds: seeds.done,
      violations,
      fingerprint,
      virtualSeconds: virtualUs / 1e6,
      realSeconds: Math.round(seeds.seconds),
      ...inGroups(counts),
    },
    labs: { seeds: labs.done, realSeconds: Math.round(labs.seconds), failures: labs.failures },
    losses: { losses: losses.done, realSeconds: Math.round(losses.seconds), violations: losses.violations },
    search,
    mutants: {
      mutants: results.length,
      killed: results.filter(({ isKilled }) => isKilled).length,
      realSeconds: Math.round(mutants.seconds),
      withoutMistake: unmutated?.filter(({ by }) => by !== 'nothing'),
    },
  }
  return recordWith(head, results)
}
