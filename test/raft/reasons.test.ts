import { describe, expect, test } from 'vitest'
import type { MessageType, NodeId, Reason, Role } from '../../src/raft/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  heartbeat,
  installSnapshot,
  preVote,
  requestVote,
  requestVoteResponse,
  votersOf,
} from './support/bench.js'

const timeout = 20
const snapshot = { index: 3, term: 1, membership: votersOf(1, 2, 3), size: 20 }

interface Change {
  readonly what: string
  readonly from: Role
  readonly happens: (bench: Bench) => void
  readonly to: Role
  /** Counted from the term that the node was in. */
  readonly terms: number
  readonly leaderId?: NodeId
  readonly reason: Reason
  /** The message that told, from node 2. */
  readonly by?: MessageType
}

/** The node's term, and so many more. */
const termOf = ({ state }: Bench, more = 0): number => state.currentTerm + more

const refused = (bench: Bench): void => {
  const { role } = bench.state
  for (const from of [2, 3]) {
    const fields = { from, term: termOf(bench), voteGranted: false }
    bench.receive(role === 'candidate' ? requestVoteResponse(fields) : bench.preVoteResponse(fields))
  }
}

const followers: readonly Change[] = [
  {
    ...{ what: 'hears nobody for its timeout', from: 'follower', to: 'preCandidate', terms: 0 },
    ...{ happens: ({ node }) => node.tick(2 * timeout), reason: 'electionTimeout' },
  },
  {
    ...{ what: 'is told to campaign', from: 'follower', to: 'preCandidate', terms: 0 },
    ...{ happens: ({ node }) => node.step({ type: 'campaign' }), reason: 'campaign' },
  },
  {
    ...{ what: 'hears the leader of its term', from: 'follower', to: 'follower', terms: 0, leaderId: 2 },
    happens: (bench) => bench.receive(appendEntries({ term: termOf(bench) })),
    reason: 'leaderDiscovered',
    by: 'appendEntries',
  },
  {
    ...{ what: 'hears the leader of a later term', from: 'follower', to: 'follower', terms: 2, leaderId: 2 },
    happens: (bench) => bench.receive(appendEntries({ term: termOf(bench, 2) })),
    reason: 'leaderDiscovered',
    by: 'appendEntries',
  },
  {
    ...{
      what: 'is sent a snapshot of a later term',
      from: 'follower',
      to: 'follower',
      terms: 2,
      leaderId: 2,
    },
    happens: (bench) =>
      bench.receive(installSnapshot(snapshot, new Uint8Array(10), { term: termOf(bench, 2) })),
    reason: 'leaderDiscovered',
    by: 'installSnapshot',
  },
]

const campaigners: readonly Change[] = [
  {
    ...{ what: 'is promised a majority', from: 'preCandidate', to: 'candidate', terms: 1 },
    happens: (bench) => bench.receive(bench.preVoteResponse({ term: termOf(bench) })),
    reason: 'preVoteWon',
  },
  {
    ...{ what: 'is refused by a majority', from: 'preCandidate', to: 'follower', terms: 0 },
    ...{ happens: refused, reason: 'electionLost' },
  },
  {
    ...{ what: 'gets a majority', from: 'candidate', to: 'leader', terms: 0, leaderId: 1 },
    happens: (bench) => bench.receive(requestVoteResponse({ term: termOf(bench) })),
    reason: 'electionWon',
  },
  {
    ...{ what: 'is refused by a majority', from: 'candidate', to: 'follower', terms: 0 },
    ...{ happens: refused, reason: 'electionLost' },
  },
  {
    ...{ what: 'gets no majority in time', from: 'candidate', to: 'preCandidate', terms: 0 },
    ...{ happens: ({ node }) => node.tick(2 * timeout), reason: 'electionTimeout' },
  },
  ...(['preCandidate', 'candidate'] as const).map(
    (from): Change => ({
      ...{ what: 'hears the leader of its term', from, to: 'follower', terms: 0, leaderId: 2 },
      happens: (bench) => bench.receive(appendEntries({ term: termOf(bench) })),
      reason: 'leaderDiscovered',
      by: 'appendEntries',
    }),
  ),
]

const leaders: readonly Change[] = [
  {
    ...{ what: 'hears no majority for an election timeout', from: 'leader', to: 'follower', terms: 0 },
    ...{ happens: ({ node }) => node.tick(2 * timeout), reason: 'quorumLost' },
  },
  {
    ...{ what: 'has a disk that finishes nothing', from: 'leader', to: 'follower', terms: 0 },
    happens: ({ node, state }) => {
      node.disk.isHeld = true
      node.propose('x')
      for (let tick = 0; tick < timeout; tick++) {
        node.tick()
        if (state.role === 'leader') node.receive(accepted(0, { term: state.currentTerm }))
      }
    },
    reason: 'diskStalled',
  },
]

/** A node that follows is told so by its leader; all others learn first that their own term is over. */
const outrun = (['preCandidate', 'candidate', 'leader'] as const).map(
  (from): Change => ({
    ...{ what: 'hears the leader of a later term', from, to: 'follower', terms: 2, leaderId: 2 },
    happens: (bench) => bench.receive(appendEntries({ term: termOf(bench, 2) })),
    reason: 'higherTerm',
    by: 'appendEntries',
  }),
)

