import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCluster } from '../../src/cluster/index.js'
import { measure } from '../../src/load/measure.js'
import { exitCodeOf } from '../../src/terminal/failure.js'
import { lastLine, run, temporaryFolder } from './raftbox.js'

/** Long enough that a disk which stands still for a moment ends some write within it. */
const short = ['--clients', '8', '--size', '64', '--seconds', '1']
/** In memory nothing stands still: for what has nothing to do with the disk. */
const quick = ['--clients', '8', '--size', '64', '--seconds', '0.3', '--durability', 'none']

test.each([
  ['flush', 'on'],
  ['none', 'on'],
  ['flush', 'off'],
])(
  'bench with durability %s and threads %s prints every field of the contract',
  async (durability, threads) => {
    const { code, stdout, stderr, left } = await run([
      'bench',
      ...['--nodes', '3', ...short, '--durability', durability, '--threads', threads, '--json'],
    ])
    expect([code, stderr, left]).toEqual([0, '', []])
    expect(stdout.trimEnd().split('\n').length).toBe(1)
    const result = lastLine(stdout)
    expect(result).toMatchObject({
      nodes: 3,
      clients: 8,
      size: 64,
      batch: 1,
      durability,
      threads,
      reads: 'lease',
      readsFrom: 'leader',
      workload: null,
    })
    const { commitsPerSecond, p50ms, p99ms, p999ms, maxMs } = result as Record<string, number>
    expect(commitsPerSecond).toBeGreaterThan(0)
    expect(p50ms).toBeGreaterThan(0)
    expect([p50ms, p99ms, p999ms, maxMs].map(Number)).toEqual(
      [p50ms, p99ms, p999ms, maxMs].map(Number).sort((a, b) => a - b),
    )
    for (const name of ['elections', 'heartbeatLateP999ms', 'bytesFlushed', 'cores', 'clientThreadBusy']) {
      expect(result[name], name).toBeTypeOf('number')
    }
    expect(result['flushesPerCommit']).toBeGreaterThan(0)
    expect(result['messagesPerCommit']).toBeGreaterThan(0)
    expect(result['node']).toBe(process.version)
  },
)

test('a call of a batch counts as one call and as many commits', async () => {
  const { code, stdout } = await run(['bench', ...quick, '--batch', '20', '--json'])
  expect(code).toBe(0)
  const { commits, operations } = lastLine(stdout) as {
    commits: number
    operations: { put: { count: number } }
  }
  expect(operations.put.count).toBeGreaterThan(0)
  expect(commits).toBe(20 * operations.put.count)
})

test('reads are confirmed as it is asked for', async () => {
  const { code, stdout } = await run(['bench', ...quick, '--workload', 'c', '--reads', 'readIndex', '--json'])
  expect(code).toBe(0)
  const result = lastLine(stdout)
  expect(result).toMatchObject({ workload: 'c', reads: 'readIndex' })
  // Rounds of reads are heartbeats too, and there are many.
  expect(result['heartbeats']).toBeGreaterThan(20)
})

