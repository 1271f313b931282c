/** Questions to nodes of a running cluster about themselves. */
import { setTimeout } from 'node:timers/promises'
import { type ExportHead, type MachineId, unusable, writeExport } from '../backup/index.js'
import { checkOptions, checkSignal, quoted, RaftError } from '../errors/index.js'
import type { Target } from '../faults/index.js'
import { type HashAt, RunningTime } from '../node/index.js'
import type { NodeId, Snapshot } from '../raft/index.js'
import { LatencyHistogram } from '../telemetry/index.js'
import type { Members } from './members.js'
import { pathOf } from './paths.js'

/** A snapshot that a node has taken. */
export interface SnapshotTaken extends Pick<Snapshot, 'index' | 'term' | 'size'> {
  readonly nodeId: NodeId
}

export interface ExportFromOptions {
  /** The node whose state is written. Default: the leader. */
  readonly from?: Target
  /** Ends the export: nothing is left of it. */
  readonly signal?: AbortSignal
}

/** How often it is looked whether a node has applied an entry. */
const looksAfterMs = 20
/** Bytes of a snapshot that a node is asked for at a time. */
const partBytes = 1 << 20
/** So often an export begins again when a newer snapshot takes the place of the one that is being read. */
const attemptsMax = 5

export async function hashesOf(members: Members): Promise<Map<NodeId, HashAt>> {
  members.checkOpen()
  const hashes = new Map<NodeId, HashAt>()
  await Promise.all(
    members.nodeIds.map(async (nodeId) => {
      const hash = await members.ask(nodeId, (node) => node.hash())
      if (hash !== undefined) hashes.set(nodeId, hash)
    }),
  )
  return hashes
}

export async function takeHeartbeatLateness(members: Members): Promise<LatencyHistogram> {
  members.checkOpen()
  const all = new LatencyHistogram()
  for (const nodeId of members.nodeIds) {
    const lateness = await members.ask(nodeId, (node) => node.takeHeartbeatLateness())
    if (lateness !== undefined) all.add(lateness)
  }
  return all
}

/** Lets nodes take snapshots of all that they have applied. */
export async function takeSnapshots(
  members: Members,
  nodesOf: () => readonly NodeId[],
): Promise<SnapshotTaken[]> {
  const nodes = nodesOf()
  for (const nodeId of nodes) checkTakes(members, nodeId)
  return Promise.all(
    nodes.map(async (nodeId) => {
      const { index, term, size } = await takeSnapshot(members, nodeId)
      return { nodeId, index, term, size }
    }),
  )
}

/** The only node of a target. */
function onlyNode([nodeId = 0, ...others]: readonly NodeId[], target: Target): NodeId {
  if (others.length === 0) return nodeId
  throw new RaftError('INVALID_OPTION', { option: 'from', expected: 'one node', actual: quoted(target) })
}

/** Takes a snapshot of a node, and writes it to a file. */
export async function exportFrom(
  members: Members,
  nodesOf: (target: Target) => readonly NodeId[],
  file: string,
  machine: MachineId,
  options: ExportFromOptions,
): Promise<ExportHead & { readonly nodeId: NodeId }> {
  checkOptions('export', options, ['from', 'signal'])
  const path = pathOf('file', file)
  const { from = 'leader', signal } = options
  checkSignal(signal)
  const nodeId = onlyNode(nodesOf(from), from)
  for (let attempt = 1; ; attempt++) {
    const { size, ...ofSnapshot } = await takeSnapshot(members, nodeId)
    const facts = { createdAt: new Date().toISOString(), ...ofSnapshot, ...machine }
    try {
      const head = await writeExport(path, facts, partsOf(members, nodeId, { ...ofSnapshot, size }), signal)
      return { nodeId, ...head }
    } catch (error) {
      if (!(error instanceof Replaced)) throw error
      if (attempt === attemptsMax)
        throw unusable(file, `cannot be written: ${error.message} each time; raise logBytesMax, or ask again`)
    }
  }
}

/** A newer snapshot has taken the place of the one that was read. */
class Replaced extends Error {}

async function* partsOf(
  members: Members,
  nodeId: NodeId,
  { index, size }: Snapshot,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += partBytes) {
    const part = await members.ask(nodeId, (node) => node.readSnapshot(index, offset, partBytes))
    if (part === undefined)
      throw new Replaced(`a newer snapshot of node ${nodeId} took the place of that at entry ${index}`)
    yield part
  }
}

async function takeSnapshot(members: Members, nodeId: NodeId): Promise<Snapshot> {
  await untilApplied(members, nodeId)
  const snapshot = await members.ask(nodeId, (node) => node.takeSnapshot())
  if (snapshot !== undefined) return snapshot
  members.checkRuns(nodeId)
  throw pausedError(nodeId)
}

function pausedError(nodeId: NodeId): RaftError {
  return unfit(nodeId, 'the node is paused: resume it first')
}

/** Throws for a node that cannot take a snapshot: while its disk is stalled, the call would wait for the heal. */
function checkTakes(members: Members, nodeId: NodeId): void {
  members.checkRuns(nodeId)
  const types = members.faultsAt(nodeId).map(({ fault }) => fault.type)
  if (types.includes('pause')) throw pausedError(nodeId)
  if (types.includes('stallDisk')) throw unfit(nodeId, 'the disk of the node is stalled: heal it first')
}

/** A node that has applied nothing takes no snapshot. It may have just begun, and applies once it hears a leader. */
async function untilApplied(members: Members, nodeId: NodeId): Promise<void> {
  const { requestTimeoutMs } = members
  const time = new RunningTime()
  for (;;) {
    checkTakes(members, nodeId)
    if (members.status().some((node) => node.nodeId === nodeId && node.lastApplied > 0)) return
    if (time.now() > requestTimeoutMs) break
    await setTimeout(looksAfterMs)
    members.checkOpen()
  }
  throw unfit(nodeId, `the node applied no entry within ${requestTimeoutMs} ms: it hears no leader`)
}

function unfit(nodeId: NodeId, why: string): RaftError {
  return new RaftError('INVALID_FAULT', { what: `target ${nodeId}`, why })
}
