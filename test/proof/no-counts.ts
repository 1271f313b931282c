/** Counts of a checker that has seen nothing. */
import { changeNames, type NodeCounts } from '../../src/proof/index.js'

const names = [...changeNames, 'elections', 'stepDowns', 'truncations'] as const

export function noCounts(): NodeCounts {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<(typeof names)[number], number>
}
