import { describe, expect, test } from 'vitest'
import { type Election, explain, explainElection } from '../../src/explain/index.js'
import { MadeStory } from './made-story.js'

/** Node 1 is killed at 2000, and node 2 leads term 2 from 2600 on. */
function killed(): MadeStory {
  return new MadeStory(5).begins().tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3, 4])
}

function votesIn({ story }: MadeStory): Election['votes'] {
  const explained = explainElection(story)
  if (explained.type !== 'election') throw new Error(explained.why)
  return explained.votes
}

describe('the votes of an election that was won', () => {
  test('are those for the winner, also one that came late', () => {
    const late = { voterId: 5, candidateId: 2, voteGranted: true, atMs: 2610 }
    expect(votesIn(killed().answers(2610, 5, 2, 2, false)).at(-1)).toMatchObject(late)
  })

  test('are none that a node without a leader asked for long after', () => {
    const made = killed().asks(4000, 5, 2)
    for (const voterId of [2, 3, 4]) made.answers(4002, voterId, 5, 2, true, 'leaderMayBeAlive')
    expect(votesIn(made)).toEqual(votesIn(killed()))
  })

  test('are not the silence of a frozen node that took the question after the end', () => {
    expect(votesIn(killed().answers(4000, 5, 2, 2, true, 'leaderMayBeAlive'))).toEqual(votesIn(killed()))
  })

  test('hold one answer of each voter to each candidate and kind, however many rounds of pre-votes there were', () => {
    const made = new MadeStory(5).begins().tell(2000, 1, { type: 'killed' })
    for (const atMs of [2500, 2590]) made.asks(atMs, 2, 2).answers(atMs + 1, 3, 2, 2, true)
    const keys = votesIn(made.elects(2700, 2, 2, [3, 4])).map(
      ({ voterId, candidateId, isPreVote }) => `${voterId} ${candidateId} ${isPreVote}`,
    )
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.length).toBe(4)
  })

  test('keep the reason of a yes that the candidate asked for again', () => {
    const made = new MadeStory().begins().tell(2000, 1, { type: 'killed' })
    made.elects(2600, 2, 2, [3]).answers(2601, 3, 2, 2, false, 'votedBefore')
    expect(votesIn(made).at(-1)).toMatchObject({ voterId: 3, isPreVote: false, reason: 'logUpToDate' })
  })
})

test('a node that ignored a pre-vote and an election is told of twice, in different words', () => {
  const made = new MadeStory(5).begins().tell(2000, 1, { type: 'paused' }).asks(2590, 2, 2)
  made.answers(2591, 5, 2, 2, true, 'leaderMayBeAlive').answers(2597, 5, 2, 2, false, 'leaderMayBeAlive')
  const lines = explain(made.elects(2600, 2, 2, [3, 4]).story, { about: 'election' }).words.split('\n')
  const ignored = lines.filter((line) => line.includes('node 5 ignored'))
  expect(ignored.map((line) => line.split(':')[0])).toEqual([
    '  node 5 ignored that node 2 asks for a pre-vote',
    '  node 5 ignored that node 2 asks for its vote',
  ])
})
