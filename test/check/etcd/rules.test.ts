/** Each rule by a history that breaks it alone, and the histories beside them that are right. */
import { describe, expect, test } from 'vitest'
import { type EtcdRecord, type EtcdResult, judgeEtcd, parseEtcdRecord } from '../../../src/check/index.js'

/** Records as a file has them; each call takes a microsecond unless it says otherwise. */
function judged(...lines: readonly object[]): EtcdResult {
  const records = lines.map((line, at): EtcdRecord => {
    const begun = { client: 0, call: 10 * at, return: 10 * at + 1, outcome: 'ok' }
    return parseEtcdRecord(JSON.stringify({ ...begun, ...line }))
  })
  return judgeEtcd(records)
}

const rulesOf = ({ failures }: EtcdResult): string[] => [...new Set(failures.map(({ rule }) => rule))]
/** The places of records that the first failure names, counted from 1. */
const namedBy = ({ failures }: EtcdResult): number[] => (failures[0]?.records ?? []).map((at) => at + 1)

const put = (key: string, value: string, revision: number, more: object = {}): object => ({
  ...{ op: 'put', key, value, revision },
  ...more,
})
const kv = (
  key: string,
  value: string,
  mod: number,
  create = mod,
  version = 1,
  more: object = {},
): object => ({
  ...{ key, value, createRevision: create, modRevision: mod, version },
  ...more,
})
const range = (key: string, revision: number, kvs: readonly object[], more: object = {}): object => ({
  ...{ op: 'range', key, revision, kvs },
  ...more,
})
const all = { rangeEnd: 'z' }
const everything = { key: '\0', rangeEnd: '\0' }
const del = (key: string, deleted: number, revision: number, more: object = {}): object => ({
  ...{ op: 'delete', key, deleted, revision },
  ...more,
})
const txn = (
  success: readonly object[],
  responses: readonly object[],
  revision: number,
  more: object = {},
): object => ({
  ...{ op: 'txn', compare: [], success, failure: [], succeeded: true, responses, revision },
  ...more,
})
const watch = (startRevision: number, more: object = {}): object => ({
  ...{ op: 'watch', watch: 'w', key: 'a', ...all, startRevision },
  ...more,
})
const told = (revision: number, events: readonly object[], more: object = {}): object => ({
  ...{ op: 'watchResponse', watch: 'w', revision, events },
  ...more,
})
const putEvent = (...of: Parameters<typeof kv>): object => ({ type: 'put', ...kv(...of) })
const gone = (key: string, modRevision: number): object => ({ type: 'delete', key, modRevision })
const unknown = { outcome: 'unknown', return: null, revision: undefined }
const seconds = (count: number): number => count * 1_000_000
const grant = { op: 'grant', lease: '7', ttl: 2 }
const leased = { lease: '7' }
const late = { call: seconds(3), return: seconds(3) + 1 }
const lost = (key: string, value: string): object => put(key, value, 0, unknown)

