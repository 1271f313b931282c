/** YAML as a plain tree in which every part knows its line: the only file that knows the package. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml'

/** A part of a file. All values are texts: a scenario has no use for the numbers and dates of YAML. */
export type Written =
  | { readonly type: 'text'; readonly line: number; readonly text: string }
  | { readonly type: 'list'; readonly line: number; readonly items: readonly Written[] }
  | { readonly type: 'map'; readonly line: number; readonly entries: readonly WrittenEntry[] }

export interface WrittenEntry {
  readonly line: number
  readonly key: string
  readonly value: Written
}

/** A mistake of whoever wrote the file, at a line counted from 1. */
export class Mistake extends Error {
  override readonly name = 'Mistake'
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Throws a `Mistake` where the text is no YAML, or more of it than a scenario needs. */
export function readYaml(text: string): Written {
  const lines = new LineCounter()
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  const lineOf = (offset: number | undefined): number => lines.linePos(offset ?? 0).line
  if (error !== undefined) {
    const [what = ''] = error.message.split('\n')
    throw new Mistake(lineOf(error.pos[0]), `the line is not YAML: ${what}`)
  }
  if (document.contents === null) throw new Mistake(1, "the file is empty; a scenario begins with 'name:'")
  return writtenOf(document.contents, lineOf)
}

function writtenOf(node: ParsedNode | null, lineOf: (offset?: number) => number, lineAbove = 1): Written {
  if (node === null) return { type: 'text', line: lineAbove, text: '' }
  const line = lineOf(node.range[0])
  if (isAlias(node) || node.anchor !== undefined)
    throw new Mistake(line, 'a scenario has no anchors and no aliases; write the value out')
  if (isScalar(node)) {
    const text = String(node.value ?? '').trim()
    // Without the number, the step would heal all faults.
    const [, id] = /^(\d+)\s*$/.exec(node.comment ?? '') ?? []
    if (text === 'heal' && id !== undefined)
      throw new Mistake(line, `YAML takes #${id} for a comment; put the step in quotes: 'heal #${id}'`)
    return { type: 'text', line, text }
  }
  if (isSeq(node))
    return { type: 'list', line, items: node.items.map((each) => writtenOf(each, lineOf, line)) }
  if (!isMap(node)) throw new Mistake(line, 'give a text, a list, or keys with values')
  const entries = node.items.map(({ key, value }): WrittenEntry => {
    const lineOfKey = lineOf(key.range[0])
    if (!isScalar(key)) throw new Mistake(lineOfKey, 'a key is a text')
    return { line: lineOfKey, key: String(key.value), value: writtenOf(value, lineOf, lineOfKey) }
  })
  return { type: 'map', line, entries }
}

export function textOf(written: Written): string {
  if (written.type === 'text' && written.text !== '') return written.text
  throw new Mistake(written.line, 'give a text')
}

/** `a, b or c`, for what could stand at a place. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
