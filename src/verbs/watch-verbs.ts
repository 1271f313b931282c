/** Verbs that look at a cluster, and those that put it under load. */
import type { Seen } from '../load/index.js'
import { membersInWords } from '../telemetry/index.js'
import { BadInput, counted, decimal, paint, printable, table } from '../terminal/index.js'
import { dataOf, linesOf } from './fault-verbs.js'
import { membershipOf } from './member-verbs.js'
import type { NodeTold, Subject } from './subject.js'
import { type Answer, verb } from './verb.js'

export const watchVerbs = [
  verb('status', {
    explanation: 'every node: its part, its role and how far its log is; the members; the faults that stand',
    run(subject) {
      const nodes = subject.status()
      const { faults } = subject.breaker
      return {
        data: {
          nodes: nodes.map(({ nodeId, state, member, role, leaderId, failure, ...rest }) => ({
            ...{ nodeId, state, member, role, leaderId: leaderId ?? null, failure: failure ?? null },
            ...rest,
          })),
          membership: membershipOf(subject),
          faults: faults.map((fault) => dataOf(subject, fault)),
        },
        words: [statusTable(nodes), ...changeOf(subject), ...linesOf(subject, faults)].join('\n'),
      }
    },
  }),
  verb('load', {
    explanation:
      'so many clients put keys as fast as they are answered, or at a rate; off: they end, and what they saw is told',
    usage: 'off|CLIENTS [size BYTES] [rate CALLS/s]',
    slots: [{ kind: 'clients', as: 'clients' }],
    suffixes: [
      { word: 'size', kind: 'putSize', as: 'size' },
      { word: 'rate', kind: 'callRate', as: 'rate' },
    ],
    run(subject, { clients, ...how }) {
      if (clients === 'off') {
        if (Object.keys(how).length > 0)
          throw new BadInput('load off: a load that ends has no size and no rate')
        return ended(subject)
      }
      subject.beginLoad({ clients, ...how })
      const rate = how.rate === undefined ? '' : `, together ${decimal(how.rate)} times a second,`
      return { data: { clients, ...how }, words: `${counted(clients, 'client')} call${rate} until load off` }
    },
  }),
]

function ended(subject: Subject): Answer {
  const load = subject.endLoad()
  return load === undefined
    ? { data: { clients: 0 }, words: 'there is no load' }
    : { data: { ...load }, words: loadWords(load) }
}

/** A call that is on its way when the load ends is none of those that are told, and may be applied later. */
function loadWords({ clients, answered, notApplied, unknown, unavailableMs }: Seen): string {
  const told = [
    `${counted(clients, 'client')}: ${counted(answered, 'call')} answered, ${decimal(notApplied)} not applied`,
    `${decimal(unknown)} with an unknown outcome; at most ${decimal(unavailableMs)} ms without an answer`,
  ].join(', ')
  return `${told}; calls still on their way are not counted`
}

/** The operation that is under way: a change of the members, or the handing over of leadership. */
function changeOf({ membership: told }: Subject): string[] {
  if (told === undefined) return []
  const { isCommitted, membership, transferTo } = told
  const isChanging = !isCommitted || membership.votersOutgoing.length > 0
  return [
    ...(isChanging ? [`the members are being changed: ${membersInWords(membership)}`] : []),
    ...(transferTo === undefined ? [] : [`the leader hands over to node ${transferTo}`]),
  ]
}

const stateColours: Record<NodeTold['state'], (text: string) => string> = {
  running: paint.green,
  paused: paint.yellow,
  stopped: paint.dim,
  failed: paint.red,
}

function statusTable(nodes: readonly NodeTold[]): string {
  const header = [
    'node',
    'state',
    'member',
    'role',
    'term',
    'leader',
    'last',
    'commit',
    'applied',
    'log bytes',
  ]
  const rows = nodes.map((node) => {
    const isAlive = node.state === 'running' || node.state === 'paused'
    return [
      String(node.nodeId),
      stateColours[node.state](node.state),
      node.member,
      isAlive ? node.role : '-',
      String(node.currentTerm),
      isAlive && node.leaderId !== undefined ? String(node.leaderId) : '-',
      decimal(node.lastIndex),
      decimal(node.commitIndex),
      decimal(node.lastApplied),
      decimal(node.logBytes),
    ]
  })
  const why = nodes.flatMap(({ nodeId, failure }) =>
    failure === undefined ? [] : [`node ${nodeId} failed: ${printable(failure)}`],
  )
  return [table([header.map((cell) => paint.dim(cell)), ...rows]), ...why].join('\n')
}
