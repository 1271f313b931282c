/** Each mutant applies, and each room has some. A few mutants are run here; `raftbox mutants` runs all. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allMutants } from './list/index.js'
import { type Mutant, mutatedText, roomOf } from './mutant.js'
import { runMutants } from './run.js'
import { tableOf, verdictLine } from './words.js'

test('there are at least 80 mutants, of each room that can break a promise or tell a wrong figure', () => {
  expect(allMutants.length).toBeGreaterThanOrEqual(80)
  const rooms = new Set(allMutants.map(roomOf))
  for (const room of ['raft', 'driver', 'storage', 'machine', 'cluster', 'mvcc', 'etcd', 'load', 'telemetry'])
    expect([...rooms]).toContain(room)
  expect(new Set(allMutants.map(({ id }) => id)).size).toBe(allMutants.length)
})

test.each(allMutants)('$id applies: $what', (mutant) => {
  expect(mutatedText(mutant)).toContain(mutant.replace)
  if (mutant.killedBy === 'simulator') return
  for (const path of mutant.killedBy) expect(existsSync(path), path).toBe(true)
})

/** Found by the first seeds, or by a quick test: of each room some. */
const quick = [
  ...['commit-of-earlier-term', 'commit-beyond-verified', 'acknowledged-on-receipt', 'vote-before-flush'],
  ...['promises-before-flush', 'flush-not-awaited', 'results-of-others', 'elections-not-counted'],
  ...['end-of-log-not-written', 'vote-not-written', 'cut-one-record-too-far', 'checksum-not-compared'],
  ...['call-applied-twice', 'sessions-not-in-snapshot', 'append-replaces', 'range-passes-over-key'],
  ...['copy-gets-own-place', 'version-goes-on-after-delete', 'warm-up-counted', 'latency-from-sending'],
]

test('mutants of each kind are killed by whoever is to kill them', { timeout: 600_000 }, async () => {
  const mutants = allMutants.filter(({ id }) => quick.includes(id))
  expect(mutants).toHaveLength(quick.length)
  const results = await resultsOf(mutants, 40)
  expect(results.filter(({ isKilled }) => !isKilled)).toEqual([])
})

/** No mistake: a comment says something else. */
const harmless: Mutant = {
  ...{ id: 'harmless', breaks: 'EL1', what: 'a comment is another', file: 'src/raft/commit.ts' },
  ...{ find: 'Our own copy counts', replace: 'Its own copy counts', killedBy: 'simulator' },
}
const untypable: Mutant = {
  ...{ id: 'untypable', breaks: 'EL1', what: 'a name is not defined', file: 'src/raft/commit.ts' },
  ...{ find: 'return log.flushedIndex', replace: 'return lag.flushedIndex', killedBy: 'simulator' },
}

async function resultsOf(mutants: readonly Mutant[], seeds: number) {
  const { signal } = new AbortController()
  return runMutants(mutants, { seeds, signal, told: () => undefined })
}

test('a mutant that nobody notices survives, and one that is no program is not taken for killed', {
  timeout: 600_000,
}, async () => {
  const results = await resultsOf([harmless, untypable], 2)
  expect(results.map(({ isKilled, by }) => [isKilled, by])).toEqual([
    [false, 'nothing'],
    [false, 'the change is no mistake but no program'],
  ])
  expect(tableOf(results)).toContain('SURVIVED (nothing)')
  expect(verdictLine(2, ['harmless'], 3)).toBe('2 mutants in 3 s, 1 survivor: harmless')
})

test('a mutant whose text is gone, or stands there twice, fails the run', async () => {
  const gone = { ...harmless, find: 'no such text' }
  await expect(resultsOf([gone], 1)).rejects.toThrow('harmless does not apply: its text is 0 times')
  const twice = { ...harmless, find: 'log' }
  await expect(resultsOf([twice], 1)).rejects.toThrow(/not once$/)
  const broken = { ...harmless, find: 'export function maybeCommit(', replace: 'export function (' }
  await expect(resultsOf([broken], 1)).rejects.toThrow('a mutant is no TypeScript')
})
