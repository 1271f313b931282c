/**
 * The power of a store on real LMDB files is lost under load. The store's own flushes are believed: what was told to be
 * flushed is on the disk, of the rest any sectors are. So a store that tells of a flush that it did not make is found here.
 */
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { type LogStore, openLmdbStore, type PowerLeft, type PowerLoss } from '../../src/storage/index.js'
import type { LmdbVersion } from '../../src/storage/one-flush/index.js'
import type { Flushed } from '../../src/storage/store.js'
import {
  persistOf,
  runOf,
  type StoreState,
  type StoreStep,
  stateOf,
  stepStore,
  testMembership,
} from '../../src/testing/store-model.js'
import { drawLife } from '../../src/testing/store-script.js'
import { flushes, lmdbDisk, newFolder } from './disks.js'
import { nodeId } from './node-id.js'

interface Lost {
  /** Steps that were told to be flushed, and all that were given. */
  readonly told: number
  readonly given: number
  readonly left: PowerLeft
  readonly found: StoreState
}

/** How many of a life's first steps a disk holds; -1: it holds no state of that life. */
function stepsIn(found: StoreState, states: readonly StoreState[], from: number, to: number): number {
  return states.findIndex((state, done) => done >= from && done <= to && isDeepStrictEqual(state, found))
}

function give(store: LogStore, step: StoreStep, flushed: Flushed): void {
  if (step.type === 'write') store.write(step.persist, flushed)
  else if (step.type === 'chunk') store.writeSnapshotChunk(step.snapshot, step.offset, step.data, flushed)
  else store.compact(step, flushed)
}

/**
 * Gives the steps to a store, up to `atOnce` of them at a time, and lets the power go after some of them. Opens the disk
 * again. Quick disks are waited for in the writer's own turn: `isQuick` says what the store takes this disk for.
 */
async function losePower(
  dir: string,
  steps: readonly StoreStep[],
  { random, lmdb, isQuick }: { random: Random; lmdb: LmdbVersion; isQuick: boolean },
): Promise<Lost> {
  let clockMs = 0
  const now = () => {
    clockMs += isQuick ? 0 : 1000
    return clockMs
  }
  const { store, losePower } = openLmdbStore({ dir, nodeId, membership: testMembership, now, lmdb })
  // A store takes no disk for a quick one before it has seen some quick transactions.
  const lossAt = 20 + random.below(steps.length - 25)
  const atOnce = 1 + random.below(4)
  let [told, given] = [0, 0]
  let isGone = false
  let loss: PowerLoss | undefined
  const flushed = (error: Error | undefined) => {
    expect(error).toBeUndefined()
    told++
  }
  while (given < steps.length && !isGone) {
    if (given === lossAt) {
      loss = losePower(random)
      void loss.gone.then(() => {
        isGone = true
      })
    }
    give(store, steps[given++]!, flushed)
    while (given - told >= atOnce && !isGone) await new Promise(setImmediate)
  }
  await loss?.gone
  const toldBefore = told
  await store.close()
  expect(told, 'nothing is told once the power is gone').toBe(toldBefore)
  const opened = lmdbDisk(dir, lmdb).open()
  const found = stateOf(opened)
  await opened.store.close()
  return { told, given, left: loss!.left!, found }
}

/** Shows in a failure what repeats it. */
const seed = Number(process.env['RAFTBOX_SEED'] ?? 1)
const rounds = 40

test.each(
  Object.entries(flushes).flatMap(([way, lmdb]) =>
    [true, false].map((isQuick) => ({ way, lmdb, isQuick, speed: isQuick ? 'quick' : 'slow' })),
  ),
)(
  '[DU1] [DU6] [DU4] what was told to be flushed survives a power loss, with $way on a $speed disk',
  async ({ lmdb, isQuick }) => {
    const seen = { whole: 0, gone: 0, torn: 0 }
    for (let round = 0; round < rounds; round++) {
      const random = new Random(seed * 1000 + round)
      const { steps, states } = drawLife(seed * 1000 + round, 50)
      const { told, given, left, found } = await losePower(newFolder(), steps, { random, lmdb, isQuick })
      const done = stepsIn(found, states, told, given)
      expect(done, `RAFTBOX_SEED=${seed}, round ${round}: ${told} steps were told, ${given} given`).not.toBe(
        -1,
      )
      if (left.allGone !== undefined) continue
      if (left.sectorsKept > 0 && left.sectorsKept < left.sectorsWritten) seen.torn++
      if (done > told) seen.whole++
      else seen.gone++
    }
    expect(seen.torn).toBeGreaterThan(rounds / 6)
    expect(seen.gone).toBeGreaterThan(rounds / 10)
    expect(seen.whole).toBeGreaterThan(rounds / 20)
  },
  120_000,
)

const append = (index: number): StoreStep => ({
  type: 'write',
  persist: persistOf({ entries: [runOf(index, 1, 1)] }),
})

async function lastIndexIn(dir: string): Promise<number> {
  const opened = lmdbDisk(dir).open()
  const last = stateOf(opened).entries.at(-1)?.index ?? 0
  await opened.store.close()
  return last
}

test('a file that is too large to be copied loses all that was not flushed, and the answer says so', async () => {
  const dir = newFolder()
  const { store, losePower } = openLmdbStore({ dir, nodeId, membership: testMembership })
  await stepStore(store, append(1))
  truncateSync(join(dir, 'data.mdb'), 129 << 20)
  const loss = losePower(new Random(1))
  give(store, append(2), () => expect.unreachable())
  await loss.gone
  await store.close()
  expect(loss.left).toEqual({ sectorsWritten: 0, sectorsKept: 0, allGone: 'tooLarge' })
  expect(await lastIndexIn(dir)).toBe(1)
})

test('a store that writes nothing loses its power a moment later, and takes nothing any more', async () => {
  const dir = newFolder()
  const { store, losePower } = openLmdbStore({ dir, nodeId, membership: testMembership })
  await stepStore(store, append(1))
  const loss = losePower(new Random(1))
  await loss.gone
  give(store, append(2), () => expect.unreachable())
  await store.close()
  expect(loss.left).toEqual({ sectorsWritten: 0, sectorsKept: 0, allGone: 'idle' })
  expect(await lastIndexIn(dir)).toBe(1)
})

test('a store that is closed before its power is gone loses it then', async () => {
  const dir = newFolder()
  const { store, losePower } = openLmdbStore({ dir, nodeId, membership: testMembership })
  await stepStore(store, append(1))
  const loss = losePower(new Random(1))
  await store.close()
  await loss.gone
  expect(loss.left?.allGone).toBe('idle')
  expect(await lastIndexIn(dir)).toBe(1)
})

test('a copy that a crash of the process left behind is removed by the next start', async () => {
  const dir = newFolder()
  mkdirSync(dir)
  writeFileSync(join(dir, 'power-loss'), 'a part of a copy')
  expect(await lastIndexIn(dir)).toBe(0)
  expect(existsSync(join(dir, 'power-loss'))).toBe(false)
})