describe('a history is consistent', () => {
  test.each<[string, readonly object[]]>([
    ['of nothing', []],
    [
      'of a watch from now on that was told nothing before it was cancelled for a compaction',
      [
        ...[put('a', '1', 2), put('a', '2', 3), watch(0), { op: 'compact', atRevision: 3, revision: 3 }],
        told(3, [], { canceled: true, compactRevision: 3 }),
      ],
    ],
    [
      'of watches of the same name by two clients',
      [
        ...[put('a', '1', 2), put('b', '1', 3)],
        ...[
          watch(2, { rangeEnd: undefined, client: 1 }),
          watch(2, { key: 'b', rangeEnd: undefined, client: 2 }),
        ],
        told(2, [putEvent('a', '1', 2)], { client: 1 }),
        told(3, [putEvent('b', '1', 3)], { client: 2 }),
      ],
    ],
    [
      'of compactions that are refused for another one, and for a revision that is still to come',
      [
        ...[put('a', '1', 2), { op: 'compact', atRevision: 2, revision: 2 }],
        { op: 'compact', atRevision: 2, outcome: 'fail', error: 'compacted' },
        { op: 'compact', atRevision: 3, outcome: 'fail', error: 'futureRevision' },
      ],
    ],
    [
      'of a transaction that names a lease which is alive beside one that is not',
      [
        grant,
        {
          ...{ op: 'txn', compare: [], failure: [], outcome: 'fail', error: 'leaseNotFound' },
          success: ['7', '8'].map((lease) => ({ op: 'put', key: lease, value: '1', lease })),
        },
      ],
    ],
    [
      'of writes and reads',
      [
        put('a', '1', 2),
        put('a', '2', 3),
        range('a', 3, [kv('a', '2', 3, 2, 2)]),
        del('a', 1, 4),
        range('a', 4, []),
      ],
    ],
    ['where keys that are not in it have changed', [put('a', '1', 2), put('a', '2', 9)]],
    ['where the store is older than the history', [range('b', 700, [], all), put('b', '1', 701)]],
    [
      'with a serializable range of an old state',
      [put('a', '1', 2), put('a', '2', 3), range('a', 2, [kv('a', '1', 2)], { serializable: true })],
    ],
    [
      'with a range of an old revision',
      [put('a', '1', 2), put('a', '2', 3), range('a', 3, [kv('a', '1', 2)], { atRevision: 2 })],
    ],
    [
      'with a limit',
      [put('a', '1', 2), put('b', '1', 3), range('a', 3, [kv('a', '1', 2)], { ...all, limit: 1 })],
    ],
    [
      'with a write of unknown outcome that happened',
      [put('a', '1', 0, unknown), range('a', 2, [kv('a', '1', 2)])],
    ],
    ['with one that did not', [put('a', '1', 0, unknown), range('a', 1, [])]],
    [
      'with one that happened later',
      [put('a', '1', 0, unknown), range('a', 1, []), range('a', 2, [kv('a', '1', 2)])],
    ],
    [
      'with a transaction that sees its own writes',
      [
        txn(
          [
            { op: 'put', key: 'a', value: '1' },
            { op: 'range', key: 'a' },
          ],
          [{}, { kvs: [kv('a', '1', 2)] }],
          2,
        ),
      ],
    ],
    [
      'with a lease that ends in time',
      [
        grant,
        put('a', '1', 2, leased),
        watch(2),
        told(2, [putEvent('a', '1', 2, 2, 1, leased)]),
        told(3, [gone('a', 3)], { return: seconds(2) }),
        range('a', 3, [], { call: seconds(3), return: seconds(3) }),
      ],
    ],
    [
      'with a lease that is revoked',
      [grant, put('a', '1', 2, leased), { op: 'revoke', lease: '7', revision: 3 }, range('a', 3, [])],
    ],
    [
      'with a watch that goes on at another member',
      [
        put('a', '1', 2),
        watch(2),
        told(2, [putEvent('a', '1', 2)]),
        put('b', '1', 3),
        watch(3, { client: 1 }),
        told(3, [putEvent('b', '1', 3)]),
      ],
    ],
    [
      'with a revision in fragments',
      [
        txn(
          [
            { op: 'put', key: 'a', value: '1' },
            { op: 'put', key: 'b', value: '1' },
          ],
          [{}, {}],
          2,
        ),
        watch(2),
        told(2, [putEvent('a', '1', 2)], { fragment: true }),
        told(2, [putEvent('b', '1', 2)]),
      ],
    ],
    [
      'with a watch from now on',
      [
        put('a', '1', 2),
        watch(0),
        told(2, [], { created: true }),
        put('a', '2', 3),
        told(3, [putEvent('a', '2', 3, 2, 2)]),
      ],
    ],
    [
      'with a compaction',
      [
        put('a', '1', 2),
        put('a', '2', 3),
        { op: 'compact', atRevision: 3, revision: 3 },
        range('a', 0, [], { revision: undefined, outcome: 'fail', error: 'compacted', atRevision: 2 }),
        watch(2),
        told(3, [], { created: true }),
        told(3, [], { canceled: true, compactRevision: 3 }),
      ],
    ],
    [
      'with the highest characters',
      [
        put('\u{1f600}', '1', 2),
        put('\u{ffee}', '1', 3),
        range('\u{ff00}', 3, [kv('\u{ffee}', '1', 3)], { rangeEnd: '\u{fff0}' }),
      ],
    ],
  ])('%s', (_, lines) => {
    expect(judged(...lines)).toMatchObject({ verdict: 'consistent', failures: [] })
  })
})

