import { expect, test } from 'vitest'
import type { Configuration, NodeId } from '../../src/raft/index.js'
import { Configurations } from '../../src/traces/configurations.js'

const of = (index: number, ...voters: NodeId[]): Configuration => ({
  index,
  membership: { voters, votersOutgoing: [], learners: [] },
})

test('a node goes by the configuration that it told last, and before that by the one with which traces began', () => {
  const configurations = new Configurations()
  expect(configurations.at(1, 5)).toBeUndefined()
  configurations.begin(of(0, 1, 2, 3))
  const told = { sequence: 1, cause: undefined, nodeId: 1, atMs: 10 }
  configurations.happened({ ...told, type: 'membership', ...of(4, 1, 2, 3, 4), isCommitted: false })
  expect(configurations.at(1, 9)?.voters).toEqual([1, 2, 3])
  expect(configurations.at(1, 10)?.voters).toEqual([1, 2, 3, 4])
  expect(configurations.at(2, 10)?.voters).toEqual([1, 2, 3])
})
