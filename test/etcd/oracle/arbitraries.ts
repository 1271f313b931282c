/** Random operations: mostly such as clients send, and often enough such as none should. */
import fc from 'fast-check'
import type { Message } from './client.js'
import { call, mostly, rarely } from './draws.js'
import { anyMember, memberCall, membersChange } from './members.js'
import type { Change, Operation, Program } from './program.js'

const text = (latin1: string): Buffer => Buffer.from(latin1, 'latin1')

const oddInt64 = fc.constantFrom(
  ...['-1', '1', '2', '9223372036854775807', '-9223372036854775808', '9007199254740993', '4294967296'],
)

const key = rarely(
  fc
    .constantFrom('a', 'aa', 'ab', 'b', 'c', 'c\0', 'c/1', 'c/2', 'd\xff', 'd\xff\xff', '\0', '\xff')
    .map(text),
  fc.oneof(
    fc.constant(text('')),
    fc.constant(Buffer.alloc(300, 'k')),
    fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
)

/** The first key after all that begin with `prefix`; `\0` after those whose every byte is 0xff. */
function afterPrefix(prefix: Buffer): Buffer {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const byte = prefix[at] as number
    if (byte < 0xff) return Buffer.concat([prefix.subarray(0, at), Buffer.from([byte + 1])])
  }
  return text('\0')
}

/** A key and where its range ends: nowhere, after its prefix, at another key (also one before it), at the end of all. */
const interval = fc.oneof(
  { weight: 6, arbitrary: key.map((from) => ({ key: from })) },
  { weight: 3, arbitrary: key.map((from) => ({ key: from, rangeEnd: afterPrefix(from) })) },
  { weight: 3, arbitrary: fc.record({ key, rangeEnd: key }) },
  { weight: 2, arbitrary: key.map((from) => ({ key: from, rangeEnd: text('\0') })) },
  { weight: 1, arbitrary: fc.constant({ key: text('\0'), rangeEnd: text('\0') }) },
)

const value = rarely(
  fc.constantFrom('', '1', '2', '10', 'v', 'w\0\xff').map(text),
  fc.constantFrom(1000, 70_000).map((bytes) => ({ bytes })),
)

const revision = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      revision: fc.constantFrom('now', 'start'),
      plus: fc.integer({ min: -4, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ revision: fc.constant('compacted'), plus: fc.integer({ min: -1, max: 2 }) }),
  },
  { weight: 1, arbitrary: oddInt64 },
)
const bound = fc.option(mostly(revision, oddInt64), { freq: 3 })

const slot = fc.nat({ max: 3 })
const lease = mostly(
  slot.map((leaseIn) => ({ leaseIn })),
  fc.constantFrom('0', '-1', '1001', '404'),
)

const flag = fc.boolean()
const enumeration = (last: number): fc.Arbitrary<number> =>
  rarely(fc.integer({ min: 0, max: last }), fc.constantFrom(-1, last + 1, 2 ** 31 - 1))

/** A message in which a field is left out as often as not, so that small programs stay small. */
const fields = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> =>
  fc.record(model, { requiredKeys: [] })

const join = (...parts: readonly fc.Arbitrary<Message>[]): fc.Arbitrary<Message> =>
  fc.tuple(...parts).map((messages) => Object.assign({}, ...messages) as Message)

const limit = mostly(fc.constantFrom(0, 1, 2, 3, 5), oddInt64)
const range = mostly(
  join(interval, fields({ limit, revision, serializable: flag, keysOnly: flag, countOnly: flag })),
  join(
    interval,
    fields({
      limit,
      sortOrder: enumeration(2),
      sortTarget: fc.nat({ max: 4 }),
      keysOnly: flag,
      countOnly: flag,
    }),
    fields({ revision, minModRevision: bound, maxModRevision: bound }),
    fields({ minCreateRevision: bound, maxCreateRevision: bound }),
  ),
)

const put = mostly(
  join(fc.record({ key, value })),
  join(fc.record({ key }), fields({ value, lease, prevKv: flag, ignoreValue: flag, ignoreLease: flag })),
)
const deleteRange = join(interval, fields({ prevKv: flag }))

