/** `raftbox report`: a record of the bench suite as a page with plots and as Markdown, alone or against another. */
import { isUtf8 } from 'node:buffer'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { BenchRecord } from './bench-record.js'
import { BadInput } from './failure.js'
import { readBytes } from './input/bytes.js'
import { interruptible } from './interrupt.js'
import { printable } from './printable.js'
import { type Comparison, compareRecords, countsOf } from './report/compare.js'
import { markdownOf } from './report/markdown.js'
import { type Library, pageOf } from './report/page.js'
import { parseRecord } from './report/parse-record.js'
import {
  byOutcome,
  comparedRow,
  comparisonHead,
  countsLine,
  differenceLines,
  methodLines,
} from './report/words.js'
import { paint, table } from './text.js'

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
unknown, and what is said is marked as a guess. What differs in machine, versions and settings is named.

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
    .option('--out <directory>', 'write there (default: beside the record)', dirOut)
    .addHelpText('after', explanation)
    .action(async (file: string, options: ReportOptions) => {
      process.exitCode = await interruptible((signal) => report(file, options, signal))
    })
}

/** The same words as for --dir, by its own name. */
function dirOut(text: string): string {
  if (text !== '') return text
  throw new BadInput('--out: give the path of a directory, not an empty text')
}

async function report(file: string, { compare, out }: ReportOptions, signal: AbortSignal): Promise<number> {
  const record = await readRecord(file, signal)
  const comparison =
    compare === undefined ? undefined : compareRecords(await readRecord(compare, signal), record)
  const start = join(out ?? dirname(file), basename(file).replace(/\.json(\.gz)?$/i, ''))
  const written = writeTogether({
    [`${start}.html`]: pageOf(record, comparison, plottingLibrary()),
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
        `${file} has more than ${recordBytesMax} bytes; give a record that the bench suite wrote`,
      )
    }
  }
  const bytes = Buffer.concat(chunks)
  if (!isUtf8(bytes)) throw new BadInput(`${file} is not UTF-8; give a record that the bench suite wrote`)
  return parseRecord(bytes.toString(), file)
}

/** All of them or none: each is complete before the first takes its name. */
function writeTogether(texts: Readonly<Record<string, string>>): string[] {
  const paths = Object.keys(texts)
  const written = new Map<string, string>()
  try {
    for (const path of paths) {
      const temporary = `${path}.${process.pid}.tmp`
      mkdirSync(dirname(path), { recursive: true })
      written.set(path, temporary)
      writeFileSync(temporary, texts[path] ?? '')
    }
    for (const [path, temporary] of written) renameSync(temporary, path)
  } catch (error) {
    for (const temporary of written.values()) rmSync(temporary, { force: true })
    const { message } = error as Error
    throw new BadInput(
      `nothing can be written to ${dirname(paths[0] ?? '')}: ${message}; choose another with --out`,
    )
  }
  return paths
}

/** From its package, to be embedded: a page that fetches it would not work offline. */
function plottingLibrary(): Library {
  const require = createRequire(import.meta.url)
  const script = require.resolve('uplot/dist/uPlot.iife.min.js')
  const style = require.resolve('uplot/dist/uPlot.min.css')
  const license = require.resolve('uplot/LICENSE')
  const read = (path: string): string => readFileSync(path, 'utf8')
  return { script: read(script), style: read(style), license: read(license) }
}

/** On the terminal only what differs; the page and the Markdown file hold all of it. */
function comparisonLines(comparison: Comparison): string[] {
  const { same } = countsOf(comparison)
  const all = byOutcome(comparison)
  const differing = all.slice(0, all.length - same).map((compared) => comparedRow(compared).map(printable))
  return [
    ...differenceLines(comparison).map((line) => `note: ${printable(line)}`),
    ...(differing.length === 0 ? [] : [table([comparisonHead, ...differing])]),
    paint.bold(countsLine(comparison)),
    ...methodLines(comparison).map((line) => paint.dim(line)),
  ]
}
