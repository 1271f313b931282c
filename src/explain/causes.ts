/** Causes of silence, and how much of it each of them explains: evidence is the time that a cause covers. */
import type { NodeId } from '../raft/index.js'
import type { FaultTold, Story } from '../telemetry/index.js'
import { coveredMsOf, overlaps, type Stretch, shareCovered } from './stretch.js'
import type { FaultStretch, Obstacle, Timeline } from './timeline.js'

export const causeTypes = [
  /** The story begins with the cluster: nobody has led before. */
  'clusterBegan',
  /** Somebody asked a node to start an election. */
  'asked',
  /** The leader handed over. */
  'transfer',
  /** The leader lost its vote, or was taken out of the cluster. */
  'removed',
  /** The leader learned of a later term, and nothing else that is kept accounts for the election. */
  'laterTerm',
  'killed',
  'failed',
  'paused',
  'link',
  'clock',
  'disk',
  /** The program that holds the cluster, and the nodes in it, stood still. */
  'hostBlocked',
  'threadStood',
  /** The story holds no evidence for any cause. */
  'unknown',
] as const

export type CauseType = (typeof causeTypes)[number]

/** The order of causes that explain the same: the first one is named. */
const order: readonly Candidate['type'][] = [
  'killed',
  'failed',
  'paused',
  'link',
  'clock',
  'disk',
  'hostBlocked',
  'threadStood',
  'gaveUp',
]

export interface Cause {
  readonly type: CauseType
  /** The node at which it was; of a link, the node that was not heard. */
  readonly nodeId: NodeId | undefined
  /** The node that did not hear, of a link; the one that was to lead, of `transfer`; the one that knew, of `laterTerm`. */
  readonly to: NodeId | undefined
  readonly faultId: number | undefined
  readonly faultType: string | undefined
  /** The line that a person would type for the fault. */
  readonly faultLine: string | undefined
  /** `undefined` where the story does not tell. */
  readonly sinceMs: number | undefined
  /** `undefined`: it stands still, or the story does not tell. */
  readonly untilMs: number | undefined
  /** Milliseconds that it stood: fewer than from `sinceMs` to `untilMs` where it came again and again. */
  readonly forMs: number | undefined
  /** The error's text, or why nothing is known. */
  readonly why: string | undefined
}

/** A cause, and the stretches of silence at one node that it explains. */
export interface Candidate {
  /** `gaveUp`: the leader itself ended its leadership, which has a cause of its own. */
  readonly type: CauseType | 'gaveUp'
  readonly nodeId: NodeId
  readonly to: NodeId | undefined
  readonly fault: FaultTold | undefined
  readonly why: string | undefined
  readonly stretches: readonly Stretch[]
}

/** The least share of a silence that explains it. */
export const shareMin = 0.5

export function noCause(type: CauseType, nodeId?: NodeId, why?: string): Cause {
  const nothing = { faultId: undefined, faultType: undefined, faultLine: undefined }
  const never = { sinceMs: undefined, untilMs: undefined, forMs: undefined }
  return { type, nodeId, to: undefined, ...nothing, ...never, why }
}

/** The silence that a fault has to bring about. */
export interface Need {
  readonly forMs: number
  /** Messages that have to pass one after the other, for the silence to end. */
  readonly inRow: number
}

function needOf({ electionTimeoutMs }: Story): Need {
  return { forMs: electionTimeoutMs, inRow: 1 }
}

/** All causes that can have kept `listener` from hearing `speaker` for so long, as far as the story tells. */
export function silencers(
  timeline: Timeline,
  speaker: NodeId,
  listener: NodeId,
  kinds: readonly string[],
  need = needOf(timeline.story),
): Candidate[] {
  const { obstacles, faults, story } = timeline
  const atNodes = obstacles
    .filter(({ type, nodeId }) => silencing.has(type) && (nodeId === speaker || nodeId === listener))
    .map((obstacle) => candidateOf(truerOf(obstacle, obstacles)))
  const onLink = faults
    .filter((stretch) => isOnWay(stretch, speaker, listener, kinds, story, need))
    .map((stretch) => ({ ...candidateOf(stretch), type: 'link' as const, nodeId: speaker, to: listener }))
  return [...atNodes, ...onLink, ...clocksOf(timeline, speaker, listener, kinds)]
}

const silencing: ReadonlySet<Obstacle['type']> = new Set(['killed', 'failed', 'paused', 'threadStood'])

export function candidateOf({ type, nodeId, fault, why, sinceMs, untilMs }: Obstacle): Candidate {
  const stretches = [{ sinceMs, untilMs }]
  return { type: type === 'fault' ? 'link' : type, nodeId, to: undefined, fault, why, stretches }
}

/** A thread that stands still tells no reason: a pause, its own disk or the whole program may have held it. */
function truerOf(obstacle: Obstacle, obstacles: readonly Obstacle[]): Obstacle {
  if (obstacle.type !== 'threadStood') return obstacle
  const holders = obstacles.filter(
    ({ type, nodeId }) =>
      (nodeId === obstacle.nodeId && (type === 'paused' || type === 'disk')) || type === 'hostBlocked',
  )
  return holders.find((holder) => shareCovered(obstacle, [holder]) >= shareMin) ?? obstacle
}

/** Candidates that are one and the same cause, taken together. */
function joined(candidates: readonly Candidate[]): Candidate[] {
  const byKey = new Map<string, Candidate>()
  for (const each of candidates) {
    const key = keyOf(each)
    const known = byKey.get(key)
    byKey.set(key, known ? { ...known, stretches: [...known.stretches, ...each.stretches] } : each)
  }
  return [...byKey.values()]
}

/** Names a cause whatever node it kept from hearing. */
function keyOf({ type, nodeId, fault }: Candidate): string {
  return fault === undefined ? `${type} ${nodeId}` : `fault ${fault.id}`
}

