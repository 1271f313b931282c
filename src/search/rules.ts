/**
 * The properties that each world of a search must have (Figure 3), and what follows from durability. The rules are written
 * apart from the protocol, whose own checks may be wrong.
 */
import {
  isJoint,
  type LogIndex,
  type LogRun,
  type Membership,
  type NodeId,
  type RaftView,
  type Term,
} from '../raft/index.js'
import type { Member, Step } from './member.js'
import { contentOf, type Renaming } from './renamed.js'

/** A rule that does not hold, and how. */
export interface Violation {
  readonly rule: string
  readonly detail: string
}

/** An entry: equal entries have equal keys. */
interface Entry {
  readonly term: Term
  readonly key: string
  readonly run: LogRun
}

/** What the rules look at in a node. */
export interface Facts {
  readonly id: NodeId
  readonly term: Term
  readonly isLeader: boolean
  readonly commitIndex: LogIndex
  readonly log: readonly Entry[]
  readonly diskTerm: Term
  readonly disk: readonly Entry[]
  /** As a leader: what it takes the others to hold. */
  readonly matches: ReadonlyMap<NodeId, LogIndex>
  /** The latest configuration in the log, and the one as of `commitIndex`. */
  readonly latest: Configuration
  readonly asOfCommit: Configuration
}

/** An entry of a configuration. */
interface Configuration {
  readonly index: LogIndex
  readonly membership: Membership
}

/** What a run has shown so far, and what no node alone remembers. */
export interface History {
  /** By term. */
  readonly leaders: readonly (NodeId | undefined)[]
  /** Each with the term of the node that first knew it to be committed. */
  readonly committed: readonly (Entry & { readonly commitTerm: Term })[]
}

export const emptyHistory: History = Object.freeze({ leaders: [], committed: [] })

const unchanged: Renaming = []

export function factsOf({ id, state, disk }: Member): Facts {
  const { log, currentTerm, role, leadership, membershipIndex } = state
  const matches = new Map<NodeId, LogIndex>()
  for (const [other, { matchIndex }] of leadership?.progress ?? []) matches.set(other, matchIndex)
  const { commitIndex } = log
  return {
    id,
    term: currentTerm,
    isLeader: role === 'leader',
    commitIndex,
    log: log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY).map(entryOf),
    diskTerm: disk.hardState.currentTerm,
    disk: disk.entries.map(entryOf),
    matches,
    latest: { index: membershipIndex, membership: state.membership },
    asOfCommit: configurationAt(log, commitIndex),
  }
}

function configurationAt(log: RaftView['log'], index: LogIndex): Configuration {
  const membership = log.membershipAt(index)
  let first = index
  while (first >= log.firstIndex && log.membershipAt(first - 1) === membership) first--
  return { index: first, membership }
}

function entryOf(run: LogRun): Entry {
  return { term: run.term, key: textOfEntry(run, unchanged), run }
}

function textOfEntry(run: LogRun, renaming: Renaming): string {
  return `${run.term}/${run.kind}/${contentOf(run, renaming)}`
}

export function textOfHistory({ leaders, committed }: History, renaming: Renaming): string {
  const led = leaders.map((id) => (id === undefined ? '-' : (renaming[id] ?? id)))
  const kept = committed.map(({ run, commitTerm }) => `${textOfEntry(run, renaming)}@${commitTerm}`)
  return `${led.join()};${kept.join()}`
}

/** The first rule that one node breaks by its step. */
export function brokenByStep(before: Facts, after: Facts, { type }: Step): Violation | undefined {
  if (!before.isLeader || !after.isLeader || type === 'crash' || before.term !== after.term) return undefined
  const { id, term, commitIndex } = after
  if (!isPrefix(before.log, after.log))
    return { rule: 'leader append-only', detail: `leader ${id} of term ${term} has lost or changed an entry` }
  const counted = after.log[commitIndex - 1]
  if (commitIndex === before.commitIndex || counted?.term === term) return undefined
  return {
    rule: 'commit rule',
    detail: `leader ${id} of term ${term} counted entry ${nameOf(after, commitIndex)}`,
  }
}

/** Log matching, and what a leader takes for matching, of two nodes. */
export function brokenByPair(one: Facts, other: Facts): Violation | undefined {
  return brokenMatching(one, other) ?? brokenMatchIndex(one, other) ?? brokenMatchIndex(other, one)
}

