import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  BadFailure,
  type Failure,
  FailureReader,
  failureOf,
  linesOf,
  rerun,
  type Shrunk,
} from '../../src/shrink/index.js'
import type { WholeAct, WholeDeed } from '../../src/shrink/whole-acts.js'
import { performWhole } from '../../src/shrink/whole-scene.js'
import { ScriptNotes, wholeActsOf } from '../../src/shrink/whole-translate.js'
import { wholeWorldOf, widened } from '../../src/shrink/whole-world.js'
import { simulate } from '../../src/sim/index.js'
import { type MistakeName, plantedCopy, shrinkRoomOf } from './planted.js'

interface Expected {
  readonly name: MistakeName
  /** A seed that the mistake makes fail. */
  readonly seed: number
  readonly rule: string
  readonly stepsMax: number
  /** A kind of step that the list needs. */
  readonly needs?: WholeDeed['type']
}

const expected: readonly Expected[] = [
  { name: 'a call of a session that is applied again', seed: 3, rule: 'exactly once', stepsMax: 6 },
  {
    name: 'an answer that names the place of another command',
    seed: 16,
    rule: 'acknowledged writes are never lost',
    stepsMax: 4,
  },
  {
    name: 'a node that begins with an empty state behind its snapshot',
    seed: 22,
    rule: 'stale reads',
    stepsMax: 6,
  },
  {
    name: 'a snapshot without the sessions',
    seed: 1,
    rule: 'equal states at equal indexes',
    stepsMax: 10,
  },
  {
    name: 'a write that begins beside another',
    seed: 1,
    rule: 'a node never stops by itself',
    stepsMax: 8,
    needs: 'stall',
  },
  {
    name: 'a lease that counts from a round which no majority answered',
    seed: 231,
    rule: 'nobody else leads while a lease is held',
    stepsMax: 20,
  },
  {
    name: 'a clock that may be set too far',
    seed: 336,
    rule: 'bounds',
    stepsMax: 18,
    needs: 'skew',
  },
  { name: 'a read on a lease that has ended', seed: 206, rule: 'linearizable reads', stepsMax: 25 },
]

test.each(expected)(
  '$name shrinks to a short list of steps of whole nodes, which breaks the same property',
  { timeout: 300_000 },
  async ({ name, seed, rule, stepsMax, needs }) => {
    const room = await shrinkRoomOf(plantedCopy(name))
    const shrunk = room.shrink(seed, new room.Bound())
    const failure = wholeOf(shrunk)
    expect([shrunk?.found.rule, shrunk?.list?.broken.rule, shrunk?.list?.isMinimal]).toEqual([
      rule,
      rule,
      true,
    ])
    expect(failure.acts.length).toBeLessThanOrEqual(stepsMax)
    if (needs !== undefined) expect(failure.acts.map(({ deed }) => deed.type)).toContain(needs)
    expect(shrunk?.story?.happened.length).toBeGreaterThan(0)

    expect(read(linesOf(failure, []))).toEqual(failure)
    expect(room.rerun(failure)).toMatchObject({ broken: shrunk?.list?.broken, skipped: 0 })
    for (const left of failure.acts) {
      const acts = failure.acts.filter((act) => act !== left)
      expect(room.rerun({ ...failure, acts }).broken?.rule).not.toBe(rule)
    }
    // The program without the mistake takes the same steps, and breaks no property.
    expect(rerun(failure).broken).toBeUndefined()
  },
)

function wholeOf(shrunk: Shrunk | undefined): Failure & { readonly type: 'whole' } {
  const failure = shrunk && failureOf(shrunk)
  if (failure?.type !== 'whole') throw new Error(`a list of whole nodes was expected, not ${failure?.type}`)
  return failure
}

test('a kept list fails with its mistake, also where its seed stands for another plan', {
  timeout: 300_000,
}, async () => {
  const lines = readFileSync('test/found/lease-of-unanswered-round.jsonl', 'utf8').trimEnd().split('\n')
  const room = await shrinkRoomOf(
    plantedCopy(
      'a lease that counts from a round which no majority answered',
      'seeds that stand for other plans',
    ),
  )
  const failure = read(lines)
  expect(room.rerun(failure).broken?.rule).toBe(failure.found.rule)
})

function read(lines: readonly string[]): Failure {
  const reader = new FailureReader()
  for (const line of lines) reader.take(line)
  return reader.failure
}

/** Runs with every kind of weather among them. */
const seeds = Array.from({ length: 8 }, (_, at) => at + 1)

test.each(seeds)(
  'the acts of seed %i break no property, and neither do parts of them',
  { timeout: 300_000 },
  (seed) => {
    const script = new ScriptNotes()
    const stormMs = 400
    const { violation } = simulate({ seed, stormMs, script, begun: (cluster) => script.begun(cluster) })
    expect(violation).toBeUndefined()
    const drawn = wholeWorldOf(seed, {}, true)
    const leastMs = drawn.tickMs / 2
    for (const [world, holdsWrites] of [
      [widened(drawn), false],
      [drawn, false],
      [widened(drawn), true],
    ] as const) {
      const { acts, scene } = wholeActsOf(script.notes, world, { leastMs, holdsWrites }, stormMs)
      expect(acts.length).toBeGreaterThan(0)
      expect(scene.broken).toBeUndefined()
      for (const nth of [2, 3, 7]) {
        const part = acts.filter(({ deed }, at) => at % nth > 0 || deed.type === 'launch')
        expect(performWhole(world, part).broken).toBeUndefined()
      }
    }
  },
)

