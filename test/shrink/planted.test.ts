import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Failure, FailureReader, failureOf, linesOf, rerun } from '../../src/shrink/index.js'
import { firstSeed, type MistakeName, plantedCopy, shrinkRoomOf, shrunkBy } from './planted.js'

interface Expected {
  readonly name: MistakeName
  readonly rule: string
  readonly stepsMax: number
}

const expected: readonly Expected[] = [
  { name: 'a node that votes twice in a term', rule: 'the node stops itself', stepsMax: 6 },
  {
    name: 'a follower that acknowledges entries which are not on its disk',
    rule: 'a promise is on disk before it leaves',
    stepsMax: 8,
  },
  {
    name: 'an entry of an earlier term that is committed by counting',
    rule: 'commit rule',
    stepsMax: 25,
  },
  {
    name: 'a leader that counts its own copy before it is on its disk',
    rule: 'committed means durable',
    stepsMax: 12,
  },
]

test.each(expected)(
  '$name shrinks to a short list, each step of which is needed',
  { timeout: 300_000 },
  async ({ name, rule, stepsMax }) => {
    const room = await shrinkRoomOf(plantedCopy(name))
    const shrunk = shrunkBy(room)
    const { list } = shrunk
    expect([list.broken.rule, list.isMinimal, shrunk.isDone]).toEqual([rule, true, true])
    expect(list.acts.length).toBeLessThanOrEqual(stepsMax)
    expect(list.told.length).toBe(list.acts.length)

    const failure = failureOf(shrunk)
    expect(room.rerun(failure)).toMatchObject({ broken: list.broken, skipped: 0 })
    expect(room.rerun(withOtherIds(failure))).toMatchObject({ broken: list.broken, skipped: 0 })
    for (const left of list.acts) expect(room.rerun(without(failure, left.id)).broken?.rule).not.toBe(rule)
    // The program without the mistake takes the same steps, and breaks no rule.
    expect(rerun(failure)).toMatchObject({ broken: undefined })
  },
)

/** The mistakes of the guide's table, by its words. */
const told: Readonly<Record<string, MistakeName>> = {
  'a node votes twice in a term': 'a node that votes twice in a term',
  'an acknowledgement leaves before the entries are on the disk':
    'a follower that acknowledges entries which are not on its disk',
  'an entry of an earlier term is committed by counting (Figure 8)':
    'an entry of an earlier term that is committed by counting',
  'a leader counts its own copy before it is on the disk':
    'a leader that counts its own copy before it is on its disk',
}
const guide = readFileSync('docs/proof.md', 'utf8')
const row = /^\| (.+) \| (\d+) \| [\d,]+ \| (\d+) \| ([\d,]+) \|$/gm
const rows = [...guide.matchAll(row)].map(([, words = '', ...figures]) => {
  const [seed = 0, steps = 0, runs = 0] = figures.map((figure) => Number(figure.replaceAll(',', '')))
  return { words, seed, steps, runs }
})

test('the table of the guide has a row for each mistake that is told there', () => {
  expect(rows.map(({ words }) => words)).toEqual(Object.keys(told))
})

test.each(rows)('seed $seed shrinks as the guide tells: $words', { timeout: 300_000 }, async (each) => {
  const { shrink, Bound } = await shrinkRoomOf(plantedCopy(told[each.words] as MistakeName))
  const shrunk = shrink(each.seed, new Bound())
  expect({ steps: shrunk?.list?.acts.length, runs: shrunk?.runs }).toEqual({
    steps: each.steps,
    runs: each.runs,
  })
})

function without(failure: Failure, id: number): Failure {
  if (failure.type !== 'list') throw new Error('a list was expected')
  return { ...failure, acts: failure.acts.filter((act) => act.id !== id) }
}

/** The ids name acts: they need not be the places of the acts. */
function withOtherIds(failure: Failure): Failure {
  if (failure.type !== 'list') throw new Error('a list was expected')
  const acts = failure.acts.map(({ id, deed, ...act }) => {
    return { ...act, id: 10 * id, deed: deed.type === 'take' ? { ...deed, of: 10 * deed.of } : deed }
  })
  return { ...failure, acts }
}

test('a simulator that ends by an error shrinks to a world that fails by the same error', {
  timeout: 300_000,
}, async () => {
  const rule = 'the simulator runs'
  const room = await shrinkRoomOf(plantedCopy('a simulator that ends by an error'))
  const shrunk = room.shrink(firstSeed, new room.Bound())
  expect(shrunk).toMatchObject({ found: { rule }, world: { rule, change: { nodes: 3 } }, list: undefined })
  if (shrunk === undefined) return
  expect(shrunk.story).toBeUndefined()
  const failure = failureOf(shrunk)
  expect(room.rerun(failure).broken).toMatchObject({ rule, detail: expect.stringContaining('planted') })
  const reader = new FailureReader()
  for (const line of linesOf(failure, [])) reader.take(line)
  expect(reader.failure).toEqual(failure)
})

test('the same seed shrinks to the same list after the same runs, and a bound ends it early', {
  timeout: 300_000,
}, async () => {
  const room = await shrinkRoomOf(plantedCopy('a node that votes twice in a term'))
  const { seed, ...first } = shrunkBy(room)
  expect(room.shrink(seed, new room.Bound())).toEqual({ seed, ...first })

  const bound = new room.Bound()
  bound.end()
  const { rule, detail, atMs } = first.found
  const early = room.shrink(seed, bound)
  expect(early).toMatchObject({ isDone: false, runs: 1, list: undefined, world: { rule, detail, atMs } })
  if (early !== undefined) expect(room.rerun(failureOf(early)).broken).toEqual({ rule, detail })
})
