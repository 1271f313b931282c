/** `raftbox bench --etcd`: the same load, on servers of etcd's API that run already. */
import type { Command } from 'commander'
import { type EtcdMeasurement, type MeasureEtcdOptions, measureEtcd, type Phase } from '../load/index.js'
import { opsMax, requestBytesMax } from '../mvcc/index.js'
import { BadInput, counted, decimal, paint } from '../terminal/index.js'
import { callersOf, latencyTable, lossesOf, type Told } from './bench-words.js'

/** Bytes of a put that are neither in its command nor in its value, at most. */
const headBytes = 16

/** Flags about nodes: whoever started the servers has decided them. */
const flagsOfNodes = [
  'nodes',
  'durability',
  'threads',
  'reads',
  'readsFrom',
  'heartbeat',
  'dir',
  'trace',
  'traceShare',
]

export function serversFlag(text: string): string[] {
  return text.split(',').map(serverOf)
}

/** `host:port` of a server's URL; without `http://` it is understood too, as etcdctl does. */
function serverOf(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  const isAlone = url !== null && url.pathname === '/' && url.search === '' && url.username === ''
  // A URL drops the port that is usual.
  const port = url?.port || (/:80\/?$/.test(text) ? '80' : '')
  if (isAlone && url.protocol === 'http:' && port !== '') return `${url.hostname}:${port}`
  throw new BadInput(
    `--etcd: give URLs as http://127.0.0.1:2379, with commas between them and without TLS, not '${text}'`,
  )
}

type Options = Omit<MeasureEtcdOptions, 'warmUpSeconds' | 'servers'>

/** Options that make no sense together with `--etcd`. */
export function checkEtcdFlags(command: Command, { batch, size, workload }: Options): void {
  for (const name of flagsOfNodes) {
    if (command.getOptionValueSource(name) !== 'cli') continue
    const flag = command.options.find((option) => option.attributeName() === name)?.long
    throw new BadInput(`${flag}: leave it out with --etcd, whose servers run already`)
  }
  if (batch > opsMax) {
    throw new BadInput(`--batch: give at most ${opsMax} with --etcd, whose transactions take no more`)
  }
  if (workload === undefined && batch * (size + headBytes) > requestBytesMax) {
    throw new BadInput(
      `--batch: ${batch} commands of ${size} bytes are more than the ${requestBytesMax} bytes of a request; give fewer or smaller ones`,
    )
  }
}

export async function benchEtcd(
  options: MeasureEtcdOptions,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<Told> {
  const figures = await measureEtcd(options, signal, tell)
  return { figures, words: forPeople(figures) }
}

function forPeople(result: EtcdMeasurement): string {
  const { servers, nodes, elections, size, batch, workload } = result
  const what =
    workload === null
      ? `${batch > 1 ? `transactions of ${batch} × ` : ''}${size}-byte commands`
      : `YCSB workload ${workload}, linearizable reads`
  const members = nodes === null ? 'members that no server counted' : counted(nodes, 'member')
  const terms =
    elections === null
      ? 'no server told whether a term began in the window'
      : `${counted(elections, 'term')} began in the window`
  const lines = [
    paint.bold(`${decimal(result.commitsPerSecond)} commits/s`),
    `${members}, called at ${servers.join(', ')}; ${callersOf(result)}, ${what}, ${decimal(result.seconds, 1)} s`,
    '',
    latencyTable(result),
    '',
    `${terms}; ${decimal(result.coresBusy, 1)} of ${result.cores} cores busy in this process, the clients' thread ${decimal(result.clientThreadBusy * 100)} % of the time; Node ${result.node}, ${result.platform}`,
  ]
  return lines.concat(lossesOf(result)).join('\n')
}
