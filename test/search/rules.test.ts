/** The rules of a search, where they are told of what no small space holds. */
import { expect, test } from 'vitest'
import { brokenCommit, type Facts } from '../../src/search/rules.js'

const entries = [1, 2, 3, 4].map((index) => ({ term: 1, key: `${index}` })) as unknown as Facts['log']

/** A leader whose log is 1@1, the joint configuration 2@1, the command 3@1, and 4@1, which leaves the joint one. */
function leader(commitIndex: number): Facts {
  return {
    ...{ id: 1, term: 1, isLeader: true, diskTerm: 1, matches: new Map() },
    commitIndex,
    log: entries,
    disk: entries.slice(0, 3),
    latest: { index: 4, membership: { voters: [1], votersOutgoing: [], learners: [2, 3] } },
    asOfCommit: { index: 2, membership: { voters: [1], votersOutgoing: [1, 2, 3], learners: [] } },
  }
}

const follower = (id: number, disk: Facts['disk']): Facts => ({ ...leader(0), id, isLeader: false, disk })

test('[CF1][CF5] what is committed once a joint configuration was left needs no majority of the outgoing voters', () => {
  const nodes = [leader(3), follower(2, entries.slice(0, 2)), follower(3, entries.slice(0, 1))]
  expect(brokenCommit(leader(3), nodes, 2)).toBeUndefined()
})

test('what is committed together with a joint configuration needs a majority of both its halves', () => {
  const nodes = [leader(3), follower(2, entries.slice(0, 2)), follower(3, entries.slice(0, 1))]
  expect(brokenCommit(leader(3), nodes, 1)).toMatchObject({ rule: 'committed means durable' })
})
