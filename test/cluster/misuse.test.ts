/** A host program that asks for what is not there, or goes on after the end. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  type Cluster,
  exportSnapshot,
  goOnWithRecovery,
  holdsEtcd,
  importSnapshot,
  optionNames,
  type RaftError,
  Recovery,
  readExport,
  readingOfOne,
  readLogs,
  startCluster,
} from '../../src/cluster/index.js'
import { InlineNode, realParts } from '../../src/node/index.js'
import { createClientWay } from '../../src/transport/index.js'
import { nextEvent, startedCluster, temporaryFolder } from './support.js'

describe('a node that is not there', () => {
  const notThere: readonly unknown[] = [
    0,
    4,
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    '1',
    null,
    undefined,
    {},
    Symbol('1'),
  ]
  const hostile = {
    [Symbol.toPrimitive]: () => {
      throw new Error('a conversion of the caller')
    },
  }

  test('[MB5] is neither killed nor restarted, and the refusal names those that are', async () => {
    const cluster = await startedCluster({ nodes: 3, host: 'inline', durability: 'none' })
    const refusal = {
      code: 'INVALID_FAULT',
      details: { why: expect.stringContaining('the nodes 1, 2 and 3, and the roles leader, followers') },
    }
    for (const node of [...notThere, hostile] as number[]) {
      await expect(cluster.kill(node)).rejects.toMatchObject(refusal)
      await expect(cluster.restart(node)).rejects.toMatchObject(refusal)
    }
    expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
  })
})

test('[CA9] options of a call that are none, or that are not known, are refused by name', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline' })
  const none = null as never
  for (const [call, message] of [
    [cluster.restart(1, none), 'the options of restart: an object, not null'],
    [cluster.restart(1, { renews: true } as never), 'an option of restart: renew, not renews'],
    [cluster.range({ prefx: 'a' } as never), 'an option of range: prefix, not prefx'],
    [cluster.range(none), 'options: an object, as { prefix }, not null'],
    [cluster.log(1, { form: 3 } as never), 'an option of log: from, not form'],
    [cluster.kill(1, { forms: 3 } as never), 'an option of kill: forMs, not forms'],
    [cluster.pause(1, none), 'the options of pause: an object, not null'],
    [cluster.delay(1, 'clients', 5, { jitter: 3 } as never), 'an option of delay: jitterMs, not jitter'],
    [cluster.skew(1, none), 'the options of skew: an object, not null'],
  ] as const) {
    await expect(call).rejects.toMatchObject({ name: 'RaftError', message: expect.stringContaining(message) })
  }
  expect(cluster.status()).toMatchObject([{ state: 'running' }])
  expect(cluster.faults).toEqual([])
})

test.each<[unknown]>([[undefined], [5], [''], ['a\0b'], [{}]])(
  '[CA9] %j is refused wherever a path is to be given',
  async (given) => {
    const path = given as string
    const cluster = await startedCluster({ nodes: 1, host: 'inline' })
    const dir = join(temporaryFolder(), 'none')
    for (const call of [
      () => cluster.export(path),
      () => exportSnapshot(cluster.dir, path),
      () => importSnapshot(path, dir),
      () => importSnapshot('a file', path),
      () => readExport(path),
      async () => exportSnapshot(path, dir),
      async () => readLogs(path),
      async () => new Recovery(path, { from: 1 }),
      async () => goOnWithRecovery(path),
      async () => holdsEtcd(path),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { expected: 'a path' } })
  },
)

test('[CA9] the URL of a file is taken for its path wherever a path is to be given', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline' })
  await cluster.put('a', '1')
  const [file, dir] = ['kept.snapshot', 'restored'].map(
    (name) => pathToFileURL(join(temporaryFolder(), name)).href,
  )
  await cluster.export(file as string)
  const imported = await importSnapshot(file as string, dir as string)
  expect(imported.dir).toBe(fileURLToPath(dir as string))
  expect(readLogs(dir as string)).toMatchObject([{ nodeId: 1 }])
})

test('[CA9] options of a function that are none, or that are not known, are refused by name', async () => {
  const none = null as never
  for (const [call, message] of [
    [
      () => exportSnapshot('a', 'b', { nodeid: 1 } as never),
      'an option of exportSnapshot: nodeId, not nodeid',
    ],
    [() => importSnapshot('a', 'b', none), 'the options of importSnapshot: an object, not null'],
    [() => importSnapshot('a', 'b', { nodez: 1 } as never), 'an option of importSnapshot: nodes, not nodez'],
    [async () => readLogs('a', { form: 1 } as never), 'an option of readLogs'],
    [async () => new Recovery('a', none), 'the options of Recovery: an object, not null'],
  ] as const) {
    await expect(call()).rejects.toMatchObject({
      name: 'RaftError',
      message: expect.stringContaining(message),
    })
  }
})

test('[CA9] an option that is null is refused by name, and is not taken for left out', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const none = null as never
  for (const [option, call] of [
    ['jitterMs', () => cluster.delay(1, 'clients', 5, { jitterMs: none })],
    ['messages', () => cluster.cut(1, 'clients', { messages: none })],
    ['oneWay', () => cluster.cut(1, 'clients', { oneWay: none })],
    ['forMs', () => cluster.pause(1, { forMs: none })],
    ['bytesLeft', () => cluster.fullDisk(1, { bytesLeft: none })],
    ['drift', () => cluster.skew(1, { drift: none })],
    ['renew', () => cluster.restart(1, { renew: none })],
    ['withinMs', () => cluster.promote(1, { withinMs: none })],
    ['from', () => cluster.get('a', { from: none })],
    ['limit', () => cluster.range({ limit: none })],
    ['stale', () => cluster.query(new Uint8Array(1), { stale: none })],
    ['to', () => cluster.log(1, { to: none })],
    ['from', () => cluster.export('never-made', { from: none })],
    ['nodeId', () => exportSnapshot('a', 'b', { nodeId: none })],
    ['signal', () => importSnapshot('a', 'b', { signal: none })],
    ['isKeyValue', async () => readLogs('a', { isKeyValue: none })],
    ...Object.keys(optionNames).map((name) => [name, () => startCluster({ [name]: none })] as const),
  ] as const)
    await expect(call()).rejects.toMatchObject({
      ...{ name: 'RaftError', code: 'INVALID_OPTION' },
      message: `${option}: a value, or undefined, not null`,
    })
  expect(cluster.faults).toEqual([])
})

test('[CA1] a call that is no call is refused with what is missing', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const reading = readingOfOne('propose', () => undefined)
  const call = cluster.call.bind(cluster) as (...given: unknown[]) => Promise<unknown>
  for (const [given, message] of [
    [[], 'reading: one that reading() or readingOfOne() makes, not undefined'],
    [[null], 'reading: one that reading() or readingOfOne() makes, not null'],
    [
      [{ type: 'read' }, () => undefined],
      'reading: one that reading() or readingOfOne() makes, not one that',
    ],
    [[reading], 'write: a function that packs commands, not undefined'],
  ] as const) {
    await expect(call(...given)).rejects.toMatchObject({
      code: 'INVALID_COMMAND',
      message: expect.stringContaining(message),
    })
  }
})

test.each([1.5, -1, Number.NaN, 2 ** 40, '3'])(
  '[CA1] a frame has no room for %s bytes, and the call is refused',
  async (length) => {
    const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
    const call = cluster.call(
      readingOfOne('propose', () => undefined),
      (into) => {
        into.reserve(length as number)
      },
    )
    await expect(call).rejects.toMatchObject({
      code: 'INVALID_COMMAND',
      message: expect.stringMatching(/^reserve: a whole number of bytes, at most 2097152, not /),
    })
  },
)

const methods: Record<string, (cluster: Cluster) => Promise<unknown>> = {
  put: (cluster) => cluster.put('a', 'b'),
  delete: (cluster) => cluster.delete('a'),
  append: (cluster) => cluster.append('a', 'b'),
  cas: (cluster) => cluster.cas('a', 'b', 'c'),
  get: (cluster) => cluster.get('a'),
  range: (cluster) => cluster.range(),
  propose: (cluster) => cluster.propose(new Uint8Array(1)),
  query: (cluster) => cluster.query(new Uint8Array(1)),
  kill: (cluster) => cluster.kill(1),
  'kill of the leader': (cluster) => cluster.kill('leader'),
  stop: (cluster) => cluster.stop(1),
  restart: (cluster) => cluster.restart(1),
  nemesis: async (cluster) => cluster.nemesis(1),
  hashes: (cluster) => cluster.hashes(),
  takeHeartbeatLateness: (cluster) => cluster.takeHeartbeatLateness(),
}

test.each(Object.keys(methods))(
  '[CL1] %s is refused while the cluster closes and after it',
  async (method) => {
    const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
    const closing = cluster.close()
    const stopped = { name: 'RaftError', code: 'STOPPED' }
    const during = expect(methods[method]?.(cluster)).rejects.toMatchObject(stopped)
    expect(cluster.close()).toBe(closing)
    await Promise.all([during, closing])
    await expect(methods[method]?.(cluster)).rejects.toMatchObject(stopped)
    expect(cluster.status()).toMatchObject([{ state: 'stopped' }])
    expect(cluster.leaderId).toBeUndefined()
  },
)

test.each(['threads', 'inline'] as const)(
  'an error of a machine in its hash is told as one of its node (%s)',
  async (host) => {
    const machine = pathToFileURL('test/machine/fixtures/hash-throws.mjs')
    const cluster = await startedCluster({ nodes: 1, host, machine })
    await expect(cluster.hashes()).rejects.toMatchObject({
      name: 'RaftError',
      code: 'NODE_FAILED',
      message: expect.stringContaining('no hash today'),
    })
    expect((await cluster.propose(Buffer.from('1'))).results.map(String)).toEqual(['1'])
  },
)

test.each(['threads', 'inline'] as const)(
  '[MB3] a snapshot and an export tell why the machine of their node failed (%s)',
  async (host) => {
    const machine = pathToFileURL('test/machine/fixtures/snapshot-throws.mjs')
    const cluster = await startedCluster({ host, machine })
    await cluster.propose(Buffer.from('1'))
    const failed = (nodeId: number) => ({
      code: 'NODE_FAILED',
      message: `node ${nodeId} failed: no snapshot today`,
    })
    await expect(cluster.snapshot(1)).rejects.toMatchObject(failed(1))
    const file = join(temporaryFolder(), 'export')
    await expect(cluster.export(file, { from: 2 })).rejects.toMatchObject(failed(2))
    expect(existsSync(file)).toBe(false)
    expect(cluster.status()[0]).toMatchObject({ state: 'failed', failure: 'no snapshot today' })
  },
)

test('[MB3] a snapshot that is under way when its node is killed is told that the node is stopped', async () => {
  const cluster = await startedCluster({ host: 'inline' })
  await cluster.put('a', '1')
  await cluster.slowDisk(1, 600_000)
  const refused = expect(cluster.snapshot(1)).rejects.toMatchObject({
    code: 'STOPPED',
    message: 'node 1 is stopped',
  })
  await cluster.kill(1)
  await refused
})

test.each(['threads', 'inline'] as const)(
  '[MB3] a snapshot of a node that has applied nothing waits for a leader, and is refused where it hears none (%s)',
  async (host) => {
    const cluster = await startedCluster({ host, requestTimeoutMs: 500 })
    await cluster.put('a', '1')
    const [cutOff = 0] = cluster.status().flatMap(({ nodeId }) => (nodeId === cluster.leaderId ? [] : nodeId))
    await cluster.isolate(cutOff)
    await cluster.kill(cutOff)
    await cluster.restart(cutOff)
    await expect(cluster.snapshot(cutOff)).rejects.toMatchObject({
      code: 'INVALID_FAULT',
      message: `target ${cutOff}: the node applied no entry within 500 ms: it hears no leader`,
    })
    const taken = cluster.snapshot(cutOff)
    await cluster.heal()
    expect(await taken).toMatchObject([{ nodeId: cutOff }])
  },
)

test.each(['lease', 'readIndex'] as const)(
  '[RQ7] a query at which a machine throws is refused alone, and its node goes on (%s)',
  async (reads) => {
    const machine = pathToFileURL('test/machine/fixtures/read-throws.mjs')
    const cluster = await startedCluster({ machine, reads })
    const queries = Array.from({ length: 300 }, (_, n) => (n % 7 === 0 ? 'bad' : `query ${n}`))
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.allSettled(queries.map((query) => cluster.query(Buffer.from(query))))
      for (const [n, query] of queries.entries()) {
        if (query !== 'bad') expect(String((answers[n] as PromiseFulfilledResult<Buffer>).value)).toBe(query)
        else
          expect(answers[n]).toMatchObject({
            reason: {
              code: 'REFUSED_BY_MACHINE',
              message: 'the state machine refused the call: this query makes no sense',
            },
          })
      }
    }
    expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
  },
)

test('[MB1] a node that is ended while it starts opens no log', async () => {
  const node = new InlineNode(1, realParts)
  const [{ port }, nodeEnd] = createClientWay()
  const membership = { voters: [1], votersOutgoing: [], learners: [] }
  const options = { nodeId: 1, membership, machine: undefined } as unknown as Parameters<
    InlineNode['start']
  >[0]
  const started = node.start(options, nodeEnd, [])
  await node.end()
  expect(await started).toMatchObject({ ok: false, code: 'STOPPED' })
  port.close()
})

test('[EV2] a node that a listener kills in the middle of an election is dead, and can be started again', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  await cluster.put('a', '1')
  const killed = new Promise<RaftError | number>((resolve) => {
    cluster.events.on('event', (event) => {
      if (event.type === 'role' && event.role === 'leader')
        resolve(cluster.kill(event.nodeId).catch((error) => error))
    })
  })
  const first = await cluster.kill('leader')
  const second = (await killed) as number
  expect(second).not.toBe(first)
  cluster.events.removeAllListeners()
  const led = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
  await Promise.all([cluster.restart(first), cluster.restart(second), led])
  await cluster.put('a', '2')
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
})
