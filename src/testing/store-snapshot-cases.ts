/** The promises of every store about snapshots: its node's own, and those that a leader sends. */
import assert from 'node:assert/strict'
import { chunk, expectSnapshot, expectSteps, type StoreTest, using, write } from './store-expectations.js'
import { chunkOf, emptyState, runOf, snapshotOf, stepStore } from './store-model.js'

/** A snapshot is whole or not there, and is served from anywhere. */
export const snapshotCases: readonly StoreTest[] = [
  [
    '[ST5] bytes that were read are a copy',
    (disk) =>
      using(disk, async ({ store }) => {
        await stepStore(store, chunk(1, 1, 50, 0, 50))
        await stepStore(store, {
          type: 'compact',
          snapshot: snapshotOf(1, 1, 50),
          base: { index: 0, term: 0 },
        })
        store.readSnapshot(1, 0, 50)?.fill(0)
        expectSnapshot(store, { ...emptyState, snapshot: snapshotOf(1, 1, 50) })
      }),
  ],

  [
    '[ST7] a snapshot of chunks of any size is read from anywhere',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 9)] }),
        chunk(7, 1, 300_000, 0, 1),
        chunk(7, 1, 300_000, 1, 131_072),
        chunk(7, 1, 300_000, 131_073, 300_000),
        { type: 'compact', snapshot: snapshotOf(7, 1, 300_000), base: { index: 7, term: 1 } },
      ]),
  ],

  [
    '[ST6] a snapshot of no bytes is a snapshot',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 2)] }),
        chunk(2, 1, 0, 0, 0),
        { type: 'compact', snapshot: snapshotOf(2, 1, 0), base: { index: 1, term: 1 } },
      ]),
  ],

  [
    '[ST6] a snapshot that was never finished leaves nothing behind, and the next one of its index is whole',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 9)] }),
        chunk(5, 1, 200_000, 0, 200_000),
        chunk(5, 1, 70_000, 0, 69_000),
        chunk(5, 1, 70_000, 69_000, 1_000),
        { type: 'compact', snapshot: snapshotOf(5, 1, 70_000), base: { index: 3, term: 1 } },
      ]),
  ],

  [
    '[ST9] a received snapshot replaces every entry, in one write with a vote and what follows it',
    async (disk) => {
      const snapshot = snapshotOf(6, 4, 100_000)
      await expectSteps(disk, [
        write({ entries: [runOf(1, 1, 4), runOf(5, 1, 4), runOf(9, 1, 4)] }),
        write({ snapshotChunks: [chunkOf(snapshot, 0, 60_000)] }),
        write({
          hardState: { currentTerm: 4, votedFor: 3 },
          snapshotChunks: [chunkOf(snapshot, 60_000, 40_000)],
          install: snapshot,
          entries: [runOf(7, 4, 1)],
        }),
        write({ entries: [runOf(8, 4, 9)] }),
      ])
      await using(disk, ({ recovered }) => assert.deepEqual(recovered.membership, snapshot.membership))
    },
  ],

  [
    '[ST7] a snapshot is served as long as it is the newest or retained',
    (disk) =>
      using(disk, async ({ store }) => {
        await stepStore(store, write({ entries: [runOf(1, 1, 9)] }))
        const make = async (index: number) => {
          await stepStore(store, chunk(index, 1, 80_000, 0, 80_000))
          await stepStore(store, {
            type: 'compact',
            snapshot: snapshotOf(index, 1, 80_000),
            base: { index: 1, term: 1 },
          })
          for (let writes = 0; writes < 3; writes++) await stepStore(store, write({}))
        }
        const served = () =>
          [2, 3, 4, 5].filter((index) => store.readSnapshot(index, 79_000, 10) !== undefined)
        await make(2)
        store.retainSnapshots(new Set([2]))
        await make(3)
        assert.deepEqual(served(), [2, 3])
        store.retainSnapshots(new Set([2, 3]))
        await make(4)
        assert.deepEqual(served(), [2, 3, 4])
        expectSnapshot(store, { ...emptyState, snapshot: snapshotOf(2, 1, 80_000) })
        store.retainSnapshots(new Set([3]))
        assert.deepEqual(served(), [3, 4])
        await make(5)
        store.retainSnapshots(new Set())
        assert.deepEqual(served(), [5])
      }),
  ],
]
