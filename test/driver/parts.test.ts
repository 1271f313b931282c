/** Results are bounded: a request of queries is answered in parts, and what is left over is for another turn. */
import { expect, test } from 'vitest'
import { Reads } from '../../src/driver/reads.js'
import {
  createKv,
  encode,
  forEachResult,
  Memory,
  readGetAnswer,
  type StateMachine,
  writeCas,
  writeGet,
} from '../../src/machine/index.js'
import {
  type Frame,
  forEachCommand,
  InvariantViolation,
  packCommands,
  Random,
  sliceFrame,
} from '../../src/raft/index.js'
import type { Settlement } from '../../src/transport/index.js'
import { CountingMachine, QueriedLeader } from './queried-leader.js'

const mebibyte = 1 << 20

/** Puts each value under a key of its own, and gives the keys. */
function filled(node: QueriedLeader, values: readonly string[]): string[] {
  for (const [n, value] of values.entries()) node.put(value, `key ${n}`)
  node.flushAll()
  node.confirm()
  node.messages.length = 0
  return values.map((_, n) => `key ${n}`)
}

/** Bytes of all answers to queries in each message. */
function bytesRead({ messages }: QueriedLeader): number[] {
  return messages.map(({ settled }) =>
    settled.reduce((sum, each) => sum + (each.outcome === 'read' ? each.results.byteLength : 0), 0),
  )
}

/** Asks as a client does, for what is left as well: the answers of each part. */
function partsOf(node: QueriedLeader, keys: readonly string[]): string[][] {
  const parts: string[][] = []
  let frame: Frame | undefined = packCommands(keys.map((key) => encode(writeGet, key)))
  while (frame !== undefined) {
    const request = node.request('read', frame)
    node.confirm()
    const told = node.answersTo(request)
    parts.push(told)
    frame = told.length < frame.count ? sliceFrame(frame, told.length) : undefined
  }
  return parts
}

/** Runs turns that were put off, one at a time. */
function putOff(): { readonly turns: (() => void)[]; readonly defer: (turn: () => void) => void } {
  const turns: (() => void)[] = []
  return { turns, defer: (turn) => void turns.push(turn) }
}

test('[RQ5] answers that do not fit into a message come in parts: in order, none twice, and none left out', () => {
  const node = new QueriedLeader()
  const values = Array.from({ length: 10 }, (_, n) => `${n}`.repeat(100_000 + n))
  const keys = filled(node, values)
  const asked = Array.from({ length: 40 }, (_, n) => (7 * n) % 10)
  const parts = partsOf(
    node,
    asked.map((n) => keys[n] ?? ''),
  )
  // As many as fit.
  expect(parts.map(({ length }) => length)).toEqual([10, 10, 10, 10])
  expect(parts.flat()).toEqual(asked.map((n) => values[n]))
  for (const bytes of bytesRead(node)) expect(bytes).toBeLessThanOrEqual(mebibyte)
  expect(node.failures).toEqual([])
})

test('[TN3] an answer that is too large for a message goes by itself', () => {
  const node = new QueriedLeader({ resultBytesMax: 100 })
  const values = ['a', 'b'.repeat(5000), 'c'.repeat(70), 'd', 'e'.repeat(10_000), 'f'.repeat(9000)]
  const parts = partsOf(node, filled(node, values))
  expect(parts).toEqual([['a'], [values[1]], [values[2]], ['d'], [values[4]], [values[5]]])
})

test('[RQ5] answers that fill a message to its last byte are no parts', () => {
  const node = new QueriedLeader({ resultBytesMax: 3 * (4 + 9 + 24 + 10) })
  const values = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(10))
  expect(partsOf(node, filled(node, values.slice(0, 3)))).toEqual([values.slice(0, 3)])
  expect(partsOf(node, filled(node, values))).toEqual([values.slice(0, 3), values.slice(3)])
})

test('[RQ5] each part is read when its own queries are confirmed: the later one sees what was written in between', () => {
  const node = new QueriedLeader({ resultBytesMax: 100 })
  node.put('old'.padEnd(60, '.'))
  node.flushAll()
  node.confirm()
  const first = node.get('k', 'k', 'k')
  node.confirm()
  expect(node.answersTo(first)).toEqual(['old'.padEnd(60, '.')])
  node.put('new')
  node.flushAll()
  node.confirm()
  const second = node.get('k', 'k')
  node.confirm()
  expect(node.answersTo(second)).toEqual(['new', 'new'])
})

