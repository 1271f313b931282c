/**
 * What every log store promises, as cases that any test runner can run: each has a title and throws when the
 * promise is broken. A store is compared with a plain model, and opened again after every single flush.
 */
import assert from 'node:assert/strict'
import { emptyRun, lastIndexOf, storedRunOf } from '../raft/index.js'
import {
  chunk,
  expectCopy,
  expectEntries,
  expectSnapshot,
  expectSteps,
  type TestDisk,
  using,
  write,
} from './store-expectations.js'
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
import { drawLife } from './store-script.js'

export interface StoreHarness {
  /** An empty disk of its own. */
  newDisk(): TestDisk
}

export interface StoreCase {
  readonly title: string
  run(): Promise<void>
}

export function storeConformance(name: string, harness: StoreHarness): StoreCase[] {
  const cases: StoreCase[] = []
  const add = (title: string, run: (disk: TestDisk) => Promise<unknown>) => {
    cases.push({
      title: `${name}: ${title}`,
      async run() {
        await run(harness.newDisk())
      },
    })
  }

  add('a new disk holds nothing but the membership that it was given', (disk) =>
    using(disk, (opened) => {
      assert.deepEqual(stateOf(opened), emptyState)
      assert.deepEqual(opened.recovered.membership, testMembership)
    }),
  )

  add('what was appended is there after a restart, and the next run goes on from it', async (disk) => {
    await expectSteps(disk, [
      write({ entries: [runOf(1, 1, 3), runOf(4, 1, 1)] }),
      write({ entries: [runOf(5, 2, 40)] }),
    ])
    await using(disk, ({ store }) => stepStore(store, write({ entries: [emptyRun(45, 3)] })))
    await using(disk, ({ recovered }) => assert.equal(recovered.entries.at(-1)?.index, 45))
  })

  add('the term and the vote are those of the last write', (disk) =>
    expectSteps(disk, [
      write({ hardState: { currentTerm: 3, votedFor: 2 } }),
      write({ hardState: { currentTerm: 4, votedFor: undefined }, entries: [runOf(1, 4, 1)] }),
      write({ entries: [runOf(2, 4, 1)] }),
    ]),
  )

  add('one write truncates and then appends', (disk) =>
    expectSteps(disk, [
      write({ entries: [runOf(1, 1, 4), runOf(5, 1, 4), runOf(9, 1, 4)] }),
      write({ truncateFrom: 5, entries: [runOf(5, 2, 2), runOf(7, 2, 1)] }),
    ]),
  )

  add('a log is truncated inside a run, at its end, to nothing, and by a write without entries', (disk) =>
    expectSteps(disk, [
      write({ entries: [runOf(1, 1, 6), runOf(7, 1, 6)] }),
      write({ truncateFrom: 10 }),
      write({ truncateFrom: 9 }),
      write({ entries: [runOf(9, 2, 2)] }),
      write({ truncateFrom: 3, entries: [runOf(3, 3, 2)] }),
      write({ truncateFrom: 1 }),
      write({ entries: [runOf(1, 4, 2)] }),
    ]),
  )

  add('a log is truncated inside a run that is not flushed yet', async (disk) => {
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
  })

  add('any part of a run is read back, from the flush on', (disk) =>
    using(disk, async ({ store }) => {
      for (const run of [runOf(1, 1, 4), runOf(5, 1, 1), runOf(6, 2, 3)]) {
        await stepStore(store, write({ entries: [run] }))
        for (let from = run.index; from <= lastIndexOf(run); from++) {
          for (let to = from; to <= lastIndexOf(run); to++) expectEntries(store, run, from, to)
        }
      }
      expectEntries(store, runOf(1, 1, 4), 2, 3)
    }),
  )

  add('what remains of a run is read back while its end is being cut off', (disk) =>
    using(disk, async ({ store }) => {
      await stepStore(store, write({ entries: [runOf(1, 1, 8)] }))
      const cut = stepStore(store, write({ truncateFrom: 6, entries: [runOf(6, 2, 1)] }))
      expectEntries(store, runOf(1, 1, 8), 2, 5)
      await cut
      expectEntries(store, runOf(1, 1, 8), 1, 5)
      expectEntries(store, runOf(6, 2, 1), 6, 6)
    }),
  )

  add('what was cut off is not read back, and what is behind it is', (disk) =>
    using(disk, async ({ store }) => {
      await stepStore(store, write({ entries: [runOf(1, 1, 4), runOf(5, 1, 4)] }))
      await stepStore(store, chunk(6, 1, 10, 0, 10))
      const snapshot = snapshotOf(6, 1, 10)
      await stepStore(store, { type: 'compact', snapshot, base: { index: 2, term: 1 } })
      assert.equal(store.readEntries(storedRunOf(runOf(1, 1, 2))), undefined)
      expectEntries(store, runOf(1, 1, 4), 3, 4)
      expectEntries(store, runOf(5, 1, 4), 5, 8)
    }),
  )

  add('callbacks come from a later turn, in the order of the writes, each once', (disk) =>
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
  )

  add('bytes that were read are a copy', (disk) =>
    using(disk, async ({ store }) => {
      await stepStore(store, chunk(1, 1, 50, 0, 50))
      await stepStore(store, { type: 'compact', snapshot: snapshotOf(1, 1, 50), base: { index: 0, term: 0 } })
      store.readSnapshot(1, 0, 50)?.fill(0)
      expectSnapshot(store, { ...emptyState, snapshot: snapshotOf(1, 1, 50) })
    }),
  )

  add('a snapshot of chunks of any size is read from anywhere', (disk) =>
    expectSteps(disk, [
      write({ entries: [runOf(1, 1, 9)] }),
      chunk(7, 1, 300_000, 0, 1),
      chunk(7, 1, 300_000, 1, 131_072),
      chunk(7, 1, 300_000, 131_073, 300_000),
      { type: 'compact', snapshot: snapshotOf(7, 1, 300_000), base: { index: 7, term: 1 } },
    ]),
  )

  add('a snapshot of no bytes is a snapshot', (disk) =>
    expectSteps(disk, [
      write({ entries: [runOf(1, 1, 2)] }),
      chunk(2, 1, 0, 0, 0),
      { type: 'compact', snapshot: snapshotOf(2, 1, 0), base: { index: 1, term: 1 } },
    ]),
  )

  add(
    'a snapshot that was never finished leaves nothing behind, and the next one of its index is whole',
    (disk) =>
      expectSteps(disk, [
        write({ entries: [runOf(1, 1, 9)] }),
        chunk(5, 1, 200_000, 0, 200_000),
        chunk(5, 1, 70_000, 0, 69_000),
        chunk(5, 1, 70_000, 69_000, 1_000),
        { type: 'compact', snapshot: snapshotOf(5, 1, 70_000), base: { index: 3, term: 1 } },
      ]),
  )

  add(
    'a cut keeps what follows, also inside a run, and knows its place when nothing follows',
    async (disk) => {
      const steps: StoreStep[] = [write({ entries: [runOf(1, 1, 5), runOf(6, 1, 5), runOf(11, 2, 5)] })]
      for (const [index, base, term] of [
        [9, 8, 1],
        [10, 10, 1],
        [15, 15, 2],
      ] as const) {
        const snapshot = snapshotOf(index, term, 10)
        steps.push(chunk(index, term, 10, 0, 10), { type: 'compact', snapshot, base: { index: base, term } })
        await expectSteps(harness.newDisk(), steps)
      }
      const state = await expectSteps(disk, [...steps, write({ entries: [runOf(16, 3, 2)] })])
      assert.deepEqual(state.base, { index: 15, term: 2 })
    },
  )

  add('a log that was cut inside a run is truncated inside that same run', (disk) =>
    expectSteps(disk, [
      write({ entries: [runOf(1, 1, 10)] }),
      chunk(4, 1, 10, 0, 10),
      { type: 'compact', snapshot: snapshotOf(4, 1, 10), base: { index: 4, term: 1 } },
      write({ truncateFrom: 7, entries: [runOf(7, 2, 1)] }),
      write({ truncateFrom: 5, entries: [runOf(5, 3, 1)] }),
    ]),
  )

  add(
    'a received snapshot replaces every entry, in one write with a vote and what follows it',
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
  )

  add('a snapshot is served as long as it is the newest or retained', (disk) =>
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
      const served = () => [2, 3, 4, 5].filter((index) => store.readSnapshot(index, 79_000, 10) !== undefined)
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
  )

  add('indexes and terms beyond 2^32 keep their order', (disk) => {
    const snapshot = snapshotOf(2 ** 32 - 3, 2 ** 33, 10)
    return expectSteps(disk, [
      write({ snapshotChunks: [chunkOf(snapshot, 0, 10)], install: snapshot }),
      ...[1, 2, 3, 4, 5].map((step) => write({ entries: [runOf(2 ** 32 - 3 + step, 2 ** 33, 1)] })),
      write({ truncateFrom: 2 ** 32 + 1, entries: [runOf(2 ** 32 + 1, 2 ** 40, 3)] }),
    ])
  })

  add(
    'a log of thousands of records is cut at once, and restarts at each write that follows',
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
  )

  for (const seed of [1, 2, 3]) {
    add(`a crash after any write of life ${seed} leaves what was acknowledged`, async (disk) => {
      const { steps, states } = drawLife(seed, 60)
      await using(disk, async ({ store }) => {
        for (const [done, step] of steps.entries()) {
          await stepStore(store, step)
          await expectCopy(disk, states, done + 1, done + 1)
        }
      })
    })

    add(
      `a crash amid many writes of life ${seed} leaves what was acknowledged, or more, and no half write`,
      async (disk) => {
        const { steps, states } = drawLife(seed + 10, 60)
        await using(disk, async ({ store }) => {
          let flushedCount = 0
          const checks: Promise<void>[] = []
          const given: Promise<void>[] = []
          for (const step of steps) {
            given.push(
              stepStore(store, step).then(() => {
                flushedCount++
                if (flushedCount % 3 === 0) checks.push(expectCopy(disk, states, flushedCount, steps.length))
              }),
            )
          }
          await Promise.all(given)
          await Promise.all(checks)
        })
      },
    )
  }

  add('a store that is closed takes no more writes', async (disk) => {
    const { store } = disk.open()
    const last = stepStore(store, write({ entries: [runOf(1, 1, 1)] }))
    await Promise.all([last, store.close()])
    await assert.rejects(stepStore(store, write({ entries: [runOf(2, 1, 1)] })), /closed/)
  })

  return cases
}
