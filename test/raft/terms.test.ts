import { describe, expect, test } from 'vitest'
import type { Message, MessageType, Role } from '../../src/raft/index.js'
import { entriesOf, runsOf } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  installSnapshot,
  installSnapshotResponse,
  preVote,
  preVoteResponse,
  readIndex,
  readIndexResponse,
  requestVote,
  requestVoteResponse,
  votersOf,
} from './support/bench.js'

const roles: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader']

/** Node 1 in a role, in term 5 whatever the role, with the log [1, 4] and a leader's own entry behind it. */
function inTerm5(role: Role): Bench {
  const raisesTerm = role === 'candidate' || role === 'leader'
  return new Bench({ log: [1, 4], term: raisesTerm ? 4 : 5 }).become(role)
}

const snapshotData = new TextEncoder().encode(JSON.stringify(entriesOf(runsOf([1, 1, 1]))))
const snapshot = { index: 3, term: 1, membership: votersOf(1, 2, 3), size: snapshotData.byteLength }

const messageOf: Record<MessageType, (term: number, campaign: number) => Message> = {
  requestVote: (term) => requestVote({ term, lastLogIndex: 9, lastLogTerm: term }),
  requestVoteResponse: (term) => requestVoteResponse({ term }),
  preVote: (term) => preVote({ term, lastLogIndex: 9, lastLogTerm: term }),
  preVoteResponse: (term, campaign) => preVoteResponse({ term, campaign }),
  appendEntries: (term) => appendEntries({ term, prevLogIndex: 2, prevLogTerm: Math.min(term, 4) }),
  appendEntriesResponse: (term) => accepted(0, { term }),
  installSnapshot: (term) => installSnapshot(snapshot, snapshotData, { term }),
  installSnapshotResponse: (term) => installSnapshotResponse({ term }),
  timeoutNow: (term) => ({ type: 'timeoutNow', from: 2, to: 1, term }),
  readIndex: (term) => readIndex({ term }),
  readIndexResponse: (term) => readIndexResponse({ term }),
}

interface Outcome {
  readonly role: Role
  readonly term: number
  readonly reply: string
}

const yes = (type: string, term: number) => `${type} ${term} yes`
const no = (type: string, term: number) => `${type} ${term} no`

/** What becomes of a node in term 5 that receives a message of the given term. */
const expectedOf: Record<MessageType, (role: Role, term: number) => Outcome> = {
  requestVote: (role, term) => {
    if (role === 'leader') return { role, term: 5, reply: '' }
    if (term < 5) return { role, term: 5, reply: no('requestVoteResponse', 5) }
    if (term > 5) return { role: 'follower', term, reply: yes('requestVoteResponse', term) }
    // A candidate has voted for itself; who only asks has not voted yet.
    return { role, term: 5, reply: (role === 'candidate' ? no : yes)('requestVoteResponse', 5) }
  },
  preVote: (role, term) => {
    if (role === 'leader') return { role, term: 5, reply: '' }
    if (term < 5) return { role, term: 5, reply: no('preVoteResponse', 5) }
    return { role: term > 5 ? 'follower' : role, term, reply: yes('preVoteResponse', term) }
  },
  requestVoteResponse: (role, term) => {
    if (term > 5) return { role: 'follower', term, reply: '' }
    return { role: role === 'candidate' && term === 5 ? 'leader' : role, term: 5, reply: '' }
  },
  preVoteResponse: (role, term) => {
    if (term > 5) return { role: 'follower', term, reply: '' }
    if (role !== 'preCandidate' || term < 5) return { role, term: 5, reply: '' }
    return { role: 'candidate', term: 6, reply: '' }
  },
  appendEntries: (_, term) => {
    return { role: 'follower', term, reply: yes('appendEntriesResponse', term) }
  },
  appendEntriesResponse: (role, term) => {
    return term > 5 ? { role: 'follower', term, reply: '' } : { role, term: 5, reply: '' }
  },
  installSnapshot: (_, term) => {
    return { role: 'follower', term, reply: yes('installSnapshotResponse', term) }
  },
  installSnapshotResponse: (role, term) => {
    return term > 5 ? { role: 'follower', term, reply: '' } : { role, term: 5, reply: '' }
  },
  // A leader answers once its term's first entry is committed, and only a leader tells a readIndex.
  readIndex: (role, term) => {
    const reply = no('readIndexResponse', Math.max(term, 5))
    if (term > 5) return { role: 'follower', term, reply }
    return { role, term: 5, reply: role === 'leader' ? '' : reply }
  },
  readIndexResponse: (role, term) => {
    return term > 5 ? { role: 'follower', term, reply: '' } : { role, term: 5, reply: '' }
  },
  // None of these nodes follows the sender. One that does has a test of its own.
  timeoutNow: (role, term) => {
    return term > 5 ? { role: 'follower', term, reply: '' } : { role, term: 5, reply: '' }
  },
}

function isYes(message: Message): boolean {
  if ('voteGranted' in message) return message.voteGranted
  if ('success' in message) return message.success
  if (message.type === 'readIndexResponse') return message.readIndex !== undefined
  return 'done' in message && message.done
}

