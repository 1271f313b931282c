/** The store falls back to lmdb's own two flushes where the layout of lmdb's pages was not tested. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LmdbVersion, openingOf } from '../../src/storage/one-flush/index.js'
import { installedLmdb, untestedPart } from '../../src/storage/one-flush/lmdb-version.js'
import { newestTransaction } from '../../src/storage/one-flush/pages.js'
import { persistOf, runOf, stateOf, stepStore } from '../../src/testing/store-model.js'
import { flushes, lmdbDisk, noteSettled } from './disks.js'

const one = flushes['one flush']
const two = flushes['two flushes']

async function append(disk: ReturnType<typeof lmdbDisk>, ...indexes: number[]): Promise<typeof disk> {
  const { store } = disk.open()
  for (const index of indexes) {
    await stepStore(store, { type: 'write', persist: persistOf({ entries: [runOf(index, 1, 1, 12)] }) })
  }
  // As the program leaves it that is killed here.
  const copy = disk.copy() as typeof disk
  await store.close()
  return copy
}

async function indexesIn(dir: string, lmdb: LmdbVersion): Promise<number[]> {
  const opened = lmdbDisk(dir, lmdb).open()
  const { entries } = stateOf(opened)
  await opened.store.close()
  return entries.map(({ index }) => index)
}

test('the lmdb that is installed is one that was tested', () => {
  expect(untestedPart(installedLmdb())).toBeUndefined()
})

test.each([
  ['another release of lmdb', { ...one, lmdb: '3.5.7' }, 'lmdb 3.5.7'],
  ['another library in it', { ...one, library: 'LMDB 0.9.70' }, 'LMDB 0.9.70'],
  ['another machine', { ...one, machine: 'arm LE' }, 'lmdb on arm LE'],
] as const)('%s is not a tested one', (_, version, part) => {
  expect(untestedPart(version)).toBe(part)
})

test('an lmdb that was not tested notes nothing beside its files, and one line says that it flushes twice', async () => {
  const lines: string[] = []
  const hear = (warning: Error) => void lines.push(`${warning.name}: ${warning.message}`)
  process.on('warning', hear)
  try {
    const disk = lmdbDisk(undefined, two)
    const { dir } = await append(disk, 1, 2)
    expect(existsSync(join(dir, 'unsettled'))).toBe(false)
    expect(await indexesIn(dir, two)).toEqual([1, 2])
    await new Promise(setImmediate)
  } finally {
    process.off('warning', hear)
  }
  expect(lines).toEqual([
    'RaftboxWarning: raftbox was not tested with lmdb 999.0.0: each write waits for two flushes of the disk, where one would do',
  ])
})

test.each([
  [one, two],
  [two, one],
])(
  'a log that was closed in order opens in the other way, and goes back and forth, from %o',
  async (first, second) => {
    const disk = lmdbDisk(undefined, first)
    await append(disk, 1, 2)
    await append(lmdbDisk(disk.dir, second), 3)
    await append(lmdbDisk(disk.dir, first), 4)
    expect(await indexesIn(disk.dir, second)).toEqual([1, 2, 3, 4])
  },
)

test.each([
  [one, two],
  [two, one],
])('a log of a program that was killed opens in the other way, from %o', async (first, second) => {
  const { dir } = await append(lmdbDisk(undefined, first), 1, 2)
  expect(await indexesIn(dir, second)).toEqual([1, 2])
  expect(existsSync(join(dir, 'unsettled'))).toBe(false)
})

test('[DU1] what lmdb flushed by itself is settled, also where a program before it was killed with one flush', async () => {
  const left = await append(lmdbDisk(undefined, one), 1)
  const file = join(left.dir, 'data.mdb')
  noteSettled(left.dir, newestTransaction(file))
  openingOf(left.dir, file, two)
  // A program that is killed later in its start has written without a manifest.
  expect(existsSync(join(left.dir, 'unsettled'))).toBe(false)
  const { dir } = await append(lmdbDisk(left.dir, two), 2, 3)
  expect(await indexesIn(dir, one)).toEqual([1, 2, 3])
})

test('[DU1] a first write with one flush that is not whole is undone behind writes that have no manifest', async () => {
  const { dir } = await append(lmdbDisk(undefined, two), 1, 2)
  const { dir: torn } = await append(lmdbDisk(dir, one), 3)
  const file = join(torn, 'data.mdb')
  noteSettled(torn, newestTransaction(file) - 1)
  const bytes = readFileSync(file)
  const { bytes: entry } = runOf(3, 1, 1, 12)
  const tail = Buffer.from(entry.subarray(-12))
  const at = bytes.indexOf(tail)
  expect(at).toBeGreaterThan(0)
  for (let place = at; place >= 0; place = bytes.indexOf(tail, place)) bytes[place]! ^= 1
  writeFileSync(file, bytes)
  for (const lmdb of [two, one]) expect(await indexesIn(torn, lmdb)).toEqual([1, 2])
})

test('an lmdb that did not do as it was told is refused before it writes', async () => {
  const { dir } = await append(lmdbDisk(undefined, one), 1, 2)
  const file = join(dir, 'data.mdb')
  const newest = newestTransaction(file)
  noteSettled(dir, newest)
  expect(() => openingOf(dir, file, one).begin(newest + 1)).toThrow(
    `LMDB names transaction ${newest + 1} as the last one, and its first pages name ${newest}`,
  )
  noteSettled(dir, newest - 1)
  for (const lmdb of [one, two]) {
    const opening = openingOf(dir, file, lmdb)
    expect(opening.lmdbOptions.usePreviousSnapshot).toBe(true)
    expect(() => opening.begin(newest)).toThrow(
      `LMDB went back to transaction ${newest}, and not to ${newest - 1}`,
    )
  }
})
