import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { type Counts, noCounts, simulate } from '../../src/sim/index.js'

const seeds = Array.from({ length: 10 }, (_, at) => at + 1)

test.each(seeds)('the same seed is the same run, to the byte (seed %i)', (seed) => {
  const first = simulate({ seed })
  const second = simulate({ seed })
  expect(second).toEqual(first)
})

test('other seeds are other runs', () => {
  expect(new Set(seeds.map((seed) => simulate({ seed }).fingerprint)).size).toBe(seeds.length)
})

test('a run is the same in another process', () => {
  const program = `
    import { simulate } from 'raftbox/sim'
    process.stdout.write(simulate({ seed: 7 }).fingerprint)`
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(stdout).toBe(simulate({ seed: 7 }).fingerprint)
})

test('200 seeds keep every promise, and every kind of fault has struck', () => {
  const sum: Record<string, number> = { ...noCounts() }
  for (let seed = 1; seed <= 200; seed++) {
    const { violation, counts } = simulate({ seed })
    expect(violation, `seed ${seed}`).toBeUndefined()
    for (const name of Object.keys(counts) as (keyof Counts)[]) sum[name] = (sum[name] ?? 0) + counts[name]
  }
  // A queue that overflowed would be a fault of ours: it is bounded by windows before.
  const { overflowed, ...struck } = sum
  for (const [name, count] of Object.entries(struck)) expect(count, name).toBeGreaterThan(0)
})
