/** `raftbox load`: a file of records through the cluster, and then a comparison of what all nodes hold. */
import type { Command } from 'commander'
import { type Cluster, type HashAt, leaderKnown, type NodeStatus } from '../cluster/index.js'
import { withCluster } from '../load/index.js'
import {
  BadInput,
  counted,
  decimal,
  Failed,
  interruptible,
  lineOf,
  nodeFailure,
  oneOf,
  Progress,
  paint,
} from '../terminal/index.js'
import { FileLoader } from './file-loader.js'
import { charsetOf, type Encoding, encodings, readRecords } from './file-records.js'
import { dirFlag, nodesFlag } from './flags.js'
import { nameOfInput } from './input/bytes.js'
import type { RecordText } from './input/record-text.js'

interface LoadFileOptions {
  readonly nodes?: number
  readonly dir?: string
  readonly key: string
  readonly value: string
  readonly encoding: Encoding
  readonly json?: boolean
}

interface LoadFileResult {
  /** Records acknowledged, and how often one of them had to be sent again. */
  readonly records: number
  readonly retries: number
  readonly distinctKeys: number
  readonly seconds: number
  readonly commitsPerSecond: number
  /** Nodes that were compared, and the index that they all had applied. */
  readonly nodes: number
  readonly lastApplied: number
  readonly hashesEqual: boolean
  readonly hashes: Readonly<Record<string, string>>
}

/** How long slower nodes may take to apply what the others have. */
const agreeWithinMs = 60_000

const explanation = `
FILE is CSV if its name ends in .csv or .csv.gz, with a header line, and otherwise JSON: one object
a line, or one array of objects. A file that gzip packed is unpacked. Of each record, two fields
are taken; a value that is no text is stored as its JSON is written, without the space between its
parts: 1.10 stays 1.10, and a long number keeps its digits. A key that comes again is overwritten:
the last record wins. Keys have up to 1 KiB, values up to 256 KiB, records up to 4 MiB. A malformed
record ends the load with exit code 2; what was acknowledged before stays.

A file that is not UTF-8 is refused. With --encoding bytes, keys and values are the bytes of the
file as they are, so that different bytes stay different keys; an escape in JSON stands for UTF-8.

Examples:
  raftbox load cities.jsonl.gz --key cityId --value name
  raftbox load latin1.csv --encoding bytes
  raftbox load settings.csv --dir ./my-cluster      and see them with: raftbox sandbox --dir ./my-cluster
`

