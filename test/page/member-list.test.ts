/** Members as rows, and the change that is under way. */
import { expect, test } from 'vitest'
import { configurationIn, memberRows } from '../../src/page/member-list.js'
import { madeFrame, madeNode } from './made-frames.js'

const progress = [
  { nodeId: 2, nextIndex: 8, matchIndex: 7, bytesInFlight: 0, isSnapshotSent: false },
  { nodeId: 3, nextIndex: 1, matchIndex: 0, bytesInFlight: 0, isSnapshotSent: true },
]
const nodes = [
  madeNode(1, { lastIndex: 10, progress }),
  madeNode(2),
  madeNode(3, { member: 'learner' }),
  madeNode(4, { state: 'stopped' }),
]

test('a row tells how far its node is, as the leader knows it', () => {
  const rows = memberRows(madeFrame(1, 0, { nodes }))
  expect(rows.map(({ lag }) => lag)).toEqual([0, 3, 10, undefined])
  expect(rows.map(({ isSnapshotSent }) => isSnapshotSent)).toEqual([false, false, true, false])
})

test('each row has the verbs that would change something', () => {
  const rows = memberRows(madeFrame(1, 0, { nodes }))
  expect(rows.map(({ verbs }) => verbs)).toEqual([
    ['demote', 'remove', 'replace'],
    ['transfer', 'demote', 'remove', 'replace'],
    ['promote', 'remove', 'replace'],
    ['demote', 'remove', 'replace'],
  ])
})

test('without a leader nobody knows how far a node is', () => {
  const rows = memberRows(madeFrame(1, 0, { nodes, leaderId: undefined }))
  expect(rows.map(({ lag }) => lag)).toEqual([undefined, undefined, undefined, undefined])
})

test('a joint configuration, an uncommitted one and a handing over are told as under way', () => {
  const membership = { voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learners: [] }
  const told = { index: 9, isCommitted: false, membership, transferTo: 2 }
  const { words, changes } = configurationIn(madeFrame(1, 0, { membership: told }))
  expect(words).toContain('a majority needs 2 of nodes 1, 2 and 4 and 2 of nodes 1, 2 and 3')
  expect(changes).toEqual([
    'joint: the voters of before still count, until the new ones are committed',
    'entry 9 with this configuration is not committed yet',
    'the leader hands over to node 2',
  ])
})

test('a configuration that stands has no changes', () => {
  const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
  const told = { index: 0, isCommitted: true, membership }
  expect(configurationIn(madeFrame(1, 0, { membership: told }))).toEqual({
    words: 'nodes 1, 2 and 3 as voters: 2 of 3 voters make a majority',
    changes: [],
  })
})