const isRequestOfLeader = (type: MessageType) => type === 'appendEntries' || type === 'installSnapshot'

describe('every type of message, in every role, of an earlier, the same and a later term', () => {
  const types = Object.keys(messageOf) as MessageType[]
  const rows = types.flatMap((type) =>
    roles.flatMap((role) => [4, 5, 6].map((term) => ({ type, role, term }))),
  )
  // Two leaders in one term are our own bug: a test of its own.
  const possible = rows.filter(
    ({ type, role, term }) => !(isRequestOfLeader(type) && role === 'leader' && term === 5),
  )

  test.each(possible)('[TM7] $type of term $term at a $role of term 5', ({ type, role, term }) => {
    const bench = inTerm5(role)
    const sent = bench.receive(messageOf[type](term, bench.state.campaign))
    const staleLeader = { role, term: 5, reply: no(`${type}Response`, 5) }
    const expected = isRequestOfLeader(type) && term < 5 ? staleLeader : expectedOf[type](role, term)
    const replies = sent.filter((message) => message.type === `${type}Response`)
    const reply = replies.map((message) => `${message.type} ${message.term} ${isYes(message) ? 'yes' : 'no'}`)
    expect({ role: bench.state.role, term: bench.state.currentTerm, reply: reply.join() }).toEqual(expected)
  })

  test.each([
    [4, { role: 'follower', currentTerm: 5, leaderId: 2 }],
    [5, { role: 'candidate', currentTerm: 6, leaderId: undefined }],
    [6, { role: 'follower', currentTerm: 6, leaderId: undefined }],
  ])('[TM7] timeoutNow of term %d at a follower of its sender in term 5', (term, expected) => {
    const bench = inTerm5('follower')
    bench.receive(appendEntries({ term: 5 }))
    bench.receive(messageOf.timeoutNow(term, 0))
    expect(bench.state).toMatchObject(expected)
  })

  test.each(types)('[TM2][TM3] whoever learns of a later term by %s adopts it and follows', (type) => {
    for (const role of roles) {
      const isIgnored = role === 'leader' && (type === 'requestVote' || type === 'preVote')
      const bench = inTerm5(role)
      bench.receive(messageOf[type](8, bench.state.campaign))
      expect(bench.state.currentTerm).toBe(isIgnored ? 5 : 8)
      expect(bench.state.role).toBe(isIgnored ? 'leader' : 'follower')
      if (isIgnored || type === 'requestVote') continue
      expect(bench.state.votedFor, 'a new term brings a new vote').toBe(undefined)
      expect(bench.node.disk.recover().hardState).toEqual({ currentTerm: 8, votedFor: undefined })
    }
  })

  test('[TM1] every message carries its sender’s current term', () => {
    const bench = new Bench({ log: [1], term: 6 })
    const terms = () => bench.sent().map(({ term }) => term)
    bench.node.campaign()
    expect(terms()).toEqual([6, 6])
    bench.node.receive(bench.preVoteResponse({ term: 6 }))
    expect(terms()).toEqual([7, 7])
    bench.node.receive(requestVoteResponse({ term: 7 }))
    bench.node.tick(2)
    expect(new Set(terms())).toEqual(new Set([7]))
  })

  test.each(['requestVote', 'preVote', 'appendEntries', 'installSnapshot'] as const)(
    '[TM4] %s of a stale term is rejected, with the term that is current',
    (type) => {
      for (const role of ['follower', 'preCandidate', 'candidate'] as const) {
        const bench = inTerm5(role)
        const before = bench.node.entries
        const sent = bench.receive(messageOf[type](3, bench.state.campaign))
        expect(sent).toHaveLength(1)
        expect(sent[0]).toMatchObject({ to: 2, term: 5 })
        expect(sent.some(isYes)).toBe(false)
        expect(bench.node.entries).toEqual(before)
      }
    },
  )

  test('[TM5] an answer of an earlier term changes nothing at a leader', () => {
    const bench = inTerm5('leader')
    const progress = bench.state.leadership?.progress.get(2)
    bench.receive(accepted(3, { term: 4 }), accepted(3, { term: 4, from: 3 }))
    expect(progress).toMatchObject({ matchIndex: 0, isProbeSent: true })
    expect(bench.state.log.commitIndex).toBe(0)
  })

  test('[TM6] the term never falls, also across a restart', () => {
    const bench = new Bench({ term: 2 })
    bench.receive(appendEntries({ term: 7 }), appendEntries({ term: 3 }))
    expect(bench.state.currentTerm).toBe(7)
    bench.node.crash()
    bench.node.restart()
    expect(bench.state.currentTerm).toBe(7)
  })

  test('[EL19] a second leader in one term is our own bug: the node stops', () => {
    const leader = inTerm5('leader')
    expect(() => leader.receive(appendEntries({ term: 5 }))).toThrow('one leader a term')
    const follower = inTerm5('follower')
    follower.receive(appendEntries({ from: 2, term: 5 }))
    expect(() => follower.receive(appendEntries({ from: 3, term: 5 }))).toThrow('one leader a term')
  })
})
