/** The reason why a fault cannot be begun: every host finds it in the same way, before anything has changed. */
import { quoted, RaftError } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import { type ClockBounds, type Skew, whySkewsBreakLease } from './clock-bounds.js'
import { lineOf } from './describe.js'
import { type Fault, isLinkFault, messageKinds, type StandingFault, type Way } from './fault.js'
import { standingFaultsMax } from './standing.js'

const figureNames = [
  'delayMs',
  'jitterMs',
  'share',
  'bytesPerSecond',
  'flushMs',
  'bytesLeft',
  'offsetMs',
  'drift',
] as const

/** By how much of itself a clock may be slow at most. */
const slowestDrift = 0.99

export interface FaultSurroundings {
  readonly nodeIds: readonly NodeId[]
  /** True for a node that runs or is paused, and so can be broken. */
  isUp(nodeId: NodeId): boolean
  readonly standing: readonly StandingFault[]
  /** `undefined`: no read rests on a lease, so that clocks may be set at will. */
  readonly clockBounds: ClockBounds | undefined
}

/** Throws a `RaftError` of one clear line when the fault cannot be begun here and now. */
export function checkFault(fault: Fault, surroundings: FaultSurroundings): void {
  checkTypes(fault)
  const why = whyNot(fault, surroundings)
  if (why === undefined) return
  throw new RaftError('INVALID_FAULT', { what: lineOf(fault, surroundings.nodeIds), why })
}

/** A value of another type has no words in the line of its fault, and would be counted with all the same. */
function checkTypes(fault: Fault): void {
  const values = new Map<string, unknown>(Object.entries(fault))
  for (const name of figureNames) {
    const value = values.get(name)
    if (value !== undefined && typeof value !== 'number')
      throw new RaftError('INVALID_FAULT', { what: `${name} ${quoted(value)}`, why: `${name} is a number` })
  }
  const messages = values.get('messages')
  if (messages === undefined || (messageKinds as unknown[]).includes(messages)) return
  const why = `a kind of message is one of ${messageKinds.join(', ')}`
  throw new RaftError('INVALID_FAULT', { what: `messages ${quoted(messages)}`, why })
}

function whyNot(fault: Fault, surroundings: FaultSurroundings): string | undefined {
  if (surroundings.standing.length >= standingFaultsMax)
    return `${standingFaultsMax} faults stand already, and no more may: heal some`
  const wrong = wrongFigure(fault)
  if (wrong !== undefined) return wrong
  if (fault.type === 'partition') return whyNotPartition(fault.groups, surroundings)
  if (isLinkFault(fault) && fault.type !== 'isolate') return whyNotWays(fault.ways, fault, surroundings)
  return whyNotNodes(fault.nodes, fault, surroundings)
}

function whyNotPartition(groups: readonly (readonly NodeId[])[], { nodeIds }: FaultSurroundings) {
  const named = groups.flat()
  if (groups.filter((group) => group.length > 0).length < 2) return 'at least two groups are parted'
  const twice = named.find((nodeId, at) => named.indexOf(nodeId) !== at)
  if (twice !== undefined) return `it names node ${twice} twice`
  return whyUnknown(named, nodeIds)
}

function whyNotWays(ways: readonly Way[], fault: Fault, { nodeIds }: FaultSurroundings): string | undefined {
  if (ways.length === 0 || ways.some(({ from, to }) => from === to)) return 'a link has two different ends'
  const ends = ways.flatMap(({ from, to }) => [from, to])
  if (ends.includes('clients') && fault.type === 'duplicate')
    return 'the links to clients carry each request and each answer once'
  if (ends.includes('clients') && 'messages' in fault && fault.messages !== undefined)
    return 'requests and answers of clients are of no such kind: leave the kind out, or name nodes'
  return whyUnknown(
    ends.filter((end) => end !== 'clients'),
    nodeIds,
  )
}

function whyNotNodes(nodes: readonly NodeId[], fault: Fault, surroundings: FaultSurroundings) {
  const { nodeIds, isUp, standing, clockBounds } = surroundings
  if (nodes.length === 0) return 'it hits no node'
  const unknown = whyUnknown(nodes, nodeIds)
  if (unknown !== undefined) return unknown
  const down = nodes.find((nodeId) => !isUp(nodeId))
  if (down !== undefined && !isLinkFault(fault))
    throw new RaftError('STOPPED', { what: `node ${down}`, because: 'restart it first' })
  if (fault.type !== 'skew') return undefined
  for (const nodeId of nodes) {
    const others = standing.flatMap((each) =>
      each.fault.type === 'skew' && each.fault.nodes.includes(nodeId) ? [each.fault] : [],
    )
    const why = whyNotSkews([...others, fault], clockBounds)
    if (why !== undefined) return why
  }
  return undefined
}

/**
 * The reason why a node cannot have all of these skews. Drifts add up, and a clock that they stop has no next tick. What
 * makes the clock faster does not count, since it may be healed before the others.
 */
function whyNotSkews(skews: readonly Skew[], clockBounds: ClockBounds | undefined): string | undefined {
  const slowing = skews.reduce((sum, { drift }) => sum + Math.max(0, -drift), 0)
  if (slowing > slowestDrift) return `drifts slow a clock by ${100 * slowestDrift}% at most, all together`
  return clockBounds && whySkewsBreakLease(clockBounds, skews)
}

function whyUnknown(nodes: readonly NodeId[], nodeIds: readonly NodeId[]): string | undefined {
  const unknown = nodes.find((nodeId) => !nodeIds.includes(nodeId))
  return unknown === undefined ? undefined : `there is no node ${unknown}`
}

function wrongFigure(fault: Fault): string | undefined {
  switch (fault.type) {
    case 'drop':
    case 'duplicate':
    case 'reorder':
      return fault.share > 0 && fault.share <= 1 ? undefined : 'a share is more than 0 % and at most 100 %'
    case 'delay':
      return isTime(fault.delayMs) && isTime(fault.jitterMs)
        ? undefined
        : 'a delay is a number of milliseconds, 0 or more, and at most an hour'
    case 'throttle':
      return fault.bytesPerSecond >= 1 && Number.isFinite(fault.bytesPerSecond)
        ? undefined
        : 'at least one byte passes in a second'
    case 'slowDisk':
      return isTime(fault.flushMs)
        ? undefined
        : 'a flush takes a number of milliseconds, 0 or more, and at most an hour'
    case 'fullDisk':
      return fault.bytesLeft >= 0 ? undefined : 'the bytes that are left are 0 or more'
    case 'skew':
      if (fault.offsetMs === 0 && fault.drift === 0)
        return 'it sets no clock: give an offset such as +50ms, or a drift such as +10%'
      return Number.isFinite(fault.offsetMs) && fault.drift > -1 && fault.drift <= 1
        ? undefined
        : 'a clock is set by a number of milliseconds, and drifts by less than all of itself'
    default:
      return undefined
  }
}

function isTime(ms: number): boolean {
  return ms >= 0 && ms <= 3_600_000
}
