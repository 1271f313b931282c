/** What is told of a promise that left before it was on disk. */
import { expect, test } from 'vitest'
import { type Checker, Promises, type WatchedNode } from '../../src/proof/index.js'
import type { Message } from '../../src/raft/index.js'

test.each([
  [undefined, 'its disk says nothing'],
  [{ currentTerm: 2, votedFor: undefined }, 'its disk says term 2, vote for nobody'],
  [{ currentTerm: 2, votedFor: 3 }, 'its disk says term 2, vote 3'],
])('a vote that is not on the disk is told with what is there: %j', (hardState, where) => {
  const told: string[] = []
  const words = { of: () => ({ votes: new Map() }) }
  const checker = { words, report: (_: string, why: string) => void told.push(why) } as unknown as Checker
  const node = { id: 1, durable: { hardState } } as unknown as WatchedNode
  new Promises(checker).sent(node, { type: 'requestVote', term: 2 } as Message)
  expect(told).toEqual([`node 1 votes for 1 in term 2, and ${where}`])
})
