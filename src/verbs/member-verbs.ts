/** Verbs that change the members of a cluster, or its leader. */
import type { Slot } from './grammar.js'
import type { Subject } from './subject.js'
import { type Answer, verb } from './verb.js'

const target = { kind: 'target', as: 'target' } as const satisfies Slot
const keep = { kind: 'keep', as: 'keep' } as const

export const memberVerbs = [
  verb('transfer', {
    explanation: 'the leader hands over to a voter, or to the one whose log is longest',
    slots: [{ ...target, isOptional: true }],
    async run(subject, { target }) {
      const leaderId = await subject.changer.transfer(target)
      return { data: { leaderId }, words: `node ${leaderId} leads` }
    },
  }),
  verb('add', {
    explanation: 'starts a node, which votes once it has caught up; learner: it only follows',
    suffixes: [{ kind: 'learner', as: 'learner' }],
    async run(subject, { learner }) {
      const nodeId = await subject.changer.addNode({ learner: learner !== undefined })
      return nodeIs(subject, nodeId, learner === undefined ? 'is a voter' : 'is a learner')
    },
  }),
  verb('promote', {
    explanation: 'a learner gets a vote, once it has caught up',
    slots: [target],
    async run(subject, { target }) {
      return nodeIs(subject, await subject.changer.promote(target), 'is a voter')
    },
  }),
  verb('demote', {
    explanation: 'a voter becomes a learner',
    slots: [target],
    async run(subject, { target }) {
      return nodeIs(subject, await subject.changer.demote(target), 'is a learner')
    },
  }),
  verb('remove', {
    explanation: 'takes a node out of the cluster for good, and ends it; keep: its folder stays',
    slots: [target],
    suffixes: [keep],
    async run(subject, { target, keep }) {
      const nodeIds = await subject.changer.removeNode(target, { keep: keep !== undefined })
      const what = nodeIds.length === 1 ? 'node' : 'nodes'
      return {
        data: { nodeIds, membership: membershipOf(subject) },
        words: `removed ${what} ${nodeIds.join(', ')}`,
      }
    },
  }),
  verb('replace', {
    explanation: 'a new node takes the place of one, which may be dead; keep: the old folder stays',
    slots: [target],
    suffixes: [keep],
    async run(subject, { target, keep }) {
      const nodeId = await subject.changer.replaceNode(target, { keep: keep !== undefined })
      return nodeIs(subject, nodeId, 'is in its place')
    },
  }),
]

/** The configuration as plain data; null while none is known. */
export function membershipOf({ membership }: Subject): Record<string, unknown> | null {
  if (membership === undefined) return null
  const { index, isCommitted, transferTo = null } = membership
  return { ...membership.membership, index, isCommitted, transferTo }
}

function nodeIs(subject: Subject, nodeId: number, what: string): Answer {
  return { data: { nodeId, membership: membershipOf(subject) }, words: `node ${nodeId} ${what}` }
}
