import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type ClusterOptions, type RaftError, startCluster, valueBytesMax } from '../../src/cluster/index.js'
import { electionTimeoutTicksOf, resolveOptions } from '../../src/cluster/options.js'
import { defaultLimits } from '../../src/raft/index.js'
import { convergedHashes, Load, nextEvent, startedCluster, temporaryFolder } from './support.js'

const hosts = ['threads', 'inline'] as const

describe.each(hosts)('a cluster on %s', (host) => {
  test('keeps what it is given, in order, and tells the revision of each write', async () => {
    const cluster = await startedCluster({ host })
    const first = await cluster.put('a', 'one')
    const second = await cluster.put('b', new Uint8Array([0, 255, 128]))
    expect(second.revision).toBe(first.revision + 1)
    expect(second.index).toBeGreaterThan(first.index)
    expect((await cluster.get('a'))?.value.toString()).toBe('one')
    expect([...((await cluster.get('b'))?.value ?? [])]).toEqual([0, 255, 128])
    expect(await cluster.get('c')).toBeUndefined()

    await cluster.append('a', '+two')
    expect((await cluster.get('a'))?.value.toString()).toBe('one+two')
    expect(await cluster.cas('a', 'one', 'x')).toMatchObject({
      swapped: false,
      current: { value: Buffer.from('one+two') },
    })
    expect(await cluster.cas('a', 'one+two', 'x')).toMatchObject({ swapped: true })
    expect(await cluster.cas('new', undefined, 'y')).toMatchObject({ swapped: true })
    expect(await cluster.delete('b')).toMatchObject({ deleted: true })
    expect(await cluster.delete('b')).toMatchObject({ deleted: false })
    const { entries, hasMore } = await cluster.range({ limit: 1 })
    expect(entries.map(({ key, value }) => [key.toString(), value.toString()])).toEqual([['a', 'x']])
    expect(hasMore).toBe(true)
    expect((await cluster.range({ prefix: 'n' })).entries.map(({ key }) => key.toString())).toEqual(['new'])
  })

  test('[CA3] keeps the order of one caller, and gives each call of a turn its own result', async () => {
    const cluster = await startedCluster({ host })
    const writes = await Promise.all(Array.from({ length: 500 }, (_, n) => cluster.append('log', `${n},`)))
    const revisions = writes.map(({ revision }) => revision)
    expect(revisions).toEqual(Array.from(revisions, (_, n) => (revisions[0] ?? 0) + n))
    expect((await cluster.get('log'))?.value.toString()).toBe(
      Array.from({ length: 500 }, (_, n) => `${n},`).join(''),
    )
  })

  test('[OU8] comes back from its directory with everything it acknowledged', async () => {
    const dir = temporaryFolder()
    const first = await startedCluster({ host, dir, nodes: 3 })
    const load = new Load(first, 16)
    await load.reaches(500)
    await load.stop()
    await first.close()
    const second = await startedCluster({ host, dir })
    expect(second.status().length).toBe(3)
    for (const [key, value] of load.acknowledged)
      expect((await second.get(key))?.value.toString()).toBe(value)
    expect((await convergedHashes(second)).size).toBe(1)
  })

  test('takes snapshots under load, cuts its logs, and starts again from them', async () => {
    const dir = temporaryFolder()
    const bounds = { logBytesMax: 64 << 10, trailingBytes: 8 << 10 }
    const first = await startedCluster({ host, dir, ...bounds })
    const load = new Load(first, 16)
    await load.reaches(4000)
    await load.stop()
    await convergedHashes(first)
    for (const { snapshotIndex, firstIndex } of first.status()) {
      expect(snapshotIndex).toBeGreaterThan(0)
      expect(firstIndex).toBeGreaterThan(1)
    }
    await first.close()
    const second = await startedCluster({ host, dir, ...bounds })
    expect((await second.range({ limit: 100_000 })).entries.length).toBe(load.acknowledged.size)
    expect((await convergedHashes(second)).size).toBe(1)
  })

  test('goes on without its leader, and takes it back', async () => {
    const cluster = await startedCluster({ host })
    const load = new Load(cluster, 32)
    await load.reaches(200)
    const killed = await cluster.kill('leader')
    await load.reaches(load.acknowledged.size + 200)
    expect(cluster.leaderId).not.toBe(killed)
    await cluster.restart(killed)
    await load.reaches(load.acknowledged.size + 200)
    await load.stop()
    expect((await convergedHashes(cluster)).size).toBe(1)
    for (const [key, value] of load.acknowledged)
      expect((await cluster.get(key))?.value.toString()).toBe(value)
  })

  test('sends what it has left to its store to a node that was away, and starts again from it', async () => {
    const dir = temporaryFolder()
    const bounds = { logBytesMax: 1 << 30 }
    const first = await startedCluster({ host, dir, ...bounds })
    await first.put('first', 'entry')
    const away = first.status().find(({ nodeId }) => nodeId !== first.leaderId)?.nodeId ?? 0
    await first.kill(away)
    // More than is kept in memory.
    const value = Buffer.alloc(250_000)
    for (let at = 0; at < 160; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, more) => first.put(`${at + more}`, value.fill(at))))
    }
    expect(first.status()[first.leaderId! - 1]?.logBytes).toBeGreaterThan(defaultLimits.logMemoryBytesMax)
    await first.restart(away)
    expect((await convergedHashes(first)).size).toBe(1)
    expect(first.status().map(({ snapshotsInstalled }) => snapshotsInstalled)).toEqual([0, 0, 0])
    await first.close()
    const second = await startedCluster({ host, dir, ...bounds })
    expect((await second.get('159'))?.value).toEqual(Buffer.alloc(250_000, 140))
    expect((await convergedHashes(second)).size).toBe(1)
  })

  test('sends a snapshot to a node that was away for longer than the log reaches back', async () => {
    const cluster = await startedCluster({ host, logBytesMax: 64 << 10, trailingBytes: 0 })
    await cluster.put('first', 'entry')
    const away = cluster.status().find(({ nodeId }) => nodeId !== cluster.leaderId)?.nodeId ?? 0
    await cluster.kill(away)
    const load = new Load(cluster, 16)
    await load.reaches(4000)
    await load.stop()
    const installing = nextEvent(
      cluster,
      ({ type, nodeId }) => type === 'snapshotInstalling' && nodeId === away,
    )
    await cluster.restart(away)
    await installing
    expect((await convergedHashes(cluster)).size).toBe(1)
    expect(cluster.status().find(({ nodeId }) => nodeId === away)?.snapshotsInstalled).toBe(1)
  })

  test('runs a state machine from a module of its user', async () => {
    const machine = pathToFileURL('test/machine/fixtures/counter.mjs')
    const cluster = await startedCluster({ host, machine })
    const bytes = (text: string) => new TextEncoder().encode(text)
    const { index, results } = await cluster.propose(['1', '20', '300'].map(bytes))
    expect(results.map(String)).toEqual(['1', '21', '321'])
    // The header of the session stands between two frames.
    expect((await cluster.propose(bytes('9'))).index).toBe(index + 4)
    expect(String(await cluster.query(bytes('total')))).toBe('330')
    await expect(cluster.put('a', 'b')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect((await convergedHashes(cluster)).size).toBe(1)
  })

  test('[MB6] in memory it commits too, and refuses to bring back a node that forgot its vote', async () => {
    const cluster = await startedCluster({ host, durability: 'none' })
    await cluster.put('a', 'b')
    const killed = await cluster.kill('leader')
    await cluster.put('a', 'c')
    await expect(cluster.restart(killed)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('[OU1][OU3] without a majority a write ends as not known and a read as not done', async () => {
    // By its lease, a leader would answer reads a little longer.
    const cluster = await startedCluster({ host, requestTimeoutMs: 2000, reads: 'readIndex' })
    await cluster.put('a', 'b')
    const others = cluster.status().filter(({ nodeId }) => nodeId !== cluster.leaderId)
    for (const { nodeId } of others) await cluster.kill(nodeId)
    const [write, read] = await Promise.allSettled([cluster.put('a', 'c'), cluster.get('a')])
    expect(write).toMatchObject({ reason: { code: 'UNKNOWN_OUTCOME', mayHaveHappened: 'maybe' } })
    expect(read).toMatchObject({ reason: { code: 'READ_TIMEOUT', mayHaveHappened: 'no' } })
    const waited = await cluster.put('a', 'd').catch((error: RaftError) => error)
    expect(waited).toMatchObject({ mayHaveHappened: expect.stringMatching(/no|maybe/) })
    for (const { nodeId } of others) await cluster.restart(nodeId)
    await cluster.put('a', 'e')
    expect((await cluster.get('a'))?.value.toString()).toBe('e')
  })

  test('a leader asks nobody before it answers reads, unless it is told to', async () => {
    const reads = 200
    const messagesOf = async (options: ClusterOptions): Promise<number> => {
      const cluster = await startedCluster({ host, heartbeatIntervalMs: 200, ...options })
      await cluster.put('a', 'b')
      const sent = () => cluster.status().reduce((sum, { messagesSent }) => sum + messagesSent, 0)
      const before = sent()
      for (let read = 0; read < reads; read++) expect((await cluster.get('a'))?.value.toString()).toBe('b')
      return sent() - before
    }
    expect(await messagesOf({})).toBeLessThan(reads)
    expect(await messagesOf({ reads: 'readIndex' })).toBeGreaterThanOrEqual(2 * reads)
  })

  test('[EV1] tells why each node changed its role', async () => {
    const cluster = await startedCluster({ host })
    await cluster.put('a', 'b')
    const { currentTerm } = cluster.status()[0] ?? { currentTerm: 0 }
    const won = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
    const timedOut = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'preCandidate')
    const killed = await cluster.kill('leader')
    expect(await timedOut).toMatchObject({ reason: 'electionTimeout' })
    const event = await won
    expect(event).toMatchObject({ reason: 'electionWon', leaderId: event.nodeId })
    expect(event.nodeId).not.toBe(killed)
    expect(event.type === 'role' && event.term).toBeGreaterThan(currentTerm)
  })

  test('[CL1] closing ends every call with a known or an unknown outcome, and takes no more', async () => {
    const cluster = await startedCluster({ host })
    await cluster.put('a', 'b')
    const calls = Array.from({ length: 200 }, (_, n) => cluster.put(`k${n}`, 'v'))
    const outcomes = Promise.allSettled(calls)
    await cluster.close()
    for (const outcome of await outcomes) {
      if (outcome.status === 'rejected') expect(['STOPPED', 'UNKNOWN_OUTCOME']).toContain(outcome.reason.code)
    }
    await expect(cluster.put('a', 'c')).rejects.toMatchObject({ code: 'STOPPED' })
    await expect(cluster.get('a')).rejects.toMatchObject({ code: 'STOPPED' })
    await expect(cluster.restart(1)).rejects.toMatchObject({ code: 'STOPPED' })
    await cluster.close()
  })

  test('[CA1] a value over the bound is refused with the bound, and the calls beside it go through', async () => {
    const cluster = await startedCluster({ host })
    const [small, large, last] = await Promise.allSettled([
      cluster.put('small', 'v'),
      cluster.put('large', 'v'.repeat(valueBytesMax + 1)),
      cluster.put('last', 'v'),
    ])
    expect(small.status).toBe('fulfilled')
    expect(large).toMatchObject({
      reason: { code: 'INVALID_COMMAND', message: expect.stringContaining(String(valueBytesMax)) },
    })
    expect(last.status).toBe('fulfilled')
    expect(await cluster.get('large')).toBeUndefined()
  })

  test.each([1, 2, 5])('%i nodes elect a leader and commit', async (nodes) => {
    const cluster = await startedCluster({ host, nodes })
    await cluster.put('a', 'b')
    expect((await cluster.get('a'))?.value.toString()).toBe('b')
    expect((await convergedHashes(cluster)).size).toBe(1)
    expect(cluster.status().filter(({ role }) => role === 'leader').length).toBe(1)
  })

  test('[CL2] closing leaves no thread, port, timer, file or folder behind: the process ends by itself', () => {
    const program = new URL('./leaves-nothing.js', import.meta.url).pathname
    // How busy this machine is says nothing of what is left.
    const args = ['--disable-warning=RaftboxWarning', program, host]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ openFiles: [], folders: [] })
  })
})

