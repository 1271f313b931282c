/** Options that a caller gives as an object: a misspelt one is refused, since it would be without effect. */
import { RaftError } from './errors.js'

/** The greatest port of TCP. */
export const portMax = 65_535

/** A value that does not fit, in words: a text has quotes, so that "3" is not taken for the number. No code of it runs. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Object(value) !== value) return String(value)
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}

/** Throws a `RaftError` for a value that is neither true nor false. `undefined` counts as left out. */
export function checkFlag(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new RaftError('INVALID_OPTION', { option, expected: 'true or false', actual: quoted(value) })
}

/** Throws a `RaftError` for a value that has not all of the methods of an object `of` a kind. */
export function checkMethods(option: string, value: unknown, of: string, methods: readonly string[]): void {
  const isOf = (name: string) => typeof (value as Record<string, unknown>)[name] === 'function'
  if (typeof value === 'object' && value !== null && methods.every(isOf)) return
  throw new RaftError('INVALID_OPTION', { option, expected: of, actual: quoted(value) })
}

/** Throws a `RaftError` for a value that is no signal. `undefined` counts as left out. */
export function checkSignal(value: unknown): void {
  if (value === undefined) return
  checkMethods('signal', value, 'an AbortSignal', [
    'addEventListener',
    'removeEventListener',
    'throwIfAborted',
  ])
}

/**
 * Throws a `RaftError` when `options`, given to `what`, is no object, or has a field that is none of `known` or is `null`.
 * A field that is `undefined` counts as left out. A `null` is refused here, since `??` takes it for left out as well.
 */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    const actual = options === null ? 'null' : typeof options
    throw new RaftError('INVALID_OPTION', { option: `the options of ${what}`, expected: 'an object', actual })
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (known.includes(option)) {
      if (value !== null) continue
      throw new RaftError('INVALID_OPTION', { option, expected: 'a value, or undefined', actual: 'null' })
    }
    const expected = nearestOf(option, known) ?? `one of ${known.join(', ')}`
    throw new RaftError('INVALID_OPTION', { option: `an option of ${what}`, expected, actual: option })
  }
}

/** No known name is nearly so long. */
const nameLengthMax = 64

/** The known name that is a few letters away. */
function nearestOf(name: string, known: readonly string[]): string | undefined {
  if (name.length > nameLengthMax) return undefined
  const lettersOff = Math.max(1, Math.floor(name.length / 3))
  const away = known.map((each) => [distance(name.toLowerCase(), each.toLowerCase()), each] as const)
  const [nearest] = away.sort(([one], [other]) => one - other)
  // A name of which no letter is right is none that was meant.
  return nearest !== undefined && nearest[0] <= lettersOff && nearest[0] < name.length
    ? nearest[1]
    : undefined
}

/** How many letters have to be put in, left out, changed or swapped with the next to make one name of the other. */
function distance(one: string, other: string): number {
  const swapped = swappedAt(one, other)
  if (swapped !== undefined) return 1 + distance(one.slice(swapped + 2), other.slice(swapped + 2))
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1]
    for (const [behind, theirs] of [...other].entries()) {
      const changed = (row[behind] ?? 0) + (letter === theirs ? 0 : 1)
      next.push(Math.min(changed, (row[behind + 1] ?? 0) + 1, (next[behind] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** The place of the first difference, where it is that two letters stand in the other order. */
function swappedAt(one: string, other: string): number | undefined {
  const at = [...one].findIndex((letter, place) => letter !== other[place])
  const isSwap = at >= 0 && one[at] === other[at + 1] && one[at + 1] === other[at] && one[at] !== one[at + 1]
  return isSwap ? at : undefined
}

/** The question that follows a wrong name: empty where no known name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known)
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`
}
