import { describe, expect, test } from 'vitest'
import type { LogStore } from '../../src/storage/index.js'
import { chunkKey, logKey, type NoteName, noteKeys } from '../../src/storage/keys.js'
import { sealNote, sealRun } from '../../src/storage/record.js'
import { pieceBytesMax } from '../../src/storage/shelf.js'
import {
  chunkOf,
  emptyState,
  persistOf,
  runOf,
  type StoreState,
  type StoreStep,
  snapshotBytes,
  snapshotOf,
  stateOf,
  stepModel,
  stepStore,
} from '../../src/testing/store-model.js'
import { type DamageableDisk, damageableLmdbDisk, damageableMemoryDisk, type Rows } from './disks.js'

const write = (parts: Parameters<typeof persistOf>[0]): StoreStep => ({
  type: 'write',
  persist: persistOf(parts),
})
const snapshot = snapshotOf(4, 1, 2 * pieceBytesMax + 100)

/** Records of entries 4–6, 7–9, 10, 11–12 after a snapshot of three pieces, generation 1; the base is entry 4. */
const steps: StoreStep[] = [
  write({ hardState: { currentTerm: 2, votedFor: 7 }, entries: [runOf(1, 1, 3), runOf(4, 1, 3)] }),
  { type: 'chunk', snapshot, offset: 0, data: snapshotBytes(snapshot) },
  { type: 'compact', snapshot, base: { index: 4, term: 1 } },
  write({ entries: [runOf(7, 1, 3), runOf(10, 2, 1)] }),
  write({ entries: [runOf(11, 2, 2)] }),
]

async function give(disk: DamageableDisk, given: readonly StoreStep[]): Promise<void> {
  const { store } = disk.open()
  for (const step of given) await stepStore(store, step)
  await store.close()
}

async function recoveredState(disk: DamageableDisk): Promise<StoreState> {
  const opened = disk.open()
  try {
    return stateOf(opened)
  } finally {
    await opened.store.close()
  }
}

/** A disk that holds all of `steps`, then damaged. */
async function damaged(newDisk: () => DamageableDisk, damage: (rows: Rows) => void): Promise<DamageableDisk> {
  const disk = newDisk()
  await give(disk, steps)
  await disk.damage(damage)
  return disk
}

/** Damages the disk under a store that is open. A flush ends the view of the disk that the store had before. */
async function damageBelow(
  disk: DamageableDisk,
  store: LogStore,
  damage: (rows: Rows) => void,
): Promise<void> {
  await disk.damage(damage)
  await stepStore(store, write({ hardState: { currentTerm: 3, votedFor: undefined } }))
}

/** Opening fails with this message, and leaves every row as it was: someone may still want to look. */
async function expectRefusal(disk: DamageableDisk, message: RegExp): Promise<void> {
  const before = await disk.damage((rows) => rows.list())
  expect(() => disk.open()).toThrow(message)
  expect(await disk.damage((rows) => rows.list())).toEqual(before)
}

const held = steps.reduce(stepModel, emptyState)

const records: [string, Uint8Array, RegExp][] = [
  ['the identity', noteKeys.identity, /the identity record is damaged/],
  ['the term and vote', noteKeys.hardState, /the hardState record is damaged.*could vote twice/],
  ['the pointers', noteKeys.pointers, /the pointers record is damaged/],
  ['the first record, which begins before the base', logKey(4), /the record of entry 4 is damaged/],
  ['a record in the middle', logKey(7), /the record of entry 7 is damaged/],
  ['the last record', logKey(11), /the record of entry 11 is damaged/],
  [
    'the first piece of the snapshot',
    chunkKey(1, 0),
    /the piece at byte 0 of the snapshot at entry 4 is damaged/,
  ],
  [
    'the last piece of the snapshot',
    chunkKey(1, 2 * pieceBytesMax),
    /the piece at byte 130944 .* is damaged/,
  ],
]

