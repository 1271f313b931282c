/** The logs of nodes, read from their disks: beside a node that runs, and in a directory that no cluster has open. */
import { checkFlag, checkOptions, RaftError } from '../errors/index.js'
import { type LogOfNode, type LogRange, readLog } from '../logbook/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Counters } from '../telemetry/index.js'
import { ClusterDirectory } from './directory.js'
import { machineKnownBy, takesKvCommands } from './kv-commands.js'
import type { ResolvedOptions } from './options.js'
import { oneOfNodes } from './refusals.js'

/** A node, as far as its log is read beside it. */
interface LoggingMember {
  readonly nodeId: NodeId
  readonly state: string
  readonly counters: Counters
  readonly opened: Promise<unknown>
  readonly lastIndexAtStart: LogIndex
}

/** Nobody opens a disk while its node does: LMDB shares what is open among the threads of a process. */
export async function logOfMember(
  member: LoggingMember,
  directory: Pick<ClusterDirectory, 'nodePath' | 'readablePledge'>,
  { durability, machine }: Pick<ResolvedOptions, 'durability' | 'machine'>,
  range: LogRange,
): Promise<LogOfNode | undefined> {
  if (durability === 'none') {
    const expected = 'flush (a node without it has no log on disk)'
    throw new RaftError('INVALID_OPTION', { option: 'durability', expected, actual: durability })
  }
  let opened: unknown
  while (opened !== member.opened) {
    opened = member.opened
    await opened
  }
  const { lastIndexAtStart } = member
  const pointers = member.state === 'running' ? { ...member.counters.read(), lastIndexAtStart } : undefined
  const isKeyValue = takesKvCommands(machineKnownBy(machine))
  const { nodeId } = member
  const pledge = directory.readablePledge(nodeId)
  return readLog(directory.nodePath(nodeId), { nodeId, isKeyValue, pointers, pledge }, range)
}

export interface LogsOptions extends LogRange {
  /** The node whose log is read. Default: all nodes. */
  readonly nodeId?: NodeId | undefined
  /** False: commands are told as bytes. Default: true, unless the directory was made for a machine of its user's own. */
  readonly isKeyValue?: boolean | undefined
}

/** The log of one node, or why it cannot be read. */
export interface LogFound {
  readonly nodeId: NodeId
  /** `undefined`: the node has no log yet, or `error` says why it cannot be read. */
  readonly log: LogOfNode | undefined
  readonly error: RaftError | undefined
}

/**
 * Reads the logs in a cluster's directory: each one as a whole, to find damage, and of its entries those that are asked
 * for. Nothing in the directory changes. Throws a `RaftError` when a cluster has the directory open, or none was there.
 */
export function readLogs(dir: string, options: LogsOptions = {}): LogFound[] {
  checkOptions('readLogs', options, ['nodeId', 'isKeyValue', 'from', 'to'])
  checkFlag('isKeyValue', options.isKeyValue)
  const directory = ClusterDirectory.atRest(dir)
  const { nodeId, isKeyValue = takesKvCommands(directory.machine), ...range } = options
  try {
    const all = directory.members
    const asked = nodeId === undefined ? all : all.filter((each) => each === nodeId)
    if (asked.length === 0) {
      const expected = oneOfNodes(all)
      throw new RaftError('INVALID_OPTION', { option: 'node', expected, actual: nodeId })
    }
    return asked.map((each) => {
      try {
        const pledge = directory.readablePledge(each)
        const known = { nodeId: each, isKeyValue, pointers: undefined, pledge }
        return { nodeId: each, log: readLog(directory.nodePath(each), known, range), error: undefined }
      } catch (error) {
        if (!(error instanceof RaftError) || error.code !== 'STORAGE_FAILED') throw error
        return { nodeId: each, log: undefined, error }
      }
    })
  } finally {
    directory.release()
  }
}
