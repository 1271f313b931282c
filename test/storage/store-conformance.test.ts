import { describe, test } from 'vitest'
import { FaultyStore } from '../../src/storage/index.js'
import { type StoreHarness, storeConformance } from '../../src/testing/store-conformance.js'
import type { TestDisk } from '../../src/testing/store-expectations.js'
import { flushes, lmdbDisk, memoryDisk, nextTurn } from './disks.js'

/** A disk behind faults, none of which ever happens. */
function faulty(disk: TestDisk, isSlow: boolean): TestDisk {
  return {
    open() {
      const { store, recovered } = disk.open()
      const faultyStore = new FaultyStore(store)
      if (isSlow) faultyStore.delayFlushes(nextTurn)
      return { store: faultyStore, recovered }
    },
    copy: () => faulty(disk.copy(), isSlow),
  }
}

const harnesses: Record<string, StoreHarness> = {
  'memory store': { newDisk: () => memoryDisk() },
  'memory store on a quick disk': { newDisk: () => memoryDisk(undefined, true) },
  'LMDB store with one flush': { newDisk: () => lmdbDisk() },
  'LMDB store with two flushes': { newDisk: () => lmdbDisk(undefined, flushes['two flushes']) },
  'faulty store without a fault': { newDisk: () => faulty(memoryDisk(), false) },
  'faulty store on a slow disk': { newDisk: () => faulty(lmdbDisk(), true) },
}

describe.each(Object.entries(harnesses))('%s', (name, harness) => {
  for (const { title, run } of storeConformance(name, harness)) test(title, run)
})