test('the result tells how reads were confirmed, not how they were asked for', async () => {
  const { code, stdout } = await run(['bench', ...quick, '--heartbeat', '2', '--reads', 'lease', '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ reads: 'readIndex' })
})

test('an open loop makes the calls that are due, and not as many as it could', async () => {
  const { code, stdout, stderr } = await run([
    'bench',
    ...quick,
    '--rate',
    '50',
    '--arrivals',
    'even',
    '--json',
  ])
  expect([code, stderr]).toEqual([0, ''])
  const result = lastLine(stdout)
  expect(result).toMatchObject({ rate: 50, clients: 8, unanswered: expect.any(Number) as number })
  expect(result['commits']).toBeGreaterThan(0)
  // Fifteen are due. What a stall had kept back comes on top; a closed loop makes thousands.
  expect(result['commits']).toBeLessThan(500)
})

test.each([
  ['a', ['read', 'update']],
  ['b', ['read', 'update']],
  ['c', ['read']],
  ['d', ['insert', 'read']],
  ['f', ['read', 'readModifyWrite']],
])('workload %s runs its operations', async (workload, names) => {
  const { code, stdout, stderr } = await run([
    'bench',
    ...[...quick, '--nodes', '1', '--workload', workload, '--records', '300', '--json'],
  ])
  expect([code, stderr]).toEqual([0, ''])
  const result = lastLine(stdout)
  const operations = result['operations'] as Record<string, { count: number; p50ms: number }>
  expect(Object.keys(operations).sort()).toEqual(names)
  const writes = Object.entries(operations).filter(([name]) => name !== 'read')
  expect(result['commits']).toBe(writes.reduce((sum, [, { count }]) => sum + count, 0))
  for (const { count, p50ms } of Object.values(operations)) {
    expect(count).toBeGreaterThan(0)
    expect(p50ms).toBeGreaterThan(0)
  }
})

test('one node needs no other, and two are warned about', async () => {
  const one = await run(['bench', '--nodes', '1', ...quick, '--json'])
  expect([one.code, one.stderr]).toEqual([0, ''])
  expect(lastLine(one.stdout)).toMatchObject({
    nodes: 1,
    heartbeats: 0,
    messagesPerCommit: 0,
    heartbeatLateP999ms: null,
  })
  const two = await run(['bench', '--nodes', '2', ...quick, '--json'])
  expect(two.code).toBe(0)
  expect(two.stderr).toMatch(/^raftbox: warning: two nodes tolerate no failure.*\n$/)
})

test('for people, it says in words what was measured, and progress goes to standard error', async () => {
  const { code, stdout, stderr } = await run([
    'bench',
    ...short,
    '--seconds',
    '1.2',
    '--durability',
    'none',
    '--progress',
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^[\d,]+ commits\/s, in memory, not durable\n3 nodes in worker threads, 8 clients, 64-byte/,
  )
  expect(stderr).toMatch(/^starting\n(.*commits\/s.*\n)+$/)
})

test('with a directory the logs stay, and the directory is free again', async () => {
  const dir = join(temporaryFolder(), 'made', 'by-bench')
  for (let round = 0; round < 2; round++) {
    const { code, stdout } = await run(['bench', ...short, '--dir', dir, '--json'])
    expect(code).toBe(0)
    expect(lastLine(stdout)['commitsPerSecond']).toBeGreaterThan(0)
  }
  const kept = ['cluster.json', 'lock', 'node-1', 'node-2', 'node-3', 'pledges.jsonl']
  expect(readdirSync(dir).sort()).toEqual(kept)
  const other = await run(['bench', ...short, '--dir', dir, '--nodes', '5'])
  expect([other.code, other.stderr.split('\n').length]).toEqual([2, 2])
  expect(other.stderr).toContain(`3, as ${dir} was made with`)
})

test('a directory that is in use is refused in one line', async () => {
  const dir = temporaryFolder()
  const cluster = await startCluster({ dir, host: 'inline', nodes: 1 })
  const { code, stdout, stderr } = await run(['bench', ...short, '--dir', dir, '--nodes', '1'])
  await cluster.close()
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toBe(
    `raftbox: ${dir} is in use by process ${process.pid}: stop it, or choose another directory\n`,
  )
  expect(existsSync(join(dir, 'cluster.json'))).toBe(true)
})

test('a node whose disk is full ends the measurement, with one line that says how to mend it', async () => {
  const options = {
    nodes: 3,
    clients: 64,
    size: 4096,
    batch: 1,
    warmUpSeconds: 3,
    seconds: 30,
    records: 1,
  } as const
  const measured = measure(
    {
      ...options,
      durability: 'flush',
      threads: 'on',
      reads: 'lease',
      readsFrom: 'leader',
      cluster: { diskBytesMax: 4 << 20 },
    },
    new AbortController().signal,
    () => undefined,
  )
  await expect(measured).rejects.toThrow(
    /^node [123] failed: disk full: the log cannot be written; make room or choose another --dir$/,
  )
  expect(exitCodeOf(await measured.catch((error: unknown) => error))).toBe(2)
})
