import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Memory } from '../../src/machine/index.js'
import {
  type CommandOp,
  type InspectedOp,
  inspect,
  mvccCommandOps,
  mvccQueryOps,
  type QueryOp,
} from '../../src/mvcc/index.js'
import {
  readCompaction,
  readDeleteRange,
  readPut,
  readRange,
  readRequest,
  readTxn,
} from '../../src/mvcc/requests.js'
import type { Reader, Span } from '../../src/mvcc/wire.js'
import { encode, Machine, type ServiceOp } from './machine-help.js'

const refusalOf = (op: InspectedOp, request: Uint8Array) => inspect(op, request).refusal

const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each))
const number = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.maxSafeInteger(),
  fc.constantFrom(-1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 35),
)
const lease = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
const small = fc.integer({ min: 0, max: 3 })

const rangeRequest = fc.record({
  key: bytes,
  rangeEnd: bytes,
  limit: number,
  revision: number,
  sortOrder: fc.integer({ min: 0, max: 2 }),
  sortTarget: fc.integer({ min: 0, max: 4 }),
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: number,
  maxModRevision: number,
  minCreateRevision: number,
  maxCreateRevision: number,
})
const putRequest = fc.record({
  key: bytes,
  value: bytes,
  lease,
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
})
const deleteRangeRequest = fc.record({ key: bytes, rangeEnd: bytes, prevKv: fc.boolean() })
const compareHead = { result: small, target: fc.integer({ min: 0, max: 4 }), key: bytes, rangeEnd: bytes }
const compare = fc.oneof(
  fc.record({ ...compareHead, version: number }),
  fc.record({ ...compareHead, createRevision: number }),
  fc.record({ ...compareHead, modRevision: number }),
  fc.record({ ...compareHead, value: bytes }),
  fc.record({ ...compareHead, lease }),
  fc.record(compareHead),
)
const txnRequest = fc.letrec((tie) => {
  const op = fc.oneof(
    { depthSize: 'small' },
    fc.record({ requestRange: rangeRequest }),
    fc.record({ requestPut: putRequest }),
    fc.record({ requestDeleteRange: deleteRangeRequest }),
    fc.constant({}),
    fc.record({ requestTxn: tie('txn') }),
  )
  const ops = fc.array(op, { maxLength: 4 })
  return { txn: fc.record({ compare: fc.array(compare, { maxLength: 3 }), success: ops, failure: ops }) }
}).txn

/** A request as it was read, in the form in which it was generated. */
function plain(request: unknown, source: Buffer): unknown {
  if (Array.isArray(request)) return request.map((each) => plain(each, source))
  if (typeof request === 'bigint') return String(request)
  if (typeof request !== 'object' || request === null) return request
  if ('start' in request) {
    const { start, end } = request as Span
    return Buffer.from(source.subarray(start, end))
  }
  const fields = Object.entries(request).filter(([name]) => name !== 'type')
  return Object.fromEntries(fields.map(([name, each]) => [name, plain(each, source)]))
}

const unions = ['version', 'createRevision', 'modRevision', 'value', 'lease'] as const

/** The operations of a transaction stand in its record without the name of their kind. */
function plainTxn({ compare: compares, success, failure }: Record<string, unknown>): unknown {
  const ops = (list: Record<string, Record<string, unknown>>[]) =>
    list.map((op) => {
      const { requestTxn, ...others } = op
      return requestTxn === undefined ? (Object.values(others)[0] ?? {}) : plainTxn(requestTxn)
    })
  const flat = (compares as Record<string, unknown>[]).map((each) => {
    const field = unions.findIndex((name) => name in each)
    const operand = field < 0 ? undefined : each[unions[field]!]
    return {
      result: each['result'],
      target: each['target'],
      key: each['key'],
      rangeEnd: each['rangeEnd'],
      unionField: field < 0 ? 0 : field + 4,
      number: field >= 0 && field < 3 ? operand : 0,
      value: field === 3 ? operand : Buffer.alloc(0),
      lease: field === 4 ? operand : '0',
    }
  })
  return { compare: flat, success: ops(success as never), failure: ops(failure as never) }
}

