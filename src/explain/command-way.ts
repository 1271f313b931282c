/** `explain index N`: the way of one command across all nodes, and which part of it took longest. */
import type { LogIndex, NodeId, Term } from '../raft/index.js'
import type { Stage, Story } from '../telemetry/index.js'
import type { Nothing } from './election.js'
import { passingsOf, type Step } from './passings.js'
import { isMajority, membershipAt } from './voters.js'

/** A part of the way, from one step to the next. */
export interface Part {
  readonly from: Step
  readonly to: Step
  readonly tookMs: number
}

export interface CommandWay {
  readonly type: 'command'
  readonly index: LogIndex
  /** The leader that took the command from its client. `undefined`: the story does not tell. */
  readonly leaderId: NodeId | undefined
  readonly isCommitted: boolean
  /** The leader opened its term with it: no client gave it, and none awaits it. */
  readonly isOpening: boolean
  /** On all nodes, in the order of time. */
  readonly steps: readonly Step[]
  /**
   * The node whose disk made the majority: a follower, or the leader itself. `undefined`: nothing yet, or a later leader
   * committed it, or the story does not tell.
   */
  readonly decidedBy: NodeId | undefined
  /** The leader of a later term that committed it, where the leader that took it was deposed before. */
  readonly committedBy: { readonly nodeId: NodeId; readonly term: Term } | undefined
  /**
   * The parts on the way to the answer, that over the deciding follower among them. Empty where its begin is not kept, and
   * where a later leader committed it.
   */
  readonly parts: readonly Part[]
  readonly slowest: Part | undefined
  /** Leaders that had another command at this index before, which no majority held. */
  readonly lostAt: readonly NodeId[]
}

export function explainIndex(story: Story, index: LogIndex): CommandWay | Nothing {
  const passings = passingsOf(story, index)
  if (!passings.some(({ stage }) => stage !== 'committed'))
    return { type: 'nothing', why: whyNone(story, index) }
  const committedMs = passings.find(({ stage }) => stage === 'committed')?.atMs
  const appendings = appendingsIn(passings).filter(
    ({ atMs }) => atMs <= (committedMs ?? Number.POSITIVE_INFINITY),
  )
  const leaderId = appendings.at(-1)?.nodeId ?? passings.find(({ stage }) => stage === 'received')?.peer
  // Rows from before the command was in any log belong to another one at the same index.
  const begunMs = appendings.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
  const isOpening = opensTerm(story, index, appendings.at(-1))
  const own = passings.filter(({ atMs, stage }) => atMs >= begunMs && !(isOpening && stage === 'answered'))
  const steps = stepsOf(own, { leaderId, committedMs: committedMs ?? Number.POSITIVE_INFINITY })
  const committedBy = laterLeaderOf(story, steps, appendings.at(-1))
  const { decidedBy, parts } =
    committedBy === undefined ? partsOf(story, steps, leaderId) : { decidedBy: undefined, parts: [] }
  const [slowest] = [...parts].sort((a, b) => b.tookMs - a.tookMs)
  return {
    type: 'command',
    index,
    leaderId,
    isCommitted: committedMs !== undefined,
    isOpening,
    steps,
    decidedBy,
    committedBy,
    parts,
    slowest,
    lostAt: appendings.slice(0, -1).map(({ nodeId }) => nodeId),
  }
}

function whyNone({ passed }: Story, index: LogIndex): string {
  const most = passed.reduce((sofar, row) => Math.max(sofar, row.index), 0)
  if (most === 0) return 'what is kept tells of no command'
  if (index > most) return `no node has come to index ${index} yet; the last one is ${most}`
  const kept = passed.filter(({ stage }) => stage !== 'committed')
  const least = kept.reduce((sofar, row) => Math.min(sofar, row.index), Number.POSITIVE_INFINITY)
  const range = least < index ? 'the way of a later one may be' : `what is kept begins at index ${least}`
  return `the way of index ${index} is no longer kept; ${range}`
}

/** A node that has the command from a leader does not append it: its first entry as leader comes after it. */
function appendingsIn(passings: readonly Step[]): Step[] {
  return passings.filter(({ stage, nodeId, atMs }) => {
    if (stage !== 'appended') return false
    const earlier = passings.filter((each) => each.nodeId === nodeId && each.atMs < atMs)
    return !earlier.some((each) => each.stage === 'received')
  })
}