const target = fc.oneof(
  fc.record({ target: fc.constant(0), version: mostly(fc.constantFrom(0, 1, 2), oddInt64) }),
  fc.record({ target: fc.constant(1), createRevision: mostly(revision, fc.constant(0)) }),
  fc.record({ target: fc.constant(2), modRevision: mostly(revision, fc.constant(0)) }),
  fc.record({ target: fc.constant(3), value }),
  fc.record({ target: fc.constant(4), lease }),
  // The compared field need not be the given one.
  fc.record({ target: enumeration(4), version: fc.constantFrom(0, 1) }),
  fc.record({ target: enumeration(4), value }),
  fc.record({ target: enumeration(4) }),
)
const compare = join(
  mostly(
    key.map((only) => ({ key: only })),
    interval,
  ),
  fc.record({ result: enumeration(3) }),
  target as fc.Arbitrary<Message>,
)

function request(depth: number): fc.Arbitrary<Message> {
  return fc.oneof(
    { weight: 6, arbitrary: range.map((requestRange) => ({ requestRange })) },
    { weight: 8, arbitrary: put.map((requestPut) => ({ requestPut })) },
    { weight: 4, arbitrary: deleteRange.map((requestDeleteRange) => ({ requestDeleteRange })) },
    ...(depth === 0 ? [] : [{ weight: 3, arbitrary: txn(depth - 1).map((requestTxn) => ({ requestTxn })) }]),
  )
}

function txn(depth: number): fc.Arbitrary<Message> {
  const requests = rarely(fc.array(request(depth), { maxLength: 4 }), fc.constant([{}]))
  return join(fields({ compare: fc.array(compare, { maxLength: 3 }), success: requests, failure: requests }))
}

/** Transactions at the limit of 128 operations, alone and within each other. */
const longTxn = fc
  .record({ count: fc.constantFrom(126, 127, 128, 129), nested: flag, write: flag })
  .map(({ count, nested, write }): Message => {
    const requests = Array.from({ length: count }, (_, at) => {
      const numbered = text(`k${at}`)
      return write ? { requestPut: { key: numbered } } : { requestRange: { key: numbered } }
    })
    const inner = { requestTxn: { success: [{ requestRange: { key: text('a') } }] } }
    return { success: nested ? [...requests.slice(1), inner] : requests }
  })

/** Lifetimes that outlive every program. */
const grant = fc
  .record({
    request: fields({
      ID: mostly(fc.constantFrom('0', '1001', '1002'), oddInt64),
      TTL: mostly(
        fc.constantFrom('600', '1000', '100000'),
        fc.constantFrom('9000000000', '9000000001', '9223372036854775807'),
      ),
    }).map((request) => ({ TTL: '600', ...request })),
    slot,
  })
  .map((operation): Operation => ({ call: 'Lease/LeaseGrant', ...operation }))

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), set: fc.nat({ max: 255 }) }),
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), insert: fc.nat({ max: 255 }) }),
  fc.record({ cutAt: fc.double({ min: 0, max: 1, noNaN: true }) }),
)
const garble = fc
  .record({
    what: fc.oneof(
      range.map((message) => ['KV/Range', message] as const),
      put.map((message) => ['KV/Put', message] as const),
      deleteRange.map((message) => ['KV/DeleteRange', message] as const),
      txn(1).map((message) => ['KV/Txn', message] as const),
    ),
    changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  })
  .map(({ what: [name, message], changes }): Operation => ({ garble: name, request: message, changes }))

const stream = fc.nat({ max: 1 })
const watchName = fc.nat({ max: 3 })
const watch = fc
  .record({
    watch: join(
      interval,
      fields({
        startRevision: revision,
        progressNotify: flag,
        filters: fc.array(enumeration(1), { maxLength: 2 }),
        prevKv: flag,
        watchId: fc.constantFrom('0', '1', '5', '-1', '-7'),
        fragment: flag,
      }),
    ),
    on: stream,
    as: watchName,
  })
  .map(
    (operation): Operation =>
      isSilent(operation.watch) ? { ...operation, watch: fromNow(operation.watch) } : operation,
  )

