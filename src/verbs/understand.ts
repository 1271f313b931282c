/** The part of a line that is understood, and what could stand behind: parsing, errors and completion come from it. */
import type { Slot, Suffix } from './grammar.js'
import { type KindName, kinds } from './kinds.js'
import type { Fields, Verb } from './verb.js'

/** A word that could stand at a place: a value of a kind, or a word that comes before one. */
export type Possible = { readonly slot: Slot } | { readonly suffix: Suffix }

export interface Understood {
  readonly fields: Fields
  /** The words that could stand behind those understood. Empty: nothing more. */
  readonly possible: readonly Possible[]
  /** The words understood are enough. */
  readonly isWhole: boolean
  /** The count of words understood, the verb included. */
  readonly words: number
}

export interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Only spaces and tabs part words: any other space is a part of a key or a value. */
export function wordsOf(line: string): Word[] {
  return Array.from(line.matchAll(/[^ \t]+/g), ({ 0: text, index: start }) => ({
    text,
    start,
    end: start + text.length,
  }))
}

/** Reads the words behind the verb for as long as each of them can stand where it stands. */
export function understand({ slots, suffixes }: Verb, line: string, words: readonly Word[]): Understood {
  const fields: Record<string, unknown> = {}
  let at = 1
  let passed: Slot | undefined
  for (const slot of slots) {
    // A word that a suffix begins with is no value of a slot that may be left out.
    const isSuffix = slot.isOptional && suffixes.some((each) => begins(each, words[at]?.text))
    const value = isSuffix ? undefined : wordFor(slot, line, words, at)
    if (value !== undefined) {
      fields[slot.as] = value
      at = slot.kind === 'rest' ? words.length : at + 1
    } else if (slot.isOptional) {
      // A slot that may be left out needs the one before it.
      passed = slot
      break
    } else return { fields, possible: [{ slot }], isWhole: false, words: at }
  }
  const behind = suffixesIn(suffixes, words, at, fields)
  const slotLeft = passed !== undefined && behind.words === at ? [{ slot: passed }] : []
  return { ...behind, fields, possible: [...slotLeft, ...behind.possible] }
}

/** Reads suffixes into the fields, each at most once. */
function suffixesIn(
  suffixes: readonly Suffix[],
  words: readonly Word[],
  start: number,
  fields: Record<string, unknown>,
): Omit<Understood, 'fields'> {
  let left = suffixes
  let at = start
  for (;;) {
    const text = words[at]?.text
    const suffix = left.find((each) => begins(each, text))
    if (suffix === undefined)
      return { possible: left.map((each) => ({ suffix: each })), isWhole: true, words: at }
    if (suffix.word !== undefined) at++
    const value = read(suffix.kind, words[at]?.text)
    if (value === undefined) return { possible: [{ slot: suffix }], isWhole: false, words: at }
    fields[suffix.as] = value
    left = left.filter((each) => each !== suffix)
    at++
  }
}

function begins({ word, kind }: Suffix, text: string | undefined): boolean {
  return word === undefined ? read(kind, text) !== undefined : word === text
}

function wordFor({ kind }: Slot, line: string, words: readonly Word[], at: number): unknown {
  const text = words[at]?.text
  // A single space parts the rest of the line from the word before it; all others are its own.
  return kind === 'rest' && text !== undefined ? line.slice((words[at - 1]?.end ?? 0) + 1) : read(kind, text)
}

function read(kind: KindName, text: string | undefined): unknown {
  return text === undefined ? undefined : kinds[kind].read(text)
}