/** A leader's first entry is its own, and comes in the turn in which it wins. */
function opensTerm({ happened, passed }: Story, index: LogIndex, appended: Step | undefined): boolean {
  if (appended === undefined) return false
  const { nodeId, atMs } = appended
  const won = happened.findLast(
    (each) =>
      each.type === 'role' && each.role === 'leader' && each.nodeId === nodeId && each.atMs <= atMs + 1,
  )
  if (won === undefined) return false
  const first = passed.find(
    (row) => row.nodeId === nodeId && row.stage === 'appended' && row.atMs >= won.atMs - 1,
  )
  return first?.index === index
}

interface Way {
  readonly leaderId: NodeId | undefined
  readonly committedMs: number
}

/** The one of the passings of each kind that belongs to the command which was committed in the end. */
function stepsOf(passings: readonly Step[], { leaderId, committedMs }: Way): Step[] {
  const ofLeader: ReadonlySet<Stage> = new Set(['appended', 'answered'])
  const kinds = new Map<string, Step[]>()
  for (const step of passings) {
    const { nodeId, stage, peer } = step
    if (leaderId !== undefined && ofLeader.has(stage) && nodeId !== leaderId) continue
    const key = `${nodeId} ${stage} ${peer}`
    kinds.set(key, [...(kinds.get(key) ?? []), step])
  }
  const chosen = [...kinds.values()].flatMap((steps) => {
    const isFinal = steps[0]?.stage === 'committed' || steps[0]?.stage === 'applied'
    const before = isFinal ? undefined : steps.findLast(({ atMs }) => atMs <= committedMs)
    return before ?? steps[0] ?? []
  })
  return chosen.sort((a, b) => a.atMs - b.atMs)
}

/** The leader that committed the command, where the one that took it was deposed before. */
function laterLeaderOf(
  { happened }: Story,
  steps: readonly Step[],
  appended: Step | undefined,
): CommandWay['committedBy'] {
  if (appended === undefined) return undefined
  const took = happened.findLast(
    (each) =>
      each.type === 'role' &&
      each.role === 'leader' &&
      each.nodeId === appended.nodeId &&
      each.atMs <= appended.atMs + 1,
  )
  for (const { stage, nodeId, atMs } of steps) {
    if (stage !== 'committed') continue
    const last = happened.findLast(
      (each) =>
        (each.type === 'role' || each.type === 'started') && each.nodeId === nodeId && each.atMs <= atMs,
    )
    // A follower learns from its leader what is committed.
    if (last?.type !== 'role' || last.role !== 'leader') continue
    return last === took ? undefined : { nodeId, term: last.term }
  }
  return undefined
}

/** The promise with which the copies of voters became a majority. The copy of a learner does not count. */
function decidingPromise(
  story: Story,
  steps: readonly Step[],
  committed: Step | undefined,
): Step | undefined {
  if (committed === undefined) return undefined
  const membership = membershipAt(story, committed)
  const holders: NodeId[] = []
  return steps.find(({ nodeId, stage, peer = nodeId, atMs }) => {
    if (nodeId !== committed.nodeId || atMs > committed.atMs) return false
    if (stage !== 'acknowledged' && stage !== 'flushed') return false
    holders.push(peer)
    return isMajority(membership, holders)
  })
}

/** The steps one after the other, over the disk that made the majority. */
function partsOf(
  story: Story,
  steps: readonly Step[],
  leaderId: NodeId | undefined,
): Pick<CommandWay, 'decidedBy' | 'parts'> {
  const at = (nodeId: NodeId | undefined, stage: Stage, peer?: NodeId): Step | undefined =>
    steps.find((step) => step.nodeId === nodeId && step.stage === stage && step.peer === peer)
  const appended = at(leaderId, 'appended')
  // The rest of the way alone would name a quick part as the slowest.
  if (appended === undefined) return { decidedBy: undefined, parts: [] }
  const committed = at(leaderId, 'committed')
  const promise = decidingPromise(story, steps, committed)
  const over = promise?.peer
  const toMajority =
    over === undefined
      ? [committed === undefined ? at(leaderId, 'flushed') : promise]
      : [at(leaderId, 'sent', over), at(over, 'received', leaderId), at(over, 'flushed'), promise]
  const way = [appended, ...toMajority, committed, at(leaderId, 'applied'), at(leaderId, 'answered')]
  const known = way.filter((step) => step !== undefined)
  const parts = known.slice(1).map((to, place): Part => {
    const from = known[place] ?? to
    return { from, to, tookMs: to.atMs - from.atMs }
  })
  return { decidedBy: promise && (over ?? leaderId), parts }
}
