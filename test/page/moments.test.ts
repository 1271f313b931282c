import { describe, expect, test } from 'vitest'
import { momentInWords, momentsOf } from '../../src/page/moments.js'
import { reignsOf } from '../../src/page/term-strip.js'
import type { FaultTold } from '../../src/telemetry/index.js'
import { MadeStory } from '../explain/made-story.js'
import { madeFrame, madeNode } from './made-frames.js'

const fault: FaultTold = {
  id: 4,
  type: 'slowDisk',
  line: 'slow-disk 1,2 200ms',
  nodes: [1, 2],
  ways: [],
  messages: undefined,
  figures: { flushMs: 200 },
}

function reign(number: number, atMs: number, currentTerm: number, leaderId: number | undefined) {
  return madeFrame(number, atMs, { leaderId, nodes: [madeNode(1), madeNode(2, { currentTerm })] })
}

describe('moments', () => {
  test('are elections that were won, and nodes that ended', () => {
    const { happened } = new MadeStory()
      .begins()
      .tell(900, 1, { type: 'killed' })
      .tell(950, 2, { type: 'failed', why: 'disk full' }).story
    expect(momentsOf(happened, undefined).moments).toEqual([
      { type: 'election', atMs: expect.any(Number), nodeId: 1, term: 1 },
      { type: 'crash', atMs: 900, nodeId: 1, term: undefined },
      { type: 'crash', atMs: 950, nodeId: 2, term: undefined },
    ])
  })

  test('a fault lasts until it is healed at the last of its nodes', () => {
    const story = new MadeStory().tell(10, 0, { type: 'faultBegan', fault })
    story.tell(20, 0, { type: 'faultHealed', fault: { ...fault, nodes: [1] }, by: 'verb' })
    const { line } = fault
    expect(momentsOf(story.story.happened, undefined).faults).toEqual([
      { id: 4, line, fromMs: 10, toMs: undefined },
    ])
    story.tell(30, 0, { type: 'faultHealed', fault: { ...fault, nodes: [2] }, by: 'verb' })
    expect(momentsOf(story.story.happened, undefined).faults).toEqual([{ id: 4, line, fromMs: 10, toMs: 30 }])
  })

  test('a fault of a link is healed at once', () => {
    const cut = { ...fault, type: 'cut', nodes: [], ways: [{ from: 1, to: 2 }] }
    const story = new MadeStory().tell(10, 0, { type: 'faultBegan', fault: cut })
    story.tell(20, 0, { type: 'faultHealed', fault: cut, by: 'time' })
    expect(momentsOf(story.story.happened, undefined).faults).toMatchObject([{ fromMs: 10, toMs: 20 }])
  })

  test('a fault whose beginning is forgotten is known by the last frame', () => {
    const last = madeFrame(9, 900, { faults: [{ ...fault, sinceMs: 5, untilMs: undefined }] })
    expect(momentsOf([], last).faults).toMatchObject([{ id: 4, fromMs: 5, toMs: undefined }])
  })
})

describe('a moment', () => {
  const { happened } = new MadeStory()
    .tell(10, 0, { type: 'faultBegan', fault })
    .elects(50, 2, 3, [3])
    .tell(52, 1, { type: 'killed' })
    .tell(80, 0, { type: 'faultHealed', fault, by: 'verb' }).story
  const moments = momentsOf(happened, undefined)

  test.each([
    [5, ''],
    [20, 'slow-disk 1,2 200ms'],
    [52, 'node 2 is elected in term 3 · node 1 ends · slow-disk 1,2 200ms'],
    [90, ''],
  ])('at %i ms is told', (atMs, words) => expect(momentInWords(moments, atMs, 3)).toBe(words))
})

describe('the strip of terms', () => {
  test('tells who led in which term, and when nobody did', () => {
    const frames = [reign(1, 0, 1, 1), reign(2, 10, 1, 1), reign(3, 20, 2, undefined), reign(4, 30, 2, 2)]
    expect(reignsOf(frames)).toEqual([
      { fromMs: 0, toMs: 20, term: 1, leaderId: 1 },
      { fromMs: 20, toMs: 30, term: 2, leaderId: undefined },
      { fromMs: 30, toMs: 30, term: 2, leaderId: 2 },
    ])
  })
})
