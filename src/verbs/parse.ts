/** From a line to a command, or to one line that says up to where it was understood and what could stand there. */
import { didYouMean } from '../errors/index.js'
import { BadInput } from '../terminal/index.js'
import { kinds } from './kinds.js'
import { type Possible, type Understood, understand, type Word, wordsOf } from './understand.js'
import type { Command, Verb } from './verb.js'

export type Registry = ReadonlyMap<string, Verb>

/** Letters that an error shows of a line, which may be long. */
const shownMax = 60

/** `undefined` for an empty line. Throws `BadInput` for a line that is not understood. */
export function parseBy(registry: Registry, line: string): Command | undefined {
  const words = wordsOf(line)
  const [name] = words
  if (name === undefined) return undefined
  const verb = registry.get(name.text)
  if (verb === undefined) throw new BadInput(unknownVerb(registry, name.text))
  const understood = understand(verb, line, words)
  if (!understood.isWhole || understood.words < words.length)
    throw new BadInput(misunderstood(line, words, understood))
  return { verb: verb.name, ...understood.fields }
}

/** Words of other prompts, each with the verb that does the same. */
const verbsOfOthers: ReadonlyMap<string, string> = new Map([
  ['exit', 'quit'],
  ['?', 'help'],
])

/** The words on a word that is no verb, with the verb that was perhaps meant. */
export function unknownVerb(registry: Registry, text: string): string {
  const other = verbsOfOthers.get(text)
  const meant = other === undefined ? didYouMean(text, [...registry.keys()]) : ` (did you mean ${other}?)`
  return `there is no verb '${shown(text)}'${meant}; help lists all`
}

function misunderstood(line: string, words: readonly Word[], { possible, words: count }: Understood): string {
  const understood = words.slice(0, count)
  const before = line.slice(words[0]?.start, understood.at(-1)?.end)
  const wrong = words[count]?.text
  const whole = wrong === undefined ? before : line.slice(words[0]?.start, words.at(-1)?.end)
  const could = possible.length === 0 ? 'nothing more' : listed(possible.map(expectationOf))
  const found =
    wrong === undefined
      ? ''
      : `, not '${shown(wrong)}'${boundOf(possible, wrong) || meantBy(possible, wrong)}`
  return `${shown(whole)}: after '${shown(before)}' ${could} is expected${found}`
}

function expectationOf(possible: Possible): string {
  if ('slot' in possible) return kinds[possible.slot.kind].expected
  const { word, kind } = possible.suffix
  return word === undefined ? kinds[kind].expected : `${word} and ${kinds[kind].expected}`
}

function boundOf(possible: readonly Possible[], wrong: string): string {
  const bounds = possible.map((each) => kinds[('slot' in each ? each.slot : each.suffix).kind].bound?.(wrong))
  const broken = bounds.find((bound) => bound !== undefined)
  return broken === undefined ? '' : ` (${broken})`
}

/** A word that could stand there, and is nearly the one that does. */
function meantBy(possible: readonly Possible[], wrong: string): string {
  const words = possible.flatMap((each) => {
    if ('suffix' in each && each.suffix.word !== undefined) return [each.suffix.word]
    return kinds[('slot' in each ? each.slot : each.suffix).kind].words ?? []
  })
  return didYouMean(wrong, words)
}

function listed(expectations: readonly string[]): string {
  return expectations.length === 1
    ? expectations[0]!
    : `${expectations.slice(0, -1).join(', ')}, or ${expectations.at(-1)}`
}

function shown(text: string): string {
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`
}