/** True when the fault can have kept all messages of these kinds from a node for so long. */
export function isOnWay(
  stretch: FaultStretch,
  from: NodeId,
  to: NodeId,
  kinds: readonly string[],
  story: Story,
  need = needOf(story),
): boolean {
  const { fault } = stretch
  if (fault.messages !== undefined && !kinds.includes(fault.messages)) return false
  if (!fault.ways.some((way) => way.from === from && way.to === to)) return false
  return silences(stretch, story, need)
}

function silences(
  { fault, sinceMs, untilMs }: FaultStretch,
  { heartbeatIntervalMs }: Story,
  { forMs, inRow }: Need,
): boolean {
  switch (fault.type) {
    case 'cut':
    case 'partition':
    case 'isolate':
      return true
    case 'throttle':
      return (fault.figures['waitMsMax'] ?? Number.POSITIVE_INFINITY) >= shareMin * forMs
    case 'delay': {
      const { delayMs = 0, jitterMs = 0 } = fault.figures
      return delayMs + jitterMs >= shareMin * forMs
    }
    case 'drop': {
      // The number of times that so many tries fail one after the other, while the fault stands.
      const { share = 1 } = fault.figures
      const failing = 1 - (1 - share) ** inRow
      const tries = Math.floor(forMs / heartbeatIntervalMs)
      // A lost message is sent again with the next heartbeat.
      if (tries === 0) return false
      const heartbeats = (Math.min(untilMs, sinceMs + 60_000) - sinceMs) / heartbeatIntervalMs
      return heartbeats * failing ** tries >= 0.05
    }
    default:
      return false
  }
}

/** Kinds of messages of which any lets a follower know that its leader lives. */
export const leaderKinds = ['appendEntries', 'heartbeat', 'installSnapshot']

/** Kinds of messages that carry what is to be committed. */
export const replicationKinds = ['appendEntries', 'installSnapshot']

/** Kinds of messages of which any lets a leader know that its follower lives. */
export const followerKinds = ['appendEntriesResponse', 'installSnapshotResponse']

/**
 * Clocks that run apart. A leader whose clock is too slow sends heartbeats too seldom, and a listener whose clock is too
 * fast waits too short. A clock that is set ahead or back runs on as before, so it silences nobody.
 */
function clocksOf(
  { obstacles, faults, story }: Timeline,
  speaker: NodeId,
  listener: NodeId,
  kinds: readonly string[],
): Candidate[] {
  const { electionTimeoutMs, heartbeatIntervalMs } = story
  // A follower answers when it is asked, whatever its clock says.
  const areTimed = kinds.includes('heartbeat')
  const late = obstacles.filter(({ type, nodeId }) => areTimed && type === 'clock' && nodeId === speaker)
  const skews = faults.flatMap((stretch): Candidate[] => {
    const { fault } = stretch
    const { drift = 0 } = fault.figures
    const isTooSlow = areTimed && drift < 0 && heartbeatIntervalMs / (1 + drift) >= electionTimeoutMs
    const isTooFast = drift > 0 && electionTimeoutMs / (1 + drift) <= 2 * heartbeatIntervalMs
    const nodeId = isTooSlow ? speaker : listener
    if (fault.type !== 'skew' || !(isTooSlow || isTooFast) || !fault.nodes.includes(nodeId)) return []
    return [{ ...candidateOf(stretch), type: 'clock', nodeId }]
  })
  return [...skews, ...late.map(candidateOf)]
}

/** A stretch of silence that has to be explained, and what may have kept somebody silent or deaf in it. */
export interface Silence {
  readonly window: Stretch
  readonly candidates: readonly Candidate[]
}

export interface Weighed {
  readonly candidate: Candidate
  /** The first of the silences that the candidate explains. */
  readonly window: Stretch
  weight: number
}

/** The candidates, best first: those that explain most of the silences, each by the time that it covers. */
export function weighed(silences: readonly Silence[]): Weighed[] {
  const found = new Map<string, Weighed>()
  for (const { window, candidates } of silences) {
    // A fault that was healed in part tells what was left of it in the window.
    const near = candidates.filter(({ stretches }) => stretches.some((each) => overlaps(each, window)))
    for (const candidate of joined(near)) {
      const share = shareCovered(window, candidate.stretches)
      if (share < shareMin) continue
      const known = found.get(keyOf(candidate))
      if (known !== undefined) known.weight += share
      else found.set(keyOf(candidate), { candidate, weight: share, window })
    }
  }
  // Weights that differ by a hair are equal: times of threads are not exact.
  const rounded = ({ weight }: Weighed): number => Math.round(weight * 10)
  const rank = ({ candidate }: Weighed): number => order.indexOf(candidate.type)
  return [...found.values()].sort((a, b) => rounded(b) - rounded(a) || rank(a) - rank(b))
}

export function causeOf({ candidate, window }: Weighed): Cause {
  const { type, nodeId, to, fault, why, stretches } = candidate
  const inWindow = stretches.filter((stretch) => overlaps(stretch, window))
  const sinceMs = Math.min(...inWindow.map((stretch) => stretch.sinceMs))
  const untilMs = Math.max(...inWindow.map((stretch) => stretch.untilMs))
  const isOver = untilMs !== Number.POSITIVE_INFINITY
  return {
    type: type === 'gaveUp' ? 'unknown' : type,
    nodeId,
    to,
    faultId: fault?.id,
    faultType: fault?.type,
    faultLine: fault?.line,
    sinceMs,
    untilMs: isOver ? untilMs : undefined,
    forMs: isOver ? coveredMsOf({ sinceMs, untilMs }, inWindow) : undefined,
    why,
  }
}
