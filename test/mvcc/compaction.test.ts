import { expect, test } from 'vitest'
import { readFigures } from '../../src/mvcc/index.js'
import { everything, historyOf, Machine } from './machine-help.js'

/** a put at 2, 3 and 6; b put at 4, deleted at 5. */
function filled(): Machine {
  const machine = new Machine()
  machine.put('a', '1')
  machine.put('a', '2')
  machine.put('b', '3')
  machine.delete('b')
  machine.put('a', '4')
  return machine
}

test('[KC1] a compaction goes forward, and not beyond the present', () => {
  const machine = filled()
  expect(machine.compact(7)).toBe('futureRevision')
  expect(machine.compact(4)).toBe('ok')
  expect(machine.compact(4)).toBe('compacted')
  expect(machine.compact(3)).toBe('compacted')
  expect(machine.compact(6)).toBe('ok')
  const fresh = new Machine()
  expect(fresh.compact(-1)).toBe('compacted')
  expect(fresh.compact(0)).toBe('ok')
  expect(fresh.compact(0)).toBe('compacted')
})

test('[KC2] reads below the compaction are refused, others are as before', () => {
  const machine = filled()
  const before = [4, 5, 6].map((revision) => machine.range({ ...everything, revision }))
  machine.compact(4)
  expect(machine.do('range', { ...everything, revision: 3 })).toBe('compacted')
  expect([4, 5, 6].map((revision) => machine.range({ ...everything, revision }))).toEqual(before)
  expect(machine.do('hashKV', { revision: 4 })).toBe('compacted')
})

test('[KC3] only what is in force at the compaction stays of the time before', () => {
  const machine = filled()
  machine.compact(5)
  const kept = historyOf(machine, 5)
  expect(kept).toMatchObject([
    { revision: 5, type: 'delete', key: 'b' },
    { revision: 6, type: 'put', key: 'a', prev: { value: '2' } },
  ])
  machine.compact(6)
  expect(historyOf(machine, 6)).toMatchObject([{ revision: 6, key: 'a', prev: undefined }])
  machine.put('b', '5')
  expect(machine.do('range', { key: 'b' })).toMatchObject({ kvs: [{ createRevision: 7, version: 1 }] })
})

test('[KC4] memory is freed in portions, and nothing shows how far that is', () => {
  const machine = new Machine()
  const value = 'x'.repeat(1000)
  const put = (at: number) => machine.put(`k${at % 500}`, value)
  for (let at = 0; at < 5000; at++) put(at)
  for (let at = 0; at < 100; at++) machine.delete(`k${at}`)
  const revision = Number(machine.machine.summary?.()['revision'])
  const bytes = () => readFigures(machine.read('figures', Buffer.alloc(0)).body)
  const full = bytes()
  expect(full).toMatchObject({ revision, compactRevision: -1, keys: 400, revisions: 5100 })
  machine.compact(revision)
  const told = () => [machine.hash(), machine.range(everything), historyOf(machine, revision)]
  const before = told()
  let portions = 0
  for (let figures = bytes(), last = Infinity; figures.bytes < last; figures = bytes()) {
    last = figures.bytes
    expect(told()).toEqual(before)
    machine.idle(1)
    portions++
  }
  expect(portions).toBeGreaterThan(10)
  // The last segment waits until it is full.
  expect(bytes()).toMatchObject({ keys: 400, compactRevision: revision })
  expect(bytes().bytes).toBeLessThan(full.bytes / 5)
  // The keys that are left can be changed, compacted and swept again.
  for (let at = 0; at < 1000; at++) put(at)
  machine.compact(Number(machine.machine.summary?.()['revision']))
  machine.idle(50)
  expect(machine.range({ ...everything, limit: 1 })).toEqual([`k0=${value}`])
  expect(bytes().revisions).toBeLessThan(1200)
})

