/** The judge of etcd's histories works in turns from its first record on, and keeps a bounded number of doubts. */
import { describe, expect, test } from 'vitest'
import { type EtcdRecord, judgeEtcd, judgeEtcdInTurns, type WatchEvent } from '../../../src/check/index.js'
import { Dice } from '../../../src/faults/index.js'

const ok = { client: 0, outcome: 'ok' } as const
const lost = { client: 1, outcome: 'unknown', return: null } as const
const times = (at: number): { call: number; return: number } => ({ call: 10 * at, return: 10 * at + 1 })
const everyKey = { key: '\0', rangeEnd: '\0' }

/** The places of the records of which a field was read. */
function counted(records: readonly EtcdRecord[]): { records: EtcdRecord[]; read: Set<number> } {
  const read = new Set<number>()
  const watched = records.map(
    (record, at) =>
      new Proxy(record, {
        get: (target, field) => {
          read.add(at)
          return Reflect.get(target, field)
        },
      }),
  )
  return { records: watched, read }
}

describe('the records are read in turns', () => {
  const all = Array.from(
    { length: 10_000 },
    (_, at): EtcdRecord => ({
      ...{ ...ok, ...times(at), op: 'put', key: `k${at % 7}`, value: `${at}`, revision: at + 2 },
    }),
  )

  test('so one that is given up has not read the rest', () => {
    const { records, read } = counted(all)
    const turns = judgeEtcdInTurns(records)
    for (let turn = 1; turn <= 3; turn++) {
      expect(turns.next().done).toBe(false)
      expect(read.size, `after turn ${turn}`).toBeLessThan(turn * 1000)
    }
  })

  test('so one that runs out of time has not read the rest', () => {
    const { records, read } = counted(all)
    let looks = 0
    const { verdict, undecided } = judgeEtcd(records, { isTimeUp: () => ++looks > 500 })
    expect(read.size).toBeLessThan(1000)
    expect([verdict, undecided[0]?.rule]).toEqual(['unknown', 'time'])
  })

  test('and no turn goes through all of them', () => {
    const { records, read } = counted(all)
    const turns = judgeEtcdInTurns(records)
    let most = 0
    for (let isDone = false; !isDone; ) {
      read.clear()
      isDone = turns.next().done === true
      most = Math.max(most, read.size)
    }
    expect(most).toBeLessThan(1000)
  })
})

test('the order of the lines does not matter in a long history, either', () => {
  const key = (at: number): string => `k${at % 700}`
  const calls = Array.from(
    { length: 2000 },
    (_, at): EtcdRecord => ({
      ...{ ...ok, ...times(at), op: 'put', key: key(at), value: `${at}`, revision: at + 2 },
    }),
  )
  const told = calls.map(
    (_, at): EtcdRecord => ({
      ...{ op: 'watchResponse', client: 0, watch: 'w', return: times(at).return, revision: at + 2 },
      events: [
        {
          ...{ type: 'put', key: key(at), value: `${at}`, createRevision: (at % 700) + 2 },
          ...{ modRevision: at + 2, version: Math.floor(at / 700) + 1 },
        },
      ],
    }),
  )
  const watch: EtcdRecord = { op: 'watch', client: 0, watch: 'w', ...everyKey, startRevision: 2, call: 0 }
  const stale: EtcdRecord = { ...ok, ...times(2000), op: 'range', key: key(7), kvs: [], revision: 1500 }
  const shuffled = new Dice(1).shuffled([watch, ...calls, ...told])
  expect(judgeEtcd(shuffled)).toMatchObject({ verdict: 'consistent', failures: [] })
  expect(judgeEtcd([...shuffled, stale]).failures.map(({ rule }) => rule)).toEqual([
    'revisions never go back',
    'a range shows its revision',
  ])
})

describe('a history with more doubts than are kept is left open, and says so:', () => {
  test('transactions that do not show keys which a lost deletion may have deleted', () => {
    const keys = Array.from({ length: 1000 }, (_, at) => `k${String(at).padStart(3, '0')}`)
    const puts = keys.map(
      (key, at): EtcdRecord => ({
        ...{ ...ok, ...times(at), op: 'put', key, value: 'v', revision: at + 2 },
      }),
    )
    const deletion: EtcdRecord = { ...lost, op: 'delete', ...everyKey, call: times(1000).call }
    // Each of them shows nothing, and so leaves a thousand keys in doubt.
    const reads = Array.from(
      { length: 101 },
      (_, at): EtcdRecord => ({
        ...{ ...ok, ...times(1001 + at), op: 'txn', compare: [], failure: [], succeeded: true },
        success: [
          { op: 'range', key: 'k', rangeEnd: 'l' },
          { op: 'put', key: 'x', value: `${at}` },
        ],
        ...{ responses: [{ kvs: [] }, {}], revision: 1100 + at },
      }),
    )
    const { verdict, undecided, undecidedCount } = judgeEtcd([...puts, deletion, ...reads])
    expect(verdict).toBe('unknown')
    expect(undecided[0]).toEqual({
      ...{ rule: 'memory', records: [] },
      message: 'more was in doubt at once than a judgement keeps, and 1000 of the doubts were not judged',
    })
    expect(undecidedCount).toBe(100_001)
  })

  test('revisions that each of many lost writes may have made', () => {
    const revisions = 320
    const puts = Array.from(
      { length: revisions },
      (): EtcdRecord => ({
        ...{ ...lost, op: 'put', key: 'k', value: 'v', call: 0 },
      }),
    )
    const events = Array.from(
      { length: revisions },
      (_, at): WatchEvent => ({
        ...{ type: 'put', key: 'k', value: 'v', createRevision: 2, modRevision: at + 2, version: at + 1 },
      }),
    )
    const told = (events: readonly WatchEvent[]): EtcdRecord[] => [
      { op: 'watch', client: 'w', watch: 'w', key: 'k', startRevision: 2, call: 0 },
      { op: 'watchResponse', client: 'w', watch: 'w', return: 1, revision: events.length + 1, events },
    ]
    const { verdict, failures, undecided } = judgeEtcd([...puts, ...told(events)])
    expect([verdict, failures]).toEqual(['unknown', []])
    expect(undecided).toMatchObject([{ rule: 'memory' }])
    // With fewer of them, each revision is given one.
    expect(judgeEtcd([...puts, ...told(events.slice(0, 100))]).verdict).toBe('consistent')
  })
})
