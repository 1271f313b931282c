/** The configuration of a node in memory that others read. */
import { expect, test } from 'vitest'
import { MembershipMemory } from '../../src/telemetry/index.js'

const membership = { voters: [1, 2], votersOutgoing: [1], learners: [3] }

test('a reader sees what the writer has told last, and nothing before', () => {
  const writer = new MembershipMemory()
  const reader = new MembershipMemory(writer.memory)
  expect(reader.read()).toBeUndefined()
  writer.tell({ index: 0, membership, isCommitted: true })
  expect(reader.read()).toEqual({ index: 0, membership, isCommitted: true })
  const next = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
  writer.happened({ type: 'membership', index: 7, membership: next, isCommitted: false })
  expect(reader.read()).toEqual({ index: 7, membership: next, isCommitted: false })
})

test('a handing over is told from its begin to its end', () => {
  const memory = new MembershipMemory()
  memory.tell({ index: 0, membership, isCommitted: true })
  memory.happened({ type: 'transferBegan', to: 2 })
  expect(memory.read()?.transferTo).toBe(2)
  memory.happened({ type: 'membership', index: 1, membership, isCommitted: true })
  expect(memory.read()?.transferTo).toBe(2)
  memory.happened({ type: 'transferEnded', to: 2, isDone: true })
  expect(memory.read()?.transferTo).toBeUndefined()
})
