/** The trace of an election is as long as the election. */
import { expect, test } from 'vitest'
import { electionTrace } from '../../src/traces/election-spans.js'
import { links, MadeStory } from '../explain/made-story.js'

/** Times of the spans with a name, from the one node. */
function spansOf(made: MadeStory, name: string) {
  const { story } = made
  const won = story.happened.findLast((each) => each.type === 'role' && each.role === 'leader')
  if (won?.type !== 'role') throw new Error('nobody leads')
  return electionTrace(story, won)
    .filter((span) => span.name === name)
    .map(({ service, startMs, endMs }) => `${service.at(-1)}: ${startMs}-${endMs}`)
}

test('an election begins where its leader is missed', () => {
  const made = new MadeStory().begins().tell(5000, 1, { type: 'killed' }).elects(5700, 2, 2, [3])
  expect(spansOf(made, 'election')).toEqual(['2: 5000-5700'])
  expect(spansOf(made, 'pre-vote')).toEqual(['2: 5692-5696'])
})

test('what a node that was cut off asked in vain, while the others had a leader, is no part of it', () => {
  const made = new MadeStory().begins()
  made.breaks(1000, { type: 'partition', line: 'partition 3', ways: links(3, 1, 2) }, 60_050)
  for (let atMs = 1600; atMs < 60_000; atMs += 600) made.asks(atMs, 3, 2)
  made.tell(60_000, 1, { type: 'killed' }).elects(60_700, 2, 2, [3])
  expect(spansOf(made, 'election')).toEqual(['2: 59800-60700'])
  expect(spansOf(made, 'pre-vote')).toEqual(['3: 59800-60700', '2: 60692-60696'])
})
