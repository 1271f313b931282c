import { describe, expect, test } from 'vitest'
import { Leases } from '../../src/mvcc/leases.js'

/** Leases of a node, and the log's time as the test tells it. */
class Node {
  leases = new Leases()
  term = 1
  #timeMs = 0
  #index = 0

  grant(id: bigint, ttl = 10): bigint {
    const lease = this.leases.grant(id, ttl, ++this.#index)
    if (lease === undefined) throw new Error(`lease ${id} exists`)
    return lease.id
  }

  keepAlive(id: bigint): void {
    const lease = this.leases.find(id)
    if (lease === undefined) throw new Error(`lease ${id} is over`)
    this.leases.keepAlive(lease)
  }

  /** The ids of the leases that are over once so much time has passed. */
  passes(ms: number): bigint[] {
    this.#timeMs += ms
    const over = this.leases.timeTold({ index: ++this.#index, term: this.term, timeMs: this.#timeMs })
    for (const lease of over) this.leases.remove(lease)
    return over.map(({ id }) => id)
  }

  remaining(id: bigint): number | undefined {
    const lease = this.leases.find(id)
    return lease && this.leases.remaining(lease)
  }

  restart(): void {
    this.leases = Leases.unpacked(this.leases.packed())
  }
}

test('[LS4] a lease is over once its whole time to live has passed since the first time that was told after its grant', () => {
  const node = new Node()
  node.passes(700)
  node.grant(7n)
  expect(node.passes(60_000)).toEqual([])
  expect(node.passes(10_000)).toEqual([])
  expect(node.passes(1)).toEqual([7n])
  expect(node.leases.has(7n)).toBe(false)
})

test('[LS4] a keep-alive gives the whole time to live, from the first time that is told after it', () => {
  const node = new Node()
  node.grant(7n)
  node.passes(1)
  node.passes(9_999)
  node.keepAlive(7n)
  node.keepAlive(7n)
  expect(node.passes(5000)).toEqual([])
  expect(node.passes(10_000)).toEqual([])
  expect(node.passes(1)).toEqual([7n])
})

test('[LS4] in a new term the whole time to live begins anew, at the first time that is told there', () => {
  const node = new Node()
  node.grant(7n)
  node.passes(1)
  node.passes(10_000)
  node.term = 2
  expect(node.passes(3000)).toEqual([])
  expect(node.passes(10_000)).toEqual([])
  expect(node.passes(1)).toEqual([7n])
})

test('[LS4] a command of a new term is enough for the time to live to begin anew', () => {
  const node = new Node()
  node.grant(7n)
  node.passes(1)
  node.leases.inTerm(2)
  expect(node.remaining(7n)).toBe(10)
  node.term = 2
  expect(node.passes(11_000)).toEqual([])
  expect(node.passes(10_001)).toEqual([7n])
})

test('[LS5] leases end in the order of their ends, whatever their times to live are', () => {
  const node = new Node()
  for (const [id, ttl] of [
    [1n, 30],
    [2n, 10],
    [3n, 20],
    [4n, 10],
  ] as const)
    node.grant(id, ttl)
  node.passes(1)
  node.passes(5000)
  node.keepAlive(2n)
  node.passes(1)
  expect(node.leases.inOrderOfEnd().map(({ id }) => id)).toEqual([4n, 2n, 3n, 1n])
  expect(node.passes(60_000)).toEqual([4n, 2n, 3n, 1n])
})

test.each([
  [5000, 500],
  [0, 500],
  [20_000, 200],
])(
  '[LS5] one telling ends some of the leases that are over, with %d keys all in all, the next ones the others',
  (keys, first) => {
    const node = new Node()
    for (let id = 1n; id <= 1000n; id++) node.grant(id)
    for (let key = 0; key < keys; key++) node.leases.attach(key, BigInt((key % 1000) + 1))
    node.passes(1)
    const ended = [node.passes(10_001)]
    expect(ended[0]).toHaveLength(first)
    while (ended.at(-1)?.length !== 0) ended.push(node.passes(0))
    expect(ended.flat()).toEqual(Array.from({ length: 1000 }, (_, at) => BigInt(at + 1)))
  },
)

test('[LS5] a lease with more keys than one telling deletes ends alone', () => {
  const node = new Node()
  for (const id of [1n, 2n]) node.grant(id)
  for (let key = 0; key < 5000; key++) node.leases.attach(key, 1n)
  node.passes(1)
  expect(node.passes(10_001)).toEqual([1n])
  expect(node.passes(0)).toEqual([2n])
})

test('[LS3] a key under a lease is told with it, until it is detached', () => {
  const node = new Node()
  node.grant(7n)
  node.leases.attach(1, 7n)
  node.leases.attach(2, 7n)
  node.leases.detach(1, 7n)
  expect([...(node.leases.find(7n)?.keys ?? [])]).toEqual([2])
})

test('[LS8] the whole seconds that are left are told, none of a lease that waits for its end', () => {
  const node = new Node()
  node.grant(7n)
  expect(node.remaining(7n)).toBe(10)
  node.passes(1)
  node.passes(1)
  expect(node.remaining(7n)).toBe(9)
  node.leases.timeTold({ index: 9, term: 1, timeMs: 99_000 })
  expect(node.remaining(7n)).toBe(0)
})

test('[LS1] a lease of less than two seconds is granted for two', () => {
  const node = new Node()
  for (const ttl of [-1, 0, 1, 2]) node.grant(BigInt(ttl + 2), ttl)
  expect(node.leases.inOrderOfEnd().map(({ ttl }) => ttl)).toEqual([2, 2, 2, 2])
})

describe('the id 0', () => {
  test('[LS1] asks for a positive id that no lease has, the same on every node', () => {
    const [one, other] = [new Node(), new Node()]
    const ids = Array.from({ length: 1000 }, () => one.grant(0n))
    expect(ids.map(() => other.grant(0n))).toEqual(ids)
    expect(new Set(ids).size).toBe(1000)
    expect(ids.every((id) => id > 0n && id < 1n << 63n)).toBe(true)
  })

  test('[LS1] asks for another id where a lease has the one that comes to mind', () => {
    const [one, other] = [new Leases(), new Leases()]
    const taken = one.grant(0n, 10, 77)?.id ?? 0n
    other.grant(taken, 10, 1)
    const made = other.grant(0n, 10, 77)?.id
    expect(made).toBeDefined()
    expect(made).not.toBe(taken)
  })
})

test('[LS1] a lease that is there is not granted again', () => {
  const node = new Node()
  node.grant(-7n)
  expect(node.leases.grant(-7n, 10, 2)).toBeUndefined()
})

test('[LS7] leaders tell the time four times a second while there are leases, and need not while there are none', () => {
  const node = new Node()
  expect(node.leases.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  node.grant(7n)
  // Leaders tell the time 60 times in the shortest timeout of their machine.
  expect(node.leases.leastTimeoutMs / 60).toBe(250)
  node.passes(1)
  expect(node.passes(10_001)).toEqual([7n])
  expect(node.leases.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
})

test('[LS9] leases outlive a snapshot: their ends, those that have none yet, and their order', () => {
  const [one, other] = [new Node(), new Node()]
  const both = [one, other]
  for (const node of both) {
    for (let id = 1n; id <= 20n; id++) node.grant(id, 5 + (Number(id) % 3))
    node.passes(250)
    node.passes(4000)
    for (const id of [3n, 1n, 9n]) node.keepAlive(id)
    node.leases.inTerm(1)
  }
  other.restart()
  expect(Buffer.from(other.leases.packed())).toEqual(Buffer.from(one.leases.packed()))
  for (const ms of [250, 1000, 1000, 250, 1, 4000, 1000, 1000])
    expect(other.passes(ms)).toEqual(one.passes(ms))
  expect(one.leases.size).toBe(0)
})

test('[LS9] a snapshot that is taken before the time is told in a new term gives the whole time to live as well', () => {
  const node = new Node()
  node.grant(7n)
  node.passes(1)
  node.passes(9000)
  node.leases.inTerm(2)
  node.restart()
  node.term = 2
  expect(node.passes(5000)).toEqual([])
  expect(node.passes(10_000)).toEqual([])
  expect(node.passes(1)).toEqual([7n])
})
