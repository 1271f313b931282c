/** The story of a list, as a cluster on threads tells its own, so that it is drawn and explained alike: an act a millisecond. */
import type { NodeId } from '../raft/index.js'
import type { ClusterSize } from '../search/index.js'
import {
  allocateWaymarks,
  type Happened,
  type Happening,
  readWaymarks,
  type Story,
  type WaymarkMemory,
  Waymarks,
} from '../telemetry/index.js'
import type { Played } from './acts.js'

/** Rows for each node: more than a list of the longest kind has. */
const rows = 1 << 12

export function storyOf({ voters }: ClusterSize, played: readonly Played[]): Story {
  const memories = new Map<NodeId, { readonly memory: WaymarkMemory; readonly waymarks: Waymarks }>()
  const happened: Happened[] = []
  const tell = (nodeId: NodeId, atMs: number, happening: Happening): void => {
    happened.push({ ...happening, sequence: happened.length + 1, atMs, nodeId, cause: undefined })
  }
  const waymarksOf = (id: NodeId): Waymarks => {
    const known = memories.get(id)
    if (known !== undefined) return known.waymarks
    const memory = allocateWaymarks(rows, rows)
    const waymarks = new Waymarks(memory)
    memories.set(id, { memory, waymarks })
    return waymarks
  }
  for (let id = 1; id <= voters; id++) waymarksOf(id)
  for (const [at, { act, step, sent, events }] of played.entries()) {
    const atMs = at + 1
    const waymarks = waymarksOf(act.node)
    waymarks.isNow(atMs)
    if (step.step.type === 'deliver') waymarks.received(step.step.message)
    for (const message of sent) waymarks.sent(message)
    waymarks.turnEnded()
    if (act.deed.type === 'crash') {
      tell(act.node, atMs, { type: 'killed' })
      tell(act.node, atMs, { type: 'started', lastIndex: 0, snapshotIndex: 0 })
    }
    for (const event of events) tell(act.node, atMs, event)
  }
  return {
    nodeIds: [...memories.keys()].sort((one, other) => one - other),
    heartbeatIntervalMs: 1,
    electionTimeoutMs: 1,
    tickMs: 1,
    happened,
    ...readWaymarks([...memories].map(([id, { memory }]) => [id, memory])),
  }
}
