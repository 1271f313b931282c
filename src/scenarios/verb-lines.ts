/** Lines of verbs in a scenario: the same words as at the prompt, with names that steps have given to nodes. */
import { reasonOf } from '../errors/index.js'
import {
  type Cast,
  type LinkTarget,
  resolveGroups,
  resolveTarget,
  resolveWays,
  roleNames,
  type Target,
} from '../faults/index.js'
import { type NodeId, Random } from '../raft/index.js'
import { BadInput } from '../terminal/index.js'
import { parse, verbs, wordsOfVerbs } from '../verbs/index.js'

const fixedWords: ReadonlySet<string> = new Set([...roleNames, 'clients', ...wordsOfVerbs])

/** True for a word that has a meaning in lines, so that it can be no name. */
export function isFixedWord(word: string): boolean {
  return fixedWords.has(word)
}

/** The line with the ids of the nodes in place of their names, behind the verb. */
export function withNames(line: string, names: ReadonlyMap<string, NodeId>): string {
  const [verb = ''] = line.split(' ', 1)
  const rest = line.slice(verb.length)
  return verb + rest.replace(/\b[a-z]+\b/g, (word) => String(names.get(word) ?? word))
}

/** Ids of nodes that are known only when a line is carried out: those of names and of roles. */
const firstStandIn = 900_000_000

/** Throws `BadInput` for a line that is no verb, or whose nodes do not fit to it or to a cluster of so many nodes. */
export function checkLine(line: string, nodes: number, names: readonly string[]): void {
  const standIns = new Map(names.map((name, at): [string, NodeId] => [name, firstStandIn + at]))
  try {
    const command = parse(withNames(line, standIns))
    const { isOfConversation = true } = verbs.find(({ name }) => name === command?.verb) ?? {}
    if (command === undefined || isOfConversation)
      throw new BadInput(`'${line}' is for the prompt of the sandbox`)
    const unknown = idsIn(command as Targets).find((nodeId) => nodeId > nodes && nodeId < firstStandIn)
    if (unknown !== undefined) throw new BadInput(`there is no node ${unknown}; give one from 1 to ${nodes}`)
    resolveAll(command as Targets, castOf(nodes, [...standIns.values()]))
  } catch (error) {
    throw new BadInput(reasonOf(error).replace(/\b9\d{8}\b/g, (id) => names[Number(id) - firstStandIn] ?? id))
  }
}

/** No role means a node that a line can name, since nobody knows yet which one it means. */
function castOf(nodes: number, named: readonly NodeId[]): Cast {
  const ids = Array.from({ length: nodes }, (_, at) => at + 1)
  const candidates = ids.map((nodeId) => firstStandIn + 100 + nodeId)
  const [leaderId] = candidates
  return { nodeIds: [...ids, ...named, ...candidates], candidates, leaderId, random: new Random(1) }
}

/** The fields of commands that name nodes. */
interface Targets {
  readonly target?: Target
  /** The node that serves a read. */
  readonly from?: NodeId | string
  readonly link?: LinkTarget
  readonly groups?: readonly Target[]
  readonly healed?: Targets
}

function resolveAll({ target, link, groups, healed }: Targets, cast: Cast): void {
  if (target !== undefined) resolveTarget(target, cast)
  if (link !== undefined) resolveWays(link, cast)
  if (groups !== undefined) resolveGroups(groups, cast)
  if (healed !== undefined) resolveAll(healed, cast)
}

/** All ids in the fields of a command that name nodes. */
function idsIn({ target, from, link, groups, healed }: Targets): NodeId[] {
  const ids = [target, from, link?.one, link?.other, ...(groups ?? [])].flat()
  return [...ids.filter((each) => typeof each === 'number'), ...(healed === undefined ? [] : idsIn(healed))]
}
