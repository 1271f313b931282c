import { expect, test } from 'vitest'
import { idAt } from '../../src/machine/kv-entry.js'
import { Places } from '../../src/machine/kv-places.js'
import { offsetOfRef } from '../../src/machine/kv-slabs.js'
import { KvState } from '../../src/machine/kv-state.js'
import { Memory } from '../../src/machine/memory.js'

test('numbers stay with their records, and those of deleted ones are given out again', () => {
  const places = new Places()
  const ids = Array.from({ length: 200 }, (_, n) => places.add(1000 + n))
  expect(new Set(ids).size).toBe(200)
  expect(ids.map((id) => places.refOf(id))).toEqual(ids.map((_, n) => 1000 + n))
  places.move(ids[7] as number, 5)
  expect(places.refOf(ids[7] as number)).toBe(5)
  for (const id of ids.slice(50, 150)) places.remove(id)
  const again = Array.from({ length: 100 }, (_, n) => places.add(2000 + n))
  expect(again.toSorted((a, b) => a - b)).toEqual(ids.slice(50, 150))
  expect(again.map((id) => places.refOf(id))).toEqual(again.map((_, n) => 2000 + n))
  expect(places.refOf(ids[49] as number)).toBe(1049)
  expect(ids).not.toContain(places.add(1))
})

test('the state gives the number of a deleted key to the next one', () => {
  const state = new KvState()
  const key = new Memory(Buffer.from('key'))
  const ids = new Set<number>()
  for (let n = 0; n < 10; n++) {
    const ref = state.create(7, key, 0, 3, 0, 0)
    ids.add(idAt(state.slabs.memoryOf(ref), offsetOfRef(ref)))
    state.delete(7, ref)
  }
  expect(ids.size).toBe(1)
})