test('[RQ4][RQ5] a part is read while the followers are asked, and once only', () => {
  const node = new QueriedLeader({ resultBytesMax: 100 })
  const keys = filled(node, ['a'.repeat(60), 'b'.repeat(60)])
  const read = node.get(...keys)
  expect(node.machine.frames.length).toBe(1)
  expect(node.toldTo(read)).toBeUndefined()
  node.confirm()
  expect(node.answersTo(read)).toEqual(['a'.repeat(60)])
  expect(node.machine.frames.length).toBe(1)
})

test('[RQ4][RQ5] a part that was read before a write is read again by whoever has to see the write', () => {
  const node = new QueriedLeader({ resultBytesMax: 150 })
  node.put('old'.padEnd(60, '.'))
  node.flushAll()
  node.confirm()
  const first = node.get('k', 'k')
  const second = node.get('k', 'k')
  const { round } = node
  node.put('new')
  node.flushAll()
  node.acknowledge(3)
  node.acknowledge(3, round)
  node.acknowledge(3, round + 1)
  expect(node.answersTo(first)).toEqual(['old'.padEnd(60, '.')])
  // Shorter, and so there are more of them.
  expect(node.answersTo(second)).toEqual(['new', 'new'])
})

test('[TN3] what many requests answer is told over several turns, in order', () => {
  const { turns, defer } = putOff()
  const node = new QueriedLeader({ defer })
  const values = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(200_000))
  const keys = filled(node, values)
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn()
  node.messages.length = 0
  node.settled.length = 0
  const requests = Array.from({ length: 24 }, (_, n) => node.get(keys[n % 8] ?? ''))
  // The first is confirmed by itself, and the round of all others begins then.
  node.confirm()
  node.confirm()
  let count = 0
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    expect(turns.length).toBe(0)
    turn()
    count++
  }
  expect(count).toBeGreaterThan(2)
  expect(Math.max(...bytesRead(node))).toBeLessThan(mebibyte + 201_000)
  expect(node.settled.map(({ request }) => request)).toEqual(requests)
  expect(requests.map((request) => node.toldTo(request))).toEqual(requests.map((_, n) => values[n % 8]))
})

test('[TN4] a read that has to wait for what is not applied yet asks for no turn', () => {
  const settled: Settlement[] = []
  const reads = new Reads(createKv(), 13, (settlement) => void settled.push(settlement))
  for (const [request, readIndex] of [1, 1, 5].entries()) {
    reads.add(request, packCommands([encode(writeGet, 'k')]))
    reads.confirmed({ ids: [request], readIndex }, 1)
  }
  const served: boolean[] = []
  for (const lastApplied of [1, 1, 4, 5]) served.push(reads.serve(lastApplied, () => 0))
  expect(served).toEqual([false, true, true, true])
  expect(settled.map(({ request }) => request)).toEqual([0, 1, 2])
})

test('[TN3] results of commands end a turn as well', () => {
  const { turns, defer } = putOff()
  const node = new QueriedLeader({ defer })
  filled(node, ['v'.repeat(200_000)])
  const cas = packCommands([encode(writeCas, 'key 0', 'another', 'new')])
  const requests = Array.from({ length: 20 }, () => node.request('propose', sliceFrame(cas, 0)))
  node.settled.length = 0
  node.messages.length = 0
  node.flushAll()
  node.confirm()
  while (turns.length > 0) turns.shift()?.()
  expect(node.settled.map(({ request }) => request)).toEqual(requests)
  const sizes = node.messages.map(({ results }) => results.byteLength)
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(20 * 200_000)
  expect(Math.max(...sizes)).toBeLessThan(mebibyte + 201_000)
})

test.each<readonly [string, (read: () => void) => void]>([
  ['says more of it', (read) => rethrown(read, (error) => new Error('while reading', { cause: error }))],
  ['keeps it to itself', (read) => rethrown(read, () => undefined)],
])('a machine that is ended early and %s answers a part', (_, around) => {
  const kv = createKv()
  const read: StateMachine['read'] = (queries, results) => around(() => kv.read(queries, results))
  const node = new QueriedLeader({
    resultBytesMax: 100,
    machine: Object.assign(new CountingMachine(kv), { read }),
  })
  const values = ['a', 'b', 'c'].map((letter) => letter.repeat(60))
  expect(partsOf(node, filled(node, values))).toEqual(values.map((value) => [value]))
  expect(node.failures).toEqual([])
})

