import { expect, test } from 'vitest'
import { commandInWords } from '../../src/logbook/command-words.js'
import { Follower, type LogEntry, type LogOfNode, logInWords } from '../../src/logbook/index.js'
import { encode, writeAppend, writeCas, writeDelete, writePut } from '../../src/machine/commands.js'

/** A command of etcd's API: an operation, and a message of protobuf. */
const etcd = (op: number, message: string) => Buffer.from(`${String.fromCharCode(op)}${message}`, 'latin1')

test.each([
  [encode(writePut, 'k', 'v'), 'put k v'],
  [encode(writePut, 'k', ''), "put k ''"],
  [encode(writeAppend, 'k', 'more'), 'append k more'],
  [encode(writeDelete, 'k'), 'delete k'],
  [encode(writeCas, 'k', 'old', 'new'), 'cas k from old to new'],
  [encode(writeCas, 'k', undefined, 'new'), 'cas k from absent to new'],
  [encode(writePut, 'line\nbreak', Uint8Array.of(255)), 'put line\\nbreak \\xff'],
  [encode(writePut, 'k', 'ä'.repeat(30)), `put k ${'ä'.repeat(20)}… (20 bytes more)`],
  [encode(writePut, 'k', `x${'ä'.repeat(30)}`), `put k x${'ä'.repeat(19)}… (21 bytes more)`],
  [Uint8Array.of(9, 1, 0, 65), 'malformed: 09010041'],
  [Uint8Array.of(1, 255, 0, 65), 'malformed: 01ff0041'],
  [Uint8Array.of(4, 1, 0, 65, 9, 0, 0, 0), 'malformed: 0401004109000000'],
  [new Uint8Array(0), 'malformed: '],
  [Uint8Array.of(0x47, 8, 0xac, 2), "etcd's leaseKeepAlive lease 12c"],
  [Uint8Array.of(0x45, 8, 60, 16, 7), "etcd's leaseGrant lease 7 for 60 s"],
  [etcd(0x41, '\n\x01a\x12\x02xy'), "etcd's put a xy"],
  [etcd(0x41, '\n\x01a\x18\x07\x28\x01'), "etcd's put a (the value stays) with lease 7"],
  [etcd(0x41, `\n\x01a\x12\x30${'v'.repeat(48)}`), `etcd's put a ${'v'.repeat(40)}… (8 bytes more)`],
  [etcd(0x42, '\n\x01a'), "etcd's deleteRange a"],
  [etcd(0x42, '\n\x01a\x12\x01c'), "etcd's deleteRange a to c"],
  [etcd(0x42, '\n\x01a\x12\x01\0'), "etcd's deleteRange a to the last key"],
  [
    etcd(0x43, '\n\x03\x1a\x01a\x12\x08\x12\x06\n\x01a\x12\x01b'),
    "etcd's txn (1 comparison) then put a b; else nothing",
  ],
  [
    etcd(0x43, '\x1a\x05\n\x03\n\x01a'.repeat(5)),
    "etcd's txn (0 comparisons) then nothing; else range a, range a, range a, 2 more",
  ],
  [etcd(0x44, '\x08\x05'), "etcd's compact to revision 5"],
  [etcd(0x41, '\n\x09a'), "etcd's put 0a0961"],
])('a command of the key-value store in words (%#)', (bytes, words) => {
  expect(commandInWords(bytes, true)).toBe(words)
})

test('a command of another machine is shown as its first bytes', () => {
  expect(commandInWords(Uint8Array.of(1, 2, 255), false)).toBe('0102ff')
  expect(commandInWords(new Uint8Array(50).fill(171), false)).toBe(`${'ab'.repeat(40)}… (10 bytes more)`)
})

const entry = (index: number, term: number, committed: boolean | null = false): LogEntry => ({
  index,
  term,
  kind: 'command',
  size: 3,
  command: `put ${index} ${term}`,
  flushed: true,
  committed,
})

const logOf = (entries: readonly LogEntry[], more: Partial<LogOfNode> = {}): LogOfNode => ({
  nodeId: 1,
  currentTerm: 3,
  votedFor: null,
  snapshot: null,
  firstIndex: 1,
  lastIndex: entries.at(-1)?.index ?? 0,
  entries,
  next: null,
  isSettled: true,
  ...more,
})

test('a log is told as its head and a line for each entry', () => {
  const entries = [
    { ...entry(1, 1, true), kind: 'empty', command: '' } as const,
    { ...entry(1200, 2), flushed: null, committed: null },
  ]
  const log = logOf(entries, {
    snapshot: { index: 1, term: 1, size: 5 },
    next: 1201,
    isSettled: false,
    votedFor: 2,
  })
  expect(logInWords(log).split('\n')).toEqual([
    'node 1: term 3, vote for node 2; entries 1 to 1,200; snapshot at entry 1 of term 1; not closed in order, so the last write may not be flushed',
    'index  term  bytes  flushed  committed  command',
    '1         1      3      yes        yes  (a leader begins its term)',
    '1,200     2      3        ?          ?  put 1200 2',
    'the log goes on with entry 1,201',
  ])
  expect(logInWords(logOf([]))).toBe('node 1: term 3, no vote; no entries')
})

/** A follower of a log that has these entries at each look in turn, as far as they are asked for. */
function following(...looks: (readonly LogEntry[])[]): Follower {
  return new Follower(async ({ from = 0 }) => {
    const entries = looks.shift() ?? []
    return logOf(
      entries.filter(({ index }) => index >= from),
      { lastIndex: entries.at(-1)?.index ?? 0 },
    )
  })
}

test('who follows a log is told each entry once', async () => {
  const follower = following(
    [entry(1, 1)],
    [entry(1, 1), entry(2, 1)],
    [entry(1, 1, true), entry(2, 1), entry(3, 1)],
  )
  const indexes = []
  for (let look = 0; look < 3; look++) indexes.push((await follower.look()).entries.map(({ index }) => index))
  expect(indexes).toEqual([[1], [2], [3]])
})

test('who follows a log is told of entries that a later leader has replaced', async () => {
  const follower = following(
    [entry(1, 1, true), entry(2, 1), entry(3, 1)],
    [entry(1, 1, true), entry(2, 1), entry(3, 2), entry(4, 2)],
    [entry(1, 1, true)],
    [entry(1, 1, true), entry(2, 3)],
  )
  await follower.look()
  expect(await follower.look()).toMatchObject({
    replacedFrom: 3,
    entries: [{ index: 3, term: 2 }, { index: 4 }],
  })
  expect(await follower.look(), 'cut off, and nothing in its place').toEqual({ replacedFrom: 2, entries: [] })
  expect(await follower.look()).toMatchObject({ replacedFrom: undefined, entries: [{ index: 2, term: 3 }] })
})
