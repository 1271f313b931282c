/**
 * A story in stretches of time: which node was down, stood still or led from when to when, and which faults stood.
 * All explanations and the picture read the timeline.
 */
import type { LogIndex, NodeId, Term } from '../raft/index.js'
import { type FaultTold, type Happened, nodesOf, type Stage, type Story } from '../telemetry/index.js'
import { lengthOf, type Stretch, shareCovered } from './stretch.js'

/** An event or a fault that kept a node, a disk, a link or the program from its work for a while. */
export interface Obstacle extends Stretch {
  readonly type: 'killed' | 'failed' | 'paused' | 'clock' | 'threadStood' | 'disk' | 'hostBlocked' | 'fault'
  /** 0 for what is of no node. */
  readonly nodeId: NodeId
  /** The fault itself, or the one that brought the obstacle about. */
  readonly fault: FaultTold | undefined
  /** The error's text, of `failed`. */
  readonly why: string | undefined
}

export type FaultStretch = Obstacle & { readonly type: 'fault'; readonly fault: FaultTold }

export type RoleChange = Extract<Happened, { type: 'role' }>

/** A pre-candidate asks about the term after its own. */
export function electionTermOf({ role, term }: RoleChange): Term {
  return role === 'preCandidate' ? term + 1 : term
}

/** The end of a node's leadership. `undefined`: it goes on. */
export type ReignEnd =
  | 'killed'
  | 'failed'
  | 'quorumLost'
  | 'diskStalled'
  | 'higherTerm'
  | 'removed'
  | undefined

/** The leadership of a node in a term. `sinceMs` is `-Infinity` when the story begins later. */
export interface Reign extends Stretch {
  readonly nodeId: NodeId
  readonly term: Term
  readonly end: ReignEnd
  /** Milliseconds without a majority, or without a finished write, after which the leader gave up. */
  readonly elapsedMs: number | undefined
}

export interface Timeline {
  readonly story: Story
  /** The first and the last moment of which the story tells. */
  readonly beganMs: number
  readonly endedMs: number
  /** True when the story tells of the cluster's first moment. */
  readonly isWhole: boolean
  readonly obstacles: readonly Obstacle[]
  readonly faults: readonly FaultStretch[]
  /** In the order of their terms. */
  readonly reigns: readonly Reign[]
  readonly roleChanges: readonly RoleChange[]
  readonly commits: readonly Advance[]
  readonly answers: readonly Advance[]
  /** Entries with which leaders opened their terms: no client asked for them. */
  readonly openings: ReadonlySet<LogIndex>
}

/** More was committed, or answered, than ever before. */
export interface Advance {
  readonly atMs: number
  readonly index: LogIndex
}

export function timelineOf(story: Story): Timeline {
  const happened = [...story.happened].sort((a, b) => a.sequence - b.sequence)
  const ordered = { ...story, happened }
  const [beganMs, endedMs] = boundsOf(story)
  const faults = faultsIn(happened, beganMs)
  const obstacles = [...obstaclesIn(happened, faults, story.tickMs), ...faults]
  const roleChanges = happened.filter((each) => each.type === 'role')
  const reigns = reignsIn(happened, story.tickMs)
  const isWhole = happened[0] === undefined || happened[0].sequence <= 1
  const [commits, answers] = [advancesOf(story, 'committed'), advancesOf(story, 'answered')]
  return {
    story: ordered,
    beganMs,
    endedMs,
    isWhole,
    obstacles,
    faults,
    reigns,
    roleChanges,
    commits,
    answers,
    openings: openingsIn(story, roleChanges),
  }
}

/** A leader's first entry is its own, and comes in the turn in which it wins. */
function openingsIn({ passed }: Story, roleChanges: readonly RoleChange[]): ReadonlySet<LogIndex> {
  const openings = new Set<LogIndex>()
  for (const { nodeId, role, atMs } of roleChanges) {
    if (role !== 'leader') continue
    const first = passed.find(
      (row) => row.nodeId === nodeId && row.stage === 'appended' && row.atMs >= atMs - 1,
    )
    if (first !== undefined && first.atMs <= atMs + 1) openings.add(first.index)
  }
  return openings
}

function advancesOf({ passed }: Story, stage: Stage): Advance[] {
  const rows = passed.filter((row) => row.stage === stage).sort((a, b) => a.atMs - b.atMs)
  const advances: Advance[] = []
  for (const { atMs, index } of rows) {
    if (index > (advances.at(-1)?.index ?? 0)) advances.push({ atMs, index })
  }
  return advances
}

