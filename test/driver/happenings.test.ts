import { expect, test } from 'vitest'
import { DrivenNode } from './driven-node.js'

test('[HP4] a vote and a change of role are told before any message leaves that comes of them', () => {
  const order: string[] = []
  const node: DrivenNode = new DrivenNode({
    heard: (happening) => {
      for (const { type } of node.sent.splice(0)) order.push(`sends ${type}`)
      order.push(happening.type === 'role' ? happening.role : happening.type)
    },
  })
  const question = { from: 2, to: 1, lastLogIndex: 0, lastLogTerm: 0 } as const
  node.receive({ type: 'preVote', ...question, term: 0, nextTerm: 1, campaign: 1 })
  node.receive({ type: 'requestVote', ...question, term: 1 })
  node.flushAll()
  node.driver.raft.step({ type: 'timeoutNow' })
  node.driver.turn()
  node.flushAll()
  const answer = { type: 'requestVoteResponse', from: 2, to: 1, term: 2, electionTerm: 2 } as const
  node.receive({ ...answer, voteGranted: true })
  expect(order).toEqual([
    ...['voteAnswered', 'sends preVoteResponse', 'follower', 'voteAnswered', 'sends requestVoteResponse'],
    ...['candidate', 'sends requestVote', 'sends requestVote', 'leader'],
  ])
  expect(node.failures).toEqual([])
})
