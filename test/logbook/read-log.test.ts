/** The log of a node as others read it: beside a node that runs, and from a directory at rest. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readLogs } from '../../src/cluster/index.js'
import { logOfMember } from '../../src/cluster/logs.js'
import { type LogOfNode, readLog } from '../../src/logbook/index.js'
import { packCommands } from '../../src/raft/index.js'
import { newPledge, openLmdbStore, type Pledge, readPledges, writePledges } from '../../src/storage/index.js'
import { Counters } from '../../src/telemetry/index.js'
import { persistOf, runOf, snapshotOf, stepStore, testMembership } from '../../src/testing/store-model.js'
import { convergedHashes, flushedLogs, Load, startedCluster, temporaryFolder } from '../cluster/support.js'

const known = { nodeId: 1, isKeyValue: false, pointers: undefined }
const running = { ...known, pointers: { flushedIndex: 3, commitIndex: 2, lastIndexAtStart: 0 } }

const wordsOf = { empty: /^$/, command: /^put /, membership: /^\(node/, session: /^\(/ } as const

const indexesOf = (log: LogOfNode | undefined) => log?.entries.map(({ index }) => index)

/** The numbers from one to the other. */
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

async function logOf(
  dir: string,
  runs: readonly [index: number, count: number][],
): Promise<() => Promise<void>> {
  const { store } = openLmdbStore({ dir, nodeId: 1, membership: testMembership })
  for (const [index, count] of runs) {
    const hardState = { currentTerm: 7, votedFor: 2 }
    const persist = persistOf({ hardState, entries: [runOf(index, 1, count)] })
    await stepStore(store, { type: 'write', persist })
  }
  return () => store.close()
}

test('any entries can be asked for, also from the middle of a record', async () => {
  const dir = join(temporaryFolder(), 'node')
  const close = await logOf(dir, [
    [1, 5],
    [6, 1],
    [7, 30],
  ])
  for (const [range, expected] of [
    [{}, upTo(17, 36)],
    [{ to: 20 }, upTo(1, 20)],
    [{ from: 3, to: 8 }, upTo(3, 8)],
    [{ from: 6, to: 6 }, [6]],
    [{ from: 36 }, [36]],
    [{ from: 37 }, []],
  ] as const) {
    const log = readLog(dir, running, range)
    expect(indexesOf(log), JSON.stringify(range)).toEqual(expected)
    expect(log).toMatchObject({ currentTerm: 7, votedFor: 2, firstIndex: 1, lastIndex: 36, next: null })
  }
  await close()
  expect(indexesOf(readLog(dir, known, { from: 3, to: 8 })), 'and at rest').toEqual(upTo(3, 8))
})

test('a long answer ends somewhere, and says where to go on', async () => {
  const dir = join(temporaryFolder(), 'node')
  await (await logOf(dir, [[1, 2500]]))()
  const first = readLog(dir, known, { from: 100 })
  expect(indexesOf(first)).toEqual(upTo(100, 1099))
  expect(first?.next).toBe(1100)
  expect(readLog(dir, known, { from: 100, to: 1099 })?.next).toBeNull()
})

test('an entry says whether it is flushed and committed, as far as that is known', async () => {
  const dir = join(temporaryFolder(), 'node')
  const close = await logOf(dir, [[1, 4]])
  const live = readLog(dir, running)
  expect(live?.entries.map(({ flushed, committed }) => [flushed, committed])).toEqual([
    [true, true],
    [true, true],
    [true, false],
    [false, false],
  ])
  const started = { ...running, pointers: { ...running.pointers, lastIndexAtStart: 3 } }
  expect(readLog(dir, started)?.entries.map(({ committed }) => committed)).toEqual([true, true, null, false])
  const left = readLog(dir, known)
  expect(left?.isSettled, 'as a crash leaves it').toBe(false)
  expect(left?.entries[0]).toMatchObject({ flushed: null, committed: null })
  await close()
  expect(readLog(dir, known)).toMatchObject({ isSettled: true })
  expect(readLog(dir, known)?.entries[0]).toMatchObject({ flushed: true, committed: null })
})

