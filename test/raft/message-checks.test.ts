import { describe, expect, test } from 'vitest'
import { entriesIn, type Message, Raft } from '../../src/raft/index.js'
import { runsOf } from '../../src/testing/index.js'
import {
  accepted,
  appendEntries,
  Bench,
  heartbeat,
  installSnapshot,
  installSnapshotResponse,
  preVote,
  preVoteResponse,
  readIndex,
  readIndexResponse,
  refused,
  requestVote,
  requestVoteResponse,
  votersOf,
} from './support/bench.js'

const snapshot = { index: 3, term: 1, membership: votersOf(1, 2, 3), size: 20 }
const half = new Uint8Array(10)

/** One good message of each type and mode, of the term after the node's own. */
const messages: readonly Message[] = [
  requestVote({ term: 4 }),
  requestVoteResponse({ term: 4 }),
  preVote({ term: 4 }),
  preVoteResponse({ term: 4 }),
  appendEntries({ term: 4 }),
  heartbeat({ term: 4 }),
  accepted(0, { term: 4 }),
  accepted(0, { term: 4, round: 1 }),
  installSnapshot(snapshot, half, { term: 4 }),
  installSnapshotResponse({ term: 4, lastIncludedIndex: 3 }),
  readIndex({ term: 4 }),
  readIndexResponse({ term: 4 }),
]

/** Every way to put a number that is no count into one of the fields. */
const spoilt = messages.flatMap((message) =>
  Object.entries(message)
    .filter(([, value]) => typeof value === 'number')
    .flatMap(([field]) =>
      [Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 53].map((value) => ({
        type: message.type,
        field,
        value,
        message: { ...message, [field]: value } as Message,
      })),
    ),
)

/** The node drops the message, says why, and is as it was. */
function expectDropped(bench: Bench, message: Message, reason: string): void {
  const image = () => {
    const { outbox: _, ...state } = bench.node.raft.dump()
    return state
  }
  const before = image()
  expect(bench.receive(message)).toEqual([])
  expect(bench.node.events.at(-1)).toEqual({ type: 'messageDropped', from: message.from, reason })
  expect(image()).toEqual(before)
}