/** The first and the last moment of which a story tells. */
export function boundsOf({ happened, passed, carried, askedMs }: Story): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, askedMs ?? Number.NEGATIVE_INFINITY]
  for (const rows of [happened, passed, carried]) {
    for (const { atMs } of rows) {
      if (atMs < least) least = atMs
      if (atMs > most) most = atMs
    }
  }
  return least > most ? [0, 0] : [least, most]
}

/**
 * A fault whose begin is no longer kept stands from the begin of the story on. From when a fault is healed at some of its
 * nodes, or some are removed, a stretch of its own tells what is left of it.
 */
function faultsIn(happened: readonly Happened[], beganMs: number): FaultStretch[] {
  const begun = new Map<number, FaultTold>()
  const open = new Map<number, FaultStretch>()
  const found: FaultStretch[] = []
  const stretch = (fault: FaultTold, sinceMs: number, untilMs: number): FaultStretch => {
    return { type: 'fault', nodeId: 0, why: undefined, fault, sinceMs, untilMs }
  }
  const ends = (standing: FaultStretch, gone: readonly NodeId[], atMs: number): void => {
    const { fault, sinceMs } = standing
    found.push(stretch(fault, sinceMs, atMs))
    const left = leftOf(fault, gone, begun.get(fault.id) ?? fault)
    if (left.nodes.length === 0) open.delete(fault.id)
    else open.set(fault.id, stretch(left, atMs, Number.POSITIVE_INFINITY))
  }
  for (const each of happened) {
    if (each.type === 'faultBegan') {
      begun.set(each.fault.id, each.fault)
      open.set(each.fault.id, stretch(each.fault, each.atMs, Number.POSITIVE_INFINITY))
    } else if (each.type === 'faultHealed') {
      const standing = open.get(each.fault.id)
      if (standing !== undefined) ends(standing, each.fault.nodes, each.atMs)
      else if (!begun.has(each.fault.id)) found.push(stretch(each.fault, beganMs, each.atMs))
    } else if (each.type === 'removed') {
      for (const standing of open.values())
        if (standing.fault.nodes.includes(each.nodeId)) ends(standing, [each.nodeId], each.atMs)
    }
  }
  return [...found, ...open.values()].sort((a, b) => a.sinceMs - b.sinceMs)
}

/** The rest of a fault without these nodes. Its line is the one that was typed, and names the nodes that it lost. */
function leftOf(fault: FaultTold, gone: readonly NodeId[], begun: FaultTold): FaultTold {
  const stays = (end: NodeId | 'clients'): boolean => end === 'clients' || !gone.includes(end)
  const nodes = fault.nodes.filter(stays)
  const ways = fault.ways.filter(({ from, to }) => stays(from) && stays(to))
  const lost = begun.nodes.filter((nodeId) => !nodes.includes(nodeId))
  return { ...fault, nodes, ways, line: `${begun.line}, without ${nodesOf(lost)}` }
}

type Told<Type extends Happened['type']> = Extract<Happened, { type: Type }>

/** Obstacles that stand until another happening ends them, by the type of the happening with which they begin. */
const endOf = {
  killed: { type: 'killed', ends: ['started', 'removed'] },
  failed: { type: 'failed', ends: ['started', 'removed'] },
  paused: { type: 'paused', ends: ['resumed', 'killed', 'failed', 'removed'] },
  flushLate: { type: 'disk', ends: ['flushEnded', 'killed', 'failed', 'removed'] },
} as const

function obstaclesIn(
  happened: readonly Happened[],
  faults: readonly FaultStretch[],
  tickMs: number,
): Obstacle[] {
  const found: Obstacle[] = []
  for (const [at, each] of happened.entries()) {
    const { atMs, nodeId } = each
    if (each.type === 'threadStood' || each.type === 'hostBlocked') {
      const stretch = { sinceMs: atMs - each.forMs, untilMs: atMs }
      const fault = each.type === 'threadStood' ? slowClockBehind(nodeId, stretch, faults, tickMs) : undefined
      const type = fault === undefined ? each.type : 'clock'
      found.push({ type, nodeId, ...stretch, fault, why: undefined })
    } else if (each.type in endOf) {
      const told = each as Told<keyof typeof endOf>
      const { type, ends } = endOf[told.type]
      const isEnd = (later: Happened): boolean =>
        later.nodeId === nodeId && (ends as readonly string[]).includes(later.type)
      const untilMs = happened.slice(at + 1).find(isEnd)?.atMs ?? Number.POSITIVE_INFINITY
      const sinceMs = told.type === 'flushLate' ? atMs - told.sinceMs : atMs
      const why = told.type === 'failed' ? told.why : undefined
      found.push({ type, nodeId, sinceMs, untilMs, fault: faultBehind(each, happened, faults), why })
    }
  }
  return found
}

