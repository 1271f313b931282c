/** Mutants apply, are of all rooms, and some of them are run here; `raftbox mutants` runs all. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allMutants } from './list/index.js'
import { mutatedText, roomOf } from './mutant.js'

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