test('what a snapshot holds is committed, and what was cut off is not shown', async () => {
  const dir = join(temporaryFolder(), 'node')
  const { store } = openLmdbStore({ dir, nodeId: 1, membership: testMembership })
  await stepStore(store, { type: 'write', persist: persistOf({ entries: [runOf(1, 1, 9)] }) })
  const snapshot = snapshotOf(5, 1, 0)
  await stepStore(store, { type: 'chunk', snapshot, offset: 0, data: new Uint8Array(0) })
  await stepStore(store, { type: 'compact', snapshot, base: { index: 3, term: 1 } })
  await store.close()
  const log = readLog(dir, known, { from: 1 })
  expect(indexesOf(log)).toEqual(upTo(4, 9))
  expect(log).toMatchObject({ firstIndex: 4, snapshot: { index: 5, term: 1, size: 0 } })
  expect(log?.entries.map(({ committed }) => committed)).toEqual([true, true, null, null, null, null])
})

test('a node that has never begun has no log', () => {
  expect(readLog(join(temporaryFolder(), 'node'), known)).toBeUndefined()
  expect(readLog(join(temporaryFolder(), 'node'), running)).toBeUndefined()
})

test.each([
  [{ from: 0 }, 'from: an index from 1 on, not 0'],
  [{ to: 1.5 }, 'to: an index from 1 on, not 1.5'],
  [{ from: '3' as unknown as number }, 'from: an index from 1 on, not string'],
  [{ from: 5, to: 3 }, 'to: an index from 5 on, not 3'],
])('a range %j is refused', (range, message) => {
  expect(() => readLog(temporaryFolder(), known, range)).toThrow(message)
})

test('a log whose last write the power loss tore is shown as the next start finds it', async () => {
  const dir = join(temporaryFolder(), 'node')
  const { store } = openLmdbStore({ dir, nodeId: 1, membership: testMembership })
  const file = join(dir, 'data.mdb')
  const write = (index: number) =>
    stepStore(store, { type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, 100)] }) })
  await write(1)
  await write(2)
  const before = readFileSync(file)
  await write(3)
  const after = readFileSync(file)
  // The first page of the last transaction is there, and of its entry nothing.
  const metas = after.subarray(0, 8192)
  const torn = Buffer.concat([metas, before.subarray(8192)])
  const copy = join(temporaryFolder(), 'node')
  const settled = readFileSync(join(dir, 'unsettled'))
  await store.close()
  const opened = openLmdbStore({ dir: copy, nodeId: 1, membership: testMembership })
  await opened.store.close()
  writeFileSync(join(copy, 'data.mdb'), torn)
  writeFileSync(join(copy, 'unsettled'), settled)
  expect(indexesOf(readLog(copy, known))).toEqual([1, 2])
  expect(readFileSync(join(copy, 'data.mdb')).equals(torn), 'nothing is changed').toBe(true)
})

test('a damaged log gives one line that names the damage', async () => {
  const dir = join(temporaryFolder(), 'node')
  await (await logOf(dir, [[1, 3]]))()
  const file = join(dir, 'data.mdb')
  const whole = readFileSync(file)
  const bytes = Buffer.from(whole)
  const command = packCommands([Buffer.from('2@1 ')]).bytes.subarray(-4)
  for (let at = bytes.indexOf(command); at >= 0; at = bytes.indexOf(command, at)) bytes[at]! ^= 1
  for (const [content, message] of [
    [bytes, 'the record of entry 1 is damaged: its checksum does not match'],
    [whole.subarray(0, 3 * 4096), 'MDB_CORRUPTED: Located page was wrong type'],
    [Buffer.alloc(whole.length), 'its first pages are damaged'],
  ] as const) {
    writeFileSync(file, content)
    // Only the last entry is asked for: damage is found wherever it is.
    expect(() => readLog(dir, known, { from: 3 })).toThrow(`the log of node 1 cannot be used: ${message}`)
  }
})

test('the log of a node is read beside the node under load, killed or not, and the cluster goes on', async () => {
  const cluster = await startedCluster({ logBytesMax: 256 << 10 })
  const load = new Load(cluster, 16)
  await load.reaches(100)
  let reads = 0
  for (let round = 0; round < 6; round++) {
    const nodeId = (round % 3) + 1
    const killed = round % 2 === 0 ? await cluster.kill(nodeId) : undefined
    const restarted = killed === undefined ? undefined : cluster.restart(killed)
    for (let read = 0; read < 20; read++) {
      const log = await cluster.log(nodeId)
      expect(log!.lastIndex).toBeGreaterThan(0)
      for (const { kind, command } of log!.entries) expect(command).toMatch(wordsOf[kind])
      reads++
    }
    await restarted
    await load.reaches(load.acknowledged.size + 20)
  }
  expect(reads).toBe(120)
  await load.stop()
  expect((await convergedHashes(cluster)).size).toBe(1)
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
})

