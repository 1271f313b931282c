/** The bench on servers that run already: raftbox's own, and whatever else is named by mistake. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startEtcd } from '../../src/etcd/index.js'
import { membersOf, responseOf, serverThat } from '../load/etcd-server.js'
import { lastLine, run } from './raftbox.js'

const short = ['--clients', '8', '--size', '64', '--seconds', '0.3']

test('the bench calls all servers that it is given, and tells null what only their nodes know', async () => {
  await using etcd = await startEtcd({ nodes: 3 })
  const { code, stdout, stderr, left } = await run([
    ...['bench', '--etcd', etcd.endpoints.join(','), ...short, '--json'],
  ])
  expect([code, stderr, left]).toEqual([0, '', []])
  const result = lastLine(stdout)
  expect(result).toMatchObject({
    ...{ nodes: 3, clients: 8, size: 64, batch: 1, workload: null, notApplied: 0, unknown: 0 },
    ...{ durability: null, threads: null, reads: null, heartbeatLateP999ms: null, flushesPerCommit: null },
    servers: etcd.endpoints.map((url) => new URL(url).host),
  })
  const { commits, operations } = result as { commits: number; operations: { put: { count: number } } }
  expect(operations.put.count).toBe(commits)
  // The keys of the bench, with values that make whole commands of 64 bytes.
  const { entries } = await etcd.cluster.range({ prefix: 'key-' })
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.every(({ key, value }) => key.length === 8 && value.length === 64 - 11)).toBe(true)
})

test('members are counted as the window begins, and elections are the terms from its beginning to its end', async () => {
  const terms = [3, 5]
  const server = await serverThat({
    range: (key) => responseOf(key === 'term' ? (terms.shift() ?? 0) : 1),
    members: () => membersOf(5),
  })
  const { code, stdout } = await run(['bench', '--etcd', server, ...short, '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ nodes: 5, elections: 2 })
})

test('what no server tells is null, and people read that it is not known', async () => {
  const server = await serverThat({
    range: (key) => (key === 'term' ? new Error('no range of this key') : responseOf(1)),
    members: () => new Error('no list of members'),
  })
  const args = ['bench', '--etcd', server, ...short]
  const { code, stdout } = await run([...args, '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ nodes: null, elections: null })
  const words = (await run(args)).stdout
  expect(words).toContain(`\nmembers that no server counted, called at ${server};`)
  expect(words).toContain('\nno server told whether a term began in the window;')
})

test('a batch is a transaction of keys that follow each other', async () => {
  await using etcd = await startEtcd({ nodes: 1 })
  const { code, stdout } = await run([
    ...['bench', '--etcd', etcd.endpoints[0] ?? '', ...short, '--batch', '128', '--json'],
  ])
  expect(code).toBe(0)
  const { commits, operations } = lastLine(stdout) as {
    commits: number
    operations: { put: { count: number } }
  }
  expect(commits).toBe(128 * operations.put.count)
})

test('a workload puts its records first, and people read its figures as a table', async () => {
  await using etcd = await startEtcd({ nodes: 1 })
  const { code, stdout } = await run([
    ...['bench', '--etcd', etcd.endpoints[0] ?? '', ...short, '--workload', 'a', '--records', '50'],
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^[\d,]+ commits\/s\n1 member, called at 127\.0\.0\.1:\d+; 8 clients, YCSB workload a/,
  )
  expect(stdout).toMatch(/\nread +\d/)
  expect(stdout).toMatch(/\nupdate +\d/)
  const { entries } = await etcd.cluster.range({ prefix: 'user' })
  expect(entries.length).toBe(50)
})

test.each([
  [
    'no URL',
    ['--etcd', 'here'],
    "--etcd: give URLs as http://127.0.0.1:2379, with commas between them and without TLS, not 'here'",
  ],
  ['a URL without a port', ['--etcd', 'http://127.0.0.1'], "not 'http://127.0.0.1'"],
  ['TLS', ['--etcd', 'https://127.0.0.1:2379'], 'without TLS'],
  ['nodes', ['--etcd', 'http://127.0.0.1:1', '--nodes', '3'], '--nodes: leave it out with --etcd'],
  ['a durability', ['--etcd', 'http://127.0.0.1:1', '--durability', 'none'], '--durability: leave it out'],
  ['a way of reads', ['--etcd', 'http://127.0.0.1:1', '--reads-from', 'any'], '--reads-from: leave it out'],
  [
    'too many puts',
    ['--etcd', 'http://127.0.0.1:1', '--batch', '129'],
    '--batch: give at most 128 with --etcd',
  ],
  [
    'too large a transaction',
    ['--etcd', 'http://127.0.0.1:1', '--batch', '100', '--size', '20000'],
    'are more than the 1572864 bytes of a request',
  ],
])('%s is refused in one line before anything is called', async (_, args, words) => {
  const { code, stdout, stderr } = await run(['bench', ...args])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
  expect(stderr).toContain(words)
})

test('a port at which nobody listens is told in one line', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  const { code, stderr } = await run(['bench', '--etcd', `http://127.0.0.1:${port}`, ...short])
  expect(code).toBe(1)
  expect(stderr).toBe(
    `raftbox: --etcd: nothing speaks gRPC at http://127.0.0.1:${port}; name servers of etcd's API\n`,
  )
})

test('a server of another kind is told in one line', async () => {
  const server = createHttpServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await run(['bench', '--etcd', `http://127.0.0.1:${port}`, ...short])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^raftbox: --etcd: nothing speaks gRPC at [^\n]+\n$/)
})