test('[KC4] compactions that follow each other faster than memory is freed leave the store whole', () => {
  const machine = new Machine()
  const value = 'x'.repeat(60_000)
  const latest = new Map<string, string>()
  for (let at = 0; at < 400; at++) {
    const key = `k${10 + ((at * 7) % 13)}`
    if (at % 5 === 0) {
      machine.delete(key)
      latest.delete(key)
    } else {
      machine.put(key, `${at} ${value}`)
      latest.set(key, `${key}=${at}`)
    }
    if (at % 3 === 0) machine.compact(Number(machine.machine.summary?.()['revision']) - (at % 4))
  }
  machine.idle(100)
  const found = machine.range(everything).map((pair) => pair.split(' ')[0])
  expect(found).toEqual([...latest.values()].sort())
})

test('[KC3][KS2] what a compaction drops leaves no trace in the hash', () => {
  const hashOf = (old: string, compacted: number) => {
    const machine = new Machine()
    machine.put('a', old)
    machine.put('a', 'new')
    machine.put('b', old)
    machine.delete('b')
    machine.compact(compacted)
    return machine.hash()
  }
  expect(hashOf('1', 5)).toBe(hashOf('2', 5))
  expect(hashOf('1', 4)).not.toBe(hashOf('2', 4))
  const replaced = (old: string) => {
    const machine = new Machine()
    machine.put('a', old)
    machine.put('a', 'new')
    machine.compact(3)
    return machine.hash()
  }
  expect(replaced('1')).toBe(replaced('2'))
})

test('[KC4] a segment of thousands of short records is freed in portions, with what stays of it', () => {
  const machine = new Machine()
  const keyOf = (at: number) => `k${String(at).padStart(5, '0')}`
  for (let at = 0; at < 8000; at++) machine.put(keyOf(at), '')
  for (let at = 0; at < 8000; at += 2) machine.delete(keyOf(at))
  for (let at = 0; at < 8000; at += 5) machine.put(keyOf(at), 'again')
  // What follows fills the last segment, so that all before it can be swept.
  for (let at = 0; at < 300; at++) machine.put('fills', 'x'.repeat(1000))
  const revision = Number(machine.machine.summary?.()['revision'])
  machine.compact(revision)
  const before = [machine.hash(), machine.range(everything)]
  const revisions = () => readFigures(machine.read('figures', Buffer.alloc(0)).body).revisions
  const whole = revisions()
  machine.idle(1)
  expect(whole - revisions()).toBeLessThanOrEqual(500)
  for (let run = 0; run < 60; run++) {
    expect(machine.hash()).toBe(before[0])
    machine.idle(1)
  }
  expect([machine.hash(), machine.range(everything)]).toEqual(before)
  // 4800 keys are left; the rest is in the last segment.
  expect(revisions()).toBeGreaterThanOrEqual(4801)
  expect(revisions()).toBeLessThan(4801 + 300)
  for (let at = 0; at < 8000; at++) machine.put(keyOf(at), 'new')
  machine.compact(revision + 8000)
  machine.idle(100)
  expect(machine.do('range', { ...everything, countOnly: true })).toMatchObject({ count: 8001 })
  expect(machine.range({ ...everything, limit: 2 })).toEqual([`fills=${'x'.repeat(1000)}`, 'k00000=new'])
})

const bytesIn = (machine: Machine): number => readFigures(machine.read('figures', Buffer.alloc(0)).body).bytes

test('[KC4] a store that nobody writes to any more is freed as the time is told', () => {
  const machine = new Machine()
  for (let at = 0; at < 4000; at++) machine.put('k', String(at).padEnd(5000, '.'))
  machine.compact(4001)
  const before = bytesIn(machine)
  for (let told = 0; told < 12; told++) machine.passes(250)
  expect(bytesIn(machine)).toBeLessThan(before / 10)
})

test('[KC4] the sweep gains on whoever writes: large values that are replaced and compacted do not gather', () => {
  const machine = new Machine()
  const most: number[] = []
  for (let at = 1; at <= 1500; at++) {
    const revision = machine.put(`k${at % 10}`, String(at).padEnd(150_000, '.'))
    if (at % 20 === 0) machine.compact(revision)
    most.push(bytesIn(machine))
  }
  // Ten values are in force, and twenty more come between two compactions.
  expect(Math.max(...most)).toBeLessThan(150_000 * 80)
})
