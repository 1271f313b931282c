/** The state of a machine in words. */
import { decimal } from '../terminal/index.js'

/** Hexadecimal digits of a hash that are shown to people. */
const hashDigits = 16

export function shortHash(hash: string): string {
  return hash.slice(0, hashDigits)
}

/** The figures that a machine tells of its state: `keys 12`. */
export function figuresOf(summary: Readonly<Record<string, number>>): string[] {
  return Object.entries(summary).map(([name, value]) => `${name} ${decimal(value)}`)
}
