/** Conditions and expectations of a scenario in words: each form is a row of a table, with the code that decides it. */
import type { NodeId } from '../raft/index.js'
import { type CauseNames, causeInWords, causeNames } from './causes.js'
import type { NodeSeen } from './host.js'
import { lengthMsOf, lengthUsage, type Timing } from './lengths.js'
import { listed } from './yaml.js'

/** The cluster as it is, and what has happened since the steps began: of this, conditions and expectations are asked. */
export interface Situation extends Timing {
  readonly nodes: readonly NodeSeen[]
  readonly leaderId: NodeId | undefined
  /** The latest term that had a leader, when the last verb was carried out. */
  readonly termBefore: number
  readonly leaderAtStart: NodeId | undefined
  /** The node that a word means: an id, `leader`, or a name that a step has given. */
  node(word: string): NodeSeen | undefined
  /** Acknowledged writes since the present step began. */
  readonly acknowledgedInStep: number
  readonly acknowledged: number
  readonly elections: number
  readonly leaderChanges: number
  /** Codes of calls that were told as not done, each with how many there were. */
  readonly refusals: ReadonlyMap<string, number>
  readonly longestOutageMs: number
  readonly lost: number
  /** Whether all nodes have the same state. `undefined`: they were not asked yet. */
  readonly isEqual: boolean | undefined
  /** Nodes that began to take in a snapshot. */
  readonly installing: ReadonlySet<NodeId>
  /** Of the elections that were won since the steps began. */
  causes(): readonly CauseNames[]
}

/** Something that is so or not at a moment. */
export interface Condition {
  readonly text: string
  holds(situation: Situation): boolean
}

/** A condition that also tells, for the verdict, what was found. */
export interface Expectation extends Condition {
  readonly line: number
  /** Whether it is asked once all is healed, and not when the steps are done. */
  readonly isOfEnd: boolean
  found(situation: Situation): string
}

interface Form {
  /** As an example, since it is shown to whoever wrote something else. */
  readonly usage: string
  readonly pattern: RegExp
  make(words: readonly string[], timing: Timing): Decision | Misread
}

/** A word in the form is none that could stand there. */
interface Misread {
  readonly expected: string
}

interface Decision {
  holds(situation: Situation): boolean
  found?(situation: Situation): string
  readonly isOfEnd?: boolean
  /** Words that have to mean a node. */
  readonly nodes?: readonly string[]
}

const stateForms: readonly Form[] = [
  { usage: 'a leader', pattern: /^a leader$/, make: () => ({ holds: hasLeader }) },
  {
    usage: 'a new leader',
    pattern: /^a new leader$/,
    make: () => ({ holds: (now) => hasLeader(now) && latestTerm(now) > now.termBefore }),
  },
  {
    usage: 'nobody leads',
    pattern: /^nobody leads$/,
    make: () => ({ holds: (now) => now.leaderId === undefined }),
  },
  {
    usage: 'node 3 caught up',
    pattern: /^(?:node )?(\S+) caught up$/,
    make: ([node = '']) =>
      node === 'all'
        ? { holds: (now) => now.nodes.every((each) => isCaughtUp(each, now)) }
        : { holds: (now) => isCaughtUp(now.node(node), now), nodes: [node] },
  },
  {
    usage: 'node 2 leads|does not lead|follows|runs|failed|is down',
    pattern: /^(?:node )?(\S+) (leads|does not lead|follows|runs|failed|is down)$/,
    make: ([node = '', what = '']) => ({ holds: (now) => isSo(now.node(node), what, now), nodes: [node] }),
  },
  {
    usage: 'node 3 takes in a snapshot',
    pattern: /^(?:node )?(\S+) takes in a snapshot$/,
    make: ([node = '']) => ({
      holds: (now) => now.installing.has(now.node(node)?.nodeId ?? 0),
      nodes: [node],
    }),
  },
  {
    usage: '3 voters',
    pattern: /^(\d+) voters?$/,
    make: ([count]) => ({
      holds: ({ nodes }) => votersAmong(nodes) === Number(count),
      found: ({ nodes }) => String(votersAmong(nodes)),
    }),
  },
  {
    usage: 'a call refused as OVERLOADED',
    pattern: /^a call refused as ([A-Z_]+)$/,
    make: ([code = '']) => ({
      holds: (now) => (now.refusals.get(code) ?? 0) > 0,
      found: (now) => [...now.refusals].map(([each, count]) => `${each} ${count}`).join(', ') || 'none',
    }),
  },
  {
    usage: 'an election',
    pattern: /^an election$/,
    make: () => ({ holds: (now) => now.elections > 0 }),
  },
]

const waitForms: readonly Form[] = [
  ...stateForms,
  {
    usage: '100 more writes',
    pattern: /^(\d+) more writes$/,
    make: ([count]) => ({ holds: (now) => now.acknowledgedInStep >= Number(count) }),
  },
]

