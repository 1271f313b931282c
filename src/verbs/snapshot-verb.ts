/** The verb that lets nodes take snapshots, and writes one to a file. */
import { RaftError } from '../errors/index.js'
import type { Target } from '../faults/index.js'
import { BadInput, decimal, printable } from '../terminal/index.js'
import type { SnapshotTold } from './subject.js'
import { verb } from './verb.js'

export const snapshotVerb = verb('snapshot', {
  explanation:
    'nodes take a snapshot, and cut their logs right behind it; FILE: one node does, and the snapshot is written there too',
  slots: [
    { kind: 'target', as: 'target' },
    { kind: 'file', as: 'file', isOptional: true },
  ],
  async run(subject, { target, file }, conversation) {
    if (file === undefined) {
      const snapshots = await subject.snapshot(target)
      return { data: { snapshots }, words: snapshots.map(inWords).join('\n') }
    }
    if (conversation?.isRemote === true)
      throw new BadInput('snapshot: no file is written over HTTP: leave FILE out, or say it at the prompt')
    if (subject.export === undefined) throw new BadInput('snapshot: the nodes of this host write no files')
    const snapshot = await ofOneNode(subject.export(target, file), target)
    return { data: { snapshots: [snapshot], file }, words: `${inWords(snapshot)}, in ${printable(file)}` }
  },
})

/** The option `from` of an export is no word of the line. */
async function ofOneNode<Told>(exported: Promise<Told>, target: Target): Promise<Told> {
  try {
    return await exported
  } catch (error) {
    if (!(error instanceof RaftError) || error.details['option'] !== 'from') throw error
    throw new BadInput(`snapshot: with a FILE, name one node, not '${[target].flat().join(',')}'`)
  }
}

function inWords({ nodeId, index, term, size }: SnapshotTold): string {
  return `node ${nodeId}: a snapshot as of entry ${decimal(index)} of term ${term}, ${decimal(size)} bytes`
}
