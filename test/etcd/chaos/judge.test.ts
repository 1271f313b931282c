/** The judge itself: a history that is right passes, and each lie in it is found. */
import { expect, test } from 'vitest'
import type { Event, History } from './history.js'
import { judge } from './judge.js'

const put = (revision: number, key: string, value: string): Event => ({ revision, type: 'put', key, value })
const gone = (revision: number, key: string): Event => ({ revision, type: 'delete', key, value: '' })

const events = [put(2, 'k', 'a'), put(3, 'k', 'b'), put(4, 'l', 'of lease'), gone(5, 'l'), put(6, 'k', 'c')]

const right: History = {
  writes: [
    { type: 'put', key: 'k', value: 'a', floor: 0, outcome: { done: 2 } },
    { type: 'swap', key: 'k', value: 'b', floor: 2, expected: 2, outcome: { done: 3 } },
    { type: 'put', key: 'l', value: 'of lease', floor: 3, outcome: { done: 4 } },
    { type: 'put', key: 'k', value: 'c', floor: 3, outcome: 'unknown' },
    { type: 'put', key: 'k', value: 'never came', floor: 3, outcome: 'unknown' },
  ],
  reads: [
    { key: 'k', floor: 2, revision: 4, held: { value: 'b', revision: 3 } },
    { key: 'l', floor: 4, revision: 5, held: undefined },
  ],
  leases: [{ id: '7', ttlMs: 2000, keys: ['l'], keptAtMs: 1000, endedAtMs: 3001 }],
  watchers: [
    { name: 'first', from: 2, events },
    { name: 'later', from: 5, events: events.slice(3) },
  ],
  events,
  state: new Map([['k', { value: 'c', revision: 6 }]]),
}

const [write, swap, ofLease, ...others] = right.writes as [never, never, never]
const [lease] = right.leases as [(typeof right.leases)[0]]

const lies: Readonly<Record<string, Partial<History>>> = {
  'a watcher is told an event twice': {
    watchers: [{ name: 'w', from: 2, events: [...events.slice(0, 2), ...events.slice(1)] }],
  },
  'a watcher is told the last event twice': {
    watchers: [{ name: 'w', from: 2, events: [...events, ...events.slice(-1)] }],
  },
  'a watcher misses an event': { watchers: [{ name: 'w', from: 2, events: events.toSpliced(2, 1) }] },
  'a watcher misses the last event': { watchers: [{ name: 'w', from: 2, events: events.slice(0, -1) }] },
  'a watcher is told events in another order': {
    watchers: [{ name: 'w', from: 2, events: [events[1], events[0], ...events.slice(2)] as Event[] }],
  },
  'a lease ends early': { leases: [{ ...lease, endedAtMs: 2990 }] },
  'a lease never ends': { leases: [{ ...lease, endedAtMs: undefined }] },
  'a key outlives its lease': {
    events: events.toSpliced(3, 1),
    watchers: [],
    reads: [],
    state: new Map([...right.state, ['l', { value: 'of lease', revision: 4 }]]),
  },
  'a read is stale': { reads: [{ key: 'k', floor: 3, revision: 2, held: { value: 'a', revision: 2 } }] },
  'a read tells an old value': {
    reads: [{ key: 'k', floor: 3, revision: 4, held: { value: 'a', revision: 2 } }],
  },
  'a read tells a key that is gone': {
    reads: [{ key: 'l', floor: 4, revision: 5, held: { value: 'of lease', revision: 4 } }],
  },
  'an acknowledged write is lost': {
    writes: [...right.writes, { type: 'put', key: 'k', value: 'x', floor: 0, outcome: { done: 7 } }],
  },
  'a write is before what was known': {
    writes: [write, swap, ofLease, { type: 'put', key: 'k', value: 'c', floor: 6, outcome: { done: 6 } }],
  },
  'a swap is done upon another revision': {
    writes: [
      write,
      { type: 'swap', key: 'k', value: 'b', floor: 0, expected: 0, outcome: { done: 3 } },
      ofLease,
      ...others,
    ],
  },
  'a refused write is done': {
    writes: [write, swap, ofLease, { type: 'put', key: 'k', value: 'c', floor: 3, outcome: 'refused' }],
  },
  'an event that nobody asked for': { writes: [write, swap, ofLease] },
  'the state is not what the events say': { state: new Map([['k', { value: 'b', revision: 3 }]]) },
}

test('a history that is right passes', () => {
  expect(judge(right)).toEqual([])
})

test.each(Object.keys(lies))('the judge finds it when %s', (name) => {
  expect(judge({ ...right, ...lies[name] })).not.toEqual([])
})
