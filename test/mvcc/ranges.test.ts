import { describe, expect, test } from 'vitest'
import { everything, Machine } from './machine-help.js'

/** Keys a to f at revisions 2 to 7, c deleted at 8, a put again at 9. */
function filled(): Machine {
  const machine = new Machine()
  for (const [at, key] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) machine.put(key, String(9 - at))
  machine.delete('c')
  machine.put('a', '0')
  return machine
}

test.each([
  [{ key: 'b' }, ['b=8']],
  [{ key: 'c' }, []],
  [{ key: 'b', rangeEnd: 'e' }, ['b=8', 'd=6']],
  [{ key: 'b', rangeEnd: 'c' }, ['b=8']],
  [{ key: 'd', rangeEnd: '\0' }, ['d=6', 'e=5', 'f=4']],
  [{ key: 'd', rangeEnd: 'd' }, []],
  [{ key: 'd', rangeEnd: 'b' }, []],
  [{ key: 'aa', rangeEnd: 'bb' }, ['b=8']],
])('[RG1] the range %j has the keys %j', (request, keys) => {
  expect(filled().range(request)).toEqual(keys)
})

test('[RG2] a range end that is there and empty has no end in a query, and is none in a command', () => {
  const machine = filled()
  expect(machine.range({ key: 'e', rangeEnd: Buffer.alloc(0) })).toEqual(['e=5', 'f=4'])
  expect(machine.do('deleteRange', { key: 'e', rangeEnd: Buffer.alloc(0) })).toMatchObject({ deleted: 1 })
  expect(machine.range({ key: 'e', rangeEnd: '\0' })).toEqual(['f=4'])
})

test('[RG3] a range at a revision has the keys of that time', () => {
  const machine = filled()
  expect(machine.range({ ...everything, revision: 4 })).toEqual(['a=9', 'b=8', 'c=7'])
  expect(machine.range({ ...everything, revision: 8 })).toEqual(['a=9', 'b=8', 'd=6', 'e=5', 'f=4'])
  const present = machine.range(everything)
  for (const revision of [0, 9, -1, -100]) expect(machine.range({ ...everything, revision })).toEqual(present)
  expect(machine.do('range', { ...everything, revision: 10 })).toBe('futureRevision')
})

describe('[RG4] the count is that of the whole range', () => {
  const count = (request: object) => {
    const { kvs, more, count: counted } = filled().do('range', { ...everything, ...request }) as never
    return { keys: (kvs as unknown[]).length, more, count: counted }
  }

  test.each([
    [{}, { keys: 5, more: false, count: 5 }],
    [{ limit: 2 }, { keys: 2, more: true, count: 5 }],
    [{ limit: 5 }, { keys: 5, more: false, count: 5 }],
    [{ limit: 4 }, { keys: 4, more: true, count: 5 }],
    [{ limit: -1 }, { keys: 5, more: false, count: 5 }],
    [
      { limit: 1, revision: 4 },
      { keys: 1, more: true, count: 3 },
    ],
    [{ countOnly: true }, { keys: 0, more: false, count: 5 }],
    [
      { countOnly: true, limit: 1 },
      { keys: 0, more: false, count: 5 },
    ],
    [
      { limit: 1, minModRevision: 6 },
      { keys: 1, more: true, count: 5 },
    ],
    [
      { limit: 3, minModRevision: 6 },
      { keys: 3, more: false, count: 5 },
    ],
  ])('%j', (request, expected) => {
    expect(count(request)).toEqual(expected)
  })
})

test('[RG4] keys are counted in ranges over many blocks of keys, at each revision', () => {
  const machine = new Machine()
  const keyOf = (at: number) => `k${String((at * 7919) % 3000).padStart(5, '0')}`
  for (let at = 0; at < 3000; at++) machine.put(keyOf(at), '')
  for (let at = 0; at < 3000; at += 3) machine.delete(keyOf(at))
  const counted = (request: object) =>
    (machine.do('range', { key: 'k', rangeEnd: 'l', countOnly: true, ...request }) as { count: number }).count
  expect(counted({})).toBe(2000)
  expect(counted({ revision: 3001 })).toBe(3000)
  expect(counted({ revision: 3101 })).toBe(2900)
  expect(counted({ revision: 501 })).toBe(500)
  const from = { key: 'k00700', rangeEnd: 'k02000' }
  const living = machine.range(from)
  expect(counted(from)).toBe(living.length)
  expect(machine.do('range', { ...from, limit: 1 })).toMatchObject({ count: living.length, more: true })
  expect(machine.range({ ...from, revision: 3001 })).toHaveLength(1300)
})

test('[RG5] the revision of the header is the latest one', () => {
  expect(filled().do('range', { key: 'a', revision: 3 })).toMatchObject({ revision: 9 })
})

test.each([
  [{ sortOrder: 2 }, 'fedba'],
  [{ sortOrder: 1, sortTarget: 4 }, 'afedb'],
  [{ sortOrder: 2, sortTarget: 4 }, 'bdefa'],
  [{ sortOrder: 2, sortTarget: 3 }, 'afedb'],
  [{ sortOrder: 2, sortTarget: 2 }, 'fedba'],
  [{ sortOrder: 1, sortTarget: 1 }, 'bdefa'],
  [{ sortOrder: 2, sortTarget: 1 }, 'abdef'],
  [{ sortOrder: 2, limit: 2 }, 'fe'],
  [{ minModRevision: 5, maxModRevision: 7 }, 'def'],
  [{ minCreateRevision: 5 }, 'def'],
  [{ maxCreateRevision: 3 }, 'ab'],
  [{ maxCreateRevision: 6, limit: 1, sortOrder: 2 }, 'e'],
  // No order: two keys and one more are read, sorted by their values, and cut.
  [{ sortTarget: 4, limit: 2 }, 'ad'],
])('[RG6] %j gives %s', (request, keys) => {
  const found = filled().range({ ...everything, ...request })
  expect(found.map((keyValue) => keyValue[0]).join('')).toBe(keys)
})

test('[RG7] keys come without values, and with the rest', () => {
  const machine = filled()
  machine.put('empty', '')
  const response = machine.do('range', { key: 'e', rangeEnd: 'f', keysOnly: true })
  expect(response).toMatchObject({
    count: 2,
    kvs: [
      { key: 'e', value: '', createRevision: 6, modRevision: 6, version: 1 },
      { key: 'empty', value: '', createRevision: 10 },
    ],
  })
})
