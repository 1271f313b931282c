/** Targets become nodes when a method is called, and each fault is begun and healed as it was named. */
import { expect, test } from 'vitest'
import {
  type Breakable,
  type Cast,
  checkFault,
  FaultMethods,
  Faults,
  toldOf,
} from '../../src/faults/index.js'
import { type NodeId, Random } from '../../src/raft/index.js'

const nodeIds = [1, 2, 3]

function broken() {
  const down = new Set<NodeId>()
  const later: (() => void)[] = []
  const happened: string[] = []
  const cluster: Breakable = {
    nodeIds,
    now: () => 0,
    later: (_, run) => {
      later.push(run)
      return () => {}
    },
    check: (fault) =>
      checkFault(fault, {
        nodeIds,
        isUp: (nodeId) => !down.has(nodeId),
        standing: faults.standing,
        clockBounds: undefined,
      }),
    show: () => undefined,
    stop: (nodeId) => void down.add(nodeId),
    bringBack: (nodeId) => void down.delete(nodeId),
    told: (what, fault, by) => void happened.push(`${what} ${toldOf(fault, nodeIds).line} ${by}`),
  }
  const faults = new Faults(cluster)
  const cast = (): Cast => ({
    nodeIds,
    candidates: nodeIds.filter((nodeId) => !down.has(nodeId)),
    leaderId: down.has(2) ? undefined : 2,
    random: new Random(1),
  })
  return {
    methods: new FaultMethods(faults, cast),
    down,
    later,
    lines: () => faults.standing.map((each) => toldOf(each, nodeIds).line),
  }
}

test('each method begins the fault of its name, at the nodes that its targets mean', async () => {
  const { methods, lines } = broken()
  await methods.cut('leader', 1, { oneWay: true })
  await methods.delay(1, 3, 80, { jitterMs: 20, messages: 'appendEntries' })
  await methods.drop('*', 3, 0.1, { oneWay: true })
  await methods.duplicate(1, 2, 0.05)
  await methods.reorder(1, 2, 0.05)
  await methods.throttle('clients', 'leader', 1e6)
  await methods.partition([1, [2, 3]])
  await methods.isolate('leader')
  await methods.slowDisk('followers', 200)
  await methods.stallDisk(1)
  await methods.failDisk(1)
  await methods.fullDisk(1, { bytesLeft: 1000 })
  await methods.pause(3, { forMs: 2000 })
  await methods.skew(1, { offsetMs: 50, drift: -0.1 })
  expect(lines()).toEqual([
    'cut 2->1',
    'delay 1-3 80ms jitter 20ms appendEntries',
    'drop *->3 10%',
    'duplicate 1-2 5%',
    'reorder 1-2 5%',
    'throttle clients-2 1MB/s',
    'partition 1|2,3',
    'isolate 2',
    'slow-disk 1,3 200ms',
    'stall-disk 1',
    'fail-disk 1',
    'full-disk 1 1kB',
    'pause 3 for 2s',
    'skew 1 +50ms -10%',
  ])
})

test('a handle heals its own fault alone, also at the end of its block', async () => {
  const { methods, lines } = broken()
  const first = await methods.cut(1, 2)
  {
    await using _second = await methods.cut(1, 3)
    await first.heal()
    expect(lines()).toEqual(['cut 1-3'])
  }
  expect(lines()).toEqual([])
})

test('faults are healed by number, by node, by link and all together', async () => {
  const { methods, lines } = broken()
  const { id } = await methods.cut(1, 2)
  await methods.isolate(3)
  await methods.slowDisk(1, 5)
  await methods.delay(1, 2, 5, { oneWay: true })
  expect(await methods.heal({ faultId: id })).toHaveLength(1)
  expect(await methods.heal({ link: { one: 2, other: 1, oneWay: true } })).toHaveLength(0)
  expect(await methods.heal({ link: { one: 2, other: 1, oneWay: false } })).toHaveLength(1)
  expect(await methods.heal({ target: 3 })).toHaveLength(1)
  expect(lines()).toEqual(['slow-disk 1 5ms'])
  await methods.heal({ all: true })
  expect(lines()).toEqual([])
})

test('a power loss brings its nodes back, at once or when its time is over', async () => {
  const { methods, down, later, lines } = broken()
  await methods.kill('leader')
  await methods.losePower(1)
  expect([...down]).toEqual([2])
  await methods.losePower(1, { forMs: 5 })
  expect([...down]).toEqual([2, 1])
  later.shift()?.()
  expect([...down]).toEqual([2])
  expect(lines()).toEqual(['kill 2'])
})

test('a node is resumed alone, whatever other nodes the same fault paused', async () => {
  const { methods, lines } = broken()
  const { id } = await methods.pause([1, 2, 3])
  expect(await methods.resume(2)).toMatchObject([{ id, fault: { type: 'pause', nodes: [2] } }])
  expect(lines()).toEqual(['pause 1,3'])
  await methods.resume('all')
  expect(lines()).toEqual([])
})

test('a fault that does not fit is refused, and nothing has changed', async () => {
  const { methods, lines } = broken()
  await methods.kill(2)
  await expect(methods.cut('leader', 1)).rejects.toThrow('no node leads at the moment')
  await expect(methods.pause(2)).rejects.toThrow('node 2 is stopped')
  await expect(methods.cut(1, 1)).rejects.toThrow('a link has two different ends')
  expect(lines()).toEqual(['kill 2'])
})