function read<Request>(reading: (reader: Reader) => Request, from: Uint8Array): Request | undefined {
  return readRequest(reading, new Memory(from), 0, from.byteLength)
}

test.each([
  ['range', rangeRequest, readRange, (each: object) => each],
  ['put', putRequest, readPut, (each: object) => each],
  ['deleteRange', deleteRangeRequest, readDeleteRange, (each: object) => each],
  [
    'compact',
    fc.record({ revision: number, physical: fc.boolean() }),
    readCompaction,
    ({ revision }: { readonly revision: number }) => ({ revision }),
  ],
  ['txn', txnRequest, readTxn, plainTxn],
] as const)('[KW1] a request to %s is read as protobufjs wrote it', (op, requests, reading, flat) => {
  const property = fc.property(requests as fc.Arbitrary<object>, (request) => {
    const packed = encode(op, request)
    const found = read(reading as (reader: Reader) => unknown, packed)
    expect(plain(found, packed)).toEqual(flat(request as never))
  })
  fc.assert(property, { seed: 1, numRuns: 200 })
})

test('[KW1] unknown fields of every kind are skipped', () => {
  const known = encode('put', { key: 'k', value: 'v' })
  // Field 15: a varint, 8 bytes, bytes, a group with a field within, 4 bytes.
  const unknown = Buffer.from([
    ...[0x78, 0x96, 0x01, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 2, 9, 9],
    ...[0x7b, 0x08, 0x01, 0x7c, 0x7d, 1, 2, 3, 4],
  ])
  expect(refusalOf('put', Buffer.concat([unknown, known, unknown]))).toBeUndefined()
  for (const bad of [[0x7f], [0x7c], [0x7b], [0x7b, 0x08], [0x00], [0x79, 1], [0x7a, 5, 1], [0x78, 0x80]]) {
    expect(refusalOf('put', Buffer.concat([known, Buffer.from(bad)]))).toBe('malformed')
  }
})

test('[KW1] a field of another wire type than its own is malformed', () => {
  expect(refusalOf('put', Buffer.from([0x08, 1]))).toBe('malformed')
  expect(refusalOf('range', Buffer.from([0x0a, 1, 1, 0x1a, 1, 1]))).toBe('malformed')
})

test('[KW1] numbers beyond the safe ones are the nearest safe one', () => {
  const limit = (value: string) => read(readRange, encode('range', { key: 'k', limit: value }))?.limit
  expect(limit(String(2n ** 63n - 1n))).toBe(Number.MAX_SAFE_INTEGER)
  expect(limit(String(-(2n ** 63n)))).toBe(Number.MIN_SAFE_INTEGER)
  expect(limit(String(2 ** 53 - 1))).toBe(2 ** 53 - 1)
  expect(limit('-1')).toBe(-1)
})

describe('[KW2] no bytes of a client make anything throw', () => {
  const ops = { ...mvccCommandOps, ...mvccQueryOps }
  const checked = ['put', 'deleteRange', 'txn', 'compact', 'range'] as const

  /** Requests of each kind, some of them damaged, and bytes of no sense. */
  const damaged = fc
    .tuple(
      fc.oneof(
        fc.tuple(fc.constant('put' as ServiceOp), putRequest),
        fc.tuple(fc.constant('range' as ServiceOp), rangeRequest),
        fc.tuple(fc.constant('txn' as ServiceOp), txnRequest),
      ),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(),
    )
    .map(([[op, request], changes, cut]) => {
      const packed = encode(op, request as object)
      for (const [at, byte] of changes) if (packed.byteLength > 0) packed[at % packed.byteLength] = byte
      return cut % 3 === 0 ? packed.subarray(0, cut % (packed.byteLength + 1)) : packed
    })
  const anything = fc.oneof(damaged, fc.uint8Array({ maxLength: 60 }))

  test('neither the checks', () => {
    let malformed = 0
    let fine = 0
    const property = fc.property(anything, (request) => {
      for (const op of checked) {
        if (refusalOf(op, request) === 'malformed') malformed++
        else fine++
      }
    })
    fc.assert(property, { seed: 2, numRuns: 1000 })
    expect(malformed).toBeGreaterThan(500)
    expect(fine).toBeGreaterThan(500)
  })

  test('nor the machine', () => {
    const machine = new Machine()
    machine.put('a', '1')
    const property = fc.property(anything, fc.constantFrom(...Object.keys(ops)), (request, op) => {
      if (op in mvccCommandOps) machine.apply(op as CommandOp, request)
      else machine.read(op as QueryOp, request)
    })
    fc.assert(property, { seed: 3, numRuns: 1000 })
  })

  test('nor a transaction in twenty thousand others', () => {
    const deep = deepTxn(20_000)
    expect(refusalOf('txn', deep)).toBe('tooManyOps')
    expect(new Machine().apply('txn', deep).status).toBe('ok')
  })
})

