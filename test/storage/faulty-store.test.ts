import { isDeepStrictEqual } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { FaultyStore, MemoryDisk, openMemoryStore } from '../../src/storage/index.js'
import { persistOf, runOf, stateOf, stepStore, testMembership } from '../../src/testing/store-model.js'
import { drawLife } from '../../src/testing/store-script.js'

/** Turns of the simulated world: what was deferred runs when a test says so. */
let turns: (() => void)[] = []
let disk = new MemoryDisk(testMembership)
let told: string[] = []

const defer = (callback: () => void): void => {
  turns.push(callback)
}

function runTurns(count = Number.POSITIVE_INFINITY): void {
  for (let ran = 0; ran < count; ran++) {
    const turn = turns.shift()
    if (turn === undefined) return
    turn()
  }
}

function openFaulty(): FaultyStore {
  return new FaultyStore(openMemoryStore(disk, { defer }).store)
}

/** Appends entry `index`, and notes what was told of it. */
function append(store: FaultyStore, index: number, size = 12): void {
  store.write(
    persistOf({ hardState: { currentTerm: index, votedFor: 1 }, entries: [runOf(index, 1, 1, size)] }),
    (error) => {
      told.push(error === undefined ? `${index} flushed` : `${index} failed: ${error.message}`)
    },
  )
}

/** The entries that a restart finds. */
function entriesOnDisk(): number[] {
  return stateOf(openMemoryStore(disk.copy(), { defer })).entries.map((entry) => entry.index)
}

const snapshot = { index: 1, term: 1, membership: testMembership, size: 1 }

beforeEach(() => {
  turns = []
  disk = new MemoryDisk(testMembership)
  told = []
})

describe('a disk in memory', () => {
  test.each([0, 1, 2, 3])(
    '[DU1][DU6] a crash that keeps %i of three writes keeps each of them whole',
    (keep) => {
      const { store } = openMemoryStore(disk, { defer })
      for (const index of [1, 2, 3]) {
        store.write(
          persistOf({ hardState: { currentTerm: index, votedFor: 1 }, entries: [runOf(index, 1, 1)] }),
          () => {
            told.push(`${index} flushed`)
          },
        )
      }
      expect(disk.unflushedCount).toBe(3)
      disk.crash(keep)
      runTurns()
      expect(told).toEqual([])
      const opened = openMemoryStore(disk, { defer })
      expect(stateOf(opened).entries.map((entry) => entry.index)).toEqual([1, 2, 3].slice(0, keep))
      expect(opened.recovered.hardState.currentTerm).toBe(keep)
    },
  )

  test.each([1, 2, 3, 4])(
    '[DU6][DU8] between any two transactions of life %i the disk holds whole writes',
    (seed) => {
      const { steps, states } = drawLife(seed, 80)
      const { store } = openMemoryStore(disk, { defer })
      for (const step of steps) void stepStore(store, step)
      let done = 0
      while (turns.length > 0) {
        runTurns(1)
        const found = stateOf(openMemoryStore(disk.copy(), { defer }))
        done = states.findIndex((state, at) => at >= done && isDeepStrictEqual(state, found))
        expect(done, 'a state that the log went through, and none from before').toBeGreaterThanOrEqual(0)
      }
      expect(stateOf(openMemoryStore(disk, { defer }))).toEqual(states.at(-1))
    },
  )

  test('a store from before the crash writes nothing any more', () => {
    const { store } = openMemoryStore(disk, { defer })
    disk.crash(0)
    store.write(persistOf({ entries: [runOf(1, 1, 1)] }), () => told.push('flushed'))
    openMemoryStore(disk, { defer })
    store.write(persistOf({ entries: [runOf(2, 1, 1)] }), () => told.push('flushed'))
    runTurns()
    expect(told).toEqual([])
    expect(entriesOnDisk()).toEqual([])
  })

  test('runs are copied: another node may hold the same bytes', () => {
    const run = runOf(1, 1, 1)
    const before = run.bytes.slice()
    const { store } = openMemoryStore(disk, { defer })
    store.write(persistOf({ entries: [run] }), () => undefined)
    expect(run.bytes).toEqual(before)
    run.bytes.fill(0)
    runTurns()
    expect(entriesOnDisk()).toEqual([1])
  })
})

