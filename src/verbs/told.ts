/** All verbs as plain data, for a page that makes buttons and forms of them. */
import { type Kind, type KindName, kinds } from './kinds.js'
import { verbs } from './registry.js'

export interface VerbTold {
  readonly name: string
  readonly usage: string
  readonly explanation: string
  /** The words of the verb, each at a place of its own. */
  readonly slots: readonly SlotTold[]
  /** Words that may stand behind the slots, in any order. */
  readonly suffixes: readonly SuffixTold[]
}

export interface SlotTold extends KindTold {
  /** The name of the value. */
  readonly as: string
  readonly isOptional: boolean
}

export interface SuffixTold extends KindTold {
  /** The word before the value. Without one, the value stands alone. */
  readonly word?: string
  readonly as: string
}

interface KindTold {
  readonly kind: KindName
  /** As the usage of a verb shows it, and as an error tells what could stand there. */
  readonly valueUsage: string
  readonly expected: string
  /** All words of this kind, where they can be counted. */
  readonly words?: readonly string[]
}

export function verbsTold(): VerbTold[] {
  return verbs.map(({ name, usage, explanation, slots, suffixes }) => ({
    ...{ name, usage, explanation },
    slots: slots.map(({ kind, as, isOptional = false }) => ({ ...kindTold(kind), as, isOptional })),
    suffixes: suffixes.map(({ kind, ...suffix }) => ({ ...kindTold(kind), ...suffix })),
  }))
}

function kindTold(kind: KindName): KindTold {
  const { usage: valueUsage, expected, words } = kinds[kind] as Kind<unknown>
  return { kind, valueUsage, expected, ...(words === undefined ? {} : { words }) }
}