describe('[CA9] an option that does not fit', () => {
  test.each([
    [{ nodes: 0 }, 'nodes'],
    [{ nodes: -1 }, 'nodes'],
    [{ nodes: 26 }, 'nodes'],
    [{ nodes: 2.5 }, 'nodes'],
    [{ durability: 'maybe' as never }, 'durability'],
    [{ host: 'cloud' as never }, 'host'],
    [{ reads: 'guess' as never }, 'reads'],
    [{ dir: '' }, 'dir'],
    [{ heartbeatIntervalMs: 1 }, 'heartbeatIntervalMs'],
    [{ heartbeatIntervalMs: 100, electionTimeoutMs: 299 }, 'electionTimeoutMs'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
    [{ logBytesMax: 1 }, 'logBytesMax'],
    [{ logBytesMax: 8192, trailingBytes: 8193 }, 'trailingBytes'],
    [{ diskBytesMax: 1 }, 'diskBytesMax'],
    [{ dir: 'file://elsewhere/data' }, 'dir'],
    [{ recordDir: '' }, 'recordDir'],
    [{ recordDir: 'no/such/folder' }, 'recordDir'],
    [{ recordDir: 'package.json' }, 'recordDir'],
    [{ renew: 2 as never }, 'renew'],
    [null as never, 'options'],
    ['data' as never, 'options'],
    [{ machine: Object.create(null) as never }, 'options'],
  ])('%j is refused by name, with what would fit', async (options, option) => {
    await expect(startCluster(options)).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { option } })
  })

  test.each([
    [{ node: 3 }, 'an option of startCluster: nodes, not node'],
    [{ heartBeatIntervalMS: 3 }, 'an option of startCluster: heartbeatIntervalMs, not heartBeatIntervalMS'],
    [{ dirs: 'x' }, 'an option of startCluster: dir, not dirs'],
    [{ colour: 'red' }, 'an option of startCluster: one of nodes, dir, renew, durability, host, machine,'],
  ])('%j, which is not known, is refused with the nearest one that is', async (options, message) => {
    await expect(startCluster(options as never)).rejects.toThrow(message)
  })

  test('what is left out by undefined is left out', () => {
    expect(resolveOptions({ nodes: undefined, colour: undefined } as never).durability).toBe('flush')
  })

  test('one that throws when it is read is refused as well', async () => {
    const options = {
      get nodes(): number {
        throw new Error('not today')
      },
    }
    await expect(startCluster(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('leases are too short for timers of whole milliseconds below 8 ms', () => {
    const readsAt = (heartbeatIntervalMs: number, electionTimeoutMs: number) =>
      resolveOptions({ heartbeatIntervalMs, electionTimeoutMs }).reads
    // Of 22 ms the protocol counts four ticks of 7.
    expect([readsAt(2, 12), readsAt(8, 24), readsAt(7, 22)]).toEqual(['lease', 'lease', 'lease'])
    expect([readsAt(2, 10), readsAt(7, 21)]).toEqual(['readIndex', 'readIndex'])
  })

  test('an election timeout is rounded up to whole heartbeats', () => {
    const ticksOf = (electionTimeoutMs: number) =>
      electionTimeoutTicksOf({ heartbeatIntervalMs: 100, electionTimeoutMs })
    expect([300, 301, 349, 350, 400].map(ticksOf)).toEqual([3, 4, 4, 4, 4])
  })

  test.each([4096, 2 ** 24, 2 ** 32, 5 * 2 ** 30, 2 ** 40])(
    'a quarter of a log of %s bytes stays behind a snapshot',
    (logBytesMax) => expect(resolveOptions({ logBytesMax }).trailingBytes).toBe(logBytesMax / 4),
  )

  test('a session outlasts five heartbeats, since the time by which it expires is told once a heartbeat at most', () => {
    const limits = { heartbeatIntervalMs: 1000, sessionTimeoutMs: 5000 }
    expect(resolveOptions(limits).sessionTimeoutMs).toBe(5000)
    expect(() => resolveOptions({ ...limits, sessionTimeoutMs: 4999 })).toThrow(
      'sessionTimeoutMs: a whole number from 5000 to 3600000, 5 heartbeats at least, not 4999',
    )
    expect(resolveOptions({ heartbeatIntervalMs: 10_000 }).sessionTimeoutMs).toBe(60_000)
  })

  test.each([
    ['no/such/module.mjs', /no\/such\/module/],
    [pathToFileURL('test/machine/fixtures/counter.mjs').href.replace('counter', 'missing'), /missing/],
  ])('a machine that is not there: %s', async (machine, message) => {
    const refusal = await startCluster({ machine }).catch((error: RaftError) => error)
    expect(refusal).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) })
  })
})