/** The rule that is broken, the history, and the records that the judge names. */
const broken: readonly (readonly [rule: string, lines: readonly object[], named: readonly number[]])[] = [
  ['revisions never go back', [put('a', '1', 2), put('b', '1', 3), range('a', 2, [kv('a', '1', 2)])], [3, 2]],
  ['revisions never go back', [range('b', 5, []), put('a', '1', 5)], [2, 1]],
  ['revisions never go back', [watch(2), told(4, []), range('a', 3, [])], [3, 2]],
  [
    'revisions never go back',
    [
      put('a', '1', 2),
      range('a', 0, [], { revision: undefined, outcome: 'fail', error: 'futureRevision', atRevision: 2 }),
    ],
    [2, 1],
  ],
  ['each write has a revision of its own', [put('a', '1', 2), put('b', '1', 2, { call: 0 })], [1, 2]],
  // The empty store has revision 1.
  ['each write has a revision of its own', [put('a', '1', 1)], [1]],
  ['each write has a revision of its own', [lost('a', '1'), range('a', 1, [kv('a', '1', 1)])], [2]],
  ['all see the same event', [put('a', '1', 2), range('a', 2, [kv('a', '2', 2)])], [1, 2]],
  ['all see the same event', [put('a', '1', 2), watch(2), told(2, [gone('a', 2)])], [1, 3]],
  [
    'a transaction is atomic',
    [
      txn(
        [
          { op: 'put', key: 'a', value: '1' },
          { op: 'put', key: 'b', value: '1' },
        ],
        [{}, {}],
        2,
      ),
      range('b', 3, [kv('b', '1', 3, 2, 2)]),
    ],
    [2, 1],
  ],
  [
    'a transaction compares with what is there',
    [
      put('a', '1', 2),
      put('a', '2', 3),
      txn([{ op: 'put', key: 'a', value: '3' }], [{}], 4, {
        compare: [{ key: 'a', target: 'modRevision', result: '=', value: 2 }],
      }),
    ],
    [3, 2],
  ],
  [
    // A lost put may explain one of the comparisons, and nothing explains the other.
    'a transaction compares with what is there',
    [
      ...[put('a', '1', 2), put('b', '1', 3), lost('a', '2')],
      txn([], [], 4, {
        compare: ['a', 'b'].map((key) => ({ key, target: 'version', result: '=', value: 2 })),
      }),
    ],
    [4, 2],
  ],
  [
    // No lease can have taken the key before: the transaction itself gives it one.
    'a transaction compares with what is there',
    [
      grant,
      txn([{ op: 'put', key: 'a', value: '1', ...leased }], [{}], 3, {
        ...late,
        compare: [{ key: 'a', target: 'modRevision', result: '=', value: 1 }],
      }),
    ],
    [2],
  ],
  ...(
    [
      ['each event is the work of one call', [putEvent('a', '2', 2)], [3]],
      ['each event is the work of one call', [gone('b', 2)], [3]],
      ['a transaction is atomic', [putEvent('a', '1', 2), putEvent('b', '2', 2)], [3, 2]],
    ] as const
  ).map(([rule, events, named]): [string, readonly object[], readonly number[]] => [
    // Neither branch of the lost transaction makes these events and no others.
    rule,
    [
      watch(2),
      {
        ...{ op: 'txn', ...unknown, compare: [{ key: 'c', target: 'version', result: '=', value: 0 }] },
        success: ['a', 'b'].map((key) => ({ op: 'put', key, value: '1' })),
        failure: [
          { op: 'put', key: 'a', value: '1' },
          { op: 'delete', key: 'b' },
        ],
      },
      told(2, events),
    ],
    named,
  ]),
  [
    'a range shows its revision',
    [put('a', '1', 2), put('a', '2', 3), range('a', 3, [kv('a', '1', 2)])],
    [3, 2],
  ],
  ['a range shows its revision', [put('a', '1', 2), range('a', 2, [])], [2, 1]],
  ['a range shows its revision', [put('a', '1', 2), range('b', 2, [kv('a', '1', 2)])], [2]],
  [
    'a range shows its revision',
    [
      put('a', '1', 2),
      put('b', '1', 3),
      range('a', 3, [kv('a', '1', 2), kv('b', '1', 3)], { ...all, limit: 1 }),
    ],
    [3],
  ],
  [
    'a range shows its revision',
    [put('a', '1', 2), put('b', '1', 3), range('a', 3, [kv('b', '1', 3), kv('a', '1', 2)], all)],
    [3],
  ],
  [
    'a range shows its revision',
    [put('a', '1', 2), put('b', '1', 3), range('a', 3, [kv('b', '1', 3)], all)],
    [3, 1],
  ],
  [
    'a range shows its revision',
    [put('a', '1', 2), put('a', '2', 3), range('a', 3, [kv('a', '2', 3, 2, 2)], { atRevision: 2 })],
    [3],
  ],
  [
    'a range shows its revision',
    [put('a', '1', 2), put('b', '1', 3), range('a', 3, [kv('b', '1', 3)], { ...all, limit: 1 })],
    [3, 1],
  ],
  [
    'a range shows its revision',
    [
      put('a', '1', 2),
      txn(
        [
          { op: 'range', key: 'a' },
          { op: 'put', key: 'a', value: '2' },
        ],
        [{ kvs: [] }, {}],
        3,
      ),
    ],
    [2, 1],
  ],
  [
    'versions and revisions of a key agree',
    [put('a', '1', 2), put('a', '2', 3), range('a', 3, [kv('a', '2', 3, 2, 3)])],
    [3, 1],
  ],
  [
    'versions and revisions of a key agree',
    [put('a', '1', 2), del('a', 1, 3), put('a', '2', 4), range('a', 4, [kv('a', '2', 4, 2, 2)])],
    [4, 2],
  ],
  ['a delete tells what it deleted', [put('a', '1', 2), put('b', '1', 3), del('a', 1, 4, all)], [3]],
  ['each event is the work of one call', [range('a', 2, [kv('a', '1', 2)])], [1]],
  ['each event is the work of one call', [put('a', '1', 2), range('a', 3, [kv('a', '1', 3, 2, 2)])], [2, 1]],
  [
    'each event is the work of one call',
    [put('a', '1', 2), watch(2), told(3, [putEvent('a', '1', 2), gone('a', 3)])],
    [3],
  ],
  [
    'a call that failed did not happen',
    [put('a', '1', 2, { outcome: 'fail', revision: undefined }), range('a', 2, [kv('a', '1', 2)])],
    [2, 1],
  ],
  [
    'a call happens once',
    [
      put('a', '1', 0, unknown),
      watch(2),
      told(2, [putEvent('a', '1', 2)]),
      told(3, [putEvent('a', '1', 3, 2, 2)]),
    ],
    [1],
  ],
  ['real time', [watch(2), told(2, [putEvent('a', '1', 2)]), put('a', '1', 0, unknown)], [3, 2]],
  [
    'a watch misses no event',
    [put('a', '1', 2), put('b', '1', 3), watch(2), told(3, [putEvent('b', '1', 3)])],
    [4, 1],
  ],
  ['a watch misses no event', [put('a', '1', 2), watch(2), told(2, [])], [3, 1]],
  [
    'a watch misses no event',
    [put('a', '1', 2), put('b', '1', 3), watch(2), told(2, [putEvent('a', '1', 2)]), watch(3), told(4, [])],
    [6, 2],
  ],
  [
    'a watch misses no event',
    [
      txn(
        [
          { op: 'put', key: 'a', value: '1' },
          { op: 'put', key: 'b', value: '1' },
        ],
        [{}, {}],
        2,
      ),
      watch(2),
      told(2, [putEvent('a', '1', 2)]),
    ],
    [3, 1],
  ],
  // Whoever made a revision changed something, of which a watch of all keys is told.
  [
    'a watch misses no event',
    [
      watch(2, everything),
      put('a', '1', 2),
      put('b', '1', 0, unknown),
      put('a', '2', 4),
      told(4, [putEvent('a', '1', 2), putEvent('a', '2', 4, 2, 2)]),
    ],
    [5],
  ],
  [
    'a watch misses no event',
    [watch(2, everything), put('a', '1', 2), told(2, [putEvent('a', '1', 2)]), told(40, [])],
    [4],
  ],
  [
    'a watch tells each event once',
    [put('a', '1', 2), watch(2), told(2, [putEvent('a', '1', 2)]), told(2, [putEvent('a', '1', 2)])],
    [4, 3],
  ],
  [
    'a watch tells events in their order',
    [put('a', '1', 2), put('b', '1', 3), watch(2), told(3, [putEvent('b', '1', 3), putEvent('a', '1', 2)])],
    [4, 3],
  ],
  [
    'a revision comes whole',
    [
      txn(
        [
          { op: 'put', key: 'a', value: '1' },
          { op: 'put', key: 'b', value: '1' },
        ],
        [{}, {}],
        2,
      ),
      watch(2),
      told(2, [putEvent('a', '1', 2)]),
      told(2, [putEvent('b', '1', 2)]),
    ],
    [4, 3],
  ],
  [
    'a watch tells what it was asked for',
    [
      put('a', '1', 2),
      put('a', '2', 3),
      watch(3),
      told(3, [putEvent('a', '1', 2), putEvent('a', '2', 3, 2, 2)]),
    ],
    [4, 3],
  ],
  [
    'a watch tells what has happened',
    [
      put('a', '1', 2),
      put('a', '2', 3),
      watch(2),
      told(2, [putEvent('a', '1', 2), putEvent('a', '2', 3, 2, 2)]),
    ],
    [4],
  ],
  ['a watch is begun before it tells', [told(2, [])], [1]],
  [
    'what was compacted is answered as such',
    [
      put('a', '1', 2),
      put('a', '2', 3),
      { op: 'compact', atRevision: 3, revision: 3 },
      range('a', 3, [kv('a', '1', 2)], { atRevision: 2 }),
    ],
    [4, 3],
  ],
  [
    'what was compacted is answered as such',
    [
      put('a', '1', 2),
      range('a', 0, [], { revision: undefined, outcome: 'fail', error: 'compacted', atRevision: 2 }),
    ],
    [2],
  ],
  [
    'what was compacted is answered as such',
    [put('a', '1', 2), put('a', '2', 3), watch(2), told(3, [], { canceled: true, compactRevision: 3 })],
    [4],
  ],
  [
    'what was compacted is answered as such',
    [
      put('a', '1', 2),
      put('a', '2', 3),
      { op: 'compact', atRevision: 3, revision: 3 },
      watch(2),
      told(3, [putEvent('a', '1', 2), putEvent('a', '2', 3, 2, 2)]),
      told(3, [], { canceled: true, compactRevision: 3 }),
    ],
    [6],
  ],
  [
    'a lease lives its TTL, and no longer',
    [
      grant,
      put('a', '1', 2, leased),
      watch(2),
      told(2, [putEvent('a', '1', 2, 2, 1, leased)]),
      told(3, [gone('a', 3)], { return: seconds(1.9) }),
    ],
    [5, 1],
  ],
  [
    'a lease lives its TTL, and no longer',
    [
      grant,
      { op: 'keepAlive', lease: '7', ttl: 2, call: seconds(1), return: seconds(1) },
      { op: 'keepAlive', lease: '7', ttl: 0, call: seconds(2.5), return: seconds(2.6) },
    ],
    [3, 2],
  ],
  [
    'a lease lives its TTL, and no longer',
    [grant, put('a', '1', 0, { ...leased, revision: undefined, outcome: 'fail', error: 'leaseNotFound' })],
    [2, 1],
  ],
  [
    'a lease lives its TTL, and no longer',
    [
      grant,
      put('a', '1', 2, leased),
      { op: 'keepAlive', lease: '7', ttl: 0, call: seconds(3), return: seconds(3) },
      range('a', 2, [kv('a', '1', 2, 2, 1, leased)], { call: seconds(4), return: seconds(4) }),
    ],
    [4, 3],
  ],
  [
    'a lease lives its TTL, and no longer',
    [grant, { op: 'revoke', lease: '7', revision: 1 }, { op: 'keepAlive', lease: '7', ttl: 2 }],
    [3, 2],
  ],
  [
    'a lease lives its TTL, and no longer',
    [grant, { op: 'revoke', lease: '7', revision: 1 }, put('a', '1', 2, leased)],
    [3, 2],
  ],
  ['a lease lives its TTL, and no longer', [put('a', '1', 2, leased)], [1]],
  // The lease had ended by itself, so it was not there to be revoked.
  [
    'a lease lives its TTL, and no longer',
    [
      ...[grant, put('a', '1', 2, leased), watch(2)],
      told(3, [putEvent('a', '1', 2, 2, 1, leased), gone('a', 3)], { return: seconds(2.5) }),
      { op: 'revoke', lease: '7', revision: 3, ...late },
    ],
    [5, 4],
  ],
  // The deletion was told before the lease was revoked.
  [
    'a lease lives its TTL, and no longer',
    [
      ...[grant, put('a', '1', 2, leased), watch(2)],
      told(3, [putEvent('a', '1', 2, 2, 1, leased), gone('a', 3)]),
      { op: 'revoke', lease: '7', revision: 3 },
    ],
    [4, 1],
  ],
  [
    'a lease lives its TTL, and no longer',
    [grant, put('a', '1', 2, leased), put('b', '1', 3), { op: 'revoke', lease: '7', revision: 3 }],
    [4],
  ],
  ['a lease lives its TTL, and no longer', [{ op: 'keepAlive', lease: '9', ttl: 2 }], [1]],
  ['a lease lives its TTL, and no longer', [{ op: 'revoke', lease: '9', revision: 1 }], [1]],
  [
    'a watch that was cancelled tells nothing',
    [
      ...[put('a', '1', 2), watch(2), told(2, [putEvent('a', '1', 2)])],
      ...[told(2, [], { canceled: true }), put('a', '2', 3), told(3, [putEvent('a', '2', 3, 2, 2)])],
    ],
    [6, 4],
  ],
  [
    'what was compacted is answered as such',
    [put('a', '1', 2), { op: 'compact', atRevision: 3, revision: 2 }],
    [2],
  ],
  [
    'what was compacted is answered as such',
    [
      ...[put('a', '1', 2), put('a', '2', 3), { op: 'compact', atRevision: 3, revision: 3 }],
      { op: 'compact', atRevision: 2, revision: 3 },
    ],
    [4, 3],
  ],
  // Nobody else compacted.
  [
    'what was compacted is answered as such',
    [put('a', '1', 2), { op: 'compact', atRevision: 2, outcome: 'fail', error: 'compacted' }],
    [2],
  ],
  [
    'revisions never go back',
    [put('a', '1', 2), { op: 'compact', atRevision: 2, outcome: 'fail', error: 'futureRevision' }],
    [2, 1],
  ],
  [
    'a lease lives its TTL, and no longer',
    [
      grant,
      txn([{ op: 'put', key: 'a', value: '1', ...leased }], [], 0, {
        ...{ revision: undefined, succeeded: undefined, responses: undefined },
        ...{ outcome: 'fail', error: 'leaseNotFound' },
      }),
    ],
    [2, 1],
  ],
  // The put came behind the revoke, and at the same time.
  [
    'a lease lives its TTL, and no longer',
    [
      ...[grant, { op: 'revoke', lease: '7', revision: 1 }],
      put('a', '1', 2, { ...leased, call: 10, return: 30 }),
    ],
    [3, 2],
  ],
  // A revoke is answered with the revision in which it deletes the keys.
  [
    'a lease lives its TTL, and no longer',
    [
      ...[
        grant,
        put('a', '1', 2, leased),
        watch(2),
        told(3, [putEvent('a', '1', 2, 2, 1, leased), gone('a', 3)], { return: 50 }),
      ],
      ...[
        put('b', '1', 4, { call: 40, return: 51 }),
        { op: 'revoke', lease: '7', revision: 4, call: 30, return: 51 },
      ],
    ],
    [4, 1],
  ],
]

