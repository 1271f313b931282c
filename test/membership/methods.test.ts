/** The methods of operators, on a cluster that the test plays: targets become nodes, and bad input is refused unasked. */
import { expect, test } from 'vitest'
import type { Target } from '../../src/faults/index.js'
import { MembershipMethods } from '../../src/membership/index.js'
import { type NodeId, Random } from '../../src/raft/index.js'
import { done, PlayedCluster } from './played-cluster.js'

function methodsOf(cluster: PlayedCluster): MembershipMethods {
  const nodeIds = [1, 2, 3]
  const cast = () => ({ nodeIds, candidates: [1], leaderId: cluster.leaderId, random: new Random(1) })
  return new MembershipMethods(cluster, cast, 1000)
}

test('a role means nodes that are down as well', async () => {
  const cluster = new PlayedCluster([done([1])])
  expect(await methodsOf(cluster).removeNode('followers')).toEqual([2, 3])
  expect(cluster.asked).toEqual(['1: remove 2, remove 3', 'drop 2', 'drop 3'])
})

test('[MC8] a role of nodes to stop means nodes that run', async () => {
  const cluster = new PlayedCluster([])
  expect(await methodsOf(cluster).stop('all')).toEqual([1])
  expect(cluster.asked).toEqual(['end 1'])
})

test('a stop of a node that failed is refused with the reason', async () => {
  const cluster = new PlayedCluster([])
  Object.assign(cluster, { running: [], failures: 'node 1 failed: disk full' })
  await expect(methodsOf(cluster).stop(1)).rejects.toThrow('node 1 is stopped: node 1 failed: disk full')
})

test.each<[string, (methods: MembershipMethods) => Promise<unknown>, object]>([
  ['a node that is not there', (methods) => methods.removeNode(7), { code: 'INVALID_FAULT' }],
  ['several nodes where one is meant', (methods) => methods.replaceNode([1, 2]), { code: 'INVALID_CHANGE' }],
  ['a target of another type', (methods) => methods.transfer({} as Target), { code: 'INVALID_FAULT' }],
  ['a stop of a node that does not run', (methods) => methods.stop([1, 2]), { code: 'STOPPED' }],
  ['no time', (methods) => methods.addNode({ withinMs: 0 }), { code: 'INVALID_OPTION' }],
  ['an unknown option', (methods) => methods.addNode({ lerner: true } as object), { code: 'INVALID_OPTION' }],
  ['no list of changes', (methods) => methods.changeMembership(4 as never), { code: 'INVALID_CHANGE' }],
  [
    'a change of no known type',
    (methods) => methods.changeMembership([{ type: 'expel' as 'remove', nodeId: 2 as NodeId }]),
    { code: 'INVALID_CHANGE' },
  ],
])('%s is refused, and nothing is asked', async (_, call, refusal) => {
  const cluster = new PlayedCluster([done([1, 2, 3])])
  cluster.running = [1]
  await expect(call(methodsOf(cluster))).rejects.toMatchObject(refusal)
  expect(cluster.asked).toEqual([])
})
