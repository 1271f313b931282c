import { expect, test } from 'vitest'
import { manners, translated } from '../../src/shrink/translate.js'
import { simulate } from '../../src/sim/index.js'

/** Runs of few nodes and no long storms, with every kind of weather among them. */
const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

test.each(seeds)('the acts of seed %i, which keeps all promises, break no rule', (seed) => {
  const lines: string[] = []
  const { violation } = simulate({ seed, stormMs: 400, record: (line) => void lines.push(line) })
  expect(violation).toBeUndefined()
  for (const manner of manners) {
    const run = translated(lines, manner)
    expect(run?.acts.length).toBeGreaterThan(0)
    expect(run?.scene.broken).toBeUndefined()
  }
})

test('the acts of a run elect leaders of the same terms, and commit what the nodes committed', () => {
  const lines: string[] = []
  const plan = { nodes: 3, faults: [], changeGapMs: 0, neverLeading: [], stormMs: 300, clockDrift: 0 }
  const { committed } = simulate({ ...plan, seed: 5, record: (line) => void lines.push(line) })
  const { acts, scene } = translated(lines, { areHeld: false, appendBytesMax: 1 << 20 }) ?? {}
  const commits = [1, 2, 3].map((id) => scene?.stateOf(id).log.commitIndex)
  expect(Math.max(...commits.map((index) => index ?? 0))).toBe(committed)
  expect(acts?.filter(({ deed }) => deed.type === 'timeOut').length).toBeGreaterThan(0)
})

test('lines in which no node begins are no run', () => {
  expect(translated([], { areHeld: false, appendBytesMax: 1 })).toBeUndefined()
})
