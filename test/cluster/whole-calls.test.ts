/** A call is taken whole or not at all, whatever its arguments do, and reads its own answers or none. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cluster, encode, writePut } from '../../src/cluster/index.js'
import { writeGet } from '../../src/machine/index.js'
import { detached, hostileReads, hostileWrites } from './hostile-calls.js'
import { startedCluster } from './support.js'

/** The keys below a prefix, as a map would hold them. */
class Model {
  readonly values = new Map<string, string>()
  readonly prefix: string

  constructor(prefix: string) {
    this.prefix = prefix
  }

  put(key: string, value: string): void {
    this.values.set(key, value)
  }

  append(key: string, value: string): void {
    this.values.set(key, `${this.values.get(key) ?? ''}${value}`)
  }

  /** As the handle tells it. */
  cas(key: string, expected: string | undefined, value: string): object {
    const held = this.values.get(key)
    if (held !== expected) return { swapped: false, current: this.get(key) }
    this.values.set(key, value)
    return { swapped: true, current: undefined }
  }

  get(key: string): unknown {
    const value = this.values.get(key)
    return value === undefined ? undefined : { value: Buffer.from(value) }
  }

  entries(): unknown {
    return [...this.values]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, value]) => ({ key: Buffer.from(this.prefix + key), value: Buffer.from(value) }))
  }
}

/** A call that was made: what it must answer, and how many commands it has; nothing of both when it must be refused. */
interface Made {
  readonly answer: Promise<unknown>
  readonly expected?: unknown
  readonly commands?: number
}
type Make = (cluster: Cluster, model: Model) => Made

const hostile = (calls: typeof hostileWrites): fc.Arbitrary<Make> =>
  fc.constantFrom(...calls).map((call) => (cluster, { prefix }) => ({
    answer: call(cluster, `${prefix}bad`),
  }))

const keys = fc.constantFrom('a', 'b', 'c')
const values = fc.constantFrom('', 'v', 'wx', 'y'.repeat(5000))

const writes: fc.Arbitrary<Make> = fc.oneof(
  { arbitrary: hostile(hostileWrites), weight: 5 },
  fc.tuple(keys, values).map(
    ([key, value]): Make =>
      (cluster, model) => {
        model.put(key, value)
        const answer = cluster.put(model.prefix + key, Buffer.from(value))
        return { answer, expected: { revision: expect.any(Number) }, commands: 1 }
      },
  ),
  fc.tuple(keys, fc.constantFrom('+', '-')).map(
    ([key, value]): Make =>
      (cluster, model) => {
        model.append(key, value)
        const answer = cluster.append(model.prefix + key, value)
        return { answer, expected: { revision: expect.any(Number) }, commands: 1 }
      },
  ),
  keys.map(
    (key): Make =>
      (cluster, model) => {
        const answer = cluster.delete(model.prefix + key)
        return { answer, expected: { deleted: model.values.delete(key) }, commands: 1 }
      },
  ),
  fc.tuple(keys, fc.option(values, { nil: undefined }), values).map(
    ([key, expected, value]): Make =>
      (cluster, model) => {
        const answer = cluster.cas(model.prefix + key, expected, value)
        return { answer, expected: model.cas(key, expected, value), commands: 1 }
      },
  ),
  fc.array(fc.tuple(keys, values), { minLength: 1, maxLength: 3 }).map(
    (puts): Make =>
      (cluster, model) => {
        for (const [key, value] of puts) model.put(key, value)
        const answer = cluster.propose(
          puts.map(([key, value]) => encode(writePut, model.prefix + key, value)),
        )
        return { answer, expected: { results: { length: puts.length } }, commands: puts.length }
      },
  ),
)

const reads: fc.Arbitrary<Make> = fc.oneof(
  { arbitrary: hostile(hostileReads), weight: 3 },
  keys.map(
    (key): Make =>
      (cluster, model) => ({
        answer: cluster.get(model.prefix + key),
        expected: model.get(key),
        commands: 1,
      }),
  ),
  fc.constant<Make>((cluster, model) => ({
    answer: cluster.range({ prefix: model.prefix }),
    expected: { entries: model.entries(), hasMore: false },
    commands: 1,
  })),
  keys.map(
    (key): Make =>
      (cluster, model) => ({
        // The value lies behind a header and three revisions.
        answer: cluster
          .query(encode(writeGet, model.prefix + key))
          .then((bytes: Buffer) => ({ value: bytes.subarray(33).toString() })),
        expected: { value: model.values.get(key) ?? '' },
        commands: 1,
      }),
  ),
)