const found = { rule: 'exactly once', detail: 'node 1: applies 6' }
const acts: readonly WholeAct[] = [
  { id: 1, node: 1, deed: { type: 'timeOut' } },
  { id: 2, node: 2, deed: { type: 'take', of: 1, kind: 'preVote', nth: 0 } },
  { id: 3, node: 0, deed: { type: 'pass', ms: 12.5 } },
  { id: 4, node: 1, deed: { type: 'register', timeoutMs: 150 } },
  {
    id: 5,
    node: 1,
    deed: {
      type: 'call',
      session: 4,
      sequence: 1,
      firstOutstanding: 1,
      commands: [new Uint8Array([1, 1, 0, 97, 98])],
    },
  },
  { id: 6, node: 1, deed: { type: 'ask', what: 'readHere', commands: [new Uint8Array([1, 97])] } },
  { id: 7, node: 1, deed: { type: 'snapshot' } },
  { id: 8, node: 2, deed: { type: 'crash', how: 'kill' }, struck: { moment: 'restoring', how: 'losePower' } },
  { id: 9, node: 3, deed: { type: 'pause' } },
  { id: 10, node: 3, deed: { type: 'resume' } },
  { id: 11, node: 2, deed: { type: 'skew', offsetMs: -0.1, drift: 0 } },
  { id: 12, node: 4, deed: { type: 'launch' } },
  { id: 13, node: 1, deed: { type: 'change', changes: [{ type: 'addLearner', nodeId: 4 }] } },
  { id: 14, node: 1, deed: { type: 'transfer', to: 2 } },
  { id: 15, node: 2, deed: { type: 'stall' } },
  { id: 16, node: 2, deed: { type: 'flush' } },
  { id: 17, node: 1, deed: { type: 'flush' } },
]
const { seed, ...world } = { ...wholeWorldOf(6, { nodes: 3 }, true), neverLeading: [2] }
const failure: Failure = { type: 'whole', seed, found, world, acts }

test('a failure of whole nodes is read as it was written', () => {
  expect(read(linesOf(failure, []))).toEqual(failure)
})

test('acts whose message was never sent, whose session never began or whose node is not there are skipped', () => {
  const gone = { ...failure, acts: acts.filter(({ id }) => id !== 4 && id !== 1) }
  const { broken, told, skipped } = rerun(gone)
  expect([broken, told.length, skipped]).toEqual([undefined, 12, 3])
  expect(told).toEqual(
    expect.arrayContaining([
      '12.5 ms pass',
      'a client asks node 1, whether it leads or not: get a',
      'node 2 is killed, and starts again; it loses its power at the moment restoring, and starts again',
      'the clock of node 2 is set 0.1 ms back',
    ]),
  )
})

const head = linesOf(failure, [])[0] ?? ''
test.each([
  [[head.replace('"voters":3', '"voters":99')], 'its voters is no whole number from 1 to 64'],
  [[head.replace('"neverLeading":[2]', '"neverLeading":2')], 'its neverLeading is no list'],
  [[head.replace('"neverLeading":[2]', '"neverLeading":[99]')], 'its id is no whole number from 1 to 64'],
  [[head.replace(/"limits":\{.*?\}/, '"limits":1')], 'its limits are no object'],
  [[head.replace(/"heartbeatTicks":\d+/, '"heartbeatTicks":1e9')], 'its heartbeatTicks is no whole number'],
  [[head.replace(/"heartbeatTicks":\d+/, '"heartbeatTicks":900')], 'more than a third'],
  [[head.replace(/"reads":"\w+"/, '"reads":"luck"')], 'its reads is none of lease, readIndex'],
  [[head.replace(/"clockDrift":[\d.]+/, '"clockDrift":1')], 'its clockDrift is no number from 0 to 0.5'],
  [[head, '{"act":1,"node":1,"does":"sleep"}'], 'unknown kind "sleep"'],
  [[head, '{"act":1,"does":"pass","ms":1e12}'], 'its ms is no number from 0 to'],
  [[head, '{"act":1,"node":1,"does":"skew","offsetMs":1,"drift":9}'], 'its drift is no number from -1 to 1'],
  [[head, '{"act":1,"node":1,"does":"crash","how":"fire"}'], 'its how is none of kill, losePower'],
  [[head, '{"act":1,"node":1,"does":"ask","what":"read","commands":1}'], 'its commands are no list'],
  [[head, '{"act":1,"node":1,"does":"ask","what":"read","commands":[1]}'], 'no text of base64'],
])('%j is no failure', (lines, words) => {
  expect(() => read(lines)).toThrow(BadFailure)
  expect(() => read(lines)).toThrow(words)
})
