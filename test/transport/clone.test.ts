/** Copies of messages between nodes in one thread. */
import { expect, test } from 'vitest'
import type { InstallSnapshot } from '../../src/raft/index.js'
import { cloneMessage } from '../../src/transport/index.js'

test('two nodes never share a byte, also where one sends a Buffer', () => {
  const data = Buffer.from([1, 2, 3])
  const message = {
    type: 'installSnapshot',
    membership: { voters: [1], votersOutgoing: [], learners: [] },
    data,
  } as unknown as InstallSnapshot
  const copy = cloneMessage(message)
  data.fill(0)
  expect(copy.data).toEqual(Uint8Array.of(1, 2, 3))
})
