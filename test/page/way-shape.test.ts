/** The picture of a command's way. */
import { expect, test } from 'vitest'
import { type Step, shapeOf } from '../../src/page/way-shape.js'

function step(atMs: number, nodeId: number, stage: Step['stage'], peer?: number): Step {
  return { atMs, nodeId, stage, peer }
}

const steps = [
  step(100, 3, 'appended'),
  step(100, 3, 'sent', 2),
  step(100, 3, 'sent', 1),
  step(101, 1, 'received', 3),
  step(105, 1, 'flushed'),
  step(106, 3, 'acknowledged', 1),
  step(110, 3, 'committed'),
]

test('the leader has the first row, and time runs from left to right', () => {
  const { rows, steps: placed, tookMs } = shapeOf({ leaderId: 3, steps })
  expect(rows).toEqual([3, 1])
  expect(tookMs).toBe(10)
  const places = placed.map(({ x }) => x)
  expect(places[0]).toBe(0)
  expect(places.at(-1)).toBe(1)
  expect(places).toEqual([...places].sort((a, b) => a - b))
})

test('steps of the same moment are drawn apart', () => {
  const { steps: placed } = shapeOf({ leaderId: 3, steps })
  expect(placed[1]!.x).toBeGreaterThan(placed[0]!.x)
})

test('arrows go from who sent to who received, and from a disk to who heard of it', () => {
  const { arrows } = shapeOf({ leaderId: 3, steps })
  const told = arrows.map(([from, to]) => [from.step.stage, from.step.peer, to.step.stage, to.step.nodeId])
  expect(told).toEqual([
    ['sent', 1, 'received', 1],
    ['flushed', undefined, 'acknowledged', 3],
  ])
})

test('a way of one step has a place', () => {
  const { steps: placed } = shapeOf({ leaderId: undefined, steps: steps.slice(0, 1) })
  expect(placed).toMatchObject([{ x: 0, row: 0 }])
})