export function addLoadFile(program: Command): void {
  program
    .command('load')
    .argument('<file>', 'CSV, JSON lines or a JSON array; also packed by gzip, or a pipe')
    .summary('put the records of a file, and compare what every node then holds')
    .description('Puts each record of a CSV or JSON file into a cluster, and compares the nodes by hash.')
    .option(
      '--nodes <count>',
      'voting nodes, 1 to 25 (default: 3, or what the directory was made with)',
      nodesFlag,
    )
    .option(
      '--dir <directory>',
      'keep the logs there (default: a temporary folder, removed at the end)',
      dirFlag('--dir'),
    )
    .option('--key <field>', 'the field that holds the key', 'key')
    .option('--value <field>', 'the field that holds the value', 'value')
    .option(
      '--encoding <kind>',
      'utf8: other bytes are refused; bytes: they are kept as they are',
      oneOf('--encoding', encodings),
      'utf8',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', explanation)
    .action(async (file: string, options: LoadFileOptions) => {
      process.exitCode = await interruptible((signal) => loadFile(file, options, signal))
    })
}

async function loadFile(file: string, options: LoadFileOptions, signal: AbortSignal): Promise<number> {
  const { nodes, dir } = options
  const records = readRecords(file, options, signal)
  try {
    // Before anything is started: a file that cannot be read leaves no trace.
    const first = await records.next()
    if (first.done) throw new BadInput(`${nameOfInput(file)} holds no records; give a file with at least one`)
    const clusterOptions = { ...(nodes !== undefined && { nodes }), ...(dir !== undefined && { dir }) }
    return await withCluster(clusterOptions, signal, async (cluster) => {
      await leaderKnown(cluster, signal)
      return await putAll(cluster, first.value, records, options, signal)
    })
  } finally {
    // A pipe that is still open would keep the process.
    await records.return(undefined)
  }
}

async function putAll(
  cluster: Cluster,
  first: RecordText,
  others: AsyncIterable<RecordText>,
  options: LoadFileOptions,
  signal: AbortSignal,
): Promise<number> {
  const loader = new FileLoader(cluster, charsetOf(options.encoding))
  const startMs = performance.now()
  const stopTelling = tellProgress(loader)
  try {
    await loader.put(first)
    for await (const record of others) await loader.put(record)
    await loader.finish()
    const seconds = (performance.now() - startMs) / 1000
    const hashes = await agreedHashes(cluster, signal)
    stopTelling()
    return report(options, loader, seconds, hashes)
  } catch (error) {
    // Nothing is lost by a malformed line: what came before it is acknowledged, and counted.
    if (error instanceof BadInput) await loader.finish()
    stopTelling()
    throw withCount(error, loader, cluster)
  }
}

function withCount(error: unknown, { acknowledged }: FileLoader, cluster: Cluster): unknown {
  if (!(error instanceof Error)) return error
  const applied = `${counted(acknowledged, 'record')} applied`
  for (const { nodeId, failure } of cluster.status()) {
    if (failure !== undefined) return nodeFailure(nodeId, failure, `; ${applied}`)
  }
  const line = `${lineOf(error)}; ${applied}`
  return error instanceof BadInput ? new BadInput(`${line} before it`) : new Failed(line)
}

function tellProgress(loader: FileLoader): () => void {
  const progress = new Progress()
  let before = 0
  const timer = setInterval(() => {
    const { acknowledged } = loader
    progress.show(`${counted(acknowledged, 'record')}, ${decimal(acknowledged - before)} a second`)
    before = acknowledged
  }, 1000)
  return () => {
    clearInterval(timer)
    progress.clear()
  }
}

/** The hash of every running node, once all have applied the same index. */
async function agreedHashes(cluster: Cluster, signal: AbortSignal): Promise<Map<number, HashAt>> {
  const deadlineMs = performance.now() + agreeWithinMs
  for (;;) {
    signal.throwIfAborted()
    if (isLevel(cluster.status())) {
      const hashes = await cluster.hashes()
      if (new Set([...hashes.values()].map(({ lastApplied }) => lastApplied)).size === 1) return hashes
    }
    if (performance.now() > deadlineMs) throw new Failed('the nodes have not applied the same index in time')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function isLevel(status: readonly NodeStatus[]): boolean {
  const running = status.filter(({ state }) => state === 'running')
  const latest = Math.max(...running.map(({ lastIndex }) => lastIndex))
  return running.every(({ lastApplied }) => lastApplied === latest)
}

function report(
  options: LoadFileOptions,
  loader: FileLoader,
  seconds: number,
  hashes: Map<number, HashAt>,
): number {
  const { acknowledged: records, keys, retries } = loader
  const result: LoadFileResult = {
    records,
    distinctKeys: keys.size,
    retries,
    seconds: Number(seconds.toFixed(3)),
    commitsPerSecond: Math.round(records / seconds),
    nodes: hashes.size,
    lastApplied: [...hashes.values()][0]?.lastApplied ?? 0,
    hashesEqual: new Set([...hashes.values()].map(({ hash }) => hash)).size === 1,
    hashes: Object.fromEntries([...hashes].map(([nodeId, { hash }]) => [nodeId, hash])),
  }
  process.stdout.write(`${options.json ? JSON.stringify(result) : forPeople(result)}\n`)
  return result.hashesEqual ? 0 : 1
}

function forPeople(result: LoadFileResult): string {
  const { records, seconds, commitsPerSecond, distinctKeys, nodes, lastApplied, hashesEqual, hashes } = result
  const verdict = hashesEqual ? paint.green('equal') : paint.red('NOT EQUAL')
  return [
    `${counted(records, 'record')} in ${decimal(seconds, 2)} s, ${paint.bold(decimal(commitsPerSecond))} commits/s`,
    `${counted(distinctKeys, 'distinct key')}`,
    `hashes of ${counted(nodes, 'node')} at index ${decimal(lastApplied)}: ${verdict}`,
    ...Object.entries(hashes).map(([nodeId, hash]) => paint.dim(`  node ${nodeId}  ${hash}`)),
  ].join('\n')
}
