import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFigures } from '../../src/mvcc/index.js'
import { type Event, everything, historyOf, Machine } from './machine-help.js'
import { largePut, Model, type Step, step } from './model.js'

function perform(machine: Machine, each: Step, revision: number): void {
  if (each.op === 'compact') machine.compact(revision - each.back)
  else machine.do(each.op, each.request)
}

const steps = fc.array(step, { minLength: 30, maxLength: 120 })

test('[RV1][RG3][KC2][HY1] random commands leave the state that the model says, at every revision', () => {
  let compactions = 0
  const property = fc.property(steps, (program) => {
    const model = new Model()
    const machine = new Machine()
    for (const each of program) {
      perform(machine, each, model.revision)
      model.do(each)
      expect(machine.do('range', everything)).toMatchObject({
        revision: model.revision,
        kvs: model.range(everything, model.revision),
      })
    }
    if (model.compactRevision > 0) compactions++
    for (let revision = Math.max(1, model.compactRevision); revision <= model.revision; revision++) {
      for (const keys of [everything, { key: 'aa', rangeEnd: 'ba' }, { key: 'b' }]) {
        const expected = model.range(keys, revision)
        const found = machine.do('range', { ...keys, revision })
        expect(found).toMatchObject({ count: expected.length, kvs: expected })
      }
    }
    const from = Math.max(0, model.compactRevision)
    const events = (historyOf(machine, from) as Event[]).map(({ revision, type, key }) => ({
      revision,
      type,
      key,
    }))
    expect(events.filter(({ revision }) => revision > from)).toEqual(model.history(from + 1))
  })
  fc.assert(property, { seed: 1, numRuns: 100 })
  expect(compactions).toBeGreaterThan(50)
})

/** Only programs with large values are swept: the last segment waits until it is full. */
const largeSteps = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 1, arbitrary: largePut }), {
  minLength: 30,
  maxLength: 120,
})

const fork = fc.record({
  /** After so many steps the state is restored elsewhere. */
  after: fc.nat({ max: 120 }),
  cut: fc.constantFrom(1, 3, 20, 1000, 70_000),
  /** Runs without a command after each step, in which memory is swept. */
  idle: fc.nat({ max: 3 }),
})

test('[KS1][KS2] the same log makes the same state, wherever snapshots and sweeps come in', () => {
  let [kept, swept] = [0, 0]
  const property = fc.property(
    largeSteps,
    fc.array(fork, { minLength: 1, maxLength: 3 }),
    (program, forks) => {
      const model = new Model()
      const machines = [new Machine(), ...forks.map(() => new Machine())]
      let hasSwept = false
      for (const [at, each] of program.entries()) {
        for (const machine of machines) perform(machine, each, model.revision)
        model.do(each)
        for (const [position, { after, cut, idle }] of forks.entries()) {
          if (after === at) machines[position + 1] = restored(machines[0]!, cut)
          const machine = machines[position + 1]!
          const before = revisionsOf(machine)
          machine.idle(idle)
          hasSwept ||= revisionsOf(machine) < before
        }
      }
      const hashes = machines.map((machine) => machine.hash())
      expect(new Set(hashes).size).toBe(1)
      expect(new Set(machines.map((machine) => JSON.stringify(machine.do('hashKV', {})))).size).toBe(1)
      if (model.range(everything, model.revision).length > 0) kept++
      if (hasSwept) swept++
    },
  )
  fc.assert(property, { seed: 2, numRuns: 60 })
  expect(kept).toBeGreaterThan(30)
  expect(swept).toBeGreaterThan(20)
})

/** Revisions in memory, those among them that wait for a sweep. */
const revisionsOf = (machine: Machine): number =>
  readFigures(machine.read('figures', Buffer.alloc(0)).body).revisions

function restored(machine: Machine, cut: number): Machine {
  const copy = new Machine()
  copy.machine.restore(recut([...drain(machine.machine.snapshot())], cut))
  return copy
}

function* drain(iterator: Iterator<Uint8Array>): Generator<Uint8Array> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value
}

function recut(pieces: readonly Uint8Array[], size: number): Uint8Array[] {
  const whole = Buffer.concat(pieces)
  return Array.from({ length: Math.ceil(whole.byteLength / size) }, (_, at) =>
    whole.subarray(at * size, (at + 1) * size),
  )
}
