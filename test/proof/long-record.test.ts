/** The record of a long proof tells what each part did. */
import { expect, test } from 'vitest'
import { faultNames, noCounts } from '../../src/sim/index.js'
import { recordOf } from './long-record.js'
import { type ProofState, readState } from './long-state.js'

const killed = { id: 'one', room: 'raft', breaks: 'EL1', what: 'a mistake', isKilled: true, by: 'a test' }
const state: ProofState = {
  ...readState('no such file', 'the sources'),
  search: { states: 5, depth: 3, violation: [] },
  mutants: {
    seconds: 61.4,
    results: [
      { ...killed, detail: 'long', seeds: 4, seconds: 60.2 },
      { ...killed, id: 'two', isKilled: false, by: 'nothing', detail: '', seeds: 9, seconds: 1.2 },
    ],
  },
}

test('a record has every fault that is counted, and a line for each mutant without what it printed', () => {
  state.seeds.done = 2
  state.seeds.sum = { ...state.seeds.sum, counts: { ...noCounts(), messages: 7, lost: 3, elections: 1 } }
  const record = JSON.parse(recordOf(state))
  expect(Object.keys(record.seeds.faults).sort()).toEqual([...faultNames].sort())
  expect(record.seeds).toMatchObject({
    seeds: 2,
    messages: 7,
    faults: { lost: 3 },
    happened: { elections: 1 },
  })
  expect(record.mutants).toEqual({ mutants: 2, killed: 1, realSeconds: 61 })
  expect(record.results.map(({ id, detail }: Record<string, unknown>) => [id, detail])).toEqual([
    ['one', undefined],
    ['two', undefined],
  ])
})

test('what the program without a mistake did is told once it was run, and only what it did wrong', () => {
  const sound = { isKilled: false, by: 'nothing', detail: '', seeds: 9 }
  const unsound = { ...sound, isKilled: true, by: 'election safety', detail: 'two leaders' }
  expect(JSON.parse(recordOf(state, [sound, unsound])).mutants.withoutMistake).toEqual([unsound])
  expect(JSON.parse(recordOf(state, [sound])).mutants.withoutMistake).toEqual([])
})
