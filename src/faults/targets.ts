/** Targets of a fault as a person names them: ids and roles, which become nodes when the call is made. */
import { RaftError } from '../errors/index.js'
import type { NodeId, Random } from '../raft/index.js'
import { bothWays, type Endpoint, type Way } from './fault.js'

/**
 * `follower` and `any` are one node by chance, `minority` as many by chance as are fewer than half of all voters, and `all` and
 * `followers` those that run.
 */
export const roleNames = ['leader', 'followers', 'follower', 'minority', 'all', 'any'] as const
export type RoleName = (typeof roleNames)[number]

type One = NodeId | RoleName

/** A node or role, or several. */
export type Target = One | readonly One[]

/** An end of a link; `*` stands for all nodes. */
export type EndTarget = Target | '*' | 'clients'

/** A link as it is named, in one direction or in both. */
export interface LinkTarget {
  readonly one: EndTarget
  readonly other: EndTarget
  readonly oneWay: boolean
}

/** The nodes, and the leader among them, when a target is resolved. */
export interface Cast {
  readonly nodeIds: readonly NodeId[]
  /** The nodes that a role may mean: mostly those that run. */
  readonly candidates: readonly NodeId[]
  readonly leaderId: NodeId | undefined
  /** The reason why a role may mean no node. Left out: there is none at the moment. */
  readonly whyNone?: string | undefined
  /** The nodes that failed, and why, where that is known. */
  readonly failures?: string | undefined
  /** The nodes that have a vote. Left out: all. */
  readonly voters?: readonly NodeId[]
  /** Decides where a role leaves a choice. */
  readonly random: Random
}

/** Targets as text: `2`, `1,3` or `leader`. */
export function parseTarget(text: string): Target {
  const parts = text.split(',').map((part) => parseOne(part, text))
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : parts
}

const linkText = /^([^->]+)(->|-)([^->]+)$/

/** A link as text: `1->3`, `1-3`, `leader->*`, `clients-2`. */
export function parseLink(text: string): LinkTarget {
  const [, one, arrow, other] = linkText.exec(text) ?? []
  if (one === undefined || other === undefined)
    throw refusal(`link ${text}`, '1->3 is the way from node 1 to node 3, and 1-3 means both ways')
  return { one: parseEnd(one), other: parseEnd(other), oneWay: arrow === '->' }
}

/** Groups of a partition as text: `1,2|3,4,5`. */
export function parseGroups(text: string): Target[] {
  const groups = text.split('|')
  if (groups.length < 2 || groups.includes(''))
    throw refusal(`groups ${text}`, '1,2|3,4,5 parts nodes 1 and 2 from nodes 3, 4 and 5')
  return groups.map(parseTarget)
}

function parseEnd(text: string): EndTarget {
  return text === '*' || text === 'clients' ? text : parseTarget(text)
}

function parseOne(part: string, text: string): One {
  if (/^\d{1,9}$/.test(part)) return Number(part)
  if (isRoleName(part)) return part
  throw refusal(`target ${text || "''"}`, `a target is the id of a node, or ${listed(roleNames)}`)
}

/**
 * The nodes that are meant, each once. Throws when there are none, or one is unknown: the refusal names all targets, and
 * behind them `others`.
 */
export function resolveTarget(target: Target, cast: Cast, others = ''): readonly NodeId[] {
  const all: readonly One[] = Array.isArray(target) ? target : [target as One]
  const nodeIds = [...new Set(all.flatMap((one) => resolveOne(one, cast, others)))]
  if (nodeIds.length > 0) return nodeIds
  throw refusal(`target ${nameOf(target)}`, cast.whyNone ?? 'no node is meant by it at the moment')
}

/** The ways that are meant, each once. Throws when there are none, or a link begins where it ends. */
export function resolveWays({ one, other, oneWay }: LinkTarget, cast: Cast): readonly Way[] {
  const what = `link ${nameOf(one)}${oneWay ? '->' : '-'}${nameOf(other)}`
  const ones = resolveEnd(one, cast)
  const isDrawn = other === 'any' || other === 'follower'
  const others = resolveEnd(other, isDrawn ? without(cast, ones) : cast)
  const ways = ones.flatMap((from) => others.flatMap((to) => (from === to ? [] : [{ from, to }])))
  if (ways.length === 0) throw refusal(what, 'a link has two different ends')
  const all = oneWay ? ways : ways.flatMap(({ from, to }) => bothWays(from, to))
  return [...new Map(all.map((way) => [`${way.from} ${way.to}`, way])).values()]
}