/** Checks every answer. Returns those of the calls that were not to be refused. */
async function checked(made: readonly Made[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(made.map(({ answer }) => answer))
  return outcomes.flatMap((outcome, at) => {
    const { commands, expected } = made[at] ?? {}
    if (commands === undefined) {
      isRefused(outcome)
      return []
    }
    if (expected === undefined) expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
    else expect(outcome).toMatchObject({ status: 'fulfilled', value: expected })
    return [(outcome as PromiseFulfilledResult<unknown>).value]
  })
}

const isRefused = (outcome: PromiseSettledResult<unknown>) =>
  expect(outcome).toMatchObject({
    status: 'rejected',
    // An option that is null is one that does not fit.
    reason: {
      name: 'RaftError',
      code: expect.stringMatching(/^INVALID_(COMMAND|OPTION)$/),
      mayHaveHappened: 'no',
    },
  })

test('[CA1][CA3] calls of one turn get what a model says, and calls that fail at any point of it have changed nothing', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  let runs = 0
  const run = fc.asyncProperty(
    fc.array(writes, { maxLength: 40 }),
    fc.array(reads, { maxLength: 20 }),
    async (toWrite, toRead) => {
      const model = new Model(`run ${runs++}/`)
      const made = toWrite.map((make) => make(cluster, model))
      const written = await checked(made)
      // Their places in the log are one behind the other: nothing lies between the commands of two calls.
      const counts = made.flatMap(({ commands }) => commands ?? [])
      let [next] = written.map((answer) => (answer as { index: number }).index)
      for (const [at, answer] of written.entries()) {
        expect(answer).toMatchObject({ index: next })
        next = (next ?? 0) + (counts[at] ?? 0)
      }
      await checked(toRead.map((make) => make(cluster, model)))
    },
  )
  await fc.assert(run, { seed: 41, numRuns: 200 })
})

test('[CA1] every call that cannot be read is refused, and its neighbours are not touched', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const all = [...hostileWrites, ...hostileReads]
  const outcomes = await Promise.allSettled(
    all.flatMap((call, n) => [call(cluster, 'bad'), cluster.put(`k${n}`, `${n}`), cluster.get(`k${n}`)]),
  )
  for (const [at, outcome] of outcomes.entries()) {
    if (at % 3 === 0) isRefused(outcome)
    else expect(outcome.status).toBe('fulfilled')
  }
  const { entries } = await cluster.range({ limit: 100_000 })
  expect(entries.length).toBe(all.length)
  for (const { key, value } of entries) expect(key.toString()).toBe(`k${value}`)
})

test('[CA1] a call that is made while the arguments of another are read is a call of its own', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  const nested: Promise<unknown>[] = []
  const nesting = (value: unknown): Uint8Array[] =>
    Object.defineProperty([encode(writePut, 'a', '1')], 1, {
      get() {
        nested.push(cluster.put(`nested ${nested.length}`, 'v'))
        if (value === undefined) throw new Error('an element of the caller')
        return value
      },
    })
  const calls = [
    cluster.propose(nesting(encode(writePut, 'b', '2'))),
    cluster.propose(nesting(undefined)),
    cluster.put('c', '3'),
  ]
  const [outer, refused, last] = await Promise.allSettled(calls)
  const index = (outer as PromiseFulfilledResult<{ index: number }>).value.index
  expect(outer).toMatchObject({ value: { results: { length: 2 } } })
  isRefused(refused as PromiseSettledResult<unknown>)
  expect(last).toMatchObject({ value: { index: index + 3 } })
  expect(await Promise.all(nested)).toMatchObject([{ index: index - 1 }, { index: index + 2 }])
  expect((await cluster.range()).entries.map(({ key, value }) => `${key} ${value}`)).toEqual([
    ...['a 1', 'b 2', 'c 3', 'nested 0 v', 'nested 1 v'],
  ])
})

test('[CA2] bytes are taken as they are when the call is made: shared ones too, and those of a subclass that lies', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  class Lying extends Uint8Array {
    override get length(): number {
      return 3
    }
    override get byteLength(): number {
      return 300
    }
  }
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
  const written = [cluster.put('lying', Lying.of(1, 2, 3, 4)), cluster.put('shared', shared)]
  const proposed = cluster.propose([encode(writePut, 'a', 'b'), new Lying(encode(writePut, 'long', 'value'))])
  shared.fill(8)
  await Promise.all([...written, proposed])
  expect((await cluster.get('lying'))?.value).toEqual(Buffer.of(1, 2, 3, 4))
  expect((await cluster.get('shared'))?.value).toEqual(Buffer.of(7, 7, 7, 7))
  expect((await cluster.get('long'))?.value.toString()).toBe('value')
})

test('[CA1] the refusal of a detached buffer says what threw, and keeps it', async () => {
  const cluster = await startedCluster({ nodes: 1, host: 'inline', durability: 'none' })
  await expect(cluster.put('a', detached())).rejects.toMatchObject({
    message: expect.stringContaining('detached'),
    cause: expect.any(TypeError),
  })
})
