import { describe, expect, test } from 'vitest'
import { explain, type Question } from '../../src/explain/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { links, MadeStory } from './made-story.js'

const golden = new URL('../../../test/explain/golden/', import.meta.url).pathname

/** A story in which most things happen, in three nodes. */
function eventful(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  made.breaks(1900, {
    type: 'delay',
    line: 'delay 2-3 5ms',
    nodes: [2, 3],
    ways: links(2, 3),
    figures: { delayMs: 5 },
  })
  made.breaks(2000, { type: 'kill', line: 'kill 1 for 2s', nodes: [1] }, 4000)
  made.tell(2000, 1, { type: 'killed' })
  made.asks(2570, 3, 2).answers(2572, 2, 3, 2, true, 'logBehind')
  return made.elects(2600, 2, 2, [3]).commits(2, 2620, 3000, 70)
}

const stories: Record<string, [Story, Question]> = {
  'election-kill': [eventful().story, { about: 'election' }],
  'election-first': [eventful().story, { about: 'election', term: 1 }],
  'last-election': [eventful().story, { about: 'last' }],
  'stall-no-leader': [eventful().story, { about: 'stall' }],
}

describe('an explanation in words', () => {
  test.each(Object.entries(stories))('reads like %s.txt', async (name, [story, question]) => {
    await expect(`${explain(story, question).words}\n`).toMatchFileSnapshot(`${golden}${name}.txt`)
  })
})
