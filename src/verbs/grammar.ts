/** The words behind the name of a verb, as data: parsing, completion, help and error messages are all made from it. */
import { type KindName, kinds, type ValueOf } from './kinds.js'

/** A word at a place of its own. */
export interface Slot {
  readonly kind: KindName
  /** The field of the command that holds its value. */
  readonly as: string
  readonly isOptional?: boolean
}

/** A word that may stand behind all slots, in any order with the others, or a value behind a word that names it. */
export interface Suffix {
  /** The word before the value. Without one, the value stands alone. */
  readonly word?: string
  readonly kind: KindName
  readonly as: string
}

type Present<Given extends readonly Slot[]> = {
  readonly [Each in Given[number] as Each extends { isOptional: true } ? never : Each['as']]: ValueOf<
    Each['kind']
  >
}

type MayBePresent<Given extends readonly Slot[], More extends readonly Suffix[]> = {
  readonly [Each in Extract<Given[number], { isOptional: true }> | More[number] as Each['as']]?: ValueOf<
    Each['kind']
  >
}

/** The fields of a command that was typed by this grammar. */
export type FieldsOf<Given extends readonly Slot[], More extends readonly Suffix[]> = Present<Given> &
  MayBePresent<Given, More>

/** `delay LINK DURATION [jitter DURATION] [MESSAGE] [for DURATION]`, or `full-disk T [BYTES] [for DURATION]`. */
export function usageOf(name: string, slots: readonly Slot[], suffixes: readonly Suffix[]): string {
  const needed = slots.flatMap(({ kind, isOptional }) => (isOptional ? [] : [kinds[kind].usage]))
  // A slot that may be left out needs the one before it.
  const optional = slots
    .filter(({ isOptional }) => isOptional)
    .reduceRight((behind, { kind }) => `[${kinds[kind].usage}${behind === '' ? '' : ` ${behind}`}]`, '')
  const behind = suffixes.map(({ word, kind }) =>
    word === undefined ? `[${kinds[kind].usage}]` : `[${word} ${kinds[kind].usage}]`,
  )
  return [name, ...needed, ...(optional === '' ? [] : [optional]), ...behind].join(' ')
}
