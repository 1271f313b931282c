import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { whyNoList } from '../../src/cli/shrink.js'
import { firstSeed, plantedCopy } from '../shrink/planted.js'
import { type Ended, lastLine, run, startProgram, temporaryFile, temporaryFolder } from './raftbox.js'

test('a seed that fails is told by its steps, drawn, and written to a file that replay runs again', {
  timeout: 300_000,
}, async () => {
  const program = join(plantedCopy('a node that votes twice in a term'), 'cli', 'main.js')
  const runPlanted = (args: readonly string[]): Promise<Ended> => startProgram(program, args).ended
  const [file, svg] = ['found.jsonl', 'found.svg'].map((name) => join(temporaryFolder(), name)) as [
    string,
    string,
  ]

  const swept = await runPlanted(['sim', '--from', String(firstSeed), '--seeds', '12'])
  const seed = /to shrink it: raftbox sim --seed (\d+) --shrink seed-\1\.jsonl/.exec(swept.stdout)?.[1] ?? ''
  expect([swept.code, seed]).toEqual([1, expect.stringMatching(/./)])

  const shrunk = await runPlanted(['sim', '--seed', seed, '--shrink', file, '--svg', svg])
  expect([shrunk.code, shrunk.stderr]).toEqual([1, ''])
  expect(shrunk.stdout).toMatch(
    /^1\. node \d hears nobody for an election timeout\n {5}it starts an election/m,
  )
  expect(shrunk.stdout).toContain('the node stops itself: a vote is given once a term\n')
  expect(shrunk.stdout).toMatch(/a violation after \d steps, of which none can be left out\n\d+ runs in /)
  expect(shrunk.stdout).toContain(`to run it again: raftbox replay ${file}\n`)
  const picture = readFileSync(svg, 'utf8')
  for (const words of ['<svg', 'node 1', 'starts an election for term 1']) expect(picture).toContain(words)

  const again = await runPlanted(['replay', file])
  expect([again.code, again.stderr]).toEqual([1, ''])
  expect(again.stdout).toMatch(/a vote is given once a term\n\d steps: a violation\n$/)
  const sound = await run(['replay', file, '--json'])
  expect([sound.code, sound.stderr]).toEqual([0, ''])
  expect(lastLine(sound.stdout)).toMatchObject({ skipped: 0 })
})

test('broken disks are the reason for no list only where the world has them', () => {
  expect(whyNoList({ faults: ['disks'] })).toContain('steps have no broken disks')
  expect(whyNoList({ faults: ['cuts'] })).toBe('no list of steps was found that breaks the same property')
})

test('a seed that keeps its promises leaves no file', async () => {
  const file = join(temporaryFolder(), 'found.jsonl')
  const { code, stdout } = await run(['sim', '--seed', '2', '--shrink', file])
  expect([code, stdout]).toEqual([0, 'seed 2: no violation, nothing to shrink\n'])
  expect(existsSync(file)).toBe(false)
})

test.each([
  [['--shrink', 'a.jsonl'], '--shrink: name one seed with --seed'],
  [['--seed', '1', '--shrink', 'a.jsonl', '--trace'], '--shrink: leave it out with --trace'],
  [['--seed', '1', '--svg', 'a.svg'], '--svg, --seconds: they belong to --shrink'],
  [['--seed', '1', '--shrink', 'no-such-folder/a.jsonl'], 'no-such-folder/a.jsonl cannot be written'],
])('sim %j is bad input', async (args, words) => {
  const { code, stdout, stderr } = await run(['sim', ...args])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(words)
})

test('replay names the line of a failure that it cannot read', async () => {
  const head = { failure: 'raftbox', version: 1, seed: 1, found: { rule: 'r', detail: 'd' } }
  const list = { voters: 3, appendBytesMax: 1 }
  const text = `${JSON.stringify({ ...head, list })}\n{"act":1,"node":1,"does":"sleep"}\n`
  const { code, stderr } = await run(['replay', temporaryFile('found.jsonl', text)])
  expect(code).toBe(2)
  expect(stderr).toContain(
    'line 2: it tells an act of the unknown kind "sleep"; give a file that raftbox sim --shrink',
  )
})
