import { describe, expect, test } from 'vitest'
import { msInWords, rateInWords } from '../../src/page/figure-words.js'
import { stepFor } from '../../src/page/log-drawing.js'
import { entryInWords } from '../../src/page/log-entry.js'
import { wordScales } from '../../src/page/word-scales.js'
import type { LogEntry } from '../../src/server/index.js'
import { parse } from '../../src/verbs/index.js'
import { madeNode } from './made-frames.js'

describe('figures', () => {
  test.each([
    [0, '0'],
    [12.4, '12'],
    [999, '999'],
    [1234, '1.23k'],
    [123_456, '123k'],
    [2_000_000, '2M'],
  ])('of %f a second read %s', (perSecond, words) => expect(rateInWords(perSecond)).toBe(words))

  test.each([
    [0.0004, '0 µs'],
    [0.25, '250 µs'],
    [1.234, '1.23 ms'],
    [81.92, '81.9 ms'],
    [2500, '2.5 s'],
  ])('of %f ms read %s', (ms, words) => expect(msInWords(ms)).toBe(words))

  test.each([
    [0.1, 1],
    [1, 1],
    [1.5, 2],
    [3, 5],
    [7, 10],
    [10, 10],
    [1200, 2000],
    [9000, 10_000],
  ])('stand along the logs so that %f entries lie between two: each %i', (least, step) =>
    expect(stepFor(least)).toBe(step),
  )
})

test.each(['80ms', '2s', '5min', '1h', '1.5min'])('a slider of durations knows the unit of %s', (word) => {
  expect(parse(`delay 1-2 ${word}`)).toMatchObject({ verb: 'delay' })
  expect(wordScales['duration']?.placeOf(word)).toBeGreaterThan(0)
})

describe('an entry', () => {
  const node = madeNode(2, {
    firstIndex: 10,
    lastIndex: 2000,
    flushedIndex: 1990,
    commitIndex: 1995,
    lastApplied: 1900,
    snapshotIndex: 12,
    terms: [{ firstIndex: 1000, term: 3 }],
  })
  const entry: LogEntry = {
    index: 1900,
    term: 3,
    kind: 'command',
    size: 9,
    command: 'put a 1',
    flushed: true,
    committed: true,
  }

  test.each([
    [9, '9 on node 2: in its snapshot, which reaches to 12'],
    [2001, '2,001 on node 2: no entry, its log ends at 2,000'],
    [999, '999 on node 2: applied'],
    [1950, '1,950 on node 2: term 3, committed'],
    [1992, '1,992 on node 2: term 3, committed, not on its disk yet'],
    [2000, '2,000 on node 2: term 3, not committed, not on its disk yet'],
    [1900, '1,900 on node 2: term 3, applied, put a 1 (9 bytes)'],
  ])('at %i is told', (index, words) => expect(entryInWords(node, index, entry)).toBe(words))

  test('that was read is not told where another one stands since', () => {
    expect(entryInWords(node, 1900, { ...entry, term: 2 })).toBe('1,900 on node 2: term 3, applied')
  })

  test('whose term the frame does not tell has the term that was read', () => {
    const old = { ...entry, index: 500, term: 2, kind: 'empty' as const, command: '' }
    expect(entryInWords(node, 500, old)).toBe('500 on node 2: term 2, applied, opens the term of its leader')
  })
})
