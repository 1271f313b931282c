import { expect, test } from 'vitest'
import type { RaftEvent } from '../../src/raft/index.js'
import {
  describeEvent,
  describeHappened,
  type FaultTold,
  type Happened,
  type Happening,
  ToldHappenings,
} from '../../src/telemetry/index.js'

const timedOut = { type: 'role', role: 'preCandidate', term: 0, leaderId: undefined } as const
const follows = { type: 'role', role: 'follower', term: 4, leaderId: undefined } as const
const answered = { type: 'voteAnswered', candidateId: 2, term: 4 } as const

test.each<[string, RaftEvent]>([
  [
    'starts a pre-vote for term 1: no heartbeat for 500 ms',
    { ...timedOut, reason: 'electionTimeout', elapsedTicks: 10, lacking: 'heartbeat' },
  ],
  [
    'starts a pre-vote for term 1: its election timeout of 500 ms is over without a leader',
    { ...timedOut, reason: 'electionTimeout', elapsedTicks: 10, lacking: 'leader' },
  ],
  [
    'starts a pre-vote for term 1: its election timeout of 500 ms is over without a majority',
    { ...timedOut, reason: 'electionTimeout', elapsedTicks: 10, lacking: 'majority' },
  ],
  [
    'starts a pre-vote for term 1: its election timeout of 500 ms is over',
    { ...timedOut, reason: 'electionTimeout', elapsedTicks: 10 },
  ],
  [
    'starts an election for term 4: nodes 1 and 3 would vote for it',
    { ...follows, role: 'candidate', reason: 'preVoteWon', decidedBy: [3, 1] },
  ],
  [
    'leads term 4: nodes 1, 2 and 3 voted for it',
    { ...follows, role: 'leader', leaderId: 3, reason: 'electionWon', decidedBy: [3, 1, 2] },
  ],
  ['waits for a leader in term 4: node 2 refused', { ...follows, reason: 'electionLost', decidedBy: [2] }],
  [
    "adopts term 4: told by node 2's RequestVote",
    { ...follows, reason: 'higherTerm', from: 2, messageType: 'requestVote' },
  ],
  [
    "follows node 2 in term 4: told by node 2's AppendEntries",
    { ...follows, leaderId: 2, reason: 'leaderDiscovered', from: 2, messageType: 'appendEntries' },
  ],
  [
    'waits for a leader in term 4: no majority answered it for 500 ms',
    { ...follows, reason: 'quorumLost', elapsedTicks: 10 },
  ],
  [
    'waits for a leader in term 4: its disk finished no write for 500 ms',
    { ...follows, reason: 'diskStalled', elapsedTicks: 10 },
  ],
  ['waits for a leader in term 4: it was told to campaign at once', { ...follows, reason: 'campaign' }],
  [
    'ignores that node 2 asks for votes in term 4: a leader may be alive',
    { ...answered, isPreVote: false, voteGranted: false, reason: 'leaderMayBeAlive' },
  ],
  [
    'votes for node 2 in term 4: its log holds all that this log holds',
    { ...answered, isPreVote: false, voteGranted: true, reason: 'logUpToDate' },
  ],
  [
    'does not vote for node 2 in term 4: another candidate has the vote of this term',
    { ...answered, isPreVote: false, voteGranted: false, reason: 'votedForAnother' },
  ],
  [
    'would not vote for node 2 in term 4: its log lacks entries that this log holds',
    { ...answered, isPreVote: true, voteGranted: false, reason: 'logBehind' },
  ],
  [
    'drops a message from node 2: it answers what was never asked',
    { type: 'messageDropped', from: 2, reason: 'neverAsked' },
  ],
  [
    'sends a snapshot up to index 7 to node 2, which lags behind the log',
    { type: 'snapshotSending', to: 2, index: 7 },
  ],
  ['takes in a snapshot up to index 7 from node 2', { type: 'snapshotInstalling', from: 2, index: 7 }],
])('%s', (words, event) => {
  expect(describeEvent(event, 50)).toBe(words)
})

