/** Histories as files: one operation or record a line, all of them held in memory. */
import { isUtf8 } from 'node:buffer'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyValueOperation } from '../check/index.js'
import { RaftError, reasonOf } from '../errors/index.js'
import { BadInput, decimal } from '../terminal/index.js'
import { nameOfInput, readBytes } from './input/bytes.js'
import { type Framed, LineFramer } from './input/framing.js'

const lineBytesMax = 1 << 20
/** So many fit in the memory that Node has by default. */
const operationsMax = 2_000_000
const bytesMax = 512 << 20

/** Throws `BadInput` that names the line for what `parse` refuses with a `RaftError`. */
export async function readHistoryFile<Each>(
  file: string,
  parse: (line: string) => Each,
  signal: AbortSignal,
): Promise<Each[]> {
  const malformed = (line: number, why: string): BadInput =>
    new BadInput(`${nameOfInput(file)}, line ${line}: ${why}; see raftbox help check`)
  const framer = new LineFramer(lineBytesMax, malformed)
  const operations: Each[] = []
  let bytesLeft = bytesMax
  const take = ({ line, bytes }: Framed): void => {
    if (!isUtf8(bytes)) throw malformed(line, 'this is not UTF-8')
    const text = bytes.toString().trim()
    if (text === '') return
    bytesLeft -= bytes.length
    if (operations.length === operationsMax)
      throw malformed(line, `more than ${decimal(operationsMax)} operations`)
    if (bytesLeft < 0) throw malformed(line, `more than ${bytesMax >> 20} MiB`)
    try {
      operations.push(parse(text))
    } catch (error) {
      throw error instanceof RaftError ? malformed(line, error.message) : error
    }
  }
  for await (const chunk of readBytes(file, signal)) for (const framed of framer.take(chunk)) take(framed)
  for (const framed of framer.end()) take(framed)
  if (operations.length === 0)
    throw new BadInput(`${nameOfInput(file)} holds no operations; give a history with at least one`)
  return operations
}

/** Writes a history of a run that went wrong to a file of its own. The answer is the command that shows it, or why there is none. */
export function keepOperations(history: readonly KeyValueOperation[]): string {
  try {
    const file = join(mkdtempSync(join(tmpdir(), 'raftbox-history-')), 'history.jsonl')
    writeFileSync(file, history.map((operation) => `${JSON.stringify(operation)}\n`).join(''))
    return `raftbox check ${file} --html why.html shows it`
  } catch (error) {
    // The run went wrong all the same, and that is what counts.
    return `no file shows it: ${reasonOf(error)}; make room in TMPDIR`
  }
}