/** Two logs that hold an entry with the same index and term are identical up to it. */
function brokenMatching(one: Facts, other: Facts): Violation | undefined {
  let index = Math.min(one.log.length, other.log.length)
  while (index > 0 && one.log[index - 1]?.term !== other.log[index - 1]?.term) index--
  if (isPrefix(one.log.slice(0, index), other.log)) return undefined
  const detail = `nodes ${one.id} and ${other.id} hold ${nameOf(one, index)} behind different logs`
  return { rule: 'log matching', detail }
}

/** What a leader takes for matching is on the follower's disk, unless that follows a later leader by now. */
function brokenMatchIndex(leader: Facts, follower: Facts): Violation | undefined {
  if (!leader.isLeader || follower.diskTerm > leader.term) return undefined
  const matchIndex = leader.matches.get(follower.id) ?? 0
  const isHeld = matchIndex <= leader.log.length && isPrefix(leader.log.slice(0, matchIndex), follower.disk)
  if (isHeld) return undefined
  const detail = `leader ${leader.id} takes node ${follower.id} to match up to ${matchIndex}, and its disk does not`
  return { rule: 'match index', detail }
}

/** The history after a step of a node, or the rule that the step broke. */
export function historyAfter(history: History, node: Facts): History | Violation {
  const led = node.isLeader ? afterElection(history, node) : history
  return 'rule' in led ? led : afterCommit(led, node)
}

/** A term has at most one leader, and the leader holds all that was committed in earlier terms. */
function afterElection(history: History, { id, term, log }: Facts): History | Violation {
  const known = history.leaders[term]
  if (known === id) return history
  if (known !== undefined)
    return { rule: 'election safety', detail: `nodes ${known} and ${id} lead term ${term}` }
  const lacking = history.committed.findIndex(
    ({ key, commitTerm }, at) => commitTerm < term && log[at]?.key !== key,
  )
  if (lacking >= 0) {
    const { term: of } = history.committed[lacking] ?? {}
    const detail = `node ${id} leads term ${term} without entry ${lacking + 1}@${of}, which is committed`
    return { rule: 'leader completeness', detail }
  }
  const leaders = [...history.leaders]
  for (let at = leaders.length; at < term; at++) leaders[at] = undefined
  leaders[term] = id
  return { ...history, leaders }
}

/** What is committed at an index never changes. */
function afterCommit(history: History, node: Facts): History | Violation {
  const { committed } = history
  const { id, log, commitIndex, term } = node
  for (let at = 0; at < Math.min(commitIndex, committed.length); at++) {
    if (log[at]?.key === committed[at]?.key) continue
    const known = `${at + 1}@${committed[at]?.term}`
    const detail = `node ${id} committed ${nameOf(node, at + 1)}, and ${known} is committed`
    return { rule: 'state-machine safety', detail }
  }
  if (commitIndex <= committed.length) return history
  const fresh = log.slice(committed.length, commitIndex).map((entry) => ({ ...entry, commitTerm: term }))
  return { ...history, committed: [...committed, ...fresh] }
}

/** What a node has just committed is on the disks of a majority: of both halves of a joint configuration. */
export function brokenCommit(
  node: Facts,
  nodes: readonly Facts[],
  committedBefore: LogIndex,
): Violation | undefined {
  const { commitIndex, latest, asOfCommit } = node
  // A joint configuration is left in the very step that commits it, and counts until then.
  const isJustLeft = isJoint(asOfCommit.membership) && asOfCommit.index > committedBefore
  const countedBy = isJustLeft ? asOfCommit.membership : latest.membership
  const committed = node.log.slice(0, commitIndex)
  const holds = (id: NodeId): boolean => isPrefix(committed, nodes.find((one) => one.id === id)?.disk ?? [])
  const isHeld = (half: readonly NodeId[]): boolean =>
    half.length === 0 || 2 * half.filter(holds).length > half.length
  if (isHeld(countedBy.voters) && isHeld(countedBy.votersOutgoing)) return undefined
  const holders = nodes.filter(({ id }) => holds(id)).map(({ id }) => id)
  const detail = `node ${node.id} committed ${nameOf(node, commitIndex)}, which is on the disks of nodes ${holders.join()} alone`
  return { rule: 'committed means durable', detail }
}

function isPrefix(shorter: readonly Entry[], longer: readonly Entry[]): boolean {
  return shorter.every(({ key }, at) => longer[at]?.key === key)
}

function nameOf({ log }: Facts, index: LogIndex): string {
  return `${index}@${log[index - 1]?.term}`
}
