/** A scenario that is followed: its steps one after the other, and its verdict. */
import { expect, test } from 'vitest'
import { isOver, noStory, stepState, withTold } from '../../src/page/scenario-story.js'

function told(name: string, data: object) {
  return { name, data: JSON.stringify(data), id: undefined }
}

const head = told('scenario', {
  ...{ name: 'leader-kill', teaches: '', nodes: 3 },
  ...{ steps: ['kill leader', 'until: a new leader', 'heal'], expectations: ['nothing lost'] },
})
const step = (text: string) => told('line', { text, sinceMs: 1, isStep: true })
const line = (text: string) => told('line', { text, sinceMs: 1, isStep: false })
const states = (story: typeof noStory) => [0, 1, 2].map((at) => stepState(story, at))

test('steps are done one after the other, whatever is told between them', () => {
  const first = withTold(noStory, [head, step('kill leader'), line('node 1 was killed')])
  expect(states(first)).toEqual(['now', 'to come', 'to come'])
  const second = withTold(first, [step('until: a new leader')])
  expect(states(second)).toEqual(['done', 'now', 'to come'])
  expect(isOver(second)).toBe(false)
})

test('a verdict ends it, and names the step that failed', () => {
  const begun = withTold(noStory, [head, step('kill leader'), step('until: a new leader')])
  const passed = withTold(begun, [step('heal'), told('result', { verdict: 'passed' })])
  expect(states(passed)).toEqual(['done', 'done', 'done'])
  const result = { verdict: 'failed', failedStep: 'until: a new leader: nobody leads' }
  const failed = withTold(begun, [told('result', result)])
  expect(states(failed)).toEqual(['done', 'failed', 'to come'])
  expect([passed, failed].map(isOver)).toEqual([true, true])
})

test('a run that was ended has no verdict, and the first reason stands', () => {
  const ended = withTold(noStory, [
    head,
    told('failed', { message: 'ended' }),
    told('failed', { message: 'b' }),
  ])
  expect(ended).toMatchObject({ failed: 'ended', result: undefined })
  expect(isOver(ended)).toBe(true)
})

test('of a long story the last lines are kept, and the others are counted', () => {
  const many = Array.from({ length: 2500 }, (_, at) => line(`line ${at}`))
  const { lines, linesLeftOut } = withTold(noStory, [head, ...many, told('missed', { count: 7 })])
  expect([lines.length, linesLeftOut, lines.at(-1)?.text]).toEqual([2000, 507, 'line 2499'])
})

test('another scenario begins with nothing of the one before', () => {
  const over = withTold(noStory, [head, step('heal'), told('missed', { count: 7 }), told('result', {})])
  expect(withTold(over, [head])).toEqual({ ...noStory, head: JSON.parse(head.data) })
})
