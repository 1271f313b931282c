/** Mistakes of a user's machine, told where it hands something over, in the words of its interface. */
import { quoted } from '../errors/index.js'

export function owed(what: string, given: unknown): TypeError {
  return new TypeError(
    `the machine owes ${what}: it gave ${typeof given === 'string' ? 'a text' : quoted(given)}`,
  )
}
