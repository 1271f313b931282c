import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'

/** Everything that can be reached from a view by reading, with where it was found. */
function* reachable(value: unknown, path: string): Generator<[string, object]> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  yield [path, value]
  const items =
    value instanceof Map ? [...value] : fieldsOf(value).map((name) => [name, Reflect.get(value, name)])
  for (const [name, item] of items) yield* reachable(item, `${path}.${name}`)
}

function fieldsOf(value: object): string[] {
  const getters = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(value) as object)
  const computed = Object.entries(getters).filter(([, { get }]) => get !== undefined)
  return [...Object.keys(value), ...computed.map(([name]) => name)].filter((name) => name !== '__proto__')
}

/** Tries to change what was read, in every way that needs no type. */
function spoil(value: object): void {
  for (const name of fieldsOf(value)) Reflect.set(value, name, 'spoilt')
  Reflect.set(value, 'more', 'spoilt')
  for (const name of Object.keys(value)) Reflect.deleteProperty(value, name)
  if (value instanceof Map) value.clear()
}

/** A leader with a snapshot, an entry that one follower lacks, a snapshot on its way to another, and a read that waits. */
function busyLeader() {
  const network = new RaftNetwork({ nodes: 3, limits: { snapshotChunkBytes: 50 } })
  const leader = network.elect(1)
  network.isolate(3)
  leader.propose('a')
  network.settle()
  leader.compact()
  network.heal()
  network.link(1, 2).hold()
  network.link(3, 1).hold('installSnapshotResponse')
  leader.propose('b')
  network.tick(6)
  leader.read(7)
  expect(leader.state.leadership?.progress.get(3)?.state).toBe('snapshot')
  return { network, leader }
}

describe('the view of a node', () => {
  test('whatever is done to what was read, the node does not change', () => {
    const { network, leader } = busyLeader()
    for (const node of [leader, network.node(3)]) {
      const before = node.raft.dump()
      const found = [...reachable(node.state, 'state')]
      expect(found.length).toBeGreaterThan(10)
      for (const [, value] of found) spoil(value)
      for (const run of node.state.log.slice(node.state.log.firstIndex, node.state.log.lastIndex, 999))
        spoil(run)
      expect(node.raft.dump()).toEqual(before)
      expect([...reachable(node.state, 'state')].map(([path]) => path)).toEqual(found.map(([path]) => path))
    }
  })

  test('a view tells of the node as it is by now', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const { state } = network.node(1)
    expect(state.leadership).toBe(undefined)
    network.elect(1)
    const { leadership } = state
    const progress = leadership?.progress.get(2)
    const matchIndex = progress?.matchIndex ?? 0
    network.node(1).propose('x')
    network.settle()
    expect(progress?.matchIndex).toBe(matchIndex + 1)
    expect(state.log.commitIndex).toBe(matchIndex + 1)
    network.elect(2)
    expect(state).toMatchObject({ role: 'follower', leaderId: 2, leadership: undefined })
  })
})

test('the view of a leader shows the members of now, also those that came and went since it was first looked at', () => {
  const network = new RaftNetwork({ nodes: 4, membership: { voters: [1, 2, 3] } })
  const { state } = network.elect(1)
  expect([...(state.leadership?.progress.keys() ?? [])]).toEqual([2, 3])
  network.node(1).changeMembership({ type: 'addLearner', nodeId: 4 })
  network.settle()
  expect(state.leadership?.progress.get(4)?.matchIndex).toBe(state.log.lastIndex)
  network.node(1).changeMembership({ type: 'remove', nodeId: 3 })
  expect([...(state.leadership?.progress.keys() ?? [])]).toEqual([2, 4])
})
