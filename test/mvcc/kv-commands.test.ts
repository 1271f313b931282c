/** The commands of the key-value store, on etcd's machine and on the built-in one: the answers are equal, to the byte. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Bytes,
  commandOps,
  createKv,
  encode,
  keyBytesMax,
  queryOps,
  ResultBuilder,
  type StateMachine,
  valueBytesMax,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../../src/machine/index.js'
import { createMvcc } from '../../src/mvcc/index.js'
import { packCommands } from '../../src/raft/index.js'
import { answersTo } from '../machine/kv-help.js'
import { command, Steps } from '../machine/kv-model.js'
import { Machine } from './machine-help.js'

/** Results of a run, as they are packed. */
function applied(machine: StateMachine, commands: readonly Uint8Array[]): Buffer {
  const results = new ResultBuilder()
  machine.apply({ index: 1, term: 1, timeMs: 0, ...packCommands(commands) }, results)
  return Buffer.from(results.take().bytes)
}

function read(machine: StateMachine, queries: readonly Uint8Array[]): Buffer {
  const results = new ResultBuilder()
  machine.read(packCommands(queries), results)
  return Buffer.from(results.take().bytes)
}

/** Both without a key and at revision 3: etcd's store begins with revision 1, the built-in one with 0. */
function both(): readonly [StateMachine, StateMachine] {
  const [builtIn, etcd] = [createKv(), createMvcc()]
  const [put, gone] = [encode(writePut, 'k', 'v'), encode(writeDelete, 'k')]
  applied(builtIn, [put, put, gone])
  applied(etcd, [put, gone])
  return [builtIn, etcd]
}

/** Queries of the whole: each key, and pages of all lengths. */
const bound = fc.option(fc.uint8Array({ maxLength: 2 }), { nil: undefined })
const range = fc
  .record({ start: bound, end: bound, limit: fc.constantFrom(1, 2, 5, 1000) })
  .map(({ start = '', end = '', limit }) => encode(writeRange, { start, end, limit }))
const get = fc.uint8Array({ minLength: 1, maxLength: 2 }).map((key) => encode(writeGet, key))

const malformedCommand = fc
  .tuple(fc.constantFrom(...Object.values(commandOps), 0, 9), fc.uint8Array({ maxLength: 12 }))
  .map(([op, rest]) => Uint8Array.of(op, ...rest))
const malformedQuery = fc
  .tuple(fc.constantFrom(...Object.values(queryOps), 0, 9), fc.uint8Array({ maxLength: 12 }))
  .map(([op, rest]) => Uint8Array.of(op, ...rest))

test('[KV1] random commands and queries, malformed ones among them, get the same answers', () => {
  const commands = fc.array(
    fc.oneof({ weight: 9, arbitrary: command }, { weight: 1, arbitrary: malformedCommand }),
    {
      maxLength: 60,
    },
  )
  const queries = fc.array(fc.oneof(range, get, malformedQuery), { maxLength: 20 })
  fc.assert(
    fc.property(commands, queries, (given, asked) => {
      const [builtIn, etcd] = both()
      const steps = new Steps()
      const packed = given.map((each) => (each instanceof Uint8Array ? each : steps.step(each).bytes))
      expect(applied(etcd, packed).equals(applied(builtIn, packed))).toBe(true)
      expect(read(etcd, asked).equals(read(builtIn, asked))).toBe(true)
    }),
    { seed: 1, numRuns: 40 },
  )
})

const largest = 'v'.repeat(valueBytesMax)
const put = (key: Bytes, value: string): Uint8Array => encode(writePut, key, value)
/** Commands that the client would not write. */
const raw = (op: number, key: string, ...rest: readonly Uint8Array[]): Uint8Array => {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(key.length)
  return Buffer.concat([Buffer.of(op), length, Buffer.from(key), ...rest])
}
const lengthOf = (length: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(length)
  return bytes
}

test.each<readonly [string, readonly Uint8Array[]]>([
  ['no bytes', [new Uint8Array(0)]],
  ['a value that is too long', [raw(commandOps.put, 'a', Buffer.from(`${largest}v`))]],
  ['an append that is too long', [raw(commandOps.append, 'a', Buffer.from(`${largest}v`))]],
  [
    'an expected value that is too long',
    [raw(commandOps.cas, 'a', lengthOf(valueBytesMax + 1), Buffer.from(`${largest}v`))],
  ],
  ['a key that is too long', [raw(commandOps.put, 'k'.repeat(keyBytesMax + 1))]],
  [
    'an append to the longest value',
    [put('a', largest), raw(commandOps.append, 'a', Buffer.of(1)), raw(commandOps.append, 'a')],
  ],
  ['a delete with more behind its key', [put('a', 'v'), raw(commandOps.delete, 'a', Buffer.of(1))]],
])('[KV1] %s is answered in the same way', (_, commands) => {
  const [builtIn, etcd] = both()
  expect(applied(etcd, commands).equals(applied(builtIn, commands))).toBe(true)
})

test('[KV1] a range stops before its answer is too large, at the same key', () => {
  const [builtIn, etcd] = both()
  const commands = ['a', 'b', 'c', 'd'].map((key) => put(key, largest))
  expect(applied(etcd, commands).equals(applied(builtIn, commands))).toBe(true)
  const queries = [encode(writeRange), encode(writeRange, { start: 'b', limit: 1 })]
  expect(read(etcd, queries).equals(read(builtIn, queries))).toBe(true)
})

test('[KV1] both APIs write one store: its revisions are the same, and a put takes a key from its lease', () => {
  const node = new Machine()
  node.do('leaseGrant', { ID: 7, TTL: 10 })
  node.put('leased', 'v', 7)
  applied(node.machine, [put('a', 'v'), put('leased', 'w')])
  expect(node.do('leaseRevoke', { ID: 7 })).toMatchObject({ revision: 4 })
  expect(node.range({ key: '\0', rangeEnd: '\0' })).toEqual(['a=v', 'leased=w'])
})

test('[KV2] a range leaves out keys that are longer than those of the key-value store', () => {
  const node = new Machine()
  node.put('k'.repeat(70_000), 'v')
  node.put('l', 'v')
  const [answer] = answersTo(node.machine, encode(writeRange))
  expect(Buffer.from(answer!).readUInt32LE(10)).toBe(1)
})
