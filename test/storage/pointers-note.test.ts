/** The record of the pointers is the same text as JSON of all of them, however it is put together. */
import { expect, test } from 'vitest'
import { Chain } from '../../src/storage/chain.js'
import type { StoredSnapshot } from '../../src/storage/notes.js'
import { PointersNote } from '../../src/storage/pointers-note.js'
import { sealNote } from '../../src/storage/record.js'

function whole(
  base: { readonly index: number; readonly term: number },
  chain: Chain,
  snapshot: StoredSnapshot | undefined,
) {
  const first = { index: chain.firstIndex, previous: chain.firstPrevious }
  return sealNote('pointers', {
    base,
    first,
    last: { index: chain.lastIndex, checksum: chain.tail },
    snapshot,
  })
}

test('each write of the pointers tells all of them as they are then', () => {
  const note = new PointersNote()
  const chain = new Chain(0, 0)
  let base = { index: 0, term: 0 }
  let snapshot: StoredSnapshot | undefined
  const expectWhole = () =>
    expect(Buffer.from(note.seal(base, chain, snapshot))).toEqual(Buffer.from(whole(base, chain, snapshot)))
  expectWhole()
  for (let index = 1; index <= 12; index++) {
    chain.append(index, 1, 0xfffffff0 + index)
    expectWhole()
  }
  // Cut off at the end, and written again.
  chain.truncate(9)
  expectWhole()
  chain.append(9, 4, 7)
  expectWhole()
  // Cut behind a snapshot.
  const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [4] }
  snapshot = { index: 8, term: 3, size: 10, membership, generation: 2 }
  base = { index: 6, term: 3 }
  chain.cut(base.index)
  expectWhole()
  chain.append(13, 1, 8)
  expectWhole()
  snapshot = { ...snapshot, index: 12, generation: 3 }
  expectWhole()
  // Begun anew behind a snapshot of the leader.
  base = { index: 20, term: 4 }
  chain.restart(base.index, 0)
  expectWhole()
  chain.append(21, 5, 0)
  expectWhole()
})
