/** A transaction is noted as flushed only once it is: a start takes what is damaged up to there for lost. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLmdbStore } from '../../src/storage/index.js'
import { readSettled } from '../../src/storage/one-flush/unsettled.js'
import { persistOf, runOf, stepStore, testMembership } from '../../src/testing/store-model.js'
import { newFolder } from './disks.js'
import { nodeId } from './node-id.js'

/** What becomes of the log's next flush, and what was seen so far. */
const disk = vi.hoisted(() => ({
  isHeld: false,
  isFailing: false,
  release: undefined as (() => void) | undefined,
  /** Notes that were begun. */
  notes: 0,
  /** Flushes off the node's turn that are over, those of notes included. */
  flushes: 0,
}))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const flush = (descriptor: number, done: (error: Error | null) => void) => {
    fs.fdatasync(descriptor, (error) => {
      disk.flushes++
      done(error)
    })
  }
  return {
    ...fs,
    fdatasync: (descriptor: number, done: (error: Error | null) => void) => {
      if (!disk.isHeld) return flush(descriptor, done)
      disk.isHeld = false
      disk.release = () => flush(descriptor, done)
    },
    fdatasyncSync: (descriptor: number) => {
      if (disk.isFailing) throw new Error('EIO: i/o error, fdatasync')
      fs.fdatasyncSync(descriptor)
    },
    write: (...args: Parameters<typeof fs.write>) => {
      disk.notes++
      fs.write(...args)
    },
  }
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
  Object.assign(disk, { isHeld: false, isFailing: false, release: undefined, notes: 0, flushes: 0 })
})

function append(index: number) {
  return { type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, 10)] }) } as const
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}

/** Long enough for every note that is due to be begun. */
const pass = () => vi.advanceTimersByTime(1000)

test('[DU1] a flush that is not over is not noted', async () => {
  const dir = newFolder()
  const { store } = openLmdbStore({ dir, nodeId, membership: testMembership })
  const settled = readSettled(dir)!
  // The first transaction of all is noted once more.
  pass()
  await until(() => disk.flushes === 1)
  disk.isHeld = true
  const written = stepStore(store, append(1))
  await until(() => disk.release !== undefined)
  pass()
  expect([disk.notes, readSettled(dir)]).toEqual([1, settled])
  disk.release?.()
  await written
  pass()
  await until(() => readSettled(dir) === settled + 1)
  await store.close()
})

test('[DU1] [DU2] a flush that failed is not noted', async () => {
  const dir = newFolder()
  // A disk that is always quick is waited for in the node's own turn.
  const { store } = openLmdbStore({ dir, nodeId, membership: testMembership, now: () => 0 })
  const settled = readSettled(dir)!
  for (let index = 1; index <= 20; index++) await stepStore(store, append(index))
  pass()
  // Sixteen writes until the disk is trusted, and one note of all.
  await until(() => disk.flushes === 17)
  expect(readSettled(dir)).toBe(settled + 20)
  const { notes } = disk
  disk.isFailing = true
  await expect(stepStore(store, append(21))).rejects.toThrow('the flush failed: EIO')
  pass()
  await store.close()
  expect([disk.notes, readSettled(dir)]).toEqual([notes, settled + 20])
})
