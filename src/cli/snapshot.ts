/** `raftbox snapshot`: the state of a cluster at rest in one file, and new clusters that begin with it. */
import type { Command } from 'commander'
import {
  type Exported,
  type ExportOptions,
  type ExportTold,
  exportSnapshot,
  importSnapshot,
  readExport,
} from '../cluster/index.js'
import { counted, decimal, interruptible, lineOf, printable, wholeNumber } from '../terminal/index.js'
import { nodesFlag } from './flags.js'
import { figuresOf, shortHash } from './state-words.js'

interface JsonOption {
  readonly json?: boolean
}

interface ExportFlags extends JsonOption {
  readonly node?: number
  readonly machine?: string
}

const exportExplanation = `
The state is the newest one of which the disks prove that it is committed: the longest part of the log
that every leader has whom these disks can elect. It holds all that was acknowledged, and nothing that
the cluster takes back when it is started again with these disks. With --node N it is read from the
disk of node N, and ends where that log ends. When a majority of the disks is lost, nobody can tell
what is committed: then --node N gives what the snapshot on the disk of node N holds.

FILE is written whole or not at all, and carries checksums over each of its bytes. The directory is
left as it is; one that a cluster has open is refused.

Examples:
  raftbox snapshot export ./my-cluster my-cluster.snapshot
  raftbox snapshot export ./my-cluster other.snapshot --machine ./counter.mjs --json
`

const importExplanation = `
DIRECTORY becomes a cluster of its own: the index and the term of the last entry, and all revisions,
stay as they were; votes, identities of disks and everything else of the former cluster do not. The
directory is new or empty, and is made whole or not at all.

Examples:
  raftbox snapshot import my-cluster.snapshot ./copy && raftbox sandbox --dir ./copy
  raftbox snapshot import my-cluster.snapshot ./larger --nodes 5
`

export function addSnapshot(program: Command): void {
  const snapshot = program
    .command('snapshot')
    .summary("a cluster's state in one file: export, import, show")
    .description(
      'Writes the state of a cluster at rest to one file, makes new clusters of it, and shows what it holds.',
    )
  addExport(snapshot)
  addImport(snapshot)
  snapshot
    .command('show')
    .argument('<file>', 'an export')
    .description('Checks each byte of an export, and tells what it holds.')
    .option('--json', 'print one JSON object')
    .action(async (file: string, { json = false }: JsonOption) => {
      const told = await readExport(file)
      console.log(json ? JSON.stringify({ file, ...told }) : `${file}: ${inWords(told)}`)
    })
}

function addExport(snapshot: Command): void {
  snapshot
    .command('export')
    .argument('<directory>', 'the directory of a cluster, as sandbox --dir makes it')
    .argument('<file>', 'the file to write, which is not there yet')
    .description('Writes the newest state of which the disks prove that it is committed.')
    .option(
      '--node <id>',
      'read the disk of this node (default: any that holds all)',
      wholeNumber('--node', 1, Number.MAX_SAFE_INTEGER),
    )
    .option('--machine <module>', 'the state machine of the cluster (default: that of raftbox)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', exportExplanation)
    .action(async (dir: string, file: string, { node: nodeId, machine, json = false }: ExportFlags) => {
      process.exitCode = await interruptible(async (signal) => {
        const options: ExportOptions = { nodeId, machine, signal }
        const exported = await exportSnapshot(dir, file, options)
        console.log(json ? JSON.stringify({ file, ...exported }) : exportedInWords(file, exported))
        return 0
      })
    })
}

function addImport(snapshot: Command): void {
  snapshot
    .command('import')
    .argument('<file>', 'an export')
    .argument('<directory>', 'the directory of the new cluster, which is empty or not there yet')
    .description('Makes a new cluster whose nodes begin with the state of an export.')
    .option(
      '--nodes <count>',
      'voting nodes, 1 to 25 (default: as many as the former cluster had)',
      nodesFlag,
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', importExplanation)
    .action(
      async (
        file: string,
        dir: string,
        { nodes, json = false }: JsonOption & { readonly nodes?: number },
      ) => {
        process.exitCode = await interruptible(async (signal) => {
          const imported = await importSnapshot(file, dir, { nodes, signal })
          const words = `${imported.dir}: ${counted(imported.nodes, 'node')}, each with ${inWords(imported)}`
          console.log(json ? JSON.stringify({ file, ...imported }) : words)
          return 0
        })
      },
    )
}

function exportedInWords(file: string, { nodeId, lost, ...head }: Exported): string {
  const lines = [`${file}: ${inWords(head)}`, `read from the disk of node ${nodeId}`]
  return [...lines, ...lost.map(({ nodeId, why }) => lineOf(`node ${nodeId} was left out: ${why}`))].join(
    '\n',
  )
}

function inWords({ index, term, size, membership, createdAt, hash, summary = {} }: ExportTold): string {
  const parts = [
    `the state as of entry ${decimal(index)} of term ${term}: ${[...figuresOf(summary), `bytes ${decimal(size)}`].join(', ')}`,
    ...(hash === undefined ? [] : [`hash ${shortHash(hash)}`]),
    `exported ${createdAt} from a cluster of nodes ${membership.voters.join(', ')}`,
  ]
  return printable(parts.join('; '))
}