const fault: FaultTold = {
  ...{ id: 1, type: 'cut', line: 'cut 1-3', nodes: [1, 3], ways: [] },
  ...{ messages: undefined, figures: {} },
}

test.each<[string, Happening]>([
  ['runs, with a log up to index 7', { type: 'started', lastIndex: 7, snapshotIndex: 0 }],
  ['was killed', { type: 'killed' }],
  ['failed: disk full', { type: 'failed', why: 'disk full' }],
  ['is paused', { type: 'paused' }],
  ['goes on after 800 ms', { type: 'resumed', afterMs: 800.4 }],
  [
    'has heard nothing of its leader, node 2, for 260 ms',
    { type: 'heartbeatMissed', from: 2, silentMs: 260 },
  ],
  ['stood still for 310 ms: its thread was busy, or got no processor', { type: 'threadStood', forMs: 310 }],
  ['holds its lease in term 3: a majority answered it', { type: 'leaseHeld', term: 3 }],
  ['loses its lease in term 3: no majority answered it in time', { type: 'leaseLost', term: 3 }],
  ['gives up its lease in term 3 to hand over', { type: 'leaseLost', term: 3, reason: 'givenUp' }],
  ['waits for its disk, which has not finished a write for 260 ms', { type: 'flushLate', sinceMs: 260 }],
  ['has its write on disk after 400 ms', { type: 'flushEnded', afterMs: 400 }],
  [
    'has entries up to index 9, and committed none for 260 ms',
    { type: 'commitLate', index: 9, sinceMs: 260 },
  ],
  ['commits up to index 9 after 400 ms', { type: 'commitEnded', index: 9, afterMs: 400 }],
  ['turned 20 requests away: too much is waiting', { type: 'overloaded', refused: 20 }],
  ['repeated an earlier happening 30 times', { type: 'repeated', times: 30 }],
  ['told 12 things more than could be kept', { type: 'missed', count: 12 }],
  ['got no turn for 90 ms: its program was busy, or got no processor', { type: 'hostBlocked', forMs: 90 }],
  ['has a fault: cut 1-3', { type: 'faultBegan', fault }],
  ['is healed of a fault: cut 1-3', { type: 'faultHealed', fault, by: 'verb' }],
  ['is healed of a fault, whose time is over: cut 1-3', { type: 'faultHealed', fault, by: 'time' }],
])('%s', (words, happening) => {
  expect(describeEvent(happening)).toBe(words)
})

test('a standstill whose cause is known is not said to have another one', () => {
  const stood = { type: 'threadStood', forMs: 1995 } as const
  expect(describeEvent(stood)).toBe('stood still for 1995 ms: its thread was busy, or got no processor')
  expect(describeEvent({ ...stood, cause: 41 })).toBe('stood still for 1995 ms')
})

test('where nobody knows how long a tick is, times are told in ticks', () => {
  const event: RaftEvent = { ...timedOut, reason: 'electionTimeout', elapsedTicks: 23, lacking: 'heartbeat' }
  expect(describeEvent(event)).toBe('starts a pre-vote for term 1: no heartbeat for 23 ticks')
})

test('a repetition is told in the words of what was repeated', () => {
  const at = { nodeId: 2, atMs: 0, cause: undefined }
  const first: Happened = { ...at, type: 'overloaded', refused: 20, sequence: 7 }
  const repeated: Happened = { ...at, type: 'repeated', times: 5, sequence: 9, cause: 7 }
  const words = 'node 2 turned 20 requests away: too much is waiting (5 times more)'
  expect(describeHappened(repeated, 100, first)).toBe(words)
  const told = new ToldHappenings(100)
  told.wordsOf(first)
  told.wordsOf({ ...at, type: 'paused', sequence: 8 })
  expect(told.wordsOf(repeated)).toBe(words)
  expect(new ToldHappenings(100).wordsOf(repeated)).toBe('node 2 repeated an earlier happening 5 times')
})
