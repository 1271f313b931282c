import { expect, test } from 'vitest'
import type { Bounds } from '../../src/search/index.js'
import { type Mistake, searchedWith } from './planted.js'

interface Planted extends Mistake {
  readonly name: string
  readonly bounds: Partial<Bounds>
  readonly rule: string
  readonly steps: number
}

const mistakes: readonly Planted[] = [
  {
    name: 'a node that votes twice in a term',
    file: 'elections.js',
    right: 'if (state.votedFor !== undefined)',
    wrong: 'if (false)',
    bounds: { terms: 1 },
    rule: 'the node stops itself',
    steps: 3,
  },
  {
    name: 'a node that forgets its vote when it starts again',
    file: 'raft.js',
    right: 'votedFor: hardState.votedFor,',
    wrong: 'votedFor: undefined,',
    bounds: { terms: 1, crashes: 1 },
    rule: 'a promise is on disk before it leaves',
    steps: 2,
  },
  {
    name: 'an entry of an earlier term that is committed by counting (Figure 8)',
    file: 'commit.js',
    right: ' || log.termAt(reached) !== state.currentTerm',
    wrong: '',
    bounds: { terms: 2 },
    rule: 'commit rule',
    steps: 11,
  },
  {
    name: 'a candidate that asks for votes before its own is on its disk',
    file: 'elections.js',
    right: "sendOnceFlushed(state, { type: 'requestVote'",
    wrong: "send(state, { type: 'requestVote'",
    bounds: { terms: 1 },
    rule: 'a promise is on disk before it leaves',
    steps: 1,
  },
  {
    name: 'a voter whose vote leaves before it is on its disk',
    file: 'elections.js',
    right: 'sendOnceFlushed(state, answer, 0)',
    wrong: 'send(state, answer)',
    bounds: { terms: 1 },
    rule: 'a promise is on disk before it leaves',
    steps: 2,
  },
  {
    name: 'a follower that acknowledges entries which are not on its disk',
    file: 'append-entries.js',
    right: 'if (isHardStateFlushed(state) && matchIndex <= log.flushedIndex)',
    wrong: 'if (true)',
    bounds: { terms: 1 },
    rule: 'a promise is on disk before it leaves',
    steps: 4,
  },
  {
    name: 'a majority that is one short',
    file: 'quorum.js',
    right: 'Math.floor(voterCount / 2) + 1',
    wrong: 'Math.ceil(voterCount / 2) - 1',
    bounds: { terms: 1 },
    rule: 'committed means durable',
    steps: 1,
  },
  {
    name: 'a follower that cuts off entries which do not conflict',
    file: 'log.js',
    right: 'if (own.term !== run.term)',
    wrong: 'if (true)',
    bounds: { terms: 1, duplicates: 1, entries: 1 },
    rule: 'the node stops itself',
    steps: 8,
  },
  {
    name: 'a leader that counts its own copy before it is on its disk',
    file: 'commit.js',
    right: 'return log.flushedIndex',
    wrong: 'return log.lastIndex',
    bounds: { terms: 1, slowWrites: 1 },
    rule: 'committed means durable',
    steps: 5,
  },
]

test.each(mistakes)('$name is found by a shortest way', { timeout: 120_000 }, async (planted) => {
  const { bounds, rule, steps } = planted
  const { broken, stop } = await searchedWith(planted, bounds)
  expect([stop, broken?.rule, broken?.steps.length]).toEqual(['violation', rule, steps])
})

const quick = mistakes.filter(({ steps }) => steps < 5)

test.each(quick)(
  '$name is found by as short a way when worlds are not merged',
  { timeout: 120_000 },
  async (planted) => {
    const { bounds, rule, steps } = planted
    const { broken } = await searchedWith(planted, bounds, false)
    expect([broken?.rule, broken?.steps.length]).toEqual([rule, steps])
  },
)