function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthOf(length >>> 7)]
}

/** Transactions one within the other, written from the outside in: the lengths are known beforehand. */
function deepTxn(depth: number): Buffer {
  const heads: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    const txn = [0x22, ...lengthOf(length)]
    const head = Buffer.from([0x12, ...lengthOf(txn.length + length), ...txn])
    heads.push(head)
    length += head.byteLength
  }
  return Buffer.concat(heads.reverse())
}

const put = (key: string, more = {}) => ({ requestPut: { key, ...more } })
const remove = (key: string, rangeEnd?: string) => ({ requestDeleteRange: { key, rangeEnd } })
const range = (key: string, more = {}) => ({ requestRange: { key, ...more } })
const txn = (success: object[], failure: object[] = []) => ({ requestTxn: { success, failure } })
const many = (count: number, op: (at: number) => object = (at) => range(`k${at}`)) =>
  Array.from({ length: count }, (_, at) => op(at))

test.each([
  ['put', {}, 'emptyKey'],
  ['put', { key: 'a', value: 'x', ignoreValue: true }, 'valueProvided'],
  ['put', { key: 'a', lease: 1, ignoreLease: true }, 'leaseProvided'],
  ['put', { key: 'a', value: 'x', lease: 1, ignoreValue: true, ignoreLease: true }, 'valueProvided'],
  ['put', { value: 'x', ignoreValue: true }, 'emptyKey'],
  ['put', { key: 'a', ignoreValue: true, ignoreLease: true }, undefined],
  ['range', { rangeEnd: '\0' }, 'emptyKey'],
  ['range', { key: 'a', limit: -1, revision: -1 }, undefined],
  ['deleteRange', { rangeEnd: '\0' }, 'emptyKey'],
  ['compact', {}, undefined],
  ['txn', {}, undefined],
  ['txn', { compare: [{ target: 0 }] }, 'emptyKey'],
  ['txn', { success: [{}] }, 'keyNotFound'],
  ['txn', { success: [range('')], failure: [] }, 'emptyKey'],
  ['txn', { failure: [put('a', { value: 'x', ignoreValue: true })] }, 'valueProvided'],
  ['txn', { success: [txn([{}])] }, 'keyNotFound'],
  ['txn', { success: many(128), failure: many(128) }, undefined],
  ['txn', { success: many(129) }, 'tooManyOps'],
  ['txn', { compare: Array.from({ length: 129 }, () => ({ key: 'a' })) }, 'tooManyOps'],
  ['txn', { success: [...many(99), txn(many(28))] }, undefined],
  ['txn', { success: [...many(99), txn(many(29))] }, 'tooManyOps'],
  ['txn', { success: [...many(99), txn(many(27, () => txn([])))] }, undefined],
  ['txn', { success: [...many(99), txn(many(28, () => txn([range('a')])))] }, 'tooManyOps'],
  ['txn', { success: [range('a'), {}, ...many(127)] }, 'tooManyOps'],
  ['txn', { success: [put(''), {}] }, 'emptyKey'],
] as const)('[KW3] %s of %j: %s', (op, request, status) => {
  expect(refusalOf(op, encode(op, request))).toBe(status)
})

