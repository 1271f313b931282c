/** Values in the query of an address, which may come from anybody. */
import { BadInput } from '../terminal/index.js'

/** A whole number; `undefined` where there is none. */
export function countIn(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BadInput(`${name}: give a whole number, as in ?${name}=1`)
}
