/** The lines of the feed: which of all that happened are shown, and which of them fit where the reader looks. */
import type { Question } from '../explain/index.js'
import { countOfLeading, type NodeId } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'

export const feedKinds = ['nodes', 'elections', 'delays', 'members', 'faults'] as const
export type FeedKind = (typeof feedKinds)[number]

const kindsOfTypes: Readonly<Record<Happened['type'], FeedKind>> = {
  started: 'nodes',
  killed: 'nodes',
  removed: 'nodes',
  failed: 'nodes',
  paused: 'nodes',
  resumed: 'nodes',
  missed: 'nodes',
  repeated: 'nodes',
  messageDropped: 'nodes',
  role: 'elections',
  voteAnswered: 'elections',
  heartbeatMissed: 'elections',
  leaseHeld: 'elections',
  leaseLost: 'elections',
  threadStood: 'delays',
  flushLate: 'delays',
  flushEnded: 'delays',
  commitLate: 'delays',
  commitEnded: 'delays',
  overloaded: 'delays',
  hostBlocked: 'delays',
  membership: 'members',
  transferBegan: 'members',
  transferEnded: 'members',
  snapshotSending: 'members',
  snapshotInstalling: 'members',
  faultBegan: 'faults',
  faultHealed: 'faults',
}

export interface FeedFilter {
  /** `undefined`: all nodes. */
  readonly nodeId: NodeId | undefined
  readonly hidden: ReadonlySet<FeedKind>
}

export function linesOf(happened: readonly Happened[], { nodeId, hidden }: FeedFilter): readonly Happened[] {
  if (nodeId === undefined && hidden.size === 0) return happened
  return happened.filter(
    (each) => (nodeId === undefined || concerns(each, nodeId)) && !hidden.has(kindOf(each)),
  )
}

export function kindOf({ type }: Happened): FeedKind {
  return kindsOfTypes[type]
}

/** A fault is told of no node. */
function concerns(told: Happened, nodeId: NodeId): boolean {
  if (told.nodeId === nodeId) return true
  return (told.type === 'faultBegan' || told.type === 'faultHealed') && told.fault.nodes.includes(nodeId)
}

/** Happenings that were lost before anybody read them, as the nodes told. */
export function lostIn(happened: readonly Happened[]): number {
  return happened.reduce((sum, told) => sum + (told.type === 'missed' ? told.count : 0), 0)
}

/** Finds a line by its sequence number: the first one that is not before it. */
export function placeOf(lines: readonly Happened[], sequence: number): number {
  return countOfLeading(lines.length, (at) => (lines[at]?.sequence ?? 0) < sequence)
}

export function lineWith(lines: readonly Happened[], sequence: number | undefined): Happened | undefined {
  if (sequence === undefined) return undefined
  const line = lines[placeOf(lines, sequence)]
  return line?.sequence === sequence ? line : undefined
}

/** The lines that are drawn: those that are seen, and some around them, so that a short scroll draws nothing anew. */
export function windowOf(
  count: number,
  scroll: { readonly topPx: number; readonly heightPx: number },
  linePx: number,
): readonly [from: number, to: number] {
  const first = Math.floor(scroll.topPx / linePx) - linesAround
  const last = Math.ceil((scroll.topPx + scroll.heightPx) / linePx) + linesAround
  const to = Math.min(count, Math.max(last, 0))
  return [Math.max(0, Math.min(first, to)), to]
}

const linesAround = 6

/** The places in the window, and the one that is kept wherever it is, in their order. */
export function placesDrawn(
  [from, to]: readonly [number, number],
  kept: number | undefined,
): readonly number[] {
  const places = Array.from({ length: to - from }, (_, at) => from + at)
  if (kept === undefined || (kept >= from && kept < to)) return places
  return kept < from ? [kept, ...places] : [...places, kept]
}

/** The cause of a line. A line of many more of a kind says itself which kind, so its cause is that of the first of them. */
export function causeOf(happened: readonly Happened[], told: Happened | undefined): Happened | undefined {
  const cause = lineWith(happened, told?.cause)
  return told?.type === 'repeated' ? lineWith(happened, cause?.cause) : cause
}

/** The causes of a happening, the nearest first, as far as they are known. */
export function causesOf(happened: readonly Happened[], of: Happened): readonly Happened[] {
  const causes: Happened[] = []
  let cause = lineWith(happened, of.cause)
  // A cause is always earlier than its effect.
  while (cause !== undefined && causes.length < causesMax) {
    causes.push(cause)
    cause = lineWith(happened, cause.cause)
  }
  return causes
}

const causesMax = 30

/** The direct effects of a happening. */
export function effectsOf(happened: readonly Happened[], of: Happened): readonly Happened[] {
  return happened.slice(placeOf(happened, of.sequence)).filter(({ cause }) => cause === of.sequence)
}

/** The question whose answer tells more about a happening. `undefined`: its causes tell all. */
export function questionAbout(told: Happened): Question | undefined {
  switch (told.type) {
    case 'role':
      if (told.role === 'follower') return undefined
      return { about: 'election', term: told.role === 'preCandidate' ? told.term + 1 : told.term }
    case 'voteAnswered':
      return { about: 'election', term: told.term }
    case 'commitEnded':
      return { about: 'index', index: told.index }
    case 'commitLate':
    case 'flushLate':
    case 'flushEnded':
    case 'overloaded':
    case 'hostBlocked':
      return { about: 'stall' }
    default:
      return undefined
  }
}

/** `explain election 3`. */
export function lineOfQuestion(question: Question): string {
  switch (question.about) {
    case 'election':
      return `explain election${question.term === undefined ? '' : ` ${question.term}`}`
    case 'index':
      return `explain index ${question.index}`
    default:
      return `explain ${question.about}`
  }
}
