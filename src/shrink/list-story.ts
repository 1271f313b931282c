/** The story of a list, as a cluster on threads tells its own, so that it is drawn and explained alike: an act a millisecond. */
import type { Message, NodeId } from '../raft/index.js'
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
import type { WholePlayed } from './whole-scene.js'

/** An act as far as its story needs it. */
interface Scene {
  /** The message that a node took. */
  readonly taken: Message | undefined
  readonly sent: readonly Message[]
  readonly happened: readonly (readonly [NodeId, Happening])[]
}

/** Rows for each node: more than a list of the longest kind has. */
const rows = 1 << 12

export function storyOf(nodes: number, played: readonly Played[]): Story {
  return storyOfScenes(
    nodes,
    played.map(({ act: { node, deed }, step: { step }, sent, events }) => {
      const crashed: Happening[] =
        deed.type === 'crash' ? [{ type: 'killed' }, { type: 'started', lastIndex: 0, snapshotIndex: 0 }] : []
      const taken = step.type === 'deliver' ? step.message : undefined
      return { taken, sent, happened: [...crashed, ...events].map((happening) => [node, happening]) }
    }),
  )
}

export function storyOfWhole(nodes: number, played: readonly WholePlayed[]): Story {
  return storyOfScenes(
    nodes,
    played.map(({ taken, sent, happened }) => {
      return { taken, sent, happened: happened.map((event) => [event.nodeId, event]) }
    }),
  )
}

function storyOfScenes(nodes: number, scenes: readonly Scene[]): Story {
  const memories = new Map<NodeId, { readonly memory: WaymarkMemory; readonly waymarks: Waymarks }>()
  const happened: Happened[] = []
  const waymarksOf = (id: NodeId): Waymarks => {
    const known = memories.get(id)
    if (known !== undefined) return known.waymarks
    const memory = allocateWaymarks(rows, rows)
    const waymarks = new Waymarks(memory)
    memories.set(id, { memory, waymarks })
    return waymarks
  }
  for (let id = 1; id <= nodes; id++) waymarksOf(id)
  for (const [at, { taken, sent, happened: told }] of scenes.entries()) {
    const atMs = at + 1
    for (const { waymarks } of memories.values()) waymarks.isNow(atMs)
    if (taken !== undefined) waymarksOf(taken.to).received(taken)
    for (const message of sent) waymarksOf(message.from).sent(message)
    for (const { waymarks } of memories.values()) waymarks.turnEnded()
    for (const [nodeId, happening] of told)
      happened.push({ ...happening, sequence: happened.length + 1, atMs, nodeId, cause: undefined })
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
