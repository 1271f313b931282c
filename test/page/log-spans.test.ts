import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { spansOf, termAt } from '../../src/page/log-spans.js'
import { firstWindow, settled, whole } from '../../src/page/log-window.js'
import { madeNode } from './made-frames.js'

const widthPx = 520
const near = settled(firstWindow, { lastIndex: 10, widthPx })
const terms = [
  { firstIndex: 4, term: 2 },
  { firstIndex: 8, term: 5 },
]

describe('the spans of a log', () => {
  test('are told by term, and apart from what is not committed', () => {
    const log = madeNode(1, { lastIndex: 10, commitIndex: 5, terms })
    expect(spansOf(log, near, widthPx)).toEqual([
      { from: 1, to: 3, term: undefined, isCommitted: true },
      { from: 4, to: 5, term: 2, isCommitted: true },
      { from: 6, to: 7, term: 2, isCommitted: false },
      { from: 8, to: 10, term: 5, isCommitted: false },
    ])
  })

  test('begin where the log was cut off', () => {
    const log = madeNode(1, { firstIndex: 7, lastIndex: 10, commitIndex: 10, terms })
    expect(spansOf(log, near, widthPx).map(({ from }) => from)).toEqual([7, 8])
  })

  test('end at the edges of the window', () => {
    const log = madeNode(1, { lastIndex: 1000, commitIndex: 1000, terms })
    const window = { left: 100, entryPx: 52, isFollowing: false }
    expect(spansOf(log, window, widthPx)).toEqual([{ from: 100, to: 110, term: 5, isCommitted: true }])
  })

  test('of an empty log are none', () => {
    expect(spansOf(madeNode(1), near, widthPx)).toEqual([])
    expect(spansOf(madeNode(1, { firstIndex: 8, lastIndex: 7 }), near, widthPx)).toEqual([])
  })

  test('are never more than the window has pixels, and cover the log without a gap', () => {
    const starts = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 3000 })
    fc.assert(
      fc.property(starts, fc.nat(1_000_000), (unsorted, commitIndex) => {
        const runs = unsorted.sort((a, b) => a - b).map((firstIndex, at) => ({ firstIndex, term: at + 1 }))
        const log = madeNode(1, { lastIndex: 1_000_000, commitIndex, terms: runs })
        const spans = spansOf(log, whole({ lastIndex: 1_000_000, widthPx }), widthPx)
        expect(spans.length).toBeLessThanOrEqual(widthPx)
        expect(spans[0]?.from).toBe(1)
        expect(spans.at(-1)?.to).toBe(1_000_000)
        for (const [at, span] of spans.entries()) expect(span.from).toBe((spans[at - 1]?.to ?? 0) + 1)
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('tell the term of an entry where the frame does', () => {
    const log = madeNode(1, { lastIndex: 10, terms })
    expect([3, 4, 7, 8, 10, 11].map((index) => termAt(log, index))).toEqual([
      undefined,
      2,
      2,
      5,
      5,
      undefined,
    ])
  })
})
