/** `raftbox report`: a record of the bench suite as a page with plots and as Markdown, alone or against another. */
import { isUtf8 } from 'node:buffer'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import {
  type BenchRecord,
  compareRecords,
  comparisonLines,
  markdownOf,
  pageOf,
  parseRecord,
} from '../report/index.js'
import { BadInput, interruptible, printable } from '../terminal/index.js'
import { dirFlag } from './flags.js'
import { isStandardInput, nameOfInput, readBytes } from './input/bytes.js'
import { writeTogether } from './written-files.js'

interface ReportOptions {
  readonly compare?: string
  readonly out?: string
}

/** A record of the whole suite has a hundredth of it. */
const recordBytesMax = 64 << 20

const explanation = `
What is written, beside the record or in the folder of --out:
  FILE.html   plots and tables on one page, which needs no network: open it in any browser
  FILE.md     the tables as Markdown

With --compare, every figure is called better, worse or the same. With four rounds and more in each
run a Mann-Whitney test decides; with fewer, ranges that do not overlap; with one round the noise is
unknown, and what is said is marked as a guess. What differs in machine, versions, settings and the
parameters of a case is named.

Examples:
  raftbox report new.json
  raftbox report new.json --compare old.json --out report
`

export function addReport(program: Command): void {
  program
    .command('report')
    .summary("a page with plots, from the bench suite's record")
    .description('Makes a page with plots and a Markdown file from a record of npm run bench.')
    .argument('<file>', 'the record, a JSON file')
    .option('--compare <file>', 'an older record: says what changed beyond the noise')
    .option('--out <directory>', 'write there (default: beside the record)', dirFlag('--out'))
    .addHelpText('after', explanation)
    .action(async (file: string, options: ReportOptions) => {
      process.exitCode = await interruptible((signal) => report(file, options, signal))
    })
}

async function report(file: string, { compare, out }: ReportOptions, signal: AbortSignal): Promise<number> {
  if (isStandardInput(file))
    throw new BadInput('give the record as a file: the page and the Markdown file take its name')
  const record = await readRecord(file, signal)
  const comparison =
    compare === undefined ? undefined : compareRecords(await readRecord(compare, signal), record)
  const name = basename(file)
  const start = join(out ?? dirname(file), name.replace(/\.json(\.gz)?$/i, '') || name)
  const written = writeTogether('--out', {
    [`${start}.html`]: pageOf(record, comparison),
    [`${start}.md`]: markdownOf(record, comparison),
  })
  const paths = written.map(printable)
  const lines = comparison === undefined ? paths : [...comparisonLines(comparison), '', ...paths]
  process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

async function readRecord(file: string, signal: AbortSignal): Promise<BenchRecord> {
  const chunks: Buffer[] = []
  let byteCount = 0
  for await (const chunk of readBytes(file, signal)) {
    chunks.push(chunk)
    byteCount += chunk.length
    if (byteCount > recordBytesMax) {
      throw new BadInput(
        `${nameOfInput(file)} has more than ${recordBytesMax} bytes; give a record that the bench suite wrote`,
      )
    }
  }
  const bytes = Buffer.concat(chunks)
  if (!isUtf8(bytes))
    throw new BadInput(`${nameOfInput(file)} is not UTF-8; give a record that the bench suite wrote`)
  return parseRecord(bytes.toString(), nameOfInput(file))
}
