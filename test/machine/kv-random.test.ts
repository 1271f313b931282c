import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKv, type StateMachine, type WriteAnswer } from '../../src/machine/index.js'
import { answerTo, apply, contentOf, drain, hex, keysIn, recut } from './kv-help.js'
import { command, Steps } from './kv-model.js'

const cuts = fc.array(fc.constantFrom(1, 2, 7, 19, 20, 21, 1000, 65_536), { minLength: 1, maxLength: 5 })

function restored(pieces: Iterable<Uint8Array>): StateMachine {
  const kv = createKv()
  kv.restore(pieces)
  return kv
}

test('random commands get the answers, and leave the state, that the model says', () => {
  let mismatches = 0
  let tooLarge = 0
  const property = fc.property(fc.array(command, { minLength: 20, maxLength: 80 }), (commands) => {
    const model = new Steps()
    const kv = createKv()
    const steps = commands.map((each) => model.step(each))
    const answers = apply(kv, ...steps.map((step) => step.bytes))
    expect(answers.map(bare)).toEqual(steps.map((step) => bare(step.answer)))
    expect(contentOf(kv)).toEqual(model.content())
    mismatches += answers.filter((answer) => answer.status === 'mismatch').length
    tooLarge += answers.filter((answer) => answer.status === 'tooLarge').length
  })
  fc.assert(property, { seed: 1, numRuns: 100 })
  // The commands met each other: a generator that stops doing so would make this test an empty one.
  expect(mismatches).toBeGreaterThan(100)
  expect(tooLarge).toBeGreaterThan(5)
})

/** Values of answers are views of differing kinds; only their bytes count. */
function bare(answer: WriteAnswer): unknown {
  if (answer.status !== 'mismatch' || answer.current === undefined) return answer
  return { ...answer, current: { ...answer.current, value: hex(answer.current.value) } }
}

const step = fc.oneof(
  { weight: 6, arbitrary: command },
  { weight: 1, arbitrary: fc.constant('snapshot' as const) },
  { weight: 2, arbitrary: fc.constant('pull' as const) },
)

test('a snapshot shows the state at its instant, whatever is written while it is pulled', () => {
  let completed = 0
  let piecesMax = 0
  const property = fc.property(fc.array(step, { minLength: 40, maxLength: 160 }), cuts, (steps, sizes) => {
    const model = new Steps()
    const kv = createKv()
    let snapshot: Taken | undefined
    for (const each of steps) {
      if (each === 'snapshot') snapshot ??= begin(kv, model)
      else if (each !== 'pull') apply(kv, model.step(each).bytes)
      else if (snapshot !== undefined && pull(snapshot)) {
        expectSame(snapshot, sizes)
        snapshot = undefined
        completed++
      }
      piecesMax = Math.max(piecesMax, snapshot?.pieces.length ?? 0)
    }
    if (snapshot === undefined) return
    snapshot.pieces.push(...drain(snapshot.iterator))
    expectSame(snapshot, sizes)
  })
  fc.assert(property, { seed: 2, numRuns: 150 })
  expect(completed).toBeGreaterThan(50)
  expect(piecesMax).toBeGreaterThan(5)
})

interface Taken {
  readonly iterator: Iterator<Uint8Array>
  readonly pieces: Uint8Array[]
  readonly hash: string
  readonly content: unknown[]
}

function begin(kv: StateMachine, model: Steps): Taken {
  return { hash: kv.hash(), content: model.content(), iterator: kv.snapshot(), pieces: [] }
}

/** True when the snapshot is complete. */
function pull(snapshot: Taken): boolean {
  const next = snapshot.iterator.next()
  if (next.done !== true) snapshot.pieces.push(next.value)
  return next.done === true
}

function expectSame(snapshot: Taken, sizes: readonly number[]): void {
  // Single bytes only where there are few of them.
  const length = snapshot.pieces.reduce((sum, piece) => sum + piece.length, 0)
  const kv = restored(recut(snapshot.pieces, length > 10_000 ? [...sizes, 10_000] : sizes))
  expect(contentOf(kv)).toEqual(snapshot.content)
  expect(kv.hash()).toBe(snapshot.hash)
}

test('a restored machine goes on like the one that was never stopped', () => {
  const property = fc.property(fc.array(command), fc.array(command), (before, after) => {
    const model = new Steps()
    const kv = createKv()
    apply(kv, ...before.map((each) => model.step(each).bytes))
    const other = restored(drain(kv.snapshot()))
    const rest = after.map((each) => model.step(each).bytes)
    expect(apply(other, ...rest)).toEqual(apply(kv, ...rest))
    expect(other.hash()).toBe(kv.hash())
    expect(keysIn(other)).toEqual(keysIn(kv))
  })
  fc.assert(property, { seed: 3, numRuns: 60 })
})

test('any bytes as a command or a query are answered, and what is malformed changes nothing', () => {
  let malformed = 0
  const op = fc.nat(7)
  const bytes = fc
    .tuple(
      op,
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.array(fc.constantFrom(0, 1, 2), { maxLength: 12 })),
    )
    .map(([first, rest]) => Uint8Array.from([first, ...rest]))
  const garbage = fc.oneof(
    { weight: 1, arbitrary: fc.constant(new Uint8Array(0)) },
    { weight: 20, arbitrary: bytes },
  )
  const property = fc.property(garbage, (command) => {
    const kv = createKv()
    const before = kv.hash()
    const [answer] = apply(kv, command)
    expect(answer?.revision).toBe(answer?.status === 'applied' ? 1 : 0)
    if (answer?.status !== 'applied') expect(kv.hash()).toBe(before)
    if (answer?.status === 'malformed') malformed++
    const hash = kv.hash()
    expect(answerTo(kv, command).length).toBeGreaterThanOrEqual(9)
    expect(kv.hash()).toBe(hash)
  })
  fc.assert(property, { seed: 4, numRuns: 2000 })
  expect(malformed).toBeGreaterThan(500)
})

test('a snapshot with a part cut off, or a byte more, is refused and leaves the state as it is', () => {
  const kv = createKv()
  const model = new Steps()
  apply(kv, ...fc.sample(command, { seed: 5, numRuns: 10 }).map((each) => model.step(each).bytes))
  const whole = Buffer.concat(drain(kv.snapshot()))
  const target = createKv()
  apply(target, new Steps().step({ op: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }).bytes)
  const before = target.hash()
  const property = fc.property(fc.nat(whole.length - 1), (length) => {
    expect(() => target.restore([whole.subarray(0, length)])).toThrow(/snapshot of the KV/)
    expect(target.hash()).toBe(before)
  })
  fc.assert(property, { seed: 5, numRuns: 60 })
  expect(() => target.restore([whole, Uint8Array.of(0)])).toThrow(/snapshot of the KV/)
  expect(() => target.restore([])).toThrow(/ends within its header/)
  expect(target.hash()).toBe(before)
})
