/**
 * States and messages as text, with the nodes renamed. States that behave the same have the same text. The text leaves out
 * the counts of ticks, since the steps of a search leave the time open, and the fields that are only told to people.
 */
import {
  entryKinds,
  type LogRun,
  type Message,
  type NodeId,
  readMembership,
  runHeaderBytes,
} from '../raft/index.js'

/** The new name of each node, at the place of its id; nothing is at place 0. */
export type Renaming = readonly NodeId[]

/** All renamings of so many nodes, beginning with the one that changes nothing. */
export function renamingsOf(nodes: number): Renaming[] {
  const ids = Array.from({ length: nodes }, (_, at) => at + 1)
  return orders(ids).map((order) => [0, ...order])
}

function orders(ids: readonly NodeId[]): NodeId[][] {
  if (ids.length === 0) return [[]]
  return ids.flatMap((first) => orders(ids.filter((id) => id !== first)).map((rest) => [first, ...rest]))
}

const names: ReadonlySet<string> = new Set(['id', 'votedFor', 'leaderId', 'from', 'to'])

/**
 * `weight` and the like follow from the entries. Sequences are counted up, and their order is that of their lists. The
 * numbers of campaigns and of questions name pre-votes and reads, of which a search has none.
 */
const leftOut: ReadonlySet<string> = new Set([
  'limits',
  'random',
  'electionElapsedTicks',
  'leaderElapsedTicks',
  'randomizedElectionTimeoutTicks',
  'heartbeatElapsedTicks',
  'diskElapsedTicks',
  'campaign',
  'readQuestion',
  'toldMembership',
  'events',
  'writeSequence',
  'sequence',
  'weights',
  'weightBefore',
  'leftCount',
  'inflightBytes',
  'bytes',
])

/** Whether the messages say the same as far as a search tells them apart. */
export function areAlike(one: Message, other: Message, nodes: number): boolean {
  const own = Array.from({ length: nodes + 1 }, (_, id) => id)
  return textOf(one, own) === textOf(other, own)
}

export function textOf(value: unknown, renaming: Renaming): string {
  if (value === undefined) return '-'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, renaming)).join()}]`
  if (value instanceof Map) return textOfMap(value as Map<NodeId, unknown>, renaming)
  let text = '{'
  for (const [name, item] of Object.entries(value)) {
    if (leftOut.has(name)) continue
    text += `${name}:${textOfField(name, item, renaming)},`
  }
  const isRun = 'bytes' in value && 'kind' in value
  return isRun ? `${text}${contentOf(value as LogRun, renaming)}}` : `${text}}`
}

function textOfField(name: string, value: unknown, renaming: Renaming): string {
  if (names.has(name)) return String(renaming[value as NodeId] ?? '-')
  if (isListOfIds(name)) return renamedIds(value as readonly NodeId[], renaming)
  return textOf(value, renaming)
}

function isListOfIds(name: string): boolean {
  return name === 'voters' || name === 'votersOutgoing' || name === 'learners' || name === 'formerMembers'
}

function renamedIds(ids: readonly NodeId[], renaming: Renaming): string {
  return ids
    .map((id) => renaming[id] ?? id)
    .sort((one, other) => one - other)
    .join('+')
}

function textOfMap(map: ReadonlyMap<NodeId, unknown>, renaming: Renaming): string {
  const items = [...map].map(([id, item]) => `${renaming[id]}=${textOf(item, renaming)}`)
  return `(${items.sort().join()})`
}

/** The command of a run, or the renamed configuration that the run holds. */
export function contentOf(run: LogRun, renaming: Renaming): string {
  if (run.bytes === undefined) return '?'
  if (run.kind === entryKinds.membership) return textOf(readMembership(run), renaming)
  return run.bytes.subarray(runHeaderBytes).join('.')
}

/** Two hashes of 32 bits each, of text. */
export function hashOf(text: string): readonly [number, number] {
  let low = 0x811c9dc5
  let high = 0x9e3779b9
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code ^ (low >>> 15), 0x85ebca6b)
  }
  return [mixed(low ^ high), mixed(high + Math.imul(low, 0x9e3779b1))]
}

function mixed(hash: number): number {
  let mix = hash
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b)
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35)
  return (mix ^ (mix >>> 16)) | 0
}
