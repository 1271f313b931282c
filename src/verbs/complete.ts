/** Words that Tab offers at the end of a line. */
import type { NodeId } from '../raft/index.js'
import { kinds } from './kinds.js'
import type { Registry } from './parse.js'
import { type Possible, understand, wordsOf } from './understand.js'

/** The words that could stand at the end of the line, and what was typed of them so far. */
export function completeBy(
  registry: Registry,
  line: string,
  nodeIds: readonly NodeId[],
): readonly [offers: readonly string[], typed: string] {
  const typed = /[^ \t]*$/.exec(line)?.[0] ?? ''
  const words = wordsOf(line.slice(0, line.length - typed.length))
  const [name] = words
  if (name === undefined) return [beginningWith(typed, [...registry.keys()]), typed]
  const verb = registry.get(name.text)
  if (verb === undefined) return [[], typed]
  const understood = understand(verb, line, words)
  if (understood.words < words.length) return [[], typed]
  const offers = understood.possible.flatMap((possible) => offersOf(possible, typed, registry, nodeIds))
  return [beginningWith(typed, offers), typed]
}

function offersOf(
  possible: Possible,
  typed: string,
  registry: Registry,
  nodeIds: readonly NodeId[],
): readonly string[] {
  if ('suffix' in possible && possible.suffix.word !== undefined) return [possible.suffix.word]
  const { kind } = 'slot' in possible ? possible.slot : possible.suffix
  return kind === 'verb' ? [...registry.keys()] : kinds[kind].offers(typed, nodeIds)
}

/** A word that is whole is followed by a space, so that the next one can be typed. */
function beginningWith(typed: string, offers: readonly string[]): readonly string[] {
  const fitting = offers.filter((offer) => offer.startsWith(typed))
  return fitting.map((offer) => (/[->]$/.test(offer) ? offer : `${offer} `))
}