const grant8 = { ...grant, lease: '8' }
const revoke = (lease: string, revision: number): object => ({ op: 'revoke', lease, revision })
const later = { call: seconds(4), return: seconds(4) + 1 }

describe('a right history is no contradiction', () => {
  test.each<[string, EtcdResult['verdict'], readonly object[]]>([
    [
      'if a revoke that deletes nothing tells the revision of a write of unknown outcome',
      'consistent',
      [lost('a', '1'), grant8, revoke('8', 2), range('a', 2, [kv('a', '1', 2)])],
    ],
    [
      'if two revokes tell one revision',
      'consistent',
      [
        ...[grant, grant8, put('a', '1', 2, leased), watch(2), revoke('7', 3), revoke('8', 3)],
        told(3, [putEvent('a', '1', 2, 2, 1, leased), gone('a', 3)]),
      ],
    ],
    [
      'if a revoke tells the revision in which another lease ended',
      'consistent',
      [
        ...[grant, grant8, put('a', '1', 2, leased), watch(2)],
        { ...revoke('8', 3), ...late },
        told(3, [putEvent('a', '1', 2, 2, 1, leased), gone('a', 3)], { return: seconds(3) + 2 }),
      ],
    ],
    [
      'if a write of unknown outcome took the lease from a key before the revoke',
      'consistent',
      [
        grant,
        put('a', '1', 2, leased),
        lost('a', 'w'),
        revoke('7', 3),
        range('a', 3, [kv('a', 'w', 3, 2, 2)]),
      ],
    ],
    [
      'if nobody saw that write',
      'unknown',
      [grant, put('a', '1', 2, leased), lost('a', 'w'), put('b', '1', 4), revoke('7', 4)],
    ],
    [
      'if the lease of an earlier version of a key ended',
      'unknown',
      [
        ...[grant, put('a', 'v', 2, leased), put('a', 'w', 4, late)],
        txn([{ op: 'put', key: 'a', value: 'x' }], [{}], 5, {
          ...{ compare: [{ key: 'a', target: 'createRevision', result: '=', value: 4 }] },
          ...later,
        }),
      ],
    ],
    [
      'if one of several leases within the span ended',
      'unknown',
      [
        ...[grant, grant8, put('a', '1', 2, leased), put('b', '1', 3, { lease: '8' })],
        { op: 'keepAlive', lease: '7', ttl: 9 },
        del('a', 1, 5, { ...all, ...late }),
      ],
    ],
    [
      'if a delete of unknown outcome left nothing for the next one',
      'unknown',
      [
        ...[put('a', '1', 2), put('b', '1', 3), del('a', 0, 0, unknown), watch(5), del('a', 1, 5, all)],
        told(5, [gone('b', 5)]),
      ],
    ],
    [
      'if a transaction deletes a key twice',
      'consistent',
      [
        put('a', '1', 2),
        txn(
          [
            { op: 'delete', key: 'a' },
            { op: 'delete', key: 'a', ...all },
          ],
          [{ deleted: 1 }, { deleted: 0 }],
          3,
        ),
      ],
    ],
    [
      'if a value is put again',
      'unknown',
      [
        ...[put('k', 'a', 2), lost('k', 'v'), put('x', '1', 4), lost('k', 'v')],
        range('k', 5, [kv('k', 'v', 5, 2, 3)]),
      ],
    ],
    [
      'if nobody recorded where a watch from now on begins',
      'consistent',
      [put('a', '1', 2), watch(0), put('a', '2', 3), told(3, [putEvent('a', '2', 3, 2, 2)])],
    ],
    [
      'if a transaction took the branch that an unseen event says',
      'unknown',
      [
        ...[
          watch(2, { key: 'b', rangeEnd: 'c' }),
          put('a', '1', 2),
          put('b', '1', 3),
          del('a', 0, 0, unknown),
        ],
        {
          ...{ op: 'txn', ...unknown, compare: [{ key: 'a', target: 'version', result: '=', value: 1 }] },
          success: [
            { op: 'put', key: 'c', value: '1' },
            { op: 'delete', key: 'b' },
          ],
          failure: [{ op: 'put', key: 'c', value: '1' }],
        },
        range('c', 5, [kv('c', '1', 5)]),
        told(5, [putEvent('b', '1', 3)]),
        told(5, []),
      ],
    ],
    [
      'if such a transaction changed other keys as well, which a read shows',
      'unknown',
      [
        ...[put('b', '1', 2), del('b', 0, 0, unknown), put('a', '1', 4)],
        {
          ...{ op: 'txn', ...unknown, compare: [{ key: 'b', target: 'version', result: '=', value: 0 }] },
          success: [
            { op: 'put', key: 'c', value: '1' },
            { op: 'delete', key: 'a' },
          ],
          failure: [],
        },
        range('c', 5, [kv('c', '1', 5)]),
        range('a', 5, []),
      ],
    ],
    [
      'if such a transaction deleted what a deletion of unknown outcome had deleted before',
      'unknown',
      [
        ...[watch(2, { rangeEnd: 'b' }), put('a', '1', 2), del('a', 0, 0, unknown)],
        ...[told(3, [putEvent('a', '1', 2), gone('a', 3)]), put('a', '2', 4), lost('b', '1')],
        {
          ...{ op: 'txn', ...unknown, compare: [{ key: 'b', target: 'version', result: '=', value: 1 }] },
          success: [{ op: 'delete', key: 'a' }],
          failure: [],
        },
        told(6, [putEvent('a', '2', 4), gone('a', 6)]),
      ],
    ],
    [
      'if a delete of many keys deletes one that only a transaction of unknown outcome wrote',
      'consistent',
      [
        watch(2, { rangeEnd: 'b' }),
        {
          ...{ op: 'txn', ...unknown, compare: [], failure: [] },
          success: [
            { op: 'put', key: 'a', value: '1' },
            { op: 'put', key: 'b', value: '1' },
          ],
        },
        told(2, [putEvent('a', '1', 2)]),
        del('a', 2, 3, all),
        range('b', 3, []),
      ],
    ],
    [
      'if either branch of a transaction of unknown outcome may have been taken, since an unseen event may have come before it',
      'unknown',
      [
        ...[watch(2, { key: 'b' }), put('a', '1', 2), put('b', '1', 3), lost('a', '2')],
        {
          ...{ op: 'txn', ...unknown, failure: [] },
          compare: [{ key: 'a', target: 'modRevision', result: '=', value: 4 }],
          success: [
            { op: 'put', key: 'a', value: '3' },
            { op: 'delete', key: 'b' },
          ],
        },
        ...[del('a', 0, 0, { ...all, ...unknown }), told(5, [putEvent('b', '1', 3), gone('b', 5)])],
        ...[put('a', '4', 6), range('a', 6, [kv('a', '4', 6, 2, 4)])],
      ],
    ],
    [
      'if the end of a lease deletes no key that an unseen put had taken off the lease',
      'unknown',
      [
        ...[grant, put('a', '1', 2, leased), put('b', '1', 3, leased), lost('a', '2')],
        ...[
          watch(2, { key: 'b', rangeEnd: 'c' }),
          told(5, [putEvent('b', '1', 3, 3, 1, leased), gone('b', 5)], late),
        ],
        txn([{ op: 'delete', key: 'a' }], [{ deleted: 1 }], 6, {
          ...{ compare: [{ key: 'a', target: 'modRevision', result: '=', value: 4 }] },
          ...{ call: seconds(4), return: seconds(4) + 1 },
        }),
      ],
    ],
    [
      'if a key is shown as of an earlier revision than a call would have written it that is one of two possible makers',
      'unknown',
      [
        ...[grant, put('a', '1', 2, leased), put('b', '1', 3), put('c', '1', 4, leased)],
        {
          ...{ op: 'txn', ...unknown, compare: [], failure: [] },
          success: [
            { op: 'put', key: 'b', value: '2' },
            { op: 'delete', key: 'a' },
          ],
        },
        ...[watch(5, { key: 'a', rangeEnd: 'b' }), told(5, [gone('a', 5)], { return: seconds(3) })],
        range('b', 5, [kv('b', '1', 3)], { call: seconds(4), return: seconds(4) + 1 }),
      ],
    ],
    [
      'if a revoke deletes nothing, since a lost delete took its keys and others in the revision that it tells',
      'unknown',
      [
        ...[grant, put('a', '1', 2, leased), put('b', '1', 3), del('a', 0, 0, { ...all, ...unknown })],
        ...[revoke('7', 4), range('a', 4, [], all)],
      ],
    ],
    [
      'if a revoke deletes nothing, since a lost put took its key off the lease in the revision that it tells',
      'unknown',
      [
        ...[grant, put('a', '1', 2, leased), lost('a', '2'), revoke('7', 3)],
        txn([{ op: 'delete', key: 'a' }], [{ deleted: 1 }], 4, {
          compare: [{ key: 'a', target: 'modRevision', result: '=', value: 3 }],
        }),
      ],
    ],
    [
      'if the end of another lease deleted a key, since a lost put had given it that lease',
      'unknown',
      [
        ...[
          grant,
          grant8,
          put('a', '1', 2, leased),
          put('b', '1', 3, leased),
          put('c', '1', 4, { lease: '8' }),
        ],
        ...[lost('a', '2'), put('a', '3', 0, { ...unknown, lease: '8' })],
        ...[watch(7, { rangeEnd: 'b' }), told(7, [gone('a', 7)], { return: seconds(3) })],
        range('b', 7, [kv('b', '1', 3, 3, 1, leased)], { ...all, ...later }),
      ],
    ],
    [
      'if a lost delete of many keys deleted one that a lost put wrote',
      'unknown',
      [
        ...[
          watch(2, { rangeEnd: 'b' }),
          put('a', '1', 2),
          lost('b', '1'),
          del('a', 0, 0, { ...all, ...unknown }),
        ],
        ...[told(4, [putEvent('a', '1', 2), gone('a', 4)]), watch(4, { watch: 'v', key: 'b' })],
        told(4, [gone('b', 4)], { watch: 'v' }),
      ],
    ],
    [
      'if one of several comparisons failed, since a lost put came before it',
      'unknown',
      [
        ...[put('a', '1', 2), put('b', '1', 3), lost('b', '2')],
        txn([], [], 4, {
          ...{ succeeded: false, failure: [] },
          compare: ['a', 'b'].map((key) => ({ key, target: 'version', result: '=', value: 1 })),
        }),
      ],
    ],
    [
      'if a lost delete of many keys deletes one of two, since another lost delete took the other before',
      'unknown',
      [
        ...[put('b', '1', 2), del('b', 0, 0, unknown), del('a', 0, 0, unknown), put('a', '1', 4)],
        ...[put('a', '2', 6), del('a', 0, 0, { ...all, ...unknown }), watch(4)],
        told(7, [putEvent('a', '1', 4), gone('a', 5), putEvent('a', '2', 6), gone('a', 7)]),
      ],
    ],
    [
      'if the cancel for a compaction has no revision',
      'consistent',
      [
        ...[put('a', '1', 2), put('a', '2', 3), { op: 'compact', atRevision: 3, revision: 3 }, watch(2)],
        told(0, [], { canceled: true, compactRevision: 3 }),
      ],
    ],
  ])('%s', (_, verdict, lines) => {
    expect(judged(...lines)).toMatchObject({ verdict, failures: [] })
  })
})