const disks: [string, () => DamageableDisk][] = [
  ['LMDB store', damageableLmdbDisk],
  ['memory store', damageableMemoryDisk],
]

describe.each(disks)('%s', (_, newDisk) => {
  test('what is not damaged is recovered', async () => {
    expect(await recoveredState(await damaged(newDisk, () => undefined))).toEqual(held)
  })

  test('[ST5] entries that are read are copies', async () => {
    const disk = await damaged(newDisk, () => undefined)
    const { recovered, store } = disk.open()
    for (const run of recovered.entries) store.readEntries(run)?.bytes.fill(0)
    await store.close()
    expect(await recoveredState(disk)).toEqual(held)
  })

  test.each(records)('[DU3] a wrong byte in %s is refused', async (_name, key, message) => {
    const disk = await damaged(newDisk, () => undefined)
    const whole = await disk.damage((rows) => rows.get(key))
    for (const at of [0, 3, 4, 9, 20, whole.length >> 1, whole.length - 1]) {
      await disk.damage((rows) =>
        rows.put(
          key,
          whole.map((byte, place) => (place === at ? byte ^ 0x10 : byte)),
        ),
      )
      await expectRefusal(disk, message)
    }
  })

  test.each(records)('[DU3] %s cut short is refused', async (_name, key, message) => {
    for (const length of [1, 4, 31, 45]) {
      await expectRefusal(
        await damaged(newDisk, (rows) => rows.put(key, rows.get(key).slice(0, length))),
        message,
      )
    }
  })

  test.each([
    ['first', 4, /entry 4 is missing; the next is of entry 7/],
    ['middle', 10, /entry 10 is missing; the next is of entry 11/],
    ['last', 11, /entry 11 is missing; the log goes on to entry 12/],
  ])(
    '[DU3] a missing %s record is refused, and not taken for the end of the log',
    async (_name, index, message) => {
      await expectRefusal(await damaged(newDisk, (rows) => rows.remove(logKey(index))), message)
    },
  )

  test.each([
    ['first', 0, /the piece at byte 0 of the snapshot at entry 4 is missing/],
    ['middle', pieceBytesMax, /the piece at byte 65472 of the snapshot at entry 4 is missing/],
    ['last', 2 * pieceBytesMax, /the piece at byte 130944 of the snapshot at entry 4 is missing/],
  ])('[DU3] a missing %s piece of the snapshot is refused', async (_name, offset, message) => {
    await expectRefusal(await damaged(newDisk, (rows) => rows.remove(chunkKey(1, offset))), message)
  })

  test('[DU7] an intact record under the key of another is refused', async () => {
    const move = (from: Uint8Array, to: Uint8Array) =>
      damaged(newDisk, (rows) => rows.put(to, rows.get(from)))
    await expectRefusal(
      await move(logKey(7), logKey(10)),
      /entry 10 is misplaced: it says that it holds entry 7/,
    )
    await expectRefusal(await move(chunkKey(1, 0), chunkKey(1, pieceBytesMax)), /byte 65472 .* is misplaced/)
    await expectRefusal(
      await move(noteKeys.hardState, noteKeys.pointers),
      /it says that it is the hardState record/,
    )
  })

  const keys = [
    ...Object.values(noteKeys),
    ...[0, pieceBytesMax, 2 * pieceBytesMax].map((offset) => chunkKey(1, offset)),
    ...[4, 7, 10, 11].map(logKey),
  ]
  const pairs = keys.flatMap((from) => keys.filter((key) => key !== from).map((to) => [from, to] as const))

  test('[DU7] an intact record of any kind under the key of any other is refused for what it is', async () => {
    for (const [from, to] of pairs) {
      const disk = await damaged(newDisk, (rows) => rows.put(to, rows.get(from)))
      expect(() => disk.open(), `${from} under ${to}`).toThrow(/ (misplaced|damaged): /)
    }
  })

  test('[DU7] an intact record that is not the one which was acknowledged is refused', async () => {
    // A write that the disk lost: what lay there before is whole, and of the right place.
    const other = (index: number, count: number, previous: number) => {
      const { bytes } = runOf(index, 1, count, 15)
      sealRun(bytes, previous)
      return bytes
    }
    const previousOf = (bytes: Uint8Array) => new DataView(bytes.buffer).getUint32(4, true)
    const inMiddle = await damaged(newDisk, (rows) =>
      rows.put(logKey(7), other(7, 3, previousOf(rows.get(logKey(7))))),
    )
    await expectRefusal(inMiddle, /the record of entry 10 is out of the chain/)
    const atEnd = await damaged(newDisk, (rows) =>
      rows.put(logKey(11), other(11, 2, previousOf(rows.get(logKey(11))))),
    )
    await expectRefusal(atEnd, /the record before entry 13 is not the one that was acknowledged/)
    const unchained = await damaged(newDisk, (rows) => rows.put(logKey(4), other(4, 3, 99)))
    await expectRefusal(unchained, /the record of entry 4 is out of the chain/)
    const longer = await damaged(newDisk, (rows) =>
      rows.put(logKey(11), other(11, 3, previousOf(rows.get(logKey(11))))),
    )
    await expectRefusal(longer, /entry 11 holds more than was acknowledged, up to entry 12/)
  })

  test('[DU4] records past the acknowledged end are cut, whole or torn, and the log goes on', async () => {
    const disk = await damaged(newDisk, (rows) => {
      const { bytes } = runOf(13, 9, 2)
      sealRun(bytes, 1)
      rows.put(logKey(13), bytes)
      rows.put(logKey(14), bytes.slice(0, 20))
      rows.put(logKey(900), Uint8Array.of(1))
    })
    expect(await recoveredState(disk)).toEqual(held)
    // New records lie around the places of the old ones.
    const more = [write({ entries: [runOf(13, 3, 20)] }), write({ entries: [runOf(33, 3, 900)] })]
    await give(disk, more)
    expect(await recoveredState(disk)).toEqual(more.reduce(stepModel, held))
  })

  test('[DU5] a log whose term and vote are lost is refused', async () => {
    const message = /the hardState record is missing; without its term and vote this node could vote twice/
    await expectRefusal(await damaged(newDisk, (rows) => rows.remove(noteKeys.hardState)), message)
    // Nor may a vote be forgotten where the log is empty.
    const disk = newDisk()
    await give(disk, [write({ hardState: { currentTerm: 5, votedFor: 1 } })])
    await disk.damage((rows) => rows.remove(noteKeys.hardState))
    await expectRefusal(disk, message)
  })

  test.each<[NoteName, RegExp]>([
    ['identity', /the identity record is missing/],
    ['pointers', /the pointers record is missing/],
  ])('a log without its %s record is refused', async (name, message) => {
    await expectRefusal(await damaged(newDisk, (rows) => rows.remove(noteKeys[name])), message)
  })

  test('[ST11] a table that holds something else is refused and left alone', async () => {
    const disk = newDisk()
    await disk.damage((rows) => rows.put(Uint8Array.of(0x61), Uint8Array.of(1)))
    await expectRefusal(disk, /the identity record is missing/)
  })

  test('[ST11] a log in another format is refused and left alone', async () => {
    const identity = { formatVersion: 1, something: 'else' }
    const disk = await damaged(newDisk, (rows) => rows.put(noteKeys.identity, sealNote('identity', identity)))
    await expectRefusal(disk, /written in format version 1, and this program reads version 2/)
  })

  test('[ST4] a piece that is damaged later on is an error when it is read', async () => {
    const disk = newDisk()
    await give(disk, steps)
    const { store } = disk.open()
    await damageBelow(disk, store, (rows) => rows.put(chunkKey(1, pieceBytesMax), new Uint8Array(60)))
    expect(() => store.readSnapshot(4, pieceBytesMax + 5, 10)).toThrow(
      /the piece at byte 65472 .* is damaged/,
    )
    expect(store.readSnapshot(4, 5, 10)).toEqual(snapshotBytes(snapshot, 5, 10))
    await store.close()
  })

  test('[ST4] a record that is damaged or replaced later on is told when it is read back', async () => {
    const disk = newDisk()
    await give(disk, steps)
    const { recovered, store } = disk.open()
    const other = runOf(7, 1, 3)
    sealRun(other.bytes, 77)
    await damageBelow(disk, store, (rows) => {
      rows.put(logKey(7), other.bytes)
      rows.put(logKey(11), new Uint8Array(60))
    })
    const [five, seven, ten, eleven] = recovered.entries
    expect(() => store.readEntries(seven!)).toThrow(/the record of entry 7 is out of the chain/)
    expect(() => store.readEntries(eleven!)).toThrow(/the record of entry 11 is damaged/)
    expect([five, ten].map((run) => store.readEntries(run!)?.index)).toEqual([5, 10])
    await store.close()
  })

  test('[ST4] a record that is damaged later on ends the store when a part of it is needed', async () => {
    const disk = newDisk()
    await give(disk, steps)
    const { store } = disk.open()
    await damageBelow(disk, store, (rows) => rows.put(logKey(7), new Uint8Array(60)))
    const message = /the record of entry 7 is damaged/
    const before = stepStore(store, write({ hardState: { currentTerm: 4, votedFor: undefined } }))
    await expect(stepStore(store, write({ truncateFrom: 8 }))).rejects.toThrow(message)
    await expect(stepStore(store, write({ hardState: { currentTerm: 9, votedFor: 1 } }))).rejects.toThrow(
      message,
    )
    await before
    await store.close()
    await disk.damage((rows) => rows.remove(logKey(7)))
    await expectRefusal(disk, /entry 7 is missing/)
  })

  test('[DU8] what a crash kept from being removed is ignored, and removed later', async () => {
    const disk = newDisk()
    await give(disk, [write({ entries: Array.from({ length: 300 }, (_entry, at) => runOf(at + 1, 1, 1)) })])
    const small = snapshotOf(300, 1, 20)
    const chunk: StoreStep = { type: 'chunk', snapshot: small, offset: 0, data: snapshotBytes(small) }
    // Two attempts are given up, one of each kind.
    const received = write({ snapshotChunks: [chunkOf(snapshotOf(500, 1, 999), 0, 9)] })
    await give(disk, [
      chunk,
      received,
      chunk,
      { type: 'compact', snapshot: small, base: { index: 299, term: 1 } },
    ])
    expect((await disk.damage((rows) => rows.list())).length).toBeGreaterThan(200)
    const last = write({ entries: [runOf(301, 1, 1)] })
    for (let restarts = 0; restarts < 5; restarts++) await give(disk, [write({})])
    await give(disk, [last])
    // Three notes, the newest snapshot, and entries 300 and 301.
    expect(await disk.damage((rows) => rows.list())).toHaveLength(6)
    expect((await recoveredState(disk)).entries.map((entry) => entry.index)).toEqual([300, 301])
  })

  test('[DU8] what is cut off is removed faster than it comes, also when every write adds many records', async () => {
    const disk = newDisk()
    const runs = (from: number) => Array.from({ length: 200 }, (_entry, at) => runOf(from + at, 1, 1))
    const { store } = disk.open()
    for (let last = 200; last <= 4000; last += 200) {
      await stepStore(store, write({ entries: runs(last - 199) }))
      if (last % 1000 !== 0) continue
      const newest = snapshotOf(last, 1, 0)
      await stepStore(store, { type: 'chunk', snapshot: newest, offset: 0, data: new Uint8Array(0) })
      await stepStore(store, { type: 'compact', snapshot: newest, base: { index: last, term: 1 } })
    }
    await store.close()
    // At most what the last cut left, and not what all of them did.
    expect((await disk.damage((rows) => rows.list())).length).toBeLessThan(1100)
  })
})
