/** A long proof that is stopped goes on, and never goes on with the results of other sources. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf, readState, writeState } from './long-state.js'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('what was done is there again, and nothing else is left beside it', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'proof.json')
  const state = readState(file, 'one')
  expect(state.seeds.done).toBe(0)
  state.seeds.done = 300
  writeState(file, state)
  expect(readState(file, 'one')).toEqual(state)
  expect(readdirSync(folder)).toEqual(['proof.json'])
})

test('of other sources nothing is done yet', () => {
  const file = join(temporaryFolder(), 'proof.json')
  const state = readState(file, 'one')
  state.seeds.done = 300
  writeState(file, state)
  expect(readState(file, 'two').seeds.done).toBe(0)
})

test('a changed text, another name and a further file are other sources', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'room'))
  const put = (name: string, text: string): void => writeFileSync(join(folder, 'room', name), text)
  const digests = new Set<string>()
  put('a.ts', 'a')
  digests.add(digestOf([folder]))
  put('a.ts', 'b')
  digests.add(digestOf([folder]))
  put('b.ts', '')
  digests.add(digestOf([folder]))
  rmSync(join(folder, 'room', 'b.ts'))
  put('c.ts', '')
  digests.add(digestOf([folder]))
  expect(digests.size).toBe(4)
})
