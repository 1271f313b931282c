/** The promises of every store about a log, and about a log that is cut once a snapshot covers it. */
import assert from 'node:assert/strict'
import { emptyRun, lastIndexOf, storedRunOf } from '../raft/index.js'
import { chunk, expectEntries, expectSteps, type StoreTest, using, write } from './store-expectations.js'
import {
  chunkOf,
  emptyState,
  runOf,
  type StoreStep,
  snapshotOf,
  stateOf,
  stepStore,
  testMembership,
} from './store-model.js'

/** Entries are kept, truncated and read back. */
export const logCases: readonly StoreTest[] = [
  [
    'a new disk holds nothing but the membership that it was given',
    (disk) =>
      using(disk, (opened) => {
        assert.deepEqual(stateOf(opened), emptyState)
        assert.deepEqual(opened.recovered.membership, testMembership)
      }),
  ],

  [
    '[DU1] what was appended is there after a restart, and the next run goes on from it',
    async (disk) => {
      await expectSteps(disk, [
        write({ entries: [runOf(1, 1, 3), runOf(4, 1, 1)] }),
        write({ entries: [runOf(5, 2, 40)] }),
      ])
      await using(disk, ({ store }) => stepStore(store, write({ entries: [emptyRun(45, 3)] })))
      await using(disk, ({ recovered }) => assert.equal(recovered.entries.at(-1)?.index, 45))
    },
  ],

  [
    '[DU6] the term and the vote are those of the last write',
    (disk) =>
      expectSteps(disk, [
        write({ hardState: { currentTerm: 3, votedFor: 2 } }),
        write({ hardState: { currentTerm: 4, votedFor: undefined }, entries: [runOf(1, 4, 1)] }),
        write({ entries: [runOf(2, 4, 1)] }),
      ]),
  ],

  [
    '[ST3] one write truncates and then appends',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 4), runOf(5, 1, 4), runOf(9, 1, 4)] }),
        write({ truncateFrom: 5, entries: [runOf(5, 2, 2), runOf(7, 2, 1)] }),
      ]),
  ],

  [
    '[ST3] a log is truncated inside a run, at its end, to nothing, and by a write without entries',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 6), runOf(7, 1, 6)] }),
        write({ truncateFrom: 10 }),
        write({ truncateFrom: 9 }),
        write({ entries: [runOf(9, 2, 2)] }),
        write({ truncateFrom: 3, entries: [runOf(3, 3, 2)] }),
        write({ truncateFrom: 1 }),
        write({ entries: [runOf(1, 4, 2)] }),
      ]),
  ],

  [
    '[ST3] a log is truncated inside a run that is not flushed yet',
    async (disk) => {
      await using(disk, async ({ store }) => {
        await Promise.all([
          stepStore(store, write({ entries: [runOf(1, 1, 8)] })),
          stepStore(store, write({ truncateFrom: 6, entries: [runOf(6, 2, 1)] })),
          stepStore(store, write({ truncateFrom: 3, entries: [runOf(3, 3, 1)] })),
        ])
      })
      await using(disk, (opened) => {
        assert.deepEqual(
          stateOf(opened).entries.map((entry) => entry.term),
          [1, 1, 3],
        )
      })
    },
  ],

  [
    '[ST4] any part of a run is read back, from the flush on',
    (disk) =>
      using(disk, async ({ store }) => {
        for (const run of [runOf(1, 1, 4), runOf(5, 1, 1), runOf(6, 2, 3)]) {
          await stepStore(store, write({ entries: [run] }))
          for (let from = run.index; from <= lastIndexOf(run); from++) {
            for (let to = from; to <= lastIndexOf(run); to++) expectEntries(store, run, from, to)
          }
        }
        expectEntries(store, runOf(1, 1, 4), 2, 3)
      }),
  ],

  [
    '[ST4] what remains of a run is read back while its end is being cut off',
    (disk) =>
      using(disk, async ({ store }) => {
        await stepStore(store, write({ entries: [runOf(1, 1, 8)] }))
        const cut = stepStore(store, write({ truncateFrom: 6, entries: [runOf(6, 2, 1)] }))
        expectEntries(store, runOf(1, 1, 8), 2, 5)
        await cut
        expectEntries(store, runOf(1, 1, 8), 1, 5)
        expectEntries(store, runOf(6, 2, 1), 6, 6)
      }),
  ],

  [
    '[ST1] callbacks come from a later turn, in the order of the writes, each once',
    (disk) =>
      using(disk, async ({ store }) => {
        const order: number[] = []
        let isSameTurn = true
        const done = [1, 2, 3, 4, 5].map((index) => {
          return stepStore(
            store,
            write(index === 3 ? {} : { entries: [runOf(index < 3 ? index : index - 1, 1, 1)] }),
          ).then(() => {
            assert.ok(!isSameTurn)
            order.push(index)
          })
        })
        isSameTurn = false
        await Promise.all(done)
        await stepStore(store, write({}))
        assert.deepEqual(order, [1, 2, 3, 4, 5])
      }),
  ],

  [
    'indexes and terms beyond 2^32 keep their order',
    (disk) => {
      const snapshot = snapshotOf(2 ** 32 - 3, 2 ** 33, 10)
      return expectSteps(disk, [
        write({ snapshotChunks: [chunkOf(snapshot, 0, 10)], install: snapshot }),
        ...[1, 2, 3, 4, 5].map((step) => write({ entries: [runOf(2 ** 32 - 3 + step, 2 ** 33, 1)] })),
        write({ truncateFrom: 2 ** 32 + 1, entries: [runOf(2 ** 32 + 1, 2 ** 40, 3)] }),
      ])
    },
  ],

  [
    '[ST10] a store that is closed takes no more writes',
    async (disk) => {
      const { store } = disk.open()
      const last = stepStore(store, write({ entries: [runOf(1, 1, 1)] }))
      await Promise.all([last, store.close()])
      await assert.rejects(stepStore(store, write({ entries: [runOf(2, 1, 1)] })), /closed/)
    },
  ],
]

