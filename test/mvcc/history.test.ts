import { expect, test } from 'vitest'
import { type Event, historyOf, historyQuery, Machine } from './machine-help.js'

function told(events: Event[] | number): string[] {
  if (typeof events === 'number') throw new Error(`compacted at ${events}`)
  return events.map(({ revision, type, key }) => `${revision} ${type} ${key}`)
}

function filled(): Machine {
  const machine = new Machine()
  machine.put('a', '1')
  machine.do('txn', { success: [{ requestPut: { key: 'b' } }, { requestDeleteRange: { key: 'a' } }] })
  machine.put('a', '2')
  machine.delete('\0', '\0')
  return machine
}

const all = ['2 put a', '3 put b', '3 delete a', '4 put a', '5 delete a', '5 delete b']

test('[HY1] every change comes in order, all of a revision or none', () => {
  const machine = filled()
  for (let from = -1; from <= 7; from++) {
    expect(told(historyOf(machine, from))).toEqual(all.filter((event) => Number(event[0]) >= from))
  }
  expect(told(historyOf(machine, 3, 0))).toEqual(['3 put b', '3 delete a'])
  const bytes = machine.read('history', historyQuery(3, 0)).body.byteLength
  expect(told(historyOf(machine, 3, bytes))).toEqual(['3 put b', '3 delete a'])
  for (let bytesMax = 0; bytesMax < 300; bytesMax++) {
    const { body } = machine.read('history', historyQuery(3, bytesMax))
    expect(body.byteLength).toBeLessThanOrEqual(Math.max(bytes, bytesMax))
    const events = told(historyOf(machine, 3, bytesMax))
    expect(events).toEqual(all.slice(1, 1 + events.length))
    expect([2, 3, 5]).toContain(events.length)
  }
})

test('[HY1] pieces of any size make the whole', () => {
  const machine = new Machine()
  const expected: string[] = []
  for (let at = 0; at < 3000; at++) {
    const revision = machine.put(`k${at % 70}`, 'v'.repeat(at % 300))
    expected.push(`${revision} put k${at % 70}`)
  }
  for (const bytesMax of [0, 1000, 100_000, 10_000_000]) {
    const found: string[] = []
    for (let from = 0; ; ) {
      const events = told(historyOf(machine, from, bytesMax))
      found.push(...events)
      if (events.length === 0) break
      from = Number.parseInt(events.at(-1)!, 10) + 1
    }
    expect(found).toEqual(expected)
  }
})

test('[HY2] a history from below the compaction tells where it is', () => {
  const machine = filled()
  machine.compact(4)
  expect(historyOf(machine, 3)).toBe(4)
  expect(historyOf(machine, -1)).toBe(4)
  expect(told(historyOf(machine, 4))).toEqual(['4 put a', '5 delete a', '5 delete b'])
})

test('[HY3] a delete has its key and its revision', () => {
  const [event] = historyOf(filled(), 5) as Event[]
  expect(event?.kv).toEqual({
    key: 'a',
    modRevision: 5,
    createRevision: 0,
    version: 0,
    value: '',
    lease: 0,
  })
})

test('[HY4] the key-value before is that of the revision before', () => {
  const machine = filled()
  const prevs = () =>
    (historyOf(machine, 4) as Event[]).map(({ type, key, prev }) => `${type} ${key} ${prev?.['value']}`)
  expect((historyOf(machine, 2) as Event[])[2]).toMatchObject({ type: 'delete', prev: { value: '1' } })
  expect(prevs()).toEqual(['put a undefined', 'delete a 2', 'delete b '])
  // Put and deleted within one revision: the revision before had the key with another value, or had no such key.
  const within = (key: string) => ({
    success: [
      { requestTxn: { success: [{ requestPut: { key, value: 'within' } }] } },
      { requestTxn: { success: [{ requestDeleteRange: { key } }] } },
    ],
  })
  machine.put('c', 'before')
  machine.do('txn', within('c'))
  machine.do('txn', within('d'))
  expect(historyOf(machine, 7)).toMatchObject([
    { type: 'put', key: 'c', prev: { value: 'before' } },
    { type: 'delete', key: 'c', prev: { value: 'before' } },
    { type: 'put', key: 'd', prev: undefined },
    { type: 'delete', key: 'd', prev: undefined },
  ])
  machine.compact(7)
  expect(historyOf(machine, 7)).toMatchObject([{ prev: undefined }, { prev: undefined }, {}, {}])
})

test('[HY4] a put tells nothing of a key that the same transaction has deleted before it', () => {
  const machine = new Machine()
  machine.put('k', '1')
  const fromKeyOn = { requestDeleteRange: { key: 'k', rangeEnd: '\0' } }
  machine.do('txn', { success: [fromKeyOn, { requestPut: { key: 'k', value: '2' } }] })
  expect(historyOf(machine, 3)).toMatchObject([
    { revision: 3, type: 'delete', key: 'k', prev: { value: '1' } },
    { revision: 3, type: 'put', key: 'k', prev: undefined },
  ])
})
