/** The trace of an election is as long as the election, and an election has one trace. */
import { expect, test } from 'vitest'
import { timelineOf } from '../../src/explain/index.js'
import { electionTrace } from '../../src/traces/election-spans.js'
import { Outbox } from '../../src/traces/outbox.js'
import type { Span } from '../../src/traces/span.js'
import { Tracing } from '../../src/traces/tracing.js'
import { links, MadeStory } from '../explain/made-story.js'

/** Times of the spans with a name, from the one node. */
function spansOf(made: MadeStory, name: string) {
  const timeline = timelineOf(made.story)
  const won = timeline.roleChanges.findLast(({ role }) => role === 'leader')
  if (won === undefined) throw new Error('nobody leads')
  return electionTrace(timeline, won)
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

/** A tracing that was told the story and is closed, as the elections that it traced. */
async function electionsOf({ story: { happened } }: MadeStory) {
  const sent: Span[] = []
  const send = async (spans: readonly Span[]) => void sent.push(...spans)
  const outbox = new Outbox({ send, close: async () => undefined }, () => undefined)
  const tracing = new Tracing(outbox, () => undefined)
  tracing.take({ type: 'news', calls: [], happened })
  tracing.close()
  await outbox.close(1000)
  return sent
    .filter(({ name }) => name === 'election')
    .map(({ startMs, endMs, attributes, error = 'won' }) => [
      `term ${attributes['raftbox.term']}: ${startMs}-${endMs}`,
      error,
    ])
}

/** Node 1 leads term 1, and node 3 is cut off from 1000 ms on. */
function cutOff(): MadeStory {
  const fault = { type: 'partition', line: 'partition 3', ways: links(3, 1, 2) } as const
  const made = new MadeStory().begins()
  made.breaks(1000, fault)
  return made
}

const first = ['term 1: 0-620', 'won']

test.each([
  ['the next term', 2],
  ['the term of the leader', 1],
])('a node that is cut off and asks for %s opens no election while the others are led', async (_, term) => {
  expect(await electionsOf(cutOff().asks(1600, 3, term).asks(2200, 3, term))).toEqual([first])
})

test('an election that nobody has won is traced in the end, beside the one that was won', async () => {
  const made = cutOff().asks(1600, 3, 2).tell(2500, 1, { type: 'killed' }).asks(3100, 2, 2)
  expect(await electionsOf(made)).toEqual([first, ['term 2: 2500-3100', 'nobody has won']])
})
