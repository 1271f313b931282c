/** Callers share a read of nothing, which speaks for the node for a time. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Barrier } from '../../src/etcd/barrier.js'

interface Read {
  answer(): void
  fail(): void
}

let reads: Read[]
let barrier: Barrier

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 0 })
  reads = []
  barrier = new Barrier(
    () =>
      new Promise<void>((resolve, reject) => {
        reads.push({ answer: () => resolve(), fail: () => reject(new Error('no leader')) })
      }),
    500,
  )
})

afterEach(() => {
  vi.useRealTimers()
})

/** The outcome: `undefined` as long as there is none. */
function following(promise: Promise<unknown> | undefined) {
  const told: { outcome: 'heard' | 'not' | undefined } = { outcome: undefined }
  promise?.then(
    () => (told.outcome = 'heard'),
    () => (told.outcome = 'not'),
  )
  return told
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('calls share a read, and for its time afterwards none is made', async () => {
  const [one, other] = [following(barrier.heard()), following(barrier.heard())]
  expect(reads.length).toBe(1)
  reads[0]?.answer()
  await settled()
  expect([one.outcome, other.outcome]).toEqual(['heard', 'heard'])
  vi.advanceTimersByTime(250)
  expect(barrier.heard()).toBeUndefined()
  expect(reads.length).toBe(1)
})

test('past half of its time the node is asked again beside the calls, and past all of it before them', async () => {
  void barrier.heard()
  reads[0]?.answer()
  await settled()
  vi.advanceTimersByTime(251)
  expect(barrier.heard()).toBeUndefined()
  expect(reads.length).toBe(2)
  vi.advanceTimersByTime(250)
  const call = following(barrier.heard())
  expect(reads.length).toBe(2)
  await settled()
  expect(call.outcome).toBeUndefined()
  reads[1]?.answer()
  await settled()
  expect(call.outcome).toBe('heard')
})

test('the time of a read counts from its beginning', async () => {
  void barrier.heard()
  vi.advanceTimersByTime(400)
  reads[0]?.answer()
  await settled()
  vi.advanceTimersByTime(101)
  expect(barrier.heard()).toBeInstanceOf(Promise)
})

test('a call that joins a read which then fails has one of its own', async () => {
  const first = following(barrier.heard())
  const joined = following(barrier.heard())
  reads[0]?.fail()
  await settled()
  expect([first.outcome, joined.outcome]).toEqual(['not', undefined])
  reads[1]?.answer()
  await settled()
  expect(joined.outcome).toBe('heard')
})

test('who must see all that is committed by now waits for a read that begins from now on', async () => {
  void barrier.caughtUp()
  const [one, other] = [following(barrier.caughtUp()), following(barrier.caughtUp())]
  reads[0]?.answer()
  await settled()
  expect([reads.length, one.outcome]).toEqual([2, undefined])
  reads[1]?.answer()
  await settled()
  expect([one.outcome, other.outcome]).toEqual(['heard', 'heard'])
})

test('a fault makes nothing of what was heard before, and of a read on its way', async () => {
  void barrier.heard()
  reads[0]?.answer()
  await settled()
  barrier.forget()
  void barrier.heard()
  expect(reads.length).toBe(2)
  barrier.forget()
  reads[1]?.answer()
  await settled()
  void barrier.heard()
  expect(reads.length).toBe(3)
})
