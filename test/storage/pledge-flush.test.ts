import { fdatasyncSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { newPledge, PledgeSlot, writePledges } from '../../src/storage/index.js'
import { newFolder } from './disks.js'

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  return { ...fs, fdatasyncSync: vi.fn(fs.fdatasyncSync) }
})

test('[EL21] a pledged term and vote are flushed on return, and what the ticks note is not waited for', () => {
  const folder = newFolder()
  mkdirSync(folder)
  const file = join(folder, 'pledges.jsonl')
  const pledge = newPledge(1, 'a disk')
  writePledges(file, [pledge])
  const slot = new PledgeSlot(file, 1)
  slot.keep({ ...pledge, held: { index: 1, term: 1 } }, false)
  expect(fdatasyncSync).not.toHaveBeenCalled()
  slot.keep({ ...pledge, hardState: { currentTerm: 2, votedFor: 1 } }, true)
  expect(fdatasyncSync).toHaveBeenCalledOnce()
  slot.close()
})
