/** The choices of one run: none outlives it, and what acts, acts on the present. */
import { beforeEach, expect, test, vi } from 'vitest'
import { pick, picked } from '../../src/page/picked.js'
import { isPaused, openMenu } from '../../src/page/ring-state.js'
import * as store from '../../src/page/store.js'
import { beginGuide, start, tour } from '../../src/page/tour-guide.js'
import type { Happened } from '../../src/telemetry/index.js'
import { madeFrame, madeNode } from './made-frames.js'

const head = {
  run: 'a',
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 500,
  tickMs: 100,
  dir: '/d',
  beganMs: 0,
}
const killed: Happened = { type: 'killed', sequence: 1, atMs: 1, nodeId: 1, cause: undefined }

beforeEach(() => {
  store.beginAnew('cluster')
  store.takeHead(head)
  store.takeFrames([madeFrame(1, 100), madeFrame(2, 200)])
})

test('a node that was chosen, its menu, the line and the question are forgotten with their run', () => {
  openMenu({ kind: 'node', nodeId: 1 })
  pick(killed)
  store.question.value = { about: 'stall' }
  store.takeHead(head)
  expect([store.chosen.value, store.menu.value, store.question.value]).not.toContain(undefined)
  store.takeHead({ ...head, run: 'b' })
  expect([store.chosen.value, store.menu.value, store.question.value]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('a line without a question is no line of another run', () => {
  pick(killed)
  expect(picked.value).toBe(killed)
  store.takeHead({ ...head, run: 'b' })
  expect(picked.value).toBeUndefined()
})

test('a menu opens where verbs act, and nowhere else', () => {
  openMenu({ kind: 'node', nodeId: 1 })
  expect(store.menu.value).toBeDefined()
  store.beginAnew('record')
  openMenu({ kind: 'node', nodeId: 1 })
  expect(store.chosen.value).toBeDefined()
  expect(store.menu.value).toBeUndefined()
})

test('a node is paused when it is at present, whatever moment is shown', () => {
  store.takeFrames([madeFrame(3, 300, { nodes: [madeNode(1, { state: 'paused' })] })])
  store.cursor.value = 1
  expect(isPaused({ kind: 'node', nodeId: 1 })).toBe(true)
})

test('the tour follows the present, and ends with its run', () => {
  vi.stubGlobal('document', { documentElement: { dataset: {} } })
  beginGuide()
  start()
  store.cursor.value = 1
  store.takeFrames([madeFrame(3, 300)])
  expect(tour.value?.now.number).toBe(3)
  store.beginAnew('scenario')
  store.beginAnew('cluster')
  store.takeHead(head)
  store.takeFrames([madeFrame(4, 400)])
  expect(tour.value?.now.number).toBe(4)
  store.takeHead({ ...head, run: 'b' })
  store.takeFrames([madeFrame(1, 500)])
  expect(tour.value).toBeUndefined()
})
