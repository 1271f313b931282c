/** LMDB's file as sectors, of which a power loss leaves any part of those that were written and not flushed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LmdbVersion } from '../../src/storage/one-flush/index.js'
import { newestTransaction } from '../../src/storage/one-flush/pages.js'
import { type StoreState, stateOf, stepStore } from '../../src/testing/store-model.js'
import { drawLife } from '../../src/testing/store-script.js'
import { lmdbDisk, newFolder, noteSettled } from './disks.js'

const sectorBytes = 512

function sectorOf(file: Buffer, sector: number): Buffer {
  return file.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)
}

/** The numbers of the sectors that differ. */
export function changedSectors(before: Buffer, after: Buffer): number[] {
  const sectors = Array.from({ length: after.length / sectorBytes }, (_, sector) => sector)
  return sectors.filter((sector) => !sectorOf(before, sector).equals(sectorOf(after, sector)))
}

/** A file that has some sectors of a later one; what it never wrote is zero. */
export function withSectors(before: Buffer, after: Buffer, sectors: readonly number[]): Buffer {
  const file = Buffer.alloc(Math.max(before.length, after.length))
  before.copy(file)
  for (const sector of sectors) sectorOf(after, sector).copy(sectorOf(file, sector))
  return file
}

/** The sectors that say which transaction is the newest: LMDB writes one of them for each. */
export const metaSectors = [0, 4096 / sectorBytes]

/** `settled` is left out where both flushes are LMDB's own, and nothing is noted. */
export function newDisk(file: Buffer, settled?: number): string {
  const dir = newFolder()
  mkdirSync(dir)
  writeFileSync(join(dir, 'data.mdb'), file)
  if (settled !== undefined) noteSettled(dir, settled)
  return dir
}

export const fileIn = (dir: string): Buffer => readFileSync(join(dir, 'data.mdb'))

export async function stateIn(dir: string, lmdb?: LmdbVersion): Promise<StoreState> {
  const opened = lmdbDisk(dir, lmdb).open()
  const state = stateOf(opened)
  await opened.store.close()
  return state
}

interface Moment {
  readonly before: Buffer
  readonly after: Buffer
  /** The transaction that `before` ends with. */
  readonly settled: number
  readonly states: { readonly before: StoreState; readonly after: StoreState }
}

/** Calls back with the file before and after every step of a life. */
export async function eachWrite(
  seed: number,
  steps: number,
  use: (moment: Moment) => Promise<void>,
  disk = lmdbDisk(),
): Promise<void> {
  const life = drawLife(seed, steps)
  const { store } = disk.open()
  let before = fileIn(disk.dir)
  for (const [done, step] of life.steps.entries()) {
    const settled = newestTransaction(join(disk.dir, 'data.mdb'))
    await stepStore(store, step)
    const after = fileIn(disk.dir)
    const states = { before: life.states[done]!, after: life.states[done + 1]! }
    await use({ before, after, settled, states })
    before = after
  }
  await store.close()
}