/** A log that is cut keeps its place and what follows. */
export const cutCases: readonly StoreTest[] = [
  [
    '[ST4] what was cut off is not read back, and what is behind it is',
    (disk) =>
      using(disk, async ({ store }) => {
        await stepStore(store, write({ entries: [runOf(1, 1, 4), runOf(5, 1, 4)] }))
        await stepStore(store, chunk(6, 1, 10, 0, 10))
        const snapshot = snapshotOf(6, 1, 10)
        await stepStore(store, { type: 'compact', snapshot, base: { index: 2, term: 1 } })
        assert.equal(store.readEntries(storedRunOf(runOf(1, 1, 2))), undefined)
        expectEntries(store, runOf(1, 1, 4), 3, 4)
        expectEntries(store, runOf(5, 1, 4), 5, 8)
      }),
  ],

  [
    '[ST8] a cut keeps what follows, also inside a run, and knows its place when nothing follows',
    async (disk, newDisk) => {
      const steps: StoreStep[] = [write({ entries: [runOf(1, 1, 5), runOf(6, 1, 5), runOf(11, 2, 5)] })]
      for (const [index, base, term] of [
        [9, 8, 1],
        [10, 10, 1],
        [15, 15, 2],
      ] as const) {
        const snapshot = snapshotOf(index, term, 10)
        steps.push(chunk(index, term, 10, 0, 10), { type: 'compact', snapshot, base: { index: base, term } })
        await expectSteps(newDisk(), steps)
      }
      const state = await expectSteps(disk, [...steps, write({ entries: [runOf(16, 3, 2)] })])
      assert.deepEqual(state.base, { index: 15, term: 2 })
    },
  ],

  [
    '[ST8] a log that was cut inside a run is truncated inside that same run',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 10)] }),
        chunk(4, 1, 10, 0, 10),
        { type: 'compact', snapshot: snapshotOf(4, 1, 10), base: { index: 4, term: 1 } },
        write({ truncateFrom: 7, entries: [runOf(7, 2, 1)] }),
        write({ truncateFrom: 5, entries: [runOf(5, 3, 1)] }),
      ]),
  ],

  [
    '[ST8] a log of thousands of records is cut at once, and restarts at each write that follows',
    async (disk) => {
      const entries = Array.from({ length: 1500 }, (_, position) => runOf(position + 1, 1, 1))
      await expectSteps(disk, [write({ entries })])
      await using(disk, async ({ store }) => {
        await stepStore(store, chunk(1499, 1, 10, 0, 10))
        await stepStore(store, {
          type: 'compact',
          snapshot: snapshotOf(1499, 1, 10),
          base: { index: 1498, term: 1 },
        })
        for (let index = 1501; index < 1530; index++) {
          await stepStore(store, write({ entries: [runOf(index, 1, 1)] }))
          await using(disk.copy(), (opened) => {
            assert.deepEqual(opened.recovered.base, { index: 1498, term: 1 })
            assert.equal(stateOf(opened).entries.at(-1)?.index, index)
          })
        }
      })
    },
  ],
]
