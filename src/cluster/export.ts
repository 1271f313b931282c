/** Exports of a cluster at rest: what its directory proves to be committed, in one file. */
import {
  checkIsNew,
  type Disk,
  type ExportHead,
  type LostDisk,
  machineKindOf,
  provenIn,
  Survey,
  stateOnDisk,
  writeExport,
} from '../backup/index.js'
import { checkOptions, checkSignal, RaftError } from '../errors/index.js'
import { loadMachine, type SessionMachine } from '../machine/index.js'
import type { NodeId } from '../raft/index.js'
import { checkMachine } from './description.js'
import { ClusterDirectory } from './directory.js'
import { moduleOf } from './kv-commands.js'
import { pathOf } from './paths.js'
import { oneOfNodes } from './refusals.js'

export interface ExportOptions {
  /**
   * The node whose disk is read. Default: any that holds all that is proven. A node that lags gives an earlier state; where
   * the disks that are left can elect nobody, a node gives its snapshot.
   */
  readonly nodeId?: NodeId | undefined
  /** The module of the cluster's state machine. Default: the key-value store, or etcd's where the directory holds that. */
  readonly machine?: URL | string | undefined
  /** Ends the export: nothing is left of it. */
  readonly signal?: AbortSignal | undefined
}

/** The state that an export holds, as its machine tells it. */
export interface StateTold {
  readonly hash: string
  /** Figures of the state by name; for the key-value store its `keys` and its `revision`. */
  readonly summary: Readonly<Record<string, number>>
}

export interface Exported extends ExportHead, StateTold {
  /** The node whose disk was read. */
  readonly nodeId: NodeId
  /** Members whose disks could not be used. */
  readonly lost: readonly LostDisk[]
}

/**
 * Writes the newest whole state of which the disks in a directory prove that it is committed: the longest prefix of the
 * log that every leader has whom these disks can elect. So the export holds all that was acknowledged, and nothing that
 * the cluster takes back when it is started again with these disks. Throws a `RaftError`, and has then left no file, when a
 * cluster has the directory open, when too many disks are lost, or when the file cannot be written.
 */
export async function exportSnapshot(
  dir: string,
  file: string,
  options: ExportOptions = {},
): Promise<Exported> {
  checkOptions('exportSnapshot', options, ['nodeId', 'machine', 'signal'])
  const { nodeId, machine: given, signal } = options
  checkSignal(signal)
  const path = pathOf('file', file)
  const directory = ClusterDirectory.atRest(dir)
  try {
    checkIsNew(path)
    const module = moduleOf(directory.machine, given)
    const machine = machineKindOf(module)
    checkMachine(directory.path, directory.machine, machine)
    const createMachine = await loadMachine(module, directory.machine.machineName)
    const survey = surveyOf(directory)
    const disk = nodeId === undefined ? bestOf(survey, directory.path) : namedOf(survey, 'node', nodeId)
    const { index, term } = provenIn(disk.log, survey.proof)
    if (index === 0)
      throw new RaftError('DIRECTORY_INCOMPATIBLE', {
        dir: directory.path,
        why: survey.proof === undefined ? `${nothingProven}; ${recovers}` : nothingProven,
      })
    const state = survey.read(disk, (found) => stateOnDisk(createMachine(), machine, found, index))
    const facts = {
      createdAt: new Date().toISOString(),
      index,
      term,
      membership: disk.log.membershipAt(index),
      machine,
      machineName: createMachine().name,
    }
    const head = await writeExport(path, facts, piecesOf(state), signal)
    return { ...head, ...toldOf(state), nodeId: disk.nodeId, lost: survey.lost }
  } finally {
    directory.release()
  }
}

export function piecesOf(state: SessionMachine): Iterable<Uint8Array> {
  return { [Symbol.iterator]: () => state.snapshot() }
}

export function toldOf(state: SessionMachine): StateTold {
  return { hash: state.hash(), summary: state.summary() }
}

const recovers = 'raftbox recover makes a cluster anew from all that one disk holds'
const nothingProven = 'proves nothing to be committed: there is nothing to export'

export function surveyOf(directory: ClusterDirectory): Survey {
  return new Survey(
    directory.pledges().map((pledge) => ({ pledge, folder: directory.nodePath(pledge.nodeId) })),
  )
}

/** Of the disks that hold all that is proven, the one with the newest snapshot: the least of its log is applied again. */
function bestOf({ disks, proof, lost, contradiction }: Survey, dir: string): Disk {
  if (contradiction !== undefined) throw new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why: contradiction })
  const electable = disks.filter(({ nodeId }) => proof?.electable.includes(nodeId))
  const [best] = electable.sort((one, other) => snapshotIndexOf(other) - snapshotIndexOf(one))
  if (best !== undefined) return best
  if (lost.length === 0) throw new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why: nothingProven })
  const whys = lost.map(({ nodeId, why }) => `node ${nodeId}: ${why}`).join('; ')
  const remedy =
    'put the folders back, or name a node whose snapshot is to be exported, or make the cluster anew from what is left (raftbox recover)'
  throw new RaftError('DIRECTORY_INCOMPATIBLE', {
    dir,
    why: `has lost a majority of its disks, so nobody can tell what is committed (${whys}); ${remedy}`,
  })
}

function snapshotIndexOf({ log }: Disk): number {
  return log.snapshot?.index ?? 0
}

/** The disk that a caller named by its node. `option` is the name of what the caller gave. */
export function namedOf({ disks, lost, members }: Survey, option: string, nodeId: NodeId): Disk {
  const disk = disks.find((each) => each.nodeId === nodeId)
  if (disk !== undefined) return disk
  const found = lost.find((each) => each.nodeId === nodeId)
  const expected =
    found === undefined
      ? oneOfNodes(members.map(({ pledge }) => pledge.nodeId))
      : 'a node whose disk can be used'
  const actual = found === undefined ? nodeId : `${nodeId}: ${found.why}`
  throw new RaftError('INVALID_OPTION', { option, expected, actual })
}