test.each(broken)('%s %#', (rule, lines, named) => {
  const result = judged(...lines)
  expect(rulesOf(result)).toEqual([rule])
  expect(result.verdict).toBe('inconsistent')
  expect(namedBy(result)).toEqual(named)
})

test('a key that no watch tells of may have been deleted by a call of unknown outcome: the history is left open', () => {
  const lost = [
    put('a', '1', 2),
    del('a', 0, 0, { ...unknown, call: 20 }),
    range('a', 3, [], { call: 40, return: 41 }),
  ]
  expect(judged(...lost)).toMatchObject({ verdict: 'unknown', undecided: [{ records: [2, 0] }] })
  // The watch would have told of it.
  const watched = [...lost, watch(2), told(3, [putEvent('a', '1', 2)]), told(3, [])]
  expect(judged(...watched).verdict).toBe('inconsistent')
})

test('a hundred open questions are told, and all are counted', () => {
  const reads = Array.from({ length: 150 }, () => range('a', 3, [], { call: 40, return: 41 }))
  const { undecided, undecidedCount } = judged(
    put('a', '1', 2),
    del('a', 0, 0, { ...unknown, call: 20 }),
    ...reads,
  )
  expect(undecided).toHaveLength(100)
  expect(undecidedCount).toBe(150)
})