test('nobody opens a log while its node opens it, and the life that began last counts', async () => {
  const dir = join(temporaryFolder(), 'node')
  await (await logOf(dir, [[1, 3]]))()
  const lives: (() => void)[] = []
  const newLife = () => new Promise<void>((opened) => void lives.push(opened))
  const counters = new Counters(Counters.allocate())
  const member = { nodeId: 1, state: 'stopped', counters, opened: newLife(), lastIndexAtStart: 0 }
  let isRead = false
  const directory = { nodePath: () => dir, readablePledge: () => undefined }
  const reading = logOfMember(member, directory, { durability: 'flush', machine: undefined }, {}).then(
    (log) => {
      isRead = true
      return log
    },
  )
  const turns = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  await turns()
  member.opened = newLife()
  lives[0]?.()
  await turns()
  expect(isRead).toBe(false)
  lives[1]?.()
  expect(indexesOf(await reading)).toEqual([1, 2, 3])
})

test('a node that has just started does not tell whether entries of an earlier life are committed', async () => {
  const options = { dir: temporaryFolder(), host: 'inline' } as const
  const first = await startedCluster(options)
  await first.put('a', '1')
  await flushedLogs(first)
  await first.close()
  // Nobody leads for a minute.
  const second = await startedCluster({ ...options, electionTimeoutMs: 60_000 })
  for (const nodeId of [1, 2, 3]) {
    const entries = (await second.log(nodeId))?.entries ?? []
    expect(entries.length).toBeGreaterThan(1)
    expect(new Set(entries.map(({ flushed }) => flushed))).toEqual(new Set([true]))
    expect(new Set(entries.map(({ committed }) => committed))).toEqual(new Set([null]))
  }
})

test('the inline host, whose nodes share a thread with the reader, is read as well', async () => {
  const cluster = await startedCluster({ host: 'inline' })
  for (let key = 0; key < 5; key++) await cluster.put(`key${key}`, 'value')
  // Two followers commit an entry whose flush the leader still waits for.
  await flushedLogs(cluster)
  const log = await cluster.log(cluster.leaderId!)
  expect(log?.entries.at(-1)?.command).toBe('put key4 value')
  await cluster.put('after', 'reading')
  await flushedLogs(cluster)
  expect((await cluster.log(cluster.leaderId!))?.entries.at(-1)?.command).toBe('put after reading')
})

test('a cluster without durability says that it has no log on disk', async () => {
  const cluster = await startedCluster({ durability: 'none' })
  await expect(cluster.log(1)).rejects.toThrow(
    'durability: flush (a node without it has no log on disk), not none',
  )
})

test('all logs of a directory at rest are read; a damaged one does not hide the others, and one in use is refused', async () => {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ dir })
  await cluster.put('key', 'value')
  await convergedHashes(cluster)
  await flushedLogs(cluster)
  expect(() => readLogs(dir)).toThrow(`${dir} is in use by process ${process.pid}`)
  await cluster.close()
  const logs = readLogs(dir)
  expect(logs.map(({ nodeId, log }) => [nodeId, log?.entries.at(-1)?.command])).toEqual([
    [1, 'put key value'],
    [2, 'put key value'],
    [3, 'put key value'],
  ])
  expect(readLogs(dir, { nodeId: 2, isKeyValue: false })[0]?.log?.entries.at(-1)?.command).toBe(
    Buffer.from('\x01\x03\x00keyvalue').toString('hex'),
  )
  writeFileSync(join(dir, 'node-2', 'data.mdb'), Buffer.alloc(8192))
  expect(readLogs(dir).map(({ log, error }) => log?.lastIndex ?? error?.code)).toEqual([
    4,
    'STORAGE_FAILED',
    4,
  ])
  const members = join(dir, 'pledges.jsonl')
  const forgotten = ({ nodeId, identity }: Pledge) => newPledge(nodeId, identity)
  writePledges(
    members,
    readPledges(members).map((each) => (each.nodeId === 2 ? forgotten(each) : each)),
  )
  rmSync(join(dir, 'node-3'), { recursive: true })
  // The power went at the first write of node 2, before it had begun. Node 3 had begun.
  const [torn, lost] = readLogs(dir).slice(1)
  expect(torn).toEqual({ nodeId: 2, log: undefined, error: undefined })
  expect(lost?.error?.message).toContain('its folder is missing or empty')
  expect(() => readLogs(dir, { nodeId: 4 })).toThrow('node: one of 1, 2, 3, not 4')
  expect(() => readLogs(temporaryFolder())).toThrow('holds no cluster: name a directory of raftbox')
})
