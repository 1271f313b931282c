/** A client for a machine of one's own, built as `KvClient` is: on what everybody can import. */
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import {
  type Answers,
  type CallFrame,
  type Calls,
  callBytesMax,
  KvClient,
  readingOfOne,
} from '../../src/cluster/index.js'
import { startedCluster } from './support.js'

const textOf = (answers: Answers): string => answers.take(answers.start, answers.end).toString()
const added = readingOfOne('propose', (answers) => ({ index: answers.index, total: textOf(answers) }))
const total = readingOfOne('read', textOf)

function writeNumber(into: CallFrame, amount: number): void {
  const text = String(amount)
  const offset = into.reserve(text.length)
  for (let at = 0; at < text.length; at++) into.bytes[offset + at] = text.charCodeAt(at)
}

class CounterClient {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  add(amount: number): Promise<{ readonly index: number; readonly total: string }> {
    return this.#calls.call(added, writeNumber, amount)
  }

  total(): Promise<string> {
    return this.#calls.call(total, writeNumber, 0)
  }
}

test('a client of another machine shares frames with all other calls, and reads its own answers', async () => {
  const machine = pathToFileURL('test/machine/fixtures/counter.mjs')
  const cluster = await startedCluster({ nodes: 1, durability: 'none', machine })
  const counter = new CounterClient(cluster)
  const calls = [counter.add(5), cluster.propose(Buffer.from('10')), counter.add(-1)] as const
  const [five, ten, minusOne] = await Promise.all(calls)
  expect([five.total, `${ten.results[0]}`, minusOne.total]).toEqual(['5', '15', '14'])
  expect([ten.index, minusOne.index]).toEqual([five.index + 1, five.index + 2])
  expect(await counter.total()).toBe('14')
})

test.each(['flush', 'none'] as const)(
  'a machine whose state has no bytes has snapshots, with durability %s',
  async (durability) => {
    const machine = pathToFileURL('test/machine/fixtures/stateless.mjs')
    const cluster = await startedCluster({ durability, machine })
    // No command has begun a session, which would have bytes.
    await cluster.query(new Uint8Array(1))
    const taken = await cluster.snapshot()
    expect(taken.map(({ size }) => size)).toEqual([0, 0, 0])
    expect(await cluster.addNode(), 'it installs the snapshot').toBe(4)
    await cluster.propose(new Uint8Array(1))
    expect(cluster.status().map(({ state }) => state)).toEqual(Array(4).fill('running'))
  },
)

test('many commands of no bytes are no call without a bound', async () => {
  const machine = pathToFileURL('test/machine/fixtures/stateless.mjs')
  const cluster = await startedCluster({ nodes: 1, durability: 'none', machine })
  const commands = (count: number) => Array.from({ length: count }, () => new Uint8Array(0))
  const most = callBytesMax / 4 + 1
  expect((await cluster.propose(commands(most))).results.length).toBe(most)
  await expect(cluster.propose(commands(most + 1))).rejects.toMatchObject({ code: 'INVALID_COMMAND' })
})

test('the verbs of the handle are those of its key-value client, as is a client over the handle', async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none' })
  await cluster.put('k', 'one')
  const revisions = [cluster.kv, new KvClient(cluster)].map(async (kv) => (await kv.get('k'))?.modRevision)
  expect(await Promise.all(revisions)).toEqual([1, 1])
  expect((await cluster.get('k'))?.modRevision).toBe(1)
})

test('[CA1] whatever the caller does in `write`, no call beside it notices', async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none' })
  await cluster.put('k', 'v')
  const answer = readingOfOne('propose', textOf)
  let kept: CallFrame | undefined
  let inner: Promise<unknown> | undefined
  const writes: ((into: CallFrame) => void)[] = [
    (into) => {
      inner = cluster.put('inner', 'v')
      into.append(Buffer.from('x'))
      into.append(Buffer.from('y'))
    },
    (into) => {
      kept = into
      throw new Error('half-way')
    },
    (into) => void into.reserve(-5),
    (into) => void into.reserve(Number.NaN),
    (into) => void into.take(),
  ]
  const refused = writes.map((write) =>
    expect(cluster.call(answer, write)).rejects.toMatchObject({ code: 'INVALID_COMMAND' }),
  )
  kept?.append(Buffer.from('z'))
  const swapped = cluster.cas('k', 'other', 'y')
  const put = cluster.put('p', '1')
  await Promise.all(refused)
  expect((await swapped).swapped).toBe(false)
  await Promise.all([inner, put])
  expect(`${(await cluster.get('inner'))?.value} ${(await cluster.get('p'))?.value}`).toBe('v 1')
})

test('a call that is neither a proposal nor a read is refused', async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none' })
  const unknown = readingOfOne('query' as 'read', textOf)
  await expect(cluster.call(unknown, writeNumber, 1)).rejects.toMatchObject({ code: 'INVALID_COMMAND' })
})

test('a command as large as a request of etcd, 1.5 MiB and a byte, is applied on every node', async () => {
  const machine = pathToFileURL('test/machine/fixtures/counter.mjs')
  const cluster = await startedCluster({ nodes: 3, durability: 'none', machine })
  const { results } = await cluster.propose([Buffer.alloc((3 << 19) + 1, 'x'), Buffer.from('7')])
  expect(results.map(String)).toEqual(['?', '7'])
  for (const nodeId of [1, 2, 3])
    expect(String(await cluster.query(Buffer.from('0'), { from: nodeId }))).toBe('7')
})

test('a call that writes more than a message takes is refused, and changes nothing', async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none' })
  const answer = readingOfOne('propose', textOf)
  const write = (into: CallFrame, bytes: number): void => void into.reserve(bytes)
  const put = cluster.put('k', 'v')
  await expect(cluster.call(answer, write, callBytesMax + 1)).rejects.toMatchObject({
    code: 'INVALID_COMMAND',
  })
  expect((await put).revision).toBe(1)
})
