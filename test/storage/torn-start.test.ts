/**
 * A power loss during the very first write of a log, on real LMDB files. That write makes two pages, and only the first
 * sector of each has anything in it. A disk may have either of these sectors, both or none, and a part of the file's length.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  newPledge,
  openLmdbStore,
  PledgeSlot,
  readDiskAtRest,
  readLogAtRest,
  readPledges,
  writePledges,
} from '../../src/storage/index.js'
import { fileNames, openDatabase } from '../../src/storage/lmdb-file.js'
import { persistOf, runOf, testMembership } from '../../src/testing/store-model.js'
import { newFolder, noteSettled } from './disks.js'
import { changedSectors, fileIn, newDisk, withSectors } from './sectors.js'

const nodeId = 1
const none = Buffer.alloc(0)

/** The file after LMDB's first write. */
async function firstWrite(): Promise<Buffer> {
  const dir = newFolder()
  mkdirSync(dir)
  await openDatabase(dir, {}).close()
  return fileIn(dir)
}

const whole = await firstWrite()

/** Every part of the first write that a disk may have. */
const torn = [[], [0], [8], [0, 8]].flatMap((sectors) => {
  const file = withSectors(Buffer.alloc(whole.length), whole, sectors)
  return [512, 4096, whole.length].map((length) => file.subarray(0, length))
})
const isTorn = (file: Buffer): boolean => !file.equals(whole)

/** A directory that remembers a node which has not begun. */
function newPledges(): string {
  const dir = newFolder()
  mkdirSync(dir)
  const path = join(dir, 'members')
  writePledges(path, [newPledge(nodeId, 'first disk')])
  return path
}

function open(dir: string, pledges: string) {
  const place = new PledgeSlot(pledges, nodeId)
  try {
    const opened = openLmdbStore({ dir, nodeId, membership: testMembership, place })
    const close = async (): Promise<void> => {
      await opened.store.close()
      place.close()
    }
    return { ...opened, close }
  } catch (error) {
    place.close()
    throw error
  }
}

/** Starts the node, which acknowledges so many entries. */
async function start(dir: string, pledges: string, entries: number): Promise<number> {
  const { store, recovered, close } = open(dir, pledges)
  if (entries > 0) {
    const persist = persistOf({
      hardState: { currentTerm: 1, votedFor: nodeId },
      entries: [runOf(1, 1, entries)],
    })
    await new Promise<void>((resolve, reject) => {
      store.write(persist, (error) => (error === undefined ? resolve() : reject(error)))
    })
  }
  await close()
  return recovered.entries.reduce((sum, { count }) => sum + count, 0)
}

test('the first write of LMDB is two pages, and one sector of each', () => {
  expect([whole.length, changedSectors(Buffer.alloc(whole.length), whole)]).toEqual([8192, [0, 8]])
  expect(torn.filter(isTorn)).toHaveLength(11)
})

test.each([
  ['nothing was noted', undefined],
  ['no transaction was noted', 0],
])('[PL6] a log that was torn before its node began begins anew when %s', async (_, settled) => {
  for (const file of torn) {
    const [dir, pledges] = [newDisk(file, settled), newPledges()]
    const pledge = newPledge(nodeId, 'first disk')
    expect(readDiskAtRest(dir, nodeId, pledge, () => 'a disk')).toBeUndefined()
    expect(readLogAtRest(dir, nodeId, pledge, { limit: 1 })).toBeUndefined()
    expect(fileIn(dir), 'reading changes nothing').toEqual(file)
    expect(await start(dir, pledges, 3)).toBe(0)
    expect(await start(dir, pledges, 0), 'the new log is a log as any other').toBe(3)
  }
})

test.each([
  ['began', 0],
  ['acknowledged entries', 3],
])('[PL6] the same pages are refused once the node %s, and stay as they are', async (_, entries) => {
  for (const file of torn) {
    const [dir, pledges] = [newFolder(), newPledges()]
    await start(dir, pledges, entries)
    for (const settled of [undefined, 0]) {
      writeFileSync(join(dir, fileNames.data), file)
      if (settled !== undefined) noteSettled(dir, settled)
      const refusal = isTorn(file) ? 'its first pages are damaged' : 'its folder is missing or empty'
      expect(() => open(dir, pledges)).toThrow(refusal)
      const [pledge] = readPledges(pledges)
      expect(() => readLogAtRest(dir, nodeId, pledge, { limit: 1 })).toThrow(refusal)
      expect(fileIn(dir)).toEqual(file)
    }
  }
})

test('[PL6] torn pages are refused where no pledge tells that the node has not begun', () => {
  for (const file of torn.filter(isTorn)) {
    const dir = newDisk(file)
    expect(() => openLmdbStore({ dir, nodeId, membership: testMembership })).toThrow(
      'its first pages are damaged',
    )
    expect(() => readLogAtRest(dir, nodeId, undefined, { limit: 1 })).toThrow('its first pages are damaged')
    expect(fileIn(dir)).toEqual(file)
  }
})

test('[PL6] torn pages are refused where a transaction was flushed, whatever the pledge says', async () => {
  const used = newFolder()
  await start(used, newPledges(), 3)
  const firstPages = readFileSync(join(used, fileNames.data)).subarray(0, 8192)
  const ofUsedLog = [0, 8].map((sector) => withSectors(none, firstPages, [sector]))
  const disks = [...ofUsedLog.map((file) => newDisk(file)), newDisk(withSectors(none, whole, [0]), 1)]
  for (const dir of disks) {
    const before = fileIn(dir)
    expect(() => open(dir, newPledges())).toThrow('its first pages are damaged')
    expect(fileIn(dir)).toEqual(before)
  }
})

test('[PL6] a file that is longer than two pages is refused, whatever the pledge says', () => {
  const dir = newDisk(Buffer.alloc(2 ** 18))
  expect(() => open(dir, newPledges())).toThrow('its first pages are damaged')
  expect(existsSync(join(dir, fileNames.data))).toBe(true)
})
