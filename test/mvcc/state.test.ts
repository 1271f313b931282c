import { describe, expect, test } from 'vitest'
import { createMvcc } from '../../src/mvcc/index.js'
import { everything, historyOf, Machine } from './machine-help.js'

/** A thousand keys, each put several times, some deleted, and a compaction within. */
function filled(): Machine {
  const machine = new Machine()
  for (let at = 0; at < 4000; at++) machine.put(`k${at % 1000}`, `${at}`.repeat(at % 40))
  for (let at = 0; at < 1000; at += 7) machine.delete(`k${at}`)
  machine.compact(2000)
  return machine
}

function piecesOf(machine: Machine): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const snapshot = machine.machine.snapshot()
  for (let next = snapshot.next(); next.done !== true; next = snapshot.next()) pieces.push(next.value)
  return pieces
}

function restored(pieces: Iterable<Uint8Array>): Machine {
  const machine = new Machine()
  machine.machine.restore(pieces)
  return machine
}

describe('[KS1] a snapshot', () => {
  test('has the whole state', () => {
    const machine = filled()
    const copy = restored(piecesOf(machine))
    expect(copy.hash()).toBe(machine.hash())
    expect(copy.range(everything)).toEqual(machine.range(everything))
    expect(copy.range({ ...everything, revision: 2500 })).toEqual(
      machine.range({ ...everything, revision: 2500 }),
    )
    expect(historyOf(copy, 2000)).toEqual(historyOf(machine, 2000))
    expect(copy.do('hashKV', {})).toEqual(machine.do('hashKV', {}))
    expect(copy.machine.summary?.()).toEqual(machine.machine.summary?.())
    expect(copy.put('next', '')).toBe(machine.put('next', ''))
  })

  test('shows nothing of what is applied while it is pulled', () => {
    const machine = filled()
    const before = machine.hash()
    const snapshot = machine.machine.snapshot()
    const pieces: Uint8Array[] = []
    for (let at = 0; ; at++) {
      const next = snapshot.next()
      if (next.done === true) break
      pieces.push(next.value)
      machine.put(`k${at}`, 'changed')
      machine.put(`new${at}`, 'x'.repeat(5000))
      machine.delete(`k${at + 500}`)
      machine.compact(3000 + at)
      machine.idle(3)
    }
    expect(pieces.length).toBeGreaterThan(2)
    expect(restored(pieces).hash()).toBe(before)
    expect(machine.hash()).not.toBe(before)
  })

  test('that ended early lets the sweep go on', () => {
    const machine = filled()
    const copy = filled()
    machine.machine.snapshot().next()
    copy.machine.snapshot().return?.()
    for (const each of [machine, copy]) {
      each.compact(4000)
      each.idle(20)
    }
    expect(machine.hash()).toBe(copy.hash())
    const revisions = (of: Machine) => of.read('figures', Buffer.alloc(0)).body.readDoubleLE(24)
    expect(revisions(copy)).toBeLessThan(revisions(machine))
  })

  test('is refused when it is damaged', () => {
    const whole = Buffer.concat(piecesOf(filled()))
    const fails = (bytes: Uint8Array) => expect(() => createMvcc().restore([bytes])).toThrow(/snapshot/)
    fails(whole.subarray(0, 10))
    fails(whole.subarray(0, whole.byteLength - 1))
    fails(whole.subarray(0, whole.byteLength >> 1))
    fails(Buffer.concat([whole, Buffer.of(0)]))
    fails(Buffer.concat([Buffer.of(1), whole.subarray(1)]))
    expect(() => createMvcc().restore([])).toThrow(/snapshot/)
  })

  test('leaves the state as it was when it is refused', () => {
    const machine = filled()
    const before = machine.hash()
    expect(() => machine.machine.restore([new Uint8Array(50)])).toThrow(/snapshot/)
    expect(machine.hash()).toBe(before)
  })
})

test('[KS2] states that differ have other hashes', () => {
  const made = (change: (machine: Machine) => void) => {
    const machine = new Machine()
    machine.put('a', '1')
    machine.put('b', '1')
    change(machine)
    return machine.hash()
  }
  const hashes = [
    made(() => {}),
    made((machine) => machine.put('a', '1')),
    made((machine) => machine.put('a', '2')),
    made((machine) => machine.put('c', '2')),
    made((machine) => machine.delete('b')),
    made((machine) => machine.compact(2)),
    made((machine) => machine.compact(3)),
    made((machine) => machine.do('put', { key: 'a', value: '1' }) && machine.compact(3)),
  ]
  expect(new Set(hashes).size).toBe(hashes.length)
})

test('[KS3] HashKV is that of etcd 3.4.23 after the same commands', () => {
  const machine = new Machine()
  const hash = (revision = 0) => (machine.do('hashKV', { revision }) as { hash: number }).hash
  // Each number was asked of etcd, which had compacted physically.
  expect(hash()).toBe(1084519789)
  machine.put('a', '1')
  machine.put('b', '2')
  machine.put('a', '3')
  expect(hash()).toBe(2069675932)
  machine.delete('b')
  machine.do('txn', {
    success: [{ requestPut: { key: 'c', value: '' } }, { requestPut: { key: 'd', value: '4' } }],
  })
  expect(hash()).toBe(2483228826)
  expect(hash(4)).toBe(2069675932)
  machine.compact(5)
  expect(hash()).toBe(3642038250)
  machine.put('a', '5')
  expect(hash()).toBe(1481569609)
  machine.delete('\0', '\0')
  expect(hash()).toBe(3458519433)
  machine.compact(8)
  expect(hash()).toBe(1084519789)
  expect(machine.do('hashKV', {})).toMatchObject({ compactRevision: 8, revision: 8 })
  expect(machine.do('hashKV', { revision: 9 })).toBe('futureRevision')
})

test('[KW2] a machine says what it is', () => {
  expect(createMvcc().name).toBe('etcd')
})
