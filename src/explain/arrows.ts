/** Messages of a story, each from its sending to its arrival. */
import type { NodeId } from '../raft/index.js'
import { type Carried, replicates } from '../telemetry/index.js'
import { overlaps, type Stretch } from './stretch.js'
import type { Timeline } from './timeline.js'

export interface Arrow {
  readonly from: NodeId
  readonly to: NodeId
  readonly type: Carried['type']
  readonly term: number
  readonly mark: number
  readonly isYes: boolean | undefined
  readonly sentMs: number
  /** `undefined`: nobody took it, as far as the story tells. */
  readonly takenMs: number | undefined
  /** True when nobody took it, although all messages that its receiver took then are kept. */
  readonly isLost: boolean
}

/** The messages that were on their way in the window, in the order in which they were sent. */
export function arrowsIn(timeline: Timeline, window: Stretch): Arrow[] {
  const { story } = timeline
  const rows = [...story.carried].sort((a, b) => a.atMs - b.atMs)
  const keptSince = keptSinceOf(rows)
  const taken = new Map<string, number[]>()
  for (const row of rows) {
    if (row.direction !== 'received') continue
    const key = keyOf(row, row.peer, row.nodeId)
    const times = taken.get(key)
    if (times === undefined) taken.set(key, [row.atMs])
    else times.push(row.atMs)
  }
  const arrows: Arrow[] = []
  for (const row of rows) {
    if (row.direction !== 'sent') continue
    const { nodeId: from, peer: to, type, term, mark, isYes, atMs: sentMs } = row
    const times = taken.get(keyOf(row, from, to))
    // A message that was taken before this one was sent is an earlier one with the same marks.
    while (times?.[0] !== undefined && times[0] < sentMs - 1) times.shift()
    const takenMs = times?.shift()
    const isKept = (keptSince.get(kindOf(to, type)) ?? Number.POSITIVE_INFINITY) <= sentMs
    const isLost = takenMs === undefined && isKept && sentMs < waitSince(timeline, to)
    const way = { sinceMs: sentMs, untilMs: takenMs ?? sentMs }
    if (overlaps(way, window)) arrows.push({ from, to, type, term, mark, isYes, sentMs, takenMs, isLost })
  }
  return arrows
}

function keyOf({ type, term, mark, isYes }: Carried, from: NodeId, to: NodeId): string {
  return `${from} ${to} ${type} ${term} ${mark} ${isYes}`
}

/** The time from which messages may still wait to be taken: the story ends soon, or the node is frozen at its end. */
function waitSince({ story, obstacles, endedMs }: Timeline, to: NodeId): number {
  const frozen = obstacles.find(
    ({ type, nodeId, untilMs }) => type === 'paused' && nodeId === to && untilMs > endedMs,
  )
  return frozen?.sinceMs ?? endedMs - 2 * story.heartbeatIntervalMs
}

/** The time from which rows are kept, for each node and kind of rows. */
function keptSinceOf(rows: readonly Carried[]): Map<string, number> {
  const since = new Map<string, number>()
  for (const { nodeId, type, atMs } of rows) {
    const kind = kindOf(nodeId, type)
    if (!since.has(kind)) since.set(kind, atMs)
  }
  return since
}

function kindOf(nodeId: NodeId, type: Carried['type']): string {
  return `${nodeId} ${replicates(type)}`
}

/** The weight of a message: the most telling ones are drawn last, and are labelled first. */
export function weightOf({ type, isLost }: Arrow): number {
  const weight = type.startsWith('heartbeat') ? 0 : type.startsWith('append') ? 1 : 2
  return isLost && weight === 0 ? 0.5 : weight
}

const arrowsMax = 1500

/** The messages that a picture can hold, and the number of those left out: heartbeats first, and then replication. */
export function thinned(arrows: readonly Arrow[]): {
  readonly drawn: readonly Arrow[]
  readonly leftOut: number
} {
  if (arrows.length <= arrowsMax) return { drawn: arrows, leftOut: 0 }
  const byWeight = [...arrows].sort((a, b) => weightOf(b) - weightOf(a))
  const kept = new Set(byWeight.slice(0, arrowsMax))
  return { drawn: arrows.filter((arrow) => kept.has(arrow)), leftOut: arrows.length - arrowsMax }
}

/** A message in a few letters, as the paper names it. */
export function nameOf({ type, isYes }: Arrow): string {
  const name = type.replace(/Response$/, '')
  const paper = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  if (!type.endsWith('Response')) return paper
  if (isYes === undefined) return `${paper} answered`
  return type.includes('Vote') ? (isYes ? 'yes' : 'no') : isYes ? 'ok' : 'refused'
}