/** The least share of a standstill for which a skew has to stand, and that it has to make, to be its cause. */
const skewShareMin = 0.5

/**
 * The skew by which the ticks of a node came so late. A node tells a standstill of its thread by its ticks, which a clock
 * that runs too slow delays while the thread goes on.
 */
function slowClockBehind(
  nodeId: NodeId,
  late: Stretch,
  faults: readonly FaultStretch[],
  tickMs: number,
): FaultTold | undefined {
  const skews = faults.filter(
    (each) =>
      each.fault.type === 'skew' &&
      each.fault.nodes.includes(nodeId) &&
      shareCovered(late, [each]) >= skewShareMin,
  )
  const drift = skews.reduce((sum, { fault }) => sum + (fault.figures['drift'] ?? 0), 0)
  if (tickMs / (1 + drift) - tickMs < skewShareMin * lengthOf(late)) return undefined
  return skews.findLast(({ fault }) => (fault.figures['drift'] ?? 0) < 0)?.fault
}

/** The types of faults that bring about each happening at their nodes. */
const broughtAboutBy: Readonly<Record<string, readonly string[]>> = {
  killed: ['kill', 'losePower'],
  failed: ['failDisk', 'fullDisk'],
  paused: ['pause'],
  flushLate: ['stallDisk', 'slowDisk'],
}

/** The fault that brought a happening about: the cause that the story names, or one of the right kind at the node. */
function faultBehind(
  each: Happened,
  happened: readonly Happened[],
  faults: readonly FaultStretch[],
): FaultTold | undefined {
  const named = happened.find(({ sequence }) => sequence === each.cause)
  if (named?.type === 'faultBegan') return named.fault
  const types = broughtAboutBy[each.type] ?? []
  return faults.findLast(
    ({ fault, sinceMs, untilMs }) =>
      types.includes(fault.type) &&
      (each.type !== 'flushLate' || holdsDisk(fault, each.sinceMs)) &&
      fault.nodes.includes(each.nodeId) &&
      sinceMs <= each.atMs + 1 &&
      each.atMs <= untilMs,
  )?.fault
}

/** True when the fault of a disk can be why a write took so long. */
export function holdsDisk({ type, figures: { flushMs = 0 } }: FaultTold, tookMs: number): boolean {
  return type === 'stallDisk' || (type === 'slowDisk' && flushMs >= tookMs / 2)
}

function reignsIn(happened: readonly Happened[], tickMs: number): Reign[] {
  const reigns: Reign[] = []
  for (const [at, each] of happened.entries()) {
    if (each.type !== 'role' || each.leaderId === undefined) continue
    const { term, leaderId: nodeId } = each
    // The first who tells of a leader may be one of its followers, when the story begins later than the leader.
    if (reigns.some((reign) => reign.term === term)) continue
    const sinceMs = each.role === 'leader' ? each.atMs : Number.NEGATIVE_INFINITY
    const end = happened.slice(at + 1).find((later) => later.nodeId === nodeId && endsReign(later))
    reigns.push({
      nodeId,
      term,
      sinceMs,
      untilMs: end?.atMs ?? Number.POSITIVE_INFINITY,
      end: reasonOf(end),
      elapsedMs: end !== undefined && 'elapsedTicks' in end ? end.elapsedTicks * tickMs : undefined,
    })
  }
  return reigns.sort((a, b) => a.term - b.term)
}

function endsReign(each: Happened): boolean {
  if (each.type === 'role') return each.role !== 'leader'
  return each.type === 'killed' || each.type === 'failed' || each.type === 'removed'
}

function reasonOf(end: Happened | undefined): ReignEnd {
  if (end?.type === 'killed' || end?.type === 'failed' || end?.type === 'removed') return end.type
  if (end?.type !== 'role') return undefined
  const isOwn = end.reason === 'quorumLost' || end.reason === 'diskStalled' || end.reason === 'removed'
  return isOwn ? end.reason : 'higherTerm'
}