describe('a faulty store', () => {
  test('[DU1] on a slow disk a write is told of when its flush ends, one after the other', () => {
    const store = openFaulty()
    const delays: (() => void)[] = []
    store.delayFlushes((callback) => {
      delays.push(callback)
    })
    for (const index of [1, 2, 3]) append(store, index)
    runTurns()
    expect(delays).toHaveLength(1)
    expect(entriesOnDisk()).toEqual([])
    delays.shift()?.()
    runTurns()
    expect(told).toEqual(['1 flushed'])
    expect(entriesOnDisk()).toEqual([1])
    store.delayFlushes(undefined)
    delays.shift()?.()
    runTurns()
    expect(told).toEqual(['1 flushed', '2 flushed', '3 flushed'])
  })

  test('a flush that one delay holds back begins under the delay that takes its place, and only then', () => {
    const store = openFaulty()
    const [long, short]: (() => void)[][] = [[], []]
    store.delayFlushes((callback) => long?.push(callback))
    for (const index of [1, 2]) append(store, index)
    store.delayFlushes((callback) => short?.push(callback))
    expect([long?.length, short?.length]).toEqual([1, 1])
    long?.shift()?.()
    runTurns()
    expect(told).toEqual([])
    for (let flush = 0; flush < 2; flush++) short?.shift()?.()
    runTurns()
    expect(told).toEqual(['1 flushed', '2 flushed'])
  })

  test('[ST1] a stalled disk tells nothing and writes nothing until it is released', () => {
    const store = openFaulty()
    store.stallFlushes()
    for (const index of [1, 2]) append(store, index)
    runTurns()
    expect(told).toEqual([])
    expect(entriesOnDisk()).toEqual([])
    store.releaseFlushes()
    runTurns()
    expect(told).toEqual(['1 flushed', '2 flushed'])
    expect(entriesOnDisk()).toEqual([1, 2])
  })

  test('a disk that stalls during the delay of a slow one stalls that write too', () => {
    const store = openFaulty()
    store.delayFlushes(defer)
    append(store, 1)
    store.stallFlushes()
    runTurns()
    expect(told).toEqual([])
    store.releaseFlushes()
    runTurns()
    expect(told).toEqual(['1 flushed'])
  })

  test.each([
    ['lost', [1]],
    ['written', [1, 2]],
  ] as const)(
    '[DU2] after a failed flush whose data is %s every later write fails, and none is tried',
    (fate, left) => {
      const store = openFaulty()
      append(store, 1)
      store.failNextFlush(fate)
      for (const index of [2, 3]) append(store, index)
      runTurns()
      append(store, 4)
      runTurns()
      const failed = [2, 3, 4].map((index) => `${index} failed: the flush failed: this fault was asked for`)
      expect(told).toEqual(['1 flushed', ...failed])
      expect(entriesOnDisk()).toEqual(left)
    },
  )

  test('[DU2] a full disk ends the store, and says so', () => {
    const store = openFaulty()
    append(store, 1)
    store.fillDisk(new Map([[1, 0]]))
    for (const index of [2, 3]) append(store, index)
    runTurns()
    const message = 'disk full: the log cannot be written'
    expect(told).toEqual(['1 flushed', `2 failed: ${message}`, `3 failed: ${message}`])
    expect(entriesOnDisk()).toEqual([1])
  })

  test('[DU2] a disk is full at the first write that takes more than is left', () => {
    const store = openFaulty()
    store.fillDisk(new Map([[1, 2 * 1000]]))
    for (const index of [1, 2, 3]) append(store, index, 900)
    runTurns()
    expect(told).toEqual(['1 flushed', '2 flushed', '3 failed: disk full: the log cannot be written'])
    expect(entriesOnDisk()).toEqual([1, 2])
  })

  test.each([
    ['earlier', [1000, 2000]],
    ['later', [2000, 1000]],
  ])(
    'of two bounds the %s one fills the disk where it leaves less, and the other keeps count',
    (_, bytes) => {
      const [first = 0, second = 0] = bytes
      const store = openFaulty()
      store.fillDisk(new Map([[1, first]]))
      const both = new Map([
        [1, first],
        [2, second],
      ])
      store.fillDisk(both)
      append(store, 1, 900)
      store.fillDisk(both)
      expect([...store.bytesLeft.values()]).toEqual([first - 1000, second - 1000])
      for (const index of [2, 3]) append(store, index, 900)
      runTurns()
      const message = 'disk full: the log cannot be written'
      expect(told).toEqual(['1 flushed', `2 failed: ${message}`, `3 failed: ${message}`])
    },
  )

  test('a failure that is taken back before a flush has begun never happens', () => {
    const store = openFaulty()
    store.failNextFlush('lost')
    store.fillDisk(new Map([[1, 0]]))
    store.failNextFlush(undefined)
    store.fillDisk(new Map())
    append(store, 1)
    runTurns()
    expect(told).toEqual(['1 flushed'])
  })

  test.each<[string, (store: FaultyStore, flushed: (error?: Error) => void) => void]>([
    ['a piece', (store, flushed) => store.writeSnapshotChunk(snapshot, 0, Uint8Array.of(1), flushed)],
    ['its last step', (store, flushed) => store.compact({ snapshot, base: snapshot }, flushed)],
  ])('[ST2] %s of a snapshot fails in a later turn, however quick the disk', (_, write) => {
    const store = new FaultyStore(openMemoryStore(disk, { defer, isQuick: true }).store)
    store.fillDisk(new Map([[1, 0]]))
    write(store, (error) => void told.push(error?.message ?? 'flushed'))
    expect(told).toEqual([])
    runTurns()
    expect(told).toEqual(['disk full: the log cannot be written'])
  })

  test('[DU1] a power loss takes what was not flushed, and nothing is told of it', async () => {
    const store = openFaulty()
    append(store, 1)
    runTurns()
    store.delayFlushes(defer)
    for (const index of [2, 3]) append(store, index)
    store.losePower()
    append(store, 4)
    runTurns()
    expect(told).toEqual(['1 flushed'])
    await store.close()
    expect(entriesOnDisk()).toEqual([1])
  })

  test('[DU1] a power loss during a flush may leave the data, but nobody is told', () => {
    const store = openFaulty()
    append(store, 1)
    store.losePower()
    runTurns()
    expect(told).toEqual([])
  })

  test('[ST10] a store that is closed while its disk is stalled tells of every write that it was not made', async () => {
    const store = openFaulty()
    store.stallFlushes()
    append(store, 1)
    await store.close()
    expect(told).toEqual(['1 failed: the store is closed, and its disk had stalled'])
    expect(entriesOnDisk()).toEqual([])
  })
})