/** A watch that tells no event does not tell either when it has caught up with the past. So it begins now. */
function isSilent({ filters = [] }: Message): boolean {
  return [0, 1].every((filter) => (filters as readonly number[]).includes(filter))
}

function fromNow({ startRevision: _, ...request }: Message): Message {
  return request
}

const compaction = join(
  fc.record({ revision: revision as fc.Arbitrary<unknown> }),
  fields({ physical: flag }),
)

const maintenance = fc.oneof(
  call('Maintenance/Status', fc.constant({})),
  call('Maintenance/HashKV', fields({ revision: mostly(fc.constant(0), revision) })),
  call(
    'Maintenance/Alarm',
    fields({ action: fc.constant(0), memberID: fc.constantFrom('0', '404'), alarm: enumeration(2) }),
  ),
  call('Maintenance/MoveLeader', fields({ targetID: fc.oneof(fc.constantFrom('0', '404'), anyMember) })),
  call('Maintenance/Defragment', fc.constant({})),
)

/**
 * Without space a store takes no puts, and a corrupt one takes no change. The alarms of one program are of one type beside
 * those that do nothing, and end with it.
 */
const alarm = (type: number): fc.Arbitrary<Operation> =>
  call(
    'Maintenance/Alarm',
    fc.record({
      action: fc.constantFrom(1, 2),
      memberID: fc.constantFrom('0', '1', '404'),
      alarm: mostly(fc.constant(type), fc.constantFrom(0, 7)),
    }),
  )

const auth = fc.constantFrom<Operation>(
  { call: 'Auth/AuthDisable', request: {} },
  { call: 'Auth/Authenticate', request: { name: 'root', password: 'secret' } },
)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 240, arbitrary: call('KV/Range', range) },
  { weight: 240, arbitrary: call('KV/Put', put) },
  { weight: 100, arbitrary: call('KV/DeleteRange', deleteRange) },
  { weight: 240, arbitrary: call('KV/Txn', txn(2)) },
  { weight: 5, arbitrary: call('KV/Txn', longTxn) },
  { weight: 30, arbitrary: call('KV/Compact', compaction) },
  { weight: 50, arbitrary: grant },
  { weight: 20, arbitrary: call('Lease/LeaseRevoke', fc.record({ ID: lease })) },
  {
    weight: 20,
    arbitrary: call('Lease/LeaseTimeToLive', join(fc.record({ ID: lease }), fields({ keys: flag }))),
  },
  { weight: 10, arbitrary: call('Lease/LeaseLeases', fc.constant({})) },
  { weight: 20, arbitrary: fc.record({ keepAlive: fc.record({ ID: lease }) }) },
  { weight: 60, arbitrary: garble },
  { weight: 10, arbitrary: memberCall },
  { weight: 10, arbitrary: maintenance },
  { weight: 3, arbitrary: auth },
)

const watching: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: watch },
  { weight: 2, arbitrary: fc.record({ cancel: watchName }) },
  { weight: 1, arbitrary: fc.record({ cancelId: fc.constantFrom('0', '1', '77', '-1'), on: stream }) },
  { weight: 1, arbitrary: fc.record({ progress: stream }) },
)

/** Two programs of three have no watch: to wait for a watch's events takes longer than everything else. */
export function program(operationsMax: number): fc.Arbitrary<Program> {
  const lengths = { minLength: 1, maxLength: operationsMax, size: 'max' } as const
  return fc.oneof(
    { weight: 12, arbitrary: fc.array(operation, lengths) },
    ...[1, 2].map((type) => ({
      weight: 1,
      arbitrary: fc.array(
        fc.oneof({ weight: 20, arbitrary: operation }, { weight: 1, arbitrary: alarm(type) }),
        lengths,
      ),
    })),
    // Each member that is added is a node that starts.
    {
      weight: 1,
      arbitrary: fc.array(
        fc.oneof({ weight: 1, arbitrary: operation }, { weight: 2, arbitrary: membersChange }),
        { ...lengths, maxLength: Math.min(operationsMax, 24) },
      ),
    },
    {
      weight: 6,
      arbitrary: fc.array(
        fc.oneof({ weight: 12, arbitrary: operation }, { weight: 1, arbitrary: watching }),
        lengths,
      ),
    },
  )
}
