/** The feed: which lines are shown, which of them are drawn, and what led to each. */
import { expect, test } from 'vitest'
import {
  causeOf,
  causesOf,
  effectsOf,
  lineOfQuestion,
  linesOf,
  lineWith,
  lostIn,
  placeOf,
  placesDrawn,
  questionAbout,
  windowOf,
} from '../../src/page/feed-lines.js'
import type { Happened, Happening } from '../../src/telemetry/index.js'

const fault = {
  ...{ id: 1, type: 'cut', line: 'cut 1-3', nodes: [1, 3], ways: [] },
  ...{ messages: undefined, figures: {} },
}

function told(sequence: number, nodeId: number, happening: Happening, cause?: number): Happened {
  return { ...happening, sequence, nodeId, atMs: sequence * 10, cause }
}

const story: readonly Happened[] = [
  told(1, 1, { type: 'killed' }),
  told(4, 2, { type: 'heartbeatMissed', from: 1, silentMs: 200 }, 1),
  told(6, 2, { type: 'leaseLost', term: 2 }, 4),
  told(7, 0, { type: 'faultBegan', fault }),
  told(9, 3, { type: 'missed', count: 5 }),
  told(12, 3, { type: 'flushLate', sinceMs: 300 }, 4),
]
const sequences = (lines: readonly Happened[]) => lines.map(({ sequence }) => sequence)

test('without a filter all lines are shown, and none is copied', () => {
  expect(linesOf(story, { nodeId: undefined, hidden: new Set() })).toBe(story)
})

test('many more of a kind were led to by what led to the first, since their own words say the kind', () => {
  const more = told(14, 2, { type: 'repeated', times: 7 }, 4)
  const all = [...story, more]
  expect(causeOf(all, more)?.sequence).toBe(1)
  expect(causeOf(all, all[1])?.sequence).toBe(1)
  expect(causeOf(all, all[0])).toBeUndefined()
})

test('a node is shown with what it did, and with the faults that act on it', () => {
  const of = (nodeId: number) => sequences(linesOf(story, { nodeId, hidden: new Set() }))
  expect(of(1)).toEqual([1, 7])
  expect(of(2)).toEqual([4, 6])
  expect(of(3)).toEqual([7, 9, 12])
})

test('kinds that are hidden are left out', () => {
  const without = (...kinds: ('elections' | 'delays')[]) =>
    sequences(linesOf(story, { nodeId: undefined, hidden: new Set(kinds) }))
  expect(without('elections')).toEqual([1, 7, 9, 12])
  expect(without('elections', 'delays')).toEqual([1, 7, 9])
})

test('a line that has the focus stays drawn, wherever the reader scrolls', () => {
  expect(placesDrawn([4, 7], undefined)).toEqual([4, 5, 6])
  expect(placesDrawn([4, 7], 5)).toEqual([4, 5, 6])
  expect(placesDrawn([4, 7], 1)).toEqual([1, 4, 5, 6])
  expect(placesDrawn([4, 7], 7)).toEqual([4, 5, 6, 7])
  expect(placesDrawn([4, 7], 30)).toEqual([4, 5, 6, 30])
})

test('what nodes could not keep is counted', () => {
  expect(lostIn(story)).toBe(5)
})

test('a line is found by its number, and a number that is not there is none', () => {
  expect([0, 1, 2, 7, 12, 13].map((sequence) => placeOf(story, sequence))).toEqual([0, 0, 1, 3, 5, 6])
  expect(lineWith(story, 7)?.type).toBe('faultBegan')
  expect(lineWith(story, 8)).toBeUndefined()
  expect(lineWith(story, undefined)).toBeUndefined()
})

test.each([
  ['few lines', 3, { topPx: 0, heightPx: 380 }, [0, 3]],
  ['the beginning of many', 1000, { topPx: 0, heightPx: 380 }, [0, 16]],
  ['the middle of many', 1000, { topPx: 3800, heightPx: 380 }, [94, 116]],
  ['the end of many', 1000, { topPx: 37_620, heightPx: 380 }, [984, 1000]],
  ['a place beyond all lines', 3, { topPx: 38_000, heightPx: 380 }, [3, 3]],
])('no more lines are drawn than are seen and a few around them: %s', (_, count, scroll, drawn) => {
  expect(windowOf(count, scroll, 38)).toEqual(drawn)
})

test('causes are followed back to the first one, and effects are those of the line itself', () => {
  expect(sequences(causesOf(story, story[2]!))).toEqual([4, 1])
  expect(sequences(effectsOf(story, story[1]!))).toEqual([6, 12])
  expect(causesOf(story.slice(1), story[2]!)).toEqual([story[1]])
})

const campaign = { type: 'role', leaderId: undefined, reason: 'electionTimeout', elapsedTicks: 5 } as const

test.each<readonly [Happening, string | undefined]>([
  [
    {
      type: 'voteAnswered',
      candidateId: 2,
      term: 5,
      isPreVote: true,
      voteGranted: false,
      reason: 'leaderMayBeAlive',
    },
    'explain election 5',
  ],
  [{ ...campaign, role: 'preCandidate', term: 4 }, 'explain election 5'],
  [{ ...campaign, role: 'candidate', term: 5 }, 'explain election 5'],
  [{ type: 'commitEnded', index: 42, afterMs: 300 }, 'explain index 42'],
  [{ type: 'overloaded', refused: 3 }, 'explain stall'],
  [{ type: 'killed' }, undefined],
])('a line asks the question that tells more about it: $0.type', (happening, line) => {
  const question = questionAbout(told(1, 1, happening))
  expect(question && lineOfQuestion(question)).toBe(line)
})
