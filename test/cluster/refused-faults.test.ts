/** Faults that do not fit: each is refused in one line, and nothing has changed. */
import { expect, test } from 'vitest'
import { type Cluster, leaderKnown, RaftError } from '../../src/cluster/index.js'
import { drawNames } from '../../src/faults/index.js'
import { brokenCluster, statusOf } from './broken.js'

/** The line of each refusal. Node 3 is down, and node 2 is paused. */
const refused: Record<string, (cluster: Cluster) => Promise<unknown>> = {
  'target 9: there are the nodes 1, 2 and 3, and the roles leader, ': (cluster) => cluster.pause(9),
  'target nobody: there are the nodes': (cluster) => cluster.stallDisk('nobody' as 'leader'),
  'target undefined: there are the nodes': (cluster) => cluster.stallDisk(undefined as unknown as 1),
  'link 1-1: a link has two different ends': (cluster) => cluster.cut(1, 1),
  'link clients-clients: a link has two different ends': (cluster) => cluster.cut('clients', 'clients'),
  'drop 1-2 150%: a share is more than 0 % and at most 100 %': (cluster) => cluster.drop(1, 2, 1.5),
  'duplicate 1-2 NaN%: a share is': (cluster) => cluster.duplicate(1, 2, Number.NaN),
  'delay 1-2 -5ms: a delay is a number of milliseconds, 0 or more': (cluster) => cluster.delay(1, 2, -5),
  'throttle 1-2 0B/s: at least one byte': (cluster) => cluster.throttle(1, 2, 0),
  'slow-disk 1 -1ms: a flush takes a number of milliseconds, 0 or more': (cluster) => cluster.slowDisk(1, -1),
  'partition 1,2|2: it names node 2 twice': (cluster) => cluster.partition([[1, 2], 2]),
  'partition 1: at least two groups are parted': (cluster) => cluster.partition([1]),
  'target 8: there are the nodes 1, 2 and 3, and the roles': (cluster) => cluster.kill(8),
  'target 7: there are the nodes 1, 2 and 3, and the roles': (cluster) => cluster.restart(7),
  'target 6: there are the nodes 1, 2 and 3, and the roles': (cluster) => cluster.snapshot(6),
  'restart 1: node 1 runs already': (cluster) => cluster.restart(1),
  'target 2: the node is paused: resume it first': (cluster) => cluster.snapshot(2),
  'pause 2: node 2 is paused already': (cluster) => cluster.pause(2),
  'duplicate clients-1 10%: the links to clients carry each request': (cluster) =>
    cluster.duplicate('clients', 1, 0.1),
  'cut clients-1 heartbeat: requests and answers of clients are of no such kind': (cluster) =>
    cluster.cut('clients', 1, { messages: 'heartbeat' }),
  'skew 1: it sets no clock: give an offset such as +50ms': (cluster) => cluster.skew(1, { offsetMs: 0 }),
  'target nobody: there are the nodes 1, 2 and 3, and the roles leader': (cluster) =>
    cluster.kill('nobody' as 'leader'),
  "target '2': there are the nodes 1, 2 and 3": (cluster) => cluster.restart('2' as 'leader'),
  'all and any; the ends of a link may also be * and clients': (cluster) =>
    cluster.cut('client' as 'clients', 1),
  'target 1->2: a link is two arguments: what is 1->2 at the prompt is 1, 2, { oneWay: true } here': (
    cluster,
  ) => cluster.cut('1->2' as never, undefined as never),
  'target 1-2: a link is two arguments': (cluster) => cluster.delay('1-2' as never, 100 as never, 5),
  'target leader->*: a link is two arguments': (cluster) =>
    cluster.drop('leader->*' as never, 0.5, {} as never),
  'target clients-2: a link is two arguments': (cluster) => cluster.heal('clients-2' as never),
  'target 1,3: several targets are a list: what is 1,3 at the prompt is [1, 3] here': (cluster) =>
    cluster.kill('1,3' as never),
  'target 1,2: several targets are a list': (cluster) => cluster.partition(['1,2' as never, 3]),
  'partition 1,2|3: what is 1,2|3 at the prompt is partition([[1, 2], 3]) here': (cluster) =>
    cluster.partition('1,2|3' as never),
  'target null: there are the nodes': (cluster) => cluster.isolate(null as never),
  'for -1 ms: a time is a number of milliseconds': (cluster) => cluster.cut(1, 2, { forMs: -1 }),
  'forMs "2s": a time is a number of milliseconds': (cluster) =>
    cluster.cut(1, 2, { forMs: '2s' as unknown as number }),
  'delayMs "10ms": delayMs is a number': (cluster) => cluster.delay(1, 2, '10ms' as never),
  'delayMs "10": delayMs is a number': (cluster) => cluster.delay(1, 2, '10' as never),
  'delayMs null: delayMs is a number': (cluster) => cluster.delay(1, 2, null as never),
  'delayMs a list: delayMs is a number': (cluster) => cluster.delay(1, 2, [10] as never),
  'delayMs Symbol(): delayMs is a number': (cluster) => cluster.delay(1, 2, Symbol() as never),
  'jitterMs true: jitterMs is a number': (cluster) => cluster.delay(1, 2, 10, { jitterMs: true as never }),
  'share "10%": share is a number': (cluster) => cluster.drop(1, 2, '10%' as never),
  'share true: share is a number': (cluster) => cluster.duplicate(1, 2, true as never),
  'share 1: share is a number': (cluster) => cluster.reorder(1, 2, 1n as never),
  'bytesPerSecond "1MB": ': (cluster) => cluster.throttle(1, 2, '1MB' as never),
  'flushMs "5": flushMs is a number': (cluster) => cluster.slowDisk(1, '5' as never),
  'bytesLeft "5": bytesLeft is a number': (cluster) => cluster.fullDisk(1, { bytesLeft: '5' as never }),
  'offsetMs "5": offsetMs is a number': (cluster) => cluster.skew(1, { offsetMs: '5' as never }),
  'messages "pings": a kind of message is one of heartbeat, appendEntries, ': (cluster) =>
    cluster.cut(1, 2, { messages: 'pings' as never }),
  'messages Symbol(): a kind of message is one of': (cluster) =>
    cluster.cut(1, 2, { messages: Symbol() as never }),
  'for Infinity ms: ': (cluster) => cluster.cut(1, 2, { forMs: Number.POSITIVE_INFINITY }),
}

