/** Values of flags: parsed and checked before anything starts, so that a refusal has touched nothing. */
import { type Command, Option } from 'commander'
import { didYouMean } from '../errors/index.js'
import { BadInput } from './failure.js'

/** As `--help` shows it: the flag, what it does, how its value is read, and the value without it. */
export type FlagRow = readonly [
  flag: string,
  explanation: string,
  parse?: (text: string) => unknown,
  usual?: unknown,
]

export function addFlags(command: Command, rows: readonly FlagRow[]): Command {
  for (const [flag, explanation, parse, usual] of rows) {
    const option = new Option(flag, explanation).default(usual)
    command.addOption(parse === undefined ? option : option.argParser(parse))
  }
  return command
}

/** A parser for a whole number, for commander. */
export function wholeNumber(flag: string, least: number, most: number): (text: string) => number {
  return (text) => wholeIn(text, flag, least, most)
}

/** The same for a flag that may also be off. */
export function wholeNumberOrOff(
  flag: string,
  least: number,
  most: number,
): (text: string) => number | 'off' {
  return (text) => (text === 'off' ? text : wholeIn(text, flag, least, most, ', or off'))
}

function wholeIn(text: string, flag: string, least: number, most: number, others = ''): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new BadInput(`${flag}: give a whole number from ${least} to ${most}${others}, not '${text}'`)
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
    throw new BadInput(`${flag}: give ${all}, not '${text}'${didYouMean(text, choices)}`)
  }
}

/** A parser for choices with commas between them. */
export function someOf(flag: string, choices: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',')
    const unknown = names.find((name) => !choices.includes(name))
    if (unknown === undefined) return names
    const meant = didYouMean(unknown, choices)
    throw new BadInput(`${flag}: give one or more of ${choices.join(', ')}, not '${unknown}'${meant}`)
  }
}
