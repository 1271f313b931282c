/** Records of CSV with a header line: each with the number of the line that it ends on. */
import { parse } from 'csv-parse'
import { type Charset, type Fields, type Malformed, type RecordText, recordBytesMax } from './record-text.js'

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
  let header: readonly string[] | undefined
  let lastLine = 0
  /** Bytes of chunks in which no record ended: the parser's own bound counts no empty cells. */
  let bytesHeld = 0
  function* takeRows(): Generator<RecordText> {
    const taken = rows
    rows = []
    for (const { line, cells } of taken) {
      lastLine = line
      if (header === undefined) header = checkedHeader(cells, fields, line, malformed)
      else yield recordOf(header, cells, fields, line, malformed)
    }
    if (failure !== undefined) throw malformed(lineOf(failure), `this is no CSV: ${failure.message}`)
  }
  for await (const chunk of input) {
    await new Promise((resolve) => parser.write(chunk, resolve))
    bytesHeld = rows.length === 0 ? bytesHeld + chunk.length : 0
    yield* takeRows()
    if (bytesHeld > recordBytesMax) {
      const why = `the record has more than ${recordBytesMax} bytes; a quote may be missing`
      throw malformed(lastLine + 1, why)
    }
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
    if (cells.indexOf(field) !== cells.lastIndexOf(field))
      throw malformed(line, `the header has '${field}' twice: give each column a name of its own`)
  }
  return cells
}

function recordOf(
  header: readonly string[],
  cells: readonly string[],
  { key, value }: Fields,
  line: number,
  malformed: Malformed,
): RecordText {
  if (cells.length !== header.length) {
    throw malformed(line, `there are ${cells.length} cells, and the header has ${header.length}`)
  }
  const cellOf = (field: string): string => cells[header.indexOf(field)] ?? ''
  return { line, key: cellOf(key), value: cellOf(value) }
}

/** The parser's errors know the line that they were found on. */
function lineOf(error: Error): number {
  return 'lines' in error && typeof error.lines === 'number' ? error.lines : 0
}