test('a fault that does not fit is refused in one line, and nothing has changed', async () => {
  const { cluster, events } = await brokenCluster()
  await cluster.kill(3)
  await cluster.pause(2)
  const told = () => events.filter(({ type }) => type === 'faultBegan' || type === 'faultHealed').length
  await expect.poll(told).toBe(2)
  const faults = cluster.faults
  for (const [line, refuse] of Object.entries(refused)) {
    const error = await refuse(cluster).catch((thrown: unknown) => thrown)
    expect(error, line).toBeInstanceOf(RaftError)
    expect((error as RaftError).message, line).toContain(line)
    expect((error as RaftError).message, line).not.toContain('\n')
    expect(error, line).toMatchObject({ code: 'INVALID_FAULT', mayHaveHappened: 'no' })
  }
  const down: Record<string, () => Promise<unknown>> = {
    ...{ kill: () => cluster.kill(3), stop: () => cluster.stop(3), snapshot: () => cluster.snapshot(3) },
    ...{ pause: () => cluster.pause(3), skew: () => cluster.skew(3, { offsetMs: 5 }) },
    ...{ stallDisk: () => cluster.stallDisk(3), losePower: () => cluster.losePower([1, 3]) },
  }
  for (const [name, refuse] of Object.entries(down))
    await expect(refuse(), name).rejects.toMatchObject({
      code: 'STOPPED',
      message: expect.stringMatching(/^node 3 is stopped/),
    })
  expect(cluster.faults).toEqual(faults)
  expect(told()).toBe(2)
  expect(statusOf(cluster, 2).state).toBe('paused')
})

