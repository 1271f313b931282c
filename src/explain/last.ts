/** `explain last`: the last thing worth telling, and how things stand since. */
import type { NodeId } from '../raft/index.js'
import type { Happened, Story } from '../telemetry/index.js'
import { type Election, electionOf, lastStepOf, type Nothing } from './election.js'
import { type Stall, stallAfter, stallsSeen } from './stall.js'
import { holds, lengthOf } from './stretch.js'
import { type FaultStretch, type Timeline, timelineOf } from './timeline.js'

type Told<Type extends Happened['type']> = Extract<Happened, { type: Type }>

/** Happenings that may be worth telling besides elections. */
export type Trouble = Told<
  'killed' | 'failed' | 'paused' | 'faultBegan' | 'hostBlocked' | 'threadStood' | 'flushLate' | 'overloaded'
>

export interface Last {
  readonly type: 'last'
  readonly about: 'election' | 'trouble' | 'stall'
  readonly atMs: number
  readonly election: Election | undefined
  readonly trouble: Trouble | undefined
  /** The stall that goes on: no commit for longer than an election takes, although somebody waited. */
  readonly stall: Stall | undefined
  readonly leaderId: NodeId | undefined
  /** Nodes that do not run, or stand still. */
  readonly away: readonly NodeId[]
  readonly faults: readonly string[]
  /** Entries committed since. */
  readonly committedSince: number
}

export function explainLast(story: Story): Last | Nothing {
  const timeline = timelineOf(story)
  const { endedMs, reigns, obstacles, faults } = timeline
  const step = lastStepOf(timeline, undefined)
  const election = step && electionOf(timeline, step)
  const trouble = story.happened.filter((each) => isTrouble(each, story)).at(-1)
  const stall = stallNow(timeline)
  if (election === undefined && trouble === undefined) {
    return { type: 'nothing', why: 'nothing worth telling has happened in what is kept' }
  }
  const electionMs = election?.winnerId === undefined ? endedMs : election.atMs
  const isElection = election !== undefined && (trouble === undefined || electionMs >= trouble.atMs)
  const atMs = isElection ? election.atMs : (trouble?.atMs ?? endedMs)
  const about = stall !== undefined && !isElection ? 'stall' : isElection ? 'election' : 'trouble'
  const reign = reigns.at(-1)
  const away = obstacles.filter((each) => isAway(each) && holds(each, endedMs)).map(({ nodeId }) => nodeId)
  // A leader that is frozen leads nobody.
  const isLeading = reign?.untilMs === Number.POSITIVE_INFINITY && !away.includes(reign.nodeId)
  return {
    type: 'last',
    about,
    atMs,
    election,
    trouble: isElection ? undefined : trouble,
    stall,
    leaderId: isLeading ? reign.nodeId : undefined,
    away: [...new Set(away)],
    faults: faults.filter(isStanding).map(({ fault }) => fault.line),
    committedSince: committedSince(timeline, atMs),
  }
}

/** A fault that ended or froze a node is told of the node itself. */
function isStanding({ untilMs, fault }: FaultStretch): boolean {
  return untilMs === Number.POSITIVE_INFINITY && !['kill', 'losePower', 'pause'].includes(fault.type)
}

function isAway({ type }: { readonly type: string }): boolean {
  return type === 'killed' || type === 'failed' || type === 'paused'
}

/** A standstill of less than two heartbeats has harmed nobody, and one that has a cause is told by its cause. */
function isTrouble(each: Happened, { heartbeatIntervalMs }: Story): each is Happened & Trouble {
  switch (each.type) {
    case 'hostBlocked':
    case 'threadStood':
      return each.cause === undefined && each.forMs >= 2 * heartbeatIntervalMs
    case 'killed':
      return each.isOnPurpose !== true
    case 'failed':
    case 'paused':
    case 'faultBegan':
    case 'flushLate':
    case 'overloaded':
      return true
    default:
      return false
  }
}

/** The stall in which the story ends, when it is longer than an election takes. */
function stallNow(timeline: Timeline): Stall | undefined {
  if (timeline.commits.length === 0) return undefined
  const stall = stallAfter(stallsSeen(timeline), timeline.commits.length - 1)
  const isLong = lengthOf(stall) >= 2 * timeline.story.electionTimeoutMs
  return isLong && stall.reason !== 'noLoad' ? stall : undefined
}

function committedSince({ commits }: Timeline, atMs: number): number {
  const before = commits.findLast((each) => each.atMs <= atMs)?.index ?? 0
  return Math.max(0, (commits.at(-1)?.index ?? 0) - before)
}
