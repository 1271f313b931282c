/** Keys beside each other, as a leader and a stale follower see them. */
import { expect, test } from 'vitest'
import { type KeysSeen, nothingSeen, rowsOf, withChanges } from '../../src/page/key-table.js'
import { atLeader, keyTable } from '../../src/page/key-watch.js'

function put(key: string, value: string, modRevision: number) {
  return { key, value, version: 1, modRevision }
}

function seen(...entries: ReturnType<typeof put>[]): KeysSeen {
  return withChanges(nothingSeen, { put: entries, gone: [], hasMore: false }, true)
}

test('changes add, replace and remove keys, and an answer from the start replaces all', () => {
  const first = seen(put('a', '1', 1), put('b', '1', 2))
  const told = { put: [put('a', '2', 3)], gone: [{ key: 'b' }], hasMore: false, index: 9, ageMs: 40 }
  const next = withChanges(first, told, false)
  expect([...next.entries.values()]).toEqual([put('a', '2', 3)])
  expect(next).toMatchObject({ index: 9, ageMs: 40 })
  const anew = withChanges(next, { put: [put('c', '1', 4)], gone: [], hasMore: false }, true)
  expect([...anew.entries.keys()]).toEqual(['c'])
})

test('keys that are no text are told by their bytes', () => {
  const told = { put: [{ keyBase64: '/w==', valueBase64: '/g==', version: 1, modRevision: 1 }], gone: [] }
  const { entries } = withChanges(nothingSeen, { ...told, hasMore: false }, true)
  expect(entries.get('base64 /w==')).toMatchObject({ value: 'base64 /g==' })
})

test('a node that is behind is told by the revisions of its keys, and its rows come first', () => {
  const leader = seen(put('a', '1', 1), put('b', 'new', 4), put('c', '1', 3))
  const node = seen(put('a', '1', 1), put('b', 'old', 2), put('d', '1', 2))
  const { rows, behind } = rowsOf(leader.entries, node.entries, 10)
  expect(behind).toBe(3)
  expect(rows.map(({ key, isBehind }) => [key, isBehind])).toEqual([
    ['b', true],
    ['c', true],
    ['d', true],
    ['a', false],
  ])
  expect(rows[0]).toMatchObject({ leader: { value: 'new' }, node: { value: 'old' } })
})

test('without a node beside it nothing is behind, and rows beyond the bound are counted', () => {
  const leader = seen(put('a', '1', 1), put('b', '1', 2), put('c', '1', 3))
  expect(rowsOf(leader.entries, undefined, 2)).toMatchObject({
    leftOut: 1,
    behind: 0,
    rows: [{ key: 'a' }, { key: 'b' }],
  })
})

test('the table is made anew when a key has changed, and not when a view tells its age', () => {
  const first = seen(put('a', '1', 1))
  atLeader.value = { seen: first, trouble: undefined }
  const table = keyTable.value
  atLeader.value = { seen: { ...first, ageMs: 90 }, trouble: undefined }
  expect(keyTable.value).toBe(table)
  atLeader.value = { seen: seen(put('a', '2', 2)), trouble: undefined }
  expect(keyTable.value.rows).toMatchObject([{ leader: { value: '2' } }])
})
