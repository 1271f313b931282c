/** What the prompt tells of events, and what it leaves out. */
import { expect, test } from 'vitest'
import { PromptEvents } from '../../src/cli/prompt-events.js'
import type { ClusterEvent } from '../../src/cluster/index.js'

const heartbeatIntervalMs = 100
let sequence = 0

/** The event as a cluster tells it, of node 2 unless it is of none. */
function told(happening: object, nodeId = 2): ClusterEvent {
  return { ...happening, nodeId, atMs: 0, sequence: ++sequence } as ClusterEvent
}

test('a repetition says what was repeated, whatever was told in between', () => {
  const events = new PromptEvents(heartbeatIntervalMs)
  const refusal = told({ type: 'messageDropped', from: 3, reason: 'neverAsked' })
  const line = events.lineOf(refusal)
  events.lineOf(told({ type: 'leaseHeld', term: 1 }, 1))
  const repeated = told({ type: 'repeated', times: 5, cause: refusal.sequence })
  expect(events.lineOf(repeated)).toBe(`${line} (5 times more)`)
})

test('a repetition of what is kept no more is told without it', () => {
  const events = new PromptEvents(heartbeatIntervalMs)
  const first = told({ type: 'messageDropped', from: 3, reason: 'neverAsked' })
  events.lineOf(first)
  for (let term = 1; term <= 256; term++) events.lineOf(told({ type: 'leaseHeld', term }))
  const repeated = told({ type: 'repeated', times: 5, cause: first.sequence })
  expect(events.lineOf(repeated)).toBe('node 2 repeated an earlier happening 5 times')
})

test.each(['hostBlocked', 'threadStood'])('%s is left out below two heartbeats', (type) => {
  const events = new PromptEvents(heartbeatIntervalMs)
  expect(events.lineOf(told({ type, forMs: 199 }))).toBeUndefined()
  expect(events.lineOf(told({ type, forMs: 200 }))).toContain('for 200 ms')
})

test('what the answer to a line tells is left out, and what comes by itself is told', () => {
  const events = new PromptEvents(heartbeatIntervalMs)
  const fault = { id: 1, type: 'cut', line: 'cut 1-2', nodes: [1, 2], ways: [], figures: {} }
  expect(events.lineOf(told({ type: 'faultBegan', fault }, 0))).toBeUndefined()
  expect(events.lineOf(told({ type: 'faultHealed', fault, by: 'verb' }, 0))).toBeUndefined()
  expect(events.lineOf(told({ type: 'paused' }))).toBeUndefined()
  expect(events.lineOf(told({ type: 'resumed', afterMs: 1000 }))).toContain('node 2')
  expect(events.lineOf(told({ type: 'faultHealed', fault, by: 'time' }, 0))).toContain('cut 1-2')
})
