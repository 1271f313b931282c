/** A fault in words: the line that a person would type for it. */
import type { NodeId } from '../raft/index.js'
import type { FaultTold } from '../telemetry/index.js'
import {
  type Endpoint,
  type Fault,
  type FaultType,
  isLinkFault,
  type LinkFault,
  nodesHit,
  type StandingFault,
  type Way,
  waysOf,
} from './fault.js'
import { throttledBytesMax } from './link-faults.js'

/** The verb of each fault. */
const verbs: Readonly<Record<FaultType, string>> = {
  cut: 'cut',
  delay: 'delay',
  drop: 'drop',
  duplicate: 'duplicate',
  reorder: 'reorder',
  throttle: 'throttle',
  partition: 'partition',
  isolate: 'isolate',
  slowDisk: 'slow-disk',
  stallDisk: 'stall-disk',
  failDisk: 'fail-disk',
  fullDisk: 'full-disk',
  kill: 'kill',
  losePower: 'power-loss',
  pause: 'pause',
  skew: 'skew',
}

/** The names of all faults. */
export const faultTypes = Object.keys(verbs) as readonly FaultType[]

/** The fault as listeners are told of it when it begins or is healed, in a cluster of these nodes. */
export function toldOf(standing: StandingFault, nodeIds: readonly NodeId[]): FaultTold {
  const { id, fault, sinceMs, untilMs } = standing
  const line = lineOf(fault, nodeIds, untilMs === undefined ? undefined : untilMs - sinceMs)
  const ways = isLinkFault(fault) ? waysOf(fault, nodeIds) : []
  const messages = 'messages' in fault ? fault.messages : undefined
  const numbers = Object.fromEntries(Object.entries(fault).filter(([, value]) => typeof value === 'number'))
  // No message waits for longer than the bytes that a throttled link holds back.
  const figures =
    fault.type === 'throttle'
      ? { ...numbers, waitMsMax: (throttledBytesMax / fault.bytesPerSecond) * 1000 }
      : numbers
  return { id, type: fault.type, line, nodes: nodesHit(fault, nodeIds), ways, messages, figures }
}

/** The line that a person would type for the fault: `delay 1->3 80ms jitter 20ms for 10s`. */
export function lineOf(fault: Fault, nodeIds: readonly NodeId[], forMs?: number): string {
  const words = [verbs[fault.type], whereOf(fault, nodeIds), ...howMuch(fault)]
  if (isLinkFault(fault) && 'messages' in fault && fault.messages !== undefined) words.push(fault.messages)
  if (forMs !== undefined) words.push('for', timeOf(forMs))
  return words.filter((word) => word !== '').join(' ')
}

function whereOf(fault: Fault, nodeIds: readonly NodeId[]): string {
  if (fault.type === 'partition') return fault.groups.map((group) => group.join(',')).join('|')
  if (!isLinkFault(fault) || fault.type === 'isolate') return fault.nodes.join(',')
  return linksOf(fault, nodeIds)
}

function howMuch(fault: Fault): string[] {
  switch (fault.type) {
    case 'delay':
      return [timeOf(fault.delayMs), ...(fault.jitterMs > 0 ? ['jitter', timeOf(fault.jitterMs)] : [])]
    case 'drop':
    case 'duplicate':
    case 'reorder':
      return [percentOf(fault.share)]
    case 'throttle':
      return [`${bytesOf(fault.bytesPerSecond)}/s`]
    case 'slowDisk':
      return [timeOf(fault.flushMs)]
    case 'fullDisk':
      return fault.bytesLeft > 0 ? [bytesOf(fault.bytesLeft)] : []
    case 'skew':
      return [
        ...(fault.offsetMs === 0 ? [] : [`${signOf(fault.offsetMs)}${timeOf(Math.abs(fault.offsetMs))}`]),
        ...(fault.drift === 0 ? [] : [`${signOf(fault.drift)}${percentOf(Math.abs(fault.drift))}`]),
      ]
    default:
      return []
  }
}

function signOf(value: number): string {
  return value < 0 ? '-' : '+'
}

/** The links in few words: `1->3`, `1-3`, `1->*`; several when one link does not say it. */
function linksOf(
  { ways }: Exclude<LinkFault, { type: 'partition' | 'isolate' }>,
  nodeIds: readonly NodeId[],
) {
  const has = new Set(ways.map(keyOf))
  const isBoth = ways.every(({ from, to }) => has.has(keyOf({ from: to, to: from })))
  const arrow = isBoth ? '-' : '->'
  const neighbours = (end: Endpoint | undefined) => ways.flatMap(({ from, to }) => (from === end ? [to] : []))
  const others = neighbours(ways[0]?.from)
  const ones = neighbours(others[0])
  const isApart = isBoth && !ones.some((end) => others.includes(end))
  const [left, right] = isApart
    ? [ones, others]
    : [[...new Set(ways.map(({ from }) => from))], [...new Set(ways.map(({ to }) => to))]]
  const meant = left.flatMap((from) => right.flatMap((to) => (from === to ? [] : [{ from, to }])))
  const isOne = meant.every((way) => has.has(keyOf(way))) && meant.length * (isApart ? 2 : 1) === has.size
  if (isOne) return `${endOf(left, right, nodeIds)}${arrow}${endOf(right, left, nodeIds)}`
  const each = isBoth
    ? ways.filter(({ from, to }) => to === 'clients' || (from !== 'clients' && from < to))
    : ways
  return each.map(({ from, to }) => `${from}${arrow}${to}`).join(' ')
}

/** `*` for all nodes but the one at the other end. */
function endOf(ends: readonly Endpoint[], others: readonly Endpoint[], nodeIds: readonly NodeId[]): string {
  const all = nodeIds.filter((nodeId) => others.length > 1 || others[0] !== nodeId)
  const isAll = all.length > 1 && all.length === ends.length && all.every((nodeId) => ends.includes(nodeId))
  return isAll ? '*' : ends.join(',')
}

function keyOf({ from, to }: Way): string {
  return `${from} ${to}`
}

/** A time that is the difference of two others is not quite a whole number. */
function timeOf(exactMs: number): string {
  const ms = rounded(exactMs)
  return ms >= 1000 && ms % 100 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

function percentOf(share: number): string {
  return `${rounded(share * 100)}%`
}

function bytesOf(bytes: number): string {
  if (bytes >= 1e6 && bytes % 1e4 === 0) return `${bytes / 1e6}MB`
  return bytes >= 1e3 && bytes % 10 === 0 ? `${bytes / 1e3}kB` : `${rounded(bytes)}B`
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
