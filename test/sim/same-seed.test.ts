import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { simulate } from '../../src/sim/index.js'

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
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 55_000,
  })
  expect(stdout).toBe(simulate({ seed: 7 }).fingerprint)
})

test('looking at a run changes nothing in it', () => {
  const lines: string[] = []
  const traced = simulate({ seed: 2, trace: (line) => lines.push(line) })
  expect(traced.fingerprint).toBe(simulate({ seed: 2 }).fingerprint)
  expect(lines.some((line) => line.includes('leads term'))).toBe(true)
})