const learned = (['follower', 'preCandidate', 'candidate', 'leader'] as const).map(
  (from): Change => ({
    ...{ what: 'learns of a later term by an answer', from, to: 'follower', terms: 2 },
    happens: (bench) => bench.receive(accepted(0, { term: termOf(bench, 2) })),
    reason: 'higherTerm',
    by: 'appendEntriesResponse',
  }),
)

const asked = (['follower', 'preCandidate', 'candidate'] as const).flatMap((from): Change[] => [
  {
    ...{ what: 'is asked for a vote of a later term', from, to: 'follower', terms: 2 },
    happens: (bench) => bench.receive(requestVote({ term: termOf(bench, 2) })),
    reason: 'higherTerm',
    by: 'requestVote',
  },
  {
    ...{ what: 'is asked for a pre-vote by a node of a later term', from, to: 'follower', terms: 2 },
    happens: (bench) => bench.receive(preVote({ term: termOf(bench, 2) })),
    reason: 'higherTerm',
    by: 'preVote',
  },
])

/** The figures that each event tells beside its reason, where no message told. */
const figuresOf: Partial<Record<Reason, object>> = {
  electionTimeout: { elapsedTicks: expect.any(Number), lacking: expect.any(String) },
  quorumLost: { elapsedTicks: timeout },
  diskStalled: { elapsedTicks: timeout },
  preVoteWon: { decidedBy: [1, 2] },
  electionWon: { decidedBy: [1, 2] },
  electionLost: { decidedBy: [2, 3] },
}

describe('every change of role is told once, with its reason', () => {
  const changes = [...followers, ...campaigners, ...leaders, ...outrun, ...learned, ...asked]

  test.each(changes)(
    '[CQ7] a $from that $what: $reason',
    ({ from, happens, to, terms, leaderId, reason, by }) => {
      const bench = new Bench({ term: 4 }).become(from)
      const term = bench.state.currentTerm + terms
      const before = bench.node.events.length
      happens(bench)
      const told = bench.node.events.slice(before).filter(({ type }) => type === 'role')
      const figures = by === undefined ? figuresOf[reason] : { from: 2, messageType: by }
      expect(told).toEqual([{ type: 'role', role: to, term, leaderId, reason, ...figures }])
    },
  )

  test('[CQ7] a follower that campaigns tells for how many ticks it heard no leader', () => {
    const { node, state } = new Bench({ term: 4 })
    const { randomizedElectionTimeoutTicks } = state
    while (node.events.length === 0) node.tick(1)
    const elapsedTicks = randomizedElectionTimeoutTicks
    expect(node.events).toMatchObject([{ reason: 'electionTimeout', elapsedTicks }])
  })

  test('[CQ7] a node that waited tells for what: a heartbeat, a leader that it never heard, or a majority', () => {
    const heard = new Bench({ term: 4 })
    const fresh = new Bench({ term: 4 })
    heard.receive(heartbeat({ term: 4 }))
    for (const { node } of [heard, fresh]) for (let round = 0; round < 2; round++) node.tick(2 * timeout)
    const lackings = (bench: Bench) =>
      bench.node.events.flatMap((event) => ('lacking' in event ? event.lacking : []))
    expect(lackings(heard).slice(0, 2)).toEqual(['heartbeat', 'majority'])
    expect(lackings(fresh).slice(0, 2)).toEqual(['leader', 'majority'])
  })

  test('[CQ7][TL5] a follower that its leader tells to take over: transfer', () => {
    const bench = new Bench({ term: 4 })
    bench.receive(heartbeat({ term: 4 }))
    const before = bench.node.events.length
    bench.receive({ type: 'timeoutNow', from: 2, to: 1, term: 4 })
    const told = { type: 'role', role: 'candidate', term: 5, leaderId: undefined }
    expect(bench.node.events.slice(before)).toEqual([
      { ...told, reason: 'transfer', from: 2, messageType: 'timeoutNow' },
    ])
  })

  test('[CQ7][CF12] a leader that is no voter any more: removed', () => {
    const bench = new Bench().lead()
    bench.node.tick(2)
    bench.receive(accepted(1, { from: 2, round: 1 }))
    bench.node.changeMembership({ type: 'remove', nodeId: 1 })
    bench.acknowledge(2, 3)
    const told = bench.node.events.filter(({ type }) => type === 'role').at(-1)
    expect(told).toEqual({ type: 'role', role: 'follower', term: 1, leaderId: undefined, reason: 'removed' })
  })

  test('[CQ7] the table has every other reason', () => {
    const reasons: readonly Reason[] = [
      ...(['electionTimeout', 'campaign', 'preVoteWon', 'electionWon', 'electionLost'] as const),
      ...(['higherTerm', 'leaderDiscovered', 'quorumLost', 'diskStalled'] as const),
    ]
    expect(new Set(changes.map(({ reason }) => reason))).toEqual(new Set(reasons))
  })
})
