import { expect, test } from 'vitest'
import type { RaftEvent } from '../../src/raft/index.js'
import { describeEvent } from '../../src/telemetry/index.js'

const timedOut = { type: 'role', role: 'preCandidate', term: 0, leaderId: undefined } as const
const follows = { type: 'role', role: 'follower', term: 4, leaderId: undefined } as const
const answered = { type: 'voteAnswered', candidateId: 2, term: 4 } as const

test.each<[string, RaftEvent]>([
  [
    'starts a pre-vote for term 1: no heartbeat for 500 ms',
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
  ['waits for a leader in term 4: it was asked to', { ...follows, reason: 'campaign' }],
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

test('where nobody knows how long a tick is, times are told in ticks', () => {
  const event: RaftEvent = { ...timedOut, reason: 'electionTimeout', elapsedTicks: 23 }
  expect(describeEvent(event)).toBe('starts a pre-vote for term 1: no heartbeat for 23 ticks')
})
