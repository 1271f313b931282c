/** Values of flags: parsed and checked before anything starts, so that a refusal has touched nothing. */
import { BadInput } from './failure.js'

/** The most nodes that a cluster may have. */
const nodesMax = 25

/** A parser for a whole number, for commander. */
export function wholeNumber(flag: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new BadInput(`${flag}: give a whole number from ${least} to ${most}, not '${text}'`)
  }
}

export function decimalNumber(flag: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new BadInput(`${flag}: give a number from ${least} to ${most}, not '${text}'`)
  }
}

export function oneOf<T extends string>(flag: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice !== undefined) return choice
    const all = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
    throw new BadInput(`${flag}: give ${all}, not '${text}'`)
  }
}

export const nodesFlag = wholeNumber('--nodes', 1, nodesMax)

/** Nodes by number, with commas between them. */
export function nodeIdsFlag(text: string): number[] {
  if (/^\d+(,\d+)*$/.test(text)) return text.split(',').map(Number)
  throw new BadInput(`--renew: give nodes by number, as in 2 or 1,3, not '${text}'`)
}

export function dirFlag(text: string): string {
  if (text !== '') return text
  throw new BadInput('--dir: give the path of a directory, not an empty text')
}

/** Said once at the start: who asks for two nodes mostly expects that one may fail. */
export function warnOfTwo(nodes: number | undefined): void {
  if (nodes !== 2) return
  process.stderr.write('raftbox: warning: two nodes tolerate no failure, as one does; three tolerate one\n')
}