/** The line of each refusal of a value that is of another type than its option. */
const options: Record<string, (cluster: Cluster) => unknown> = {
  'oneWay: true or false, not "yes"': (cluster) => cluster.cut(1, 2, { oneWay: 'yes' as never }),
  'the options of kill: an object, not null': (cluster) => cluster.kill(1, null as never),
  'renew: true or false, not 1': (cluster) => cluster.restart(1, { renew: 1 as never }),
  'learner: true or false, not "no"': (cluster) => cluster.addNode({ learner: 'no' as never }),
  'keep: true or false, not "no"': (cluster) => cluster.removeNode(1, { keep: 'no' as never }),
  'keep: true or false, not 0': (cluster) => cluster.replaceNode(1, { keep: 0 as never }),
  'withinMs: a whole number from 1 to 3600000, not "5"': (cluster) =>
    cluster.promote(1, { withinMs: '5' as never }),
  'signal: an AbortSignal, not "stop"': (cluster) =>
    cluster.export('never-made', { signal: 'stop' as never }),
  'signal: an AbortSignal, not a value of type object': (cluster) => leaderKnown(cluster, {} as never),
  'seed: a whole number from 0 to 4294967295, not 1.5': (cluster) => cluster.nemesis(1.5),
  'seed: a whole number from 0 to 4294967295, not undefined': (cluster) =>
    cluster.nemesis(undefined as never),
  'gapMs: a number of milliseconds from 1 to 3600000, not "1s"': (cluster) =>
    cluster.nemesis(1).start('1s' as never),
  [`names: of ${drawNames.join(', ')}, not "kills"`]: (cluster) =>
    cluster.nemesis(1).start(100, ['kill', 'kills' as never]),
  [`names: of ${drawNames.join(', ')}, not an empty list`]: (cluster) => cluster.nemesis(1).strike([]),
  [`names: of ${drawNames.join(', ')}, not null`]: (cluster) => cluster.nemesis(1).strike(null as never),
  'companion: an object with a name and the methods shown, began, ended, removed, not undefined': (cluster) =>
    cluster.accompany(undefined as never),
}

test('an option of another type is refused by its name, and nothing has changed', async () => {
  const { cluster } = await brokenCluster({ nodes: 1, host: 'inline' })
  for (const [line, refuse] of Object.entries(options)) {
    const error = await Promise.resolve(cluster)
      .then(refuse)
      .catch((thrown: unknown) => thrown)
    expect(error, line).toMatchObject({ name: 'RaftError', code: 'INVALID_OPTION', message: line })
  }
  expect(cluster.faults).toEqual([])
  expect(cluster.status()).toMatchObject([{ nodeId: 1, state: 'running' }])
})

test('a restart of several nodes is refused whole when one of them runs', async () => {
  const { cluster } = await brokenCluster()
  await cluster.kill(2)
  await expect(cluster.restart([2, 1])).rejects.toThrow('restart 1: node 1 runs already')
  expect(statusOf(cluster, 2).state).toBe('stopped')
  expect(cluster.faults).toMatchObject([{ fault: { type: 'kill', nodes: [2] } }])
  await cluster.restart([2])
  expect(cluster.faults).toEqual([])
})

test('a restart of a role passes over the nodes that run by their turn', async () => {
  const { cluster } = await brokenCluster()
  await expect(cluster.restart('all')).rejects.toMatchObject({
    code: 'INVALID_FAULT',
    message: 'target all: all nodes run already',
  })
  await cluster.kill([1, 2])
  // The end of a kill starts node 2 before the turn of the role comes.
  await Promise.all([cluster.restart(1), cluster.restart(2), cluster.restart('all')])
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
})

test('faults that the host or its durability cannot have are refused with the remedy', async () => {
  const { cluster } = await brokenCluster({ nodes: 1, host: 'inline', durability: 'none' })
  await expect(cluster.pause(1)).rejects.toThrow(
    'pause 1: the nodes of host inline share the thread of the program',
  )
  const forgets = { code: 'INVALID_OPTION', details: { option: 'durability' } }
  await expect(cluster.losePower(1)).rejects.toMatchObject(forgets)
  await expect(cluster.kill(1, { forMs: 100 })).rejects.toMatchObject(forgets)
  expect(() => cluster.nemesis(1)).toThrow('durability: flush')
  expect(cluster.faults).toEqual([])
  await cluster.put('a', '1')
})

test('more faults than a board holds are refused before anything has changed', async () => {
  const { cluster } = await brokenCluster({ nodes: 3 })
  for (let n = 0; n < 100; n++) await cluster.slowDisk(1, 0)
  await expect(cluster.cut(1, 2)).rejects.toThrow(
    'cut 1-2: 100 faults stand already, and no more may: heal some',
  )
  await cluster.heal()
  expect(cluster.faults).toEqual([])
})