const expectForms: readonly Form[] = [
  ...stateForms,
  bounded('elections at most 1', 'elections', (now) => now.elections),
  bounded('leader changes at most 1', 'leader changes', (now) => now.leaderChanges),
  bounded('writes at least 100', 'writes', (now) => now.acknowledged),
  {
    usage: 'unavailable at most 3 election timeouts',
    pattern: /^unavailable at (most|least) (.+)$/,
    make: ([bound, length = ''], timing) => {
      const ms = lengthMsOf(length, timing)
      return ms === undefined
        ? { expected: lengthUsage }
        : {
            holds: ({ longestOutageMs }) =>
              bound === 'most' ? longestOutageMs <= ms : longestOutageMs >= ms,
            found: ({ longestOutageMs }) => `${Math.round(longestOutageMs)} ms`,
          }
    },
  },
  {
    usage: 'leader changed|unchanged',
    pattern: /^leader (changed|unchanged)$/,
    make: ([what]) => ({
      holds: (now) => hasLeader(now) && (now.leaderId !== now.leaderAtStart) === (what === 'changed'),
      found: (now) => `${leading(now.leaderAtStart)} led at first, and ${leading(now.leaderId)} leads now`,
    }),
  },
  {
    usage: 'nothing lost',
    pattern: /^nothing lost$/,
    make: () => ({ holds: ({ lost }) => lost === 0, found: ({ lost }) => `${lost} lost`, isOfEnd: true }),
  },
  {
    usage: 'all nodes equal',
    pattern: /^all nodes equal$/,
    make: () => ({ holds: ({ isEqual }) => isEqual === true, isOfEnd: true }),
  },
  {
    usage: 'election cause is pause',
    pattern: /^election cause is (\S+)$/,
    make: ([cause = '']) =>
      causeNames.includes(cause)
        ? {
            holds: (now) => now.causes().some(({ type, faultType }) => cause === type || cause === faultType),
            found: (now) => now.causes().map(causeInWords).join(', ') || 'no election',
          }
        : { expected: `'election cause is' and one of ${listed(causeNames)}` },
  },
]

/** A figure that has to lie on one side of a bound. */
function bounded(usage: string, name: string, figure: (now: Situation) => number): Form {
  return {
    usage,
    pattern: new RegExp(`^${name} at (most|least) (\\d+)$`),
    make: ([bound, count]) => ({
      holds: (now) => (bound === 'most' ? figure(now) <= Number(count) : figure(now) >= Number(count)),
      found: (now) => String(figure(now)),
    }),
  }
}

/** The meaning of a text; a text that is not understood comes back as what could stand there. */
export type Understood<T> = { readonly nodes: readonly string[]; readonly meant: T } | Misread

export function conditionOf(text: string, timing: Timing): Understood<Condition> {
  return understood(waitForms, text, timing, ({ holds }) => ({ text, holds }))
}

export function expectationOf(text: string, line: number, timing: Timing): Understood<Expectation> {
  return understood(expectForms, text, timing, ({ holds, found = seen, isOfEnd = false }) => ({
    ...{ text, line, holds, found, isOfEnd },
  }))
}

function understood<T>(
  forms: readonly Form[],
  text: string,
  timing: Timing,
  make: (decision: Decision) => T,
): Understood<T> {
  for (const { pattern, make: decide } of forms) {
    const found = pattern.exec(text)
    if (found === null) continue
    const decision = decide(found.slice(1), timing)
    if ('expected' in decision) return decision
    return { nodes: decision.nodes ?? [], meant: make(decision) }
  }
  return { expected: forms.map(({ usage }) => `'${usage}'`).join(', ') }
}

/** The roles, for the verdict on a condition that has no figure. */
export function seen({ nodes }: Situation): string {
  return nodes
    .map(({ nodeId, state, role }) => `node ${nodeId} ${state === 'running' ? role : state}`)
    .join(', ')
}

function votersAmong(nodes: readonly NodeSeen[]): number {
  return nodes.filter(({ member }) => member === 'voter').length
}

function hasLeader({ leaderId }: Situation): boolean {
  return leaderId !== undefined
}

export function latestTerm({ nodes, leaderId }: Pick<Situation, 'nodes' | 'leaderId'>): number {
  return nodes.find(({ nodeId }) => nodeId === leaderId)?.currentTerm ?? 0
}

/** The node has applied all that the leader has: under load, up to what leaves the leader in a moment. */
function isCaughtUp(node: NodeSeen | undefined, { nodes, leaderId }: Situation): boolean {
  const leader = nodes.find(({ nodeId }) => nodeId === leaderId)
  if (node?.state !== 'running' || leader === undefined) return false
  return node.lastApplied >= leader.lastApplied - entriesUnderWay
}

/** Entries by which a follower that keeps up is behind a leader under load. */
const entriesUnderWay = 64

function isSo(node: NodeSeen | undefined, what: string, { leaderId }: Situation): boolean {
  // A node that was removed has ended.
  if (node === undefined) return what === 'does not lead' || what === 'is down'
  switch (what) {
    case 'leads':
      return leaderId === node.nodeId
    case 'does not lead':
      return node.state !== 'running' || node.role !== 'leader'
    case 'follows':
      return node.state === 'running' && node.role === 'follower'
    case 'runs':
      return node.state === 'running'
    case 'failed':
      return node.state === 'failed'
    default:
      return node.state !== 'running' && node.state !== 'paused'
  }
}

function leading(nodeId: NodeId | undefined): string {
  return nodeId === undefined ? 'nobody' : `node ${nodeId}`
}
