/** Records of CSV with a header line: each with the number of the line that it ends on. */
import { parse } from 'csv-parse'
import {
  type Charset,
  type Fields,
  inCharset,
  type Malformed,
  type RecordText,
  recordBytesMax,
} from './record-text.js'

/** The number of columns, and where in the header the two fields are. */
interface Columns {
  readonly count: number
  readonly key: number
  readonly value: number
}

/** Gives every record before a malformed one, and throws only then. */
export async function* readCsv(
  input: AsyncIterable<Buffer>,
  fields: Fields,
  charset: Charset,
  malformed: Malformed,
): AsyncGenerator<RecordText> {
  let rows: { readonly line: number; readonly cells: readonly string[] }[] = []
  const parser = parse({
    encoding: charset,
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
  let columns: Columns | undefined
  let lastLine = 0
  /** Bytes since the last record or empty line ended: without a bound a missing quote would take the whole file. */
  let bytesHeld = 0
  let emptyLines = 0
  function* takeRows(): Generator<RecordText> {
    const taken = rows
    rows = []
    for (const { line, cells } of taken) {
      lastLine = line
      const why = (reason: string): Error => malformed(line, reason)
      if (columns === undefined) columns = columnsOf(cells, fields, charset, why)
      else yield { line, ...cellsOf(columns, cells, why) }
    }
    if (failure !== undefined) throw malformed(lineOf(failure), `this is no CSV: ${failure.message}`)
  }
  for await (const chunk of input) {
    await new Promise((resolve) => parser.write(chunk, resolve))
    const hasEnded = rows.length > 0 || parser.info.empty_lines > emptyLines
    bytesHeld = hasEnded ? 0 : bytesHeld + chunk.length
    emptyLines = parser.info.empty_lines
    yield* takeRows()
    if (bytesHeld > recordBytesMax) {
      const why = `the record has more than ${recordBytesMax} bytes; a quote may be missing`
      throw malformed(lastLine + 1, why)
    }
  }
  await new Promise((resolve) => parser.end(resolve))
  yield* takeRows()
}

function columnsOf(
  header: readonly string[],
  fields: Fields,
  charset: Charset,
  malformed: (why: string) => Error,
): Columns {
  const columnOf = (field: string, flag: string): number => {
    const name = inCharset(field, charset)
    const column = header.indexOf(name)
    if (column === -1) throw malformed(`the header has no '${field}': name a column with ${flag}`)
    if (column === header.lastIndexOf(name)) return column
    throw malformed(`the header has '${field}' twice: give each column a name of its own`)
  }
  return {
    count: header.length,
    key: columnOf(fields.key, '--key'),
    value: columnOf(fields.value, '--value'),
  }
}

function cellsOf(
  { count, key, value }: Columns,
  cells: readonly string[],
  malformed: (why: string) => Error,
): { key: string; value: string } {
  if (cells.length !== count) {
    throw malformed(`there are ${cells.length} cells, and the header has ${count}`)
  }
  return { key: cells[key] ?? '', value: cells[value] ?? '' }
}

/** The parser's errors know the line that they were found on. */
function lineOf(error: Error): number {
  return 'lines' in error && typeof error.lines === 'number' ? error.lines : 0
}
