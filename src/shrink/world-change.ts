/** Tells a change of a seed's plan that shrinking makes from all else that a file may hold. */
import { planOf } from '../sim/index.js'
import { takenAway } from './worlds.js'

type Parts = Readonly<Record<string, unknown>>

/** The name of the first part that the plan of the seed does not have so, whole or taken away. */
export function strangePartOf(change: Parts, seed: number): string | undefined {
  const whole: Parts = { ...planOf(seed) }
  return Object.keys(change).find((name) => {
    const part = change[name]
    if (name === 'stormMs') return !isStorm(part, whole[name])
    return !isPartOf(whole[name], (takenAway as Parts)[name], part)
  })
}

function isStorm(part: unknown, whole: unknown): boolean {
  return Number.isSafeInteger(part) && Number(part) >= 0 && Number(part) <= Number(whole)
}

/** Nothing is ever added to a plan, so that the plan of the seed bounds each part. */
function isPartOf(whole: unknown, taken: unknown, part: unknown): boolean {
  if (Array.isArray(whole)) return Array.isArray(part) && part.every((each) => whole.includes(each))
  if (!isObject(whole)) return part !== undefined && (part === whole || part === taken)
  const takenParts: Parts = isObject(taken) ? taken : {}
  if (!isObject(part) || Object.keys(part).length !== Object.keys(whole).length) return false
  return Object.keys(whole).every((name) => isPartOf(whole[name], takenParts[name], part[name]))
}

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