describe('a message', () => {
  test.each(messages)('[TM9] that holds together is taken: $type', (message) => {
    const bench = new Bench({ term: 3 })
    bench.receive(message)
    expect(bench.state.currentTerm).toBe(4)
    expect(bench.node.events.filter(({ type }) => type === 'messageDropped')).toEqual([])
  })

  test.each(spoilt)(
    '[TM9] is dropped when a number is no count: $field of $type is $value',
    ({ message }) => {
      expectDropped(new Bench({ term: 3 }), message, 'notACount')
    },
  )

  const entries = runsOf([1, 1])
  const runWith = (fields: object) => [{ ...entries[0], ...fields }] as unknown as typeof entries
  test.each<[string, Message]>([
    ['an entry’s term', appendEntries({ term: 4, entries: runWith({ term: Number.NaN }) })],
    ['an entry’s index', appendEntries({ term: 4, entries: runWith({ index: 1.5 }) })],
    ['a count of entries', appendEntries({ term: 4, entries: runWith({ count: 2 ** 53 }) })],
    ['an id of a member', installSnapshot({ ...snapshot, membership: votersOf(1, 0) }, half, { term: 4 })],
    ['the sender’s id', requestVote({ term: 4, from: 0 })],
  ])('[TM9] is dropped when a number is no count: %s', (_, message) => {
    expectDropped(new Bench({ term: 3 }), message, 'notACount')
  })

  test.each<[string, Message]>([
    ['no entries in a run', appendEntries({ term: 4, entries: runWith({ count: 0 }) })],
    ['entries without their bytes', appendEntries({ term: 4, entries: runWith({ bytes: undefined }) })],
    ['a mode that is none', { ...heartbeat({ term: 4 }), mode: 'probe' } as unknown as Message],
    [
      'an answer of a mode that is none',
      { ...accepted(0, { term: 3 }), mode: 'probe' } as unknown as Message,
    ],
    ['a gap before the entries', appendEntries({ term: 4, prevLogIndex: 1, prevLogTerm: 1, entries })],
    ['a log of a later term', requestVote({ term: 4, lastLogIndex: 1, lastLogTerm: 5 })],
    ['a question about another term than the next', preVote({ term: 4, nextTerm: 9 })],
    ['a vote in another term than was asked', requestVoteResponse({ term: 4, electionTerm: 3 })],
    [
      'a refusal of an election to come',
      requestVoteResponse({ term: 4, electionTerm: 5, voteGranted: false }),
    ],
    ['a chunk beyond its snapshot', installSnapshot(snapshot, half, { term: 4, offset: 11 })],
    ['a last chunk that ends nothing', installSnapshot(snapshot, half, { term: 4, done: true })],
    [
      'an end that is not the last chunk',
      installSnapshot(snapshot, half, { term: 4, offset: 10, done: false }),
    ],
    ['a snapshot of a later term', installSnapshot({ ...snapshot, term: 5 }, half, { term: 4 })],
  ])('[TM9] is dropped when it contradicts itself: %s', (_, message) => {
    if (message.type === 'appendEntries' && entriesIn(message).some(({ bytes }) => bytes === undefined)) {
      const bench = new Bench({ term: 3 })
      bench.node.receive(message)
      expect(bench.node.events.at(-1)).toMatchObject({ type: 'messageDropped', reason: 'contradictory' })
    } else expectDropped(new Bench({ term: 3 }), message, 'contradictory')
  })

  test.each<[string, Message]>([
    ['another receiver', requestVoteResponse({ term: 4, to: 3 })],
    ['the node itself as sender', requestVoteResponse({ term: 4, from: 1 })],
  ])('[TM9] is dropped when it is not from a peer to this node: %s', (_, message) => {
    expectDropped(new Bench({ term: 3 }), message, 'misdirected')
  })

  test('[TM9] of an unknown type is dropped', () => {
    const message = { ...requestVote({ term: 9 }), type: 'hello' } as unknown as Message
    expectDropped(new Bench({ term: 3 }), message, 'contradictory')
  })

  test.each<[string, Message]>([
    ['a match beyond the leader’s log', accepted(6, { term: 2 })],
    ['a round to come', accepted(0, { term: 2, round: 1 })],
    [
      'an offset beyond the snapshot',
      installSnapshotResponse({ term: 2, lastIncludedIndex: 3, offset: 9999 }),
    ],
  ])('[TM9] is dropped when it answers what was never asked: %s', (_, message) => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 1] }, log: [1] }).become('leader')
    bench.receive(refused(4, { term: 2, conflictIndex: 1 }))
    expect(bench.state.leadership?.progress.get(2)?.state).toBe('snapshot')
    expectDropped(bench, message, 'neverAsked')
  })
})

describe('a node', () => {
  const options = { id: 1, membership: votersOf(1, 2, 3), seed: 1 }
  const start = (currentTerm: number, votedFor?: number) =>
    new Raft({
      ...options,
      recovered: {
        hardState: { currentTerm, votedFor },
        snapshot: { index: 7, term: 3, membership: options.membership, size: 1 },
        base: { index: 7, term: 3 },
        entries: [],
      },
    })

  test('[DU17] that begins with a snapshot alone needs a term as late as the snapshot’s', () => {
    expect(start(3).state).toMatchObject({ currentTerm: 3, log: { commitIndex: 7 } })
    expect(() => start(0)).toThrow('pass a currentTerm of at least 3')
  })

  test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY])('[DU17] does not begin in term %d', (term) => {
    expect(() => start(term)).toThrow('recovered.hardState')
    expect(() => start(3, term)).toThrow('recovered.hardState')
  })

  test('[CM6] is told of whole indexes only', () => {
    const raft = new Raft(options)
    for (const index of [Number.NaN, 0.5, -1])
      expect(() => raft.step({ type: 'applied', index })).toThrow('an index is a whole number')
  })
})