test('a judgement that runs out of time says so before all other open questions', () => {
  const reads = Array.from({ length: 150 }, () => range('a', 3, [], { call: 40, return: 41 }))
  const lines = [put('a', '1', 2), del('a', 0, 0, { ...unknown, call: 20 }), ...reads]
  const records = lines.map((line) =>
    parseEtcdRecord(JSON.stringify({ client: 0, call: 1, return: 2, outcome: 'ok', ...line })),
  )
  let looks = 0
  const all = judgeEtcd(records, { isTimeUp: () => ++looks < 0 })
  let left = looks - 1
  const { undecided, undecidedCount } = judgeEtcd(records, { isTimeUp: () => --left < 0 })
  expect(all.undecidedCount).toBeGreaterThan(100)
  expect(undecided[0]?.rule).toBe('time')
  expect(undecided).toHaveLength(100)
  expect(undecidedCount).toBeGreaterThan(100)
})

test('a judgement that has no time says so, and is no yes', () => {
  const lines = Array.from({ length: 600 }, (_, at) => put('a', String(at), at + 2))
  const records = lines.map((line, at) =>
    parseEtcdRecord(
      JSON.stringify({ client: 0, call: 10 * at, return: 10 * at + 1, outcome: 'ok', ...line }),
    ),
  )
  expect(judgeEtcd(records).verdict).toBe('consistent')
  expect(judgeEtcd(records, { isTimeUp: () => true })).toMatchObject({
    verdict: 'unknown',
    undecided: [{ rule: 'time' }],
  })
})

test('a message says which records contradict each other, and how', () => {
  const [failure] = judged(put('a', '1', 2), put('a', '2', 3), range('a', 3, [kv('a', '1', 2)])).failures
  expect(failure?.message).toBe(
    'record 3 (range "a" → "a" = "1" of 2, revision 3, client 0) shows "a" as of 2 and not 3: record 2 (put "a" "2" → revision 3, client 0)',
  )
})