/** The groups of a partition. Throws when there is one only, or a node is in two. */
export function resolveGroups(groups: readonly Target[], cast: Cast): readonly (readonly NodeId[])[] {
  const what = `partition ${Array.isArray(groups) ? groups.map(nameOf).join('|') : nameOf(groups)}`
  if (typeof groups === 'string')
    throw refusal(what, 'what is 1,2|3 at the prompt is partition([[1, 2], 3]) here')
  if (!Array.isArray(groups) || groups.length < 2) throw refusal(what, 'at least two groups are parted')
  const resolved = groups.map((group: Target) => {
    const named: readonly One[] = Array.isArray(group) ? group : [group as One]
    if (new Set(named).size < named.length) throw refusal(what, 'it names a node twice')
    return resolveTarget(group, cast)
  })
  const twice = resolved.flat().find((nodeId, at, all) => all.indexOf(nodeId) !== at)
  if (twice !== undefined) throw refusal(what, `it names node ${twice} twice`)
  return resolved
}

function resolveEnd(end: EndTarget, cast: Cast): readonly Endpoint[] {
  if (end === '*') return cast.nodeIds
  return end === 'clients'
    ? [end]
    : resolveTarget(end, cast, '; the ends of a link may also be * and clients')
}

function resolveOne(one: One, cast: Cast, others: string): readonly NodeId[] {
  const { nodeIds, candidates, leaderId, voters = nodeIds } = cast
  switch (one) {
    case 'leader':
      return [leaderOf(cast)]
    case 'followers':
      return candidates.filter((nodeId) => nodeId !== leaderId)
    case 'follower':
      return drawn(
        1,
        candidates.filter((nodeId) => nodeId !== leaderId),
        cast,
      )
    case 'minority':
      return drawn(
        (voters.length - 1) >> 1,
        candidates.filter((nodeId) => voters.includes(nodeId)),
        cast,
      )
    case 'all':
      return candidates
    case 'any':
      return drawn(1, candidates, cast)
    default:
      if (nodeIds.includes(one)) return [one]
      throw refusal(
        `target ${nameOf(one)}`,
        remedyOf(one) ?? `${nodesIn(nodeIds)}, and the roles ${listed(roleNames, 'and')}${others}`,
      )
  }
}

/** The form that a method takes in place of a text that the prompt understands; `undefined` for any other value. */
function remedyOf(one: unknown): string | undefined {
  if (typeof one !== 'string') return undefined
  if (linkText.test(one))
    return 'a link is two arguments: what is 1->2 at the prompt is 1, 2, { oneWay: true } here, and 1-2 is 1, 2'
  return one.includes(',')
    ? 'several targets are a list: what is 1,3 at the prompt is [1, 3] here'
    : undefined
}

function leaderOf({ leaderId, candidates, failures }: Cast): NodeId {
  if (leaderId !== undefined && candidates.includes(leaderId)) return leaderId
  if (leaderId !== undefined) throw refusal('target leader', `node ${leaderId} leads, so it runs already`)
  const why = 'no node leads at the moment; wait for one, or give the id of a node'
  throw refusal('target leader', why, failures)
}

/** So many of the nodes, by chance, in the order of their ids. */
function drawn(count: number, from: readonly NodeId[], { random }: Cast): readonly NodeId[] {
  const left = [...from]
  const picked: NodeId[] = []
  while (picked.length < count && left.length > 0) picked.push(...left.splice(random.below(left.length), 1))
  return picked.sort((a, b) => a - b)
}

function without(cast: Cast, taken: readonly Endpoint[]): Cast {
  return { ...cast, candidates: cast.candidates.filter((nodeId) => !taken.includes(nodeId)) }
}

function isRoleName(text: string): text is RoleName {
  return (roleNames as readonly string[]).includes(text)
}

/** A caller without a compiler may have given anything. */
function nameOf(target: unknown): string {
  if (Array.isArray(target)) return target.map(nameOf).join(',') || 'none'
  // An id is a number: a text of digits has quotes, so that the refusal shows what is wrong.
  if (typeof target === 'string') return /^\d+$/.test(target) ? `'${target}'` : target
  return typeof target === 'number' || target === null ? `${target}` : typeof target
}

function nodesIn(nodeIds: readonly NodeId[]): string {
  return nodeIds.length === 1
    ? `there is node ${nodeIds[0]}`
    : `there are the nodes ${listed(nodeIds, 'and')}`
}

function listed(names: readonly (string | number)[], word = 'or'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`
}

function refusal(what: string, why: string, because?: string): RaftError {
  return new RaftError('INVALID_FAULT', { what, why, because })
}
