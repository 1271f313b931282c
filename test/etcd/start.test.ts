/** `startEtcd` as a test or a program calls it: what it gives, what it refuses and what it leaves. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type EtcdOptions, startEtcd } from '../../src/etcd/index.js'
import { FaultMethods } from '../../src/faults/index.js'
import { MembershipMethods } from '../../src/membership/index.js'
import { temporaryFolder } from '../cluster/support.js'
import { startedEtcd, TestClient, until } from './support.js'

/** A server at the port, or at any free one, until the test or the function that comes back ends it. */
async function listening(port = 0): Promise<{ port: number; end: () => Promise<unknown> }> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const end = () => new Promise((resolve) => server.close(resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as { port: number }).port, end }
}

/** The first of so many ports in a row that nobody has. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await listening()
    const others = await Promise.allSettled(
      Array.from({ length: count - 1 }, (_, at) => listening(first.port + 1 + at)),
    )
    const isFree = others.every(({ status }) => status === 'fulfilled')
    await first.end()
    for (const other of others) if (other.status === 'fulfilled') await other.value.end()
    if (isFree) return first.port
  }
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`

test('every verb of a cluster is a method', async () => {
  const etcd: object = await startedEtcd({ nodes: 1 })
  const verbs = [FaultMethods, MembershipMethods].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor' && name !== 'faults'),
  )
  expect(verbs.length).toBeGreaterThan(20)
  for (const verb of [...verbs, 'restart', 'status', 'snapshot'])
    expect({ verb, type: typeof Reflect.get(etcd, verb) }).toEqual({ verb, type: 'function' })
})

test('many clusters live in one process, and none hears of the others', async () => {
  const all = await Promise.all([1, 1, 1, 1, 3].map((nodes) => startedEtcd({ nodes })))
  const endpoints = all.flatMap((etcd) => etcd.endpoints)
  expect(new Set(endpoints).size).toBe(7)
  const clients = all.map((etcd) => new TestClient(etcd.endpoints[0] ?? ''))
  const written = await Promise.all(clients.map((client, at) => client.put('key', `${at}`)))
  const values = await Promise.all(clients.map((client) => client.get('key')))
  expect(values).toEqual(['0', '1', '2', '3', '4'])
  expect(new Set(written.map(({ header }) => (header as { clusterId: string }).clusterId)).size).toBe(5)
})

test('the nodes have the ports from the one that is given, and a node that is added has the next', async () => {
  const port = await freePorts(4)
  const etcd = await startedEtcd({ port })
  expect(etcd.endpoints).toEqual([urlOf(port), urlOf(port + 1), urlOf(port + 2)])
  expect(etcd.endpointOf(await etcd.addNode())).toBe(urlOf(port + 3))
})

test('a port that another program has is refused by name, and nothing is left of the start', async () => {
  const { port } = await listening()
  const started = startEtcd({ nodes: 1, port })
  await expect(started).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: `port: a free port for node 1, not ${port}, which is in use: end the program that has it, or choose another port`,
  })
})

test.each([-1, 65_536, 1.5, '2379' as never])('%j is no port', async (port) => {
  await expect(startEtcd({ port })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: `port: a whole number from 0 to 65535, not ${JSON.stringify(port)}`,
  })
})

test('a port that leaves no room for the ports of all nodes is refused', async () => {
  await expect(startEtcd({ port: 65_534 })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: 'port: at most 65533 for 3 nodes, which have the ports from there on, not 65534',
  })
})

test('an option that is undefined counts as left out, and one that is null is refused', async () => {
  const etcd = await startedEtcd({ nodes: 1, heartbeatIntervalMs: 50, requestTimeoutMs: undefined as never })
  expect(etcd.cluster.options.requestTimeoutMs).toBe(5500)
  await expect(startEtcd({ requestTimeoutMs: null as never })).rejects.toThrow(
    'requestTimeoutMs: a value, or undefined, not null',
  )
})

test('options of a cluster are those of startCluster, but for the machine', async () => {
  await expect(startEtcd({ nodes: 0 })).rejects.toThrow('nodes: a whole number from 1 to 25, not 0')
  await expect(startEtcd({ nodes: '3' as unknown as number })).rejects.toThrow('from 1 to 25, not "3"')
  await expect(startEtcd({ node: 3 } as EtcdOptions)).rejects.toThrow(
    'an option of startEtcd: nodes, not node',
  )
  await expect(startEtcd({ ports: 1 } as EtcdOptions)).rejects.toThrow(
    'an option of startEtcd: port, not ports',
  )
  await expect(startEtcd({ port: '1' as unknown as number })).rejects.toThrow('from 0 to 65535, not "1"')
  await expect(startEtcd('here' as EtcdOptions)).rejects.toThrow(
    'the options of startEtcd: an object, not string',
  )
  const withMachine = startEtcd({ machine: './mine.mjs' } as EtcdOptions)
  await expect(withMachine).rejects.toThrow(/^an option of startEtcd: one of port, nodes, .*, not machine$/)
})

test('a directory keeps the data, the ports and the number of its cluster', async () => {
  const dir = temporaryFolder()
  const told = async (options: EtcdOptions = {}) => {
    const etcd = await startedEtcd({ dir, nodes: 1, ...options })
    const client = new TestClient(etcd.endpoints[0] ?? '')
    const value = await client.get('key')
    const { header } = await client.put('key', 'value')
    client.grpc.close()
    await etcd.close()
    const { clusterId } = header as { clusterId: string }
    return { value, endpoints: etcd.endpoints, at: etcd.endpointOf(1), id: clusterId }
  }
  const { port } = await listening().then(async (taken) => taken.end().then(() => taken))
  const first = await told({ port })
  expect(first).toMatchObject({ value: undefined })
  const again = await told()
  expect(again.value).toBe('value')
  expect(again.id).toBe(first.id)
  const etcd = await startedEtcd({ dir })
  expect(etcd.endpoints).toEqual([urlOf(port)])
  await etcd.close()

  await listening(port)
  await expect(startEtcd({ dir })).rejects.toThrow('which is in use')
  // Any other port will do.
  const elsewhere = await startedEtcd({ dir, port: 0 })
  expect(elsewhere.endpoints).not.toContain(urlOf(port))
  const { header } = await new TestClient(elsewhere.endpoints[0] ?? '').put('key', 'value')
  expect(header).toMatchObject({ clusterId: first.id })
})

test('a node whose port another program took while it was down has it again once it is free', async () => {
  const etcd = await startedEtcd()
  const endpoint = etcd.endpoints[0] ?? ''
  await etcd.kill(1)
  const taken = await listening(Number(new URL(endpoint).port))
  const warnings: string[] = []
  const warn = ({ message }: Error) => void warnings.push(message)
  process.on('warning', warn)
  onTestFinished(() => void process.off('warning', warn))
  await etcd.restart(1)
  const { port } = new URL(endpoint)
  const told = `port: a free port for node 1, not ${port}, which is in use; it is tried again until it is free`
  await until(() => warnings.includes(told))
  expect(etcd.endpoints).toHaveLength(2)
  await taken.end()
  await until(() => etcd.endpoints.includes(endpoint))
  await new TestClient(endpoint).put('key', 'value')
})

test('a cluster is closed by `await using`, and then answers nobody', async () => {
  let endpoint = ''
  {
    await using etcd = await startEtcd({ nodes: 1 })
    endpoint = etcd.endpoints[0] ?? ''
    await new TestClient(endpoint).put('key', 'value')
  }
  await expect(fetch(endpoint)).rejects.toThrow('fetch failed')
})

test('closing leaves no thread, port, socket, timer, file or folder behind: the process ends by itself', () => {
  const program = new URL('./leaves-nothing.js', import.meta.url).pathname
  const args = ['--disable-warning=RaftboxWarning', program]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toEqual({ openFiles: [], folders: [] })
})

test('a program in CommonJS starts it by `await import`', () => {
  const program = `(async () => {
    const { startEtcd } = await import('raftbox/etcd')
    const etcd = await startEtcd({ nodes: 1 })
    const answer = await fetch(etcd.endpoints[0] + '/version')
    console.log(answer.status)
    await etcd.close()
  })()`
  const args = ['--disable-warning=RaftboxWarning', '--input-type=commonjs', '-e', program]
  const ended = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  expect({ ...ended, status: ended.status }).toMatchObject({ status: 0, stderr: '', stdout: '200\n' })
})