test.each([
  [[put('a'), put('a')], true],
  [[put('a'), put('b')], false],
  [[put('a'), remove('a')], true],
  [[remove('a'), remove('a')], false],
  [[remove('a', 'c'), put('b')], true],
  [[remove('a', 'c'), put('c')], false],
  [[remove('b', 'a'), put('b')], false],
  // As etcd's check has it, a range end of a zero byte ends before every key.
  [[remove('a', '\0'), put('b')], false],
  [[put('a'), txn([put('a')])], true],
  [[txn([put('a')]), txn([put('a')])], true],
  [[txn([put('a')], [put('a')])], false],
  [[txn([put('a')], [put('a')]), put('a')], true],
  [[txn([remove('a')]), put('a')], true],
  [[remove('a'), txn([], [put('a')])], true],
  [[txn([put('a')]), txn([remove('a')])], false],
  [[txn([remove('a')]), txn([put('a')])], true],
  [[txn([remove('a')], [put('a')])], false],
  [[txn([put('a'), put('a')])], true],
  [[txn([txn([put('a')]), txn([], [put('a')])])], true],
] as const)('[KW4] of %j it is %s that a key is changed twice', (ops, isRefused) => {
  const status = isRefused ? 'duplicateKey' : undefined
  expect(refusalOf('txn', encode('txn', { success: ops }))).toBe(status)
  expect(refusalOf('txn', encode('txn', { failure: ops }))).toBe(status)
})

test('[KW4] tens of thousands of deletes and puts are checked as a few are', () => {
  const sizes = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => at * 100)
  const nested = (from: number) =>
    txn(
      many(42, (at) =>
        txn([...many(42, (of) => remove(`d${from}-${at}-${of}`, `d${from}-${at}-${of}~`)), put('p')]),
      ),
    )
  expect(refusalOf('txn', encode('txn', { success: sizes.map(nested) }))).toBe('duplicateKey')
  const unlike = (from: number) =>
    txn(many(42, (at) => txn(many(42, (of) => (of % 2 === 0 ? remove : put)(`k${from}-${at}-${of}`)))))
  expect(refusalOf('txn', encode('txn', { success: sizes.map(unlike) }))).toBeUndefined()
})

test('[KW5] a transaction of ranges is a query, and serializable when its ranges are', () => {
  const serializable = { serializable: true }
  for (const [request, readsOnly, isLocal] of [
    [{}, true, true],
    [{ success: [range('a', serializable)], failure: [range('b')] }, true, false],
    [{ success: [range('a', serializable)], failure: [range('b', serializable)] }, true, true],
    [{ success: [put('a')] }, false, false],
    [{ failure: [remove('a')] }, false, false],
    [{ success: [txn([range('a', serializable)])] }, false, false],
  ] as const) {
    const packed = encode('txn', request)
    expect(inspect('txn', packed)).toMatchObject({ isQuery: readsOnly, isSerializable: isLocal })
  }
  const ofRange = (request: object) => inspect('range', encode('range', request))
  expect(ofRange({ key: 'a' })).toMatchObject({ isQuery: true, isSerializable: false })
  expect(ofRange({ key: 'a', ...serializable })).toMatchObject({ isQuery: true, isSerializable: true })
  // A learner serves serializable ranges, so it tells what is wrong with this one.
  expect(ofRange(serializable)).toEqual({ refusal: 'emptyKey', isQuery: true, isSerializable: true })
})

test('[KW6] an unknown order is none, an unknown target is refused', () => {
  const withFields = (...fields: number[]) => Buffer.from([0x0a, 1, 0x61, ...fields])
  expect(refusalOf('range', withFields(0x28, 9))).toBeUndefined()
  expect(refusalOf('range', withFields(0x30, 5))).toBe('invalidSortOption')
  const machine = new Machine()
  machine.put('a', '2')
  machine.put('b', '1')
  const request = Buffer.concat([
    encode('range', { key: 'a', rangeEnd: 'c', sortTarget: 4 }),
    Buffer.from([0x28, 9]),
  ])
  const { body } = machine.read('range', request)
  expect(body.indexOf('a')).toBeLessThan(body.indexOf('b'))
})
