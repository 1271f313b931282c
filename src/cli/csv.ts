/** CSV with a header line, as objects: each with the number of the line that it ends on. */
import type { Readable } from 'node:stream'
import { parse } from 'csv-parse'

/** The names of the fields that hold key and value. */
export interface Fields {
  readonly key: string
  readonly value: string
}

/** A record as it was read. What it holds besides the two fields does not matter. */
export type Fieldset = Readonly<Record<string, unknown>>

/** Called with the line and what is wrong there; gives the error to throw. */
export type Malformed = (line: number, why: string) => Error

/** Gives every record before a malformed one, and throws only then. */
export async function* readCsv(
  input: Readable,
  fields: Fields,
  malformed: Malformed,
): AsyncGenerator<[number, Fieldset]> {
  let rows: { readonly line: number; readonly cells: readonly string[] }[] = []
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    // The number of cells is checked below, in order with the other records.
    relax_column_count: true,
    // Taken here and not from the stream, which drops what it still holds when it fails.
    on_record: (cells: string[], { lines }: { lines: number }) => {
      rows.push({ line: lines, cells })
      return null
    },
  })
  let failure: Error | undefined
  parser.on('error', (error) => {
    failure ??= error
  })
  let header: readonly string[] | undefined
  function* takeRows(): Generator<[number, Fieldset]> {
    const taken = rows
    rows = []
    for (const { line, cells } of taken) {
      if (header === undefined) header = checkedHeader(cells, fields, line, malformed)
      else yield [line, fieldsetOf(header, cells, line, malformed)]
    }
    if (failure !== undefined) throw malformed(lineOf(failure), `this is no CSV: ${failure.message}`)
  }
  for await (const chunk of input) {
    await new Promise((resolve) => parser.write(chunk, resolve))
    yield* takeRows()
  }
  await new Promise((resolve) => parser.end(resolve))
  yield* takeRows()
}

function checkedHeader(
  cells: readonly string[],
  { key, value }: Fields,
  line: number,
  malformed: Malformed,
): readonly string[] {
  const flags = [
    [key, '--key'],
    [value, '--value'],
  ] as const
  for (const [field, flag] of flags) {
    if (!cells.includes(field))
      throw malformed(line, `the header has no '${field}': name a column with ${flag}`)
  }
  return cells
}

function fieldsetOf(
  header: readonly string[],
  cells: readonly string[],
  line: number,
  malformed: Malformed,
): Fieldset {
  if (cells.length !== header.length) {
    throw malformed(line, `there are ${cells.length} cells, and the header has ${header.length}`)
  }
  return Object.fromEntries(header.map((name, at) => [name, cells[at]]))
}

/** The parser's errors know the line that they were found on. */
function lineOf(error: Error): number {
  return 'lines' in error && typeof error.lines === 'number' ? error.lines : 0
}