test('whoever was refused room for an answer gets none for a shorter one', () => {
  const kv = createKv()
  const read: StateMachine['read'] = (queries, results) => {
    for (let query = 0; query < queries.count; query++)
      rethrown(
        () => void results.reserve(60),
        () => void results.append(Buffer.from('failed')),
      )
  }
  const node = new QueriedLeader({
    resultBytesMax: 100,
    machine: Object.assign(new CountingMachine(kv), { read }),
  })
  node.get('a', 'b', 'c')
  node.confirm()
  expect(node.settled.at(-1)).toMatchObject({ outcome: 'read', count: 1, results: { byteLength: 64 } })
})

test('[RQ7] a query that is answered more than once is refused, also where the second answer finds no room', () => {
  const read: StateMachine['read'] = (_, results) => {
    for (let count = 0; count < 2; count++) results.reserve(60)
  }
  const node = new QueriedLeader({
    resultBytesMax: 100,
    machine: Object.assign(new CountingMachine(), { read }),
  })
  node.get('a')
  node.confirm()
  const refused = [{ position: 0, why: 'the machine owes a result for each query: it gave 2 for 1' }]
  expect(node.settled.at(-1)).toMatchObject({ outcome: 'read', count: 1, refused })
  expect(node.failures).toEqual([])
})

/** A key-value store that throws at some keys, before or after it has made room for an answer. */
function throwsAt(isBad: (key: string) => boolean): CountingMachine {
  const kv = createKv()
  const read: StateMachine['read'] = (queries, results) => {
    forEachCommand(queries, (start, end, position) => {
      const key = Buffer.from(queries.bytes.subarray(start + 1, end)).toString()
      if (isBad(key) && position % 2 === 0) results.reserve(9)
      if (isBad(key)) throw new Error(`no ${key} today`)
      kv.read(packCommands([queries.bytes.subarray(start, end)]), results)
    })
  }
  return Object.assign(new CountingMachine(kv), { read })
}

/** Asks as a client does; the answers, and the reasons of those that were refused. */
function answersOf(node: QueriedLeader, keys: readonly string[]): string[] {
  const answers: string[] = []
  let frame: Frame | undefined = packCommands(keys.map((key) => encode(writeGet, key)))
  while (frame !== undefined) {
    const request = node.request('read', frame)
    node.confirm()
    const settlement = node.settled.find((each) => each.request === request)
    if (settlement?.outcome !== 'read') throw new Error('it was not read')
    const { bytes, count, refused = [] } = { ...settlement, bytes: settlement.results }
    expect(count).toBeGreaterThan(0)
    forEachResult({ bytes, count }, (start, end, position) => {
      const why = refused.find((each) => each.position === position)?.why
      if (why !== undefined) expect(end).toBe(start)
      answers.push(why ?? readGetAnswer(new Memory(bytes), start, end).status)
    })
    frame = count < frame.count ? sliceFrame(frame, count) : undefined
  }
  return answers
}

test.each([undefined, 100])(
  '[RQ7] bad queries of a request are refused, each alone (room: %s)',
  (resultBytesMax) => {
    const random = new Random(7)
    const node = new QueriedLeader({
      machine: throwsAt((key) => key.startsWith('bad')),
      ...(resultBytesMax !== undefined && { resultBytesMax }),
    })
    for (const share of [0.02, 0.5, 1]) {
      const keys = Array.from({ length: 250 }, (_, n) => `${random.chance(share) ? 'bad' : 'good'} ${n}`)
      expect(answersOf(node, keys)).toEqual(
        keys.map((key) => (key.startsWith('bad') ? `no ${key} today` : 'notFound')),
      )
    }
    expect(node.failures).toEqual([])
  },
)

/** That of another copy of the protocol, which the module of a machine may load. */
class InvariantViolationElsewhere extends Error {
  override readonly name = 'InvariantViolation'
}

test.each([InvariantViolation, InvariantViolationElsewhere])(
  '[RQ7] a machine that finds itself broken at a query stops its node (%o)',
  (violation) => {
    const read: StateMachine['read'] = () => {
      throw new violation('two keys in one place')
    }
    const node = new QueriedLeader({ machine: Object.assign(new CountingMachine(), { read }) })
    node.get('a')
    expect(node.failures).toMatchObject([{ message: expect.stringContaining('two keys in one place') }])
  },
)

function rethrown(work: () => void, as: (error: unknown) => unknown): void {
  try {
    work()
  } catch (error) {
    const told = as(error)
    if (told !== undefined) throw told
  }
}
