/** Clients in virtual time that ask again, and the mistakes that must not go unseen. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { SessionMachine } from '../../src/machine/index.js'
import { packSessions, readSessions } from '../../src/machine/session-snapshot.js'
import { Sessions } from '../../src/machine/sessions.js'
import { planOf, type SimulationOptions, simulate } from '../../src/sim/index.js'

const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

/** A run whose clients write in sessions, with logs that are cut all the time. */
function runWith(seed: number, sessionMs: number, options: Partial<SimulationOptions> = {}) {
  const { load } = planOf(seed)
  const bounds = { logBytesMax: 2000, trailingBytes: 0 }
  return simulate({ seed, bounds, load: { ...load, sessionMs }, ...options })
}

describe.each([60_000, 150])('sessions of %d ms', (sessionMs) => {
  test.each(seeds)('[SE2][SE5] apply each call once, whatever happens (seed %i)', (seed) => {
    const { violation, counts } = runWith(seed, sessionMs)
    expect(violation).toBeUndefined()
    expect(counts.applied).toBeGreaterThan(0)
  })
})

test('[SE2] calls are asked again after an unknown outcome, and answered from memory', () => {
  const counts = { repeated: 0, expired: 0 }
  const { begin } = Sessions.prototype
  vi.spyOn(Sessions.prototype, 'begin').mockImplementation(function (this: Sessions, call, index) {
    const begun = begin.call(this, call, index)
    if (begun === 'expired') counts.expired++
    else if (typeof begun !== 'string' && begun.count > 0) counts.repeated++
    return begun
  })
  for (const seed of seeds) runWith(seed, 150)
  expect(counts.repeated).toBeGreaterThan(100)
  expect(counts.expired).toBeGreaterThan(10)
})

/** What the first seed that finds it says is wrong. */
function found(sessionMs = 60_000): string | undefined {
  for (const seed of seeds) {
    const { violation } = runWith(seed, sessionMs)
    if (violation !== undefined) return violation.rule
  }
  return undefined
}

afterEach(() => void vi.restoreAllMocks())

describe('a planted mistake is found:', () => {
  test('[SE2] a call that is asked again is applied again', () => {
    const { begin } = Sessions.prototype
    vi.spyOn(Sessions.prototype, 'begin').mockImplementation(function (this: Sessions, call, index) {
      const session = this.find(call.session)
      if (session?.answers.get(call.sequence) !== undefined) session.answers.delete(call.sequence)
      return begin.call(this, call, index)
    })
    expect(found()).toBe('exactly once')
  })

  test('[SE7] what sessions remember is lost with a restart or a snapshot', () => {
    const { restore } = SessionMachine.prototype
    vi.spyOn(SessionMachine.prototype, 'restore').mockImplementation(function (this: SessionMachine, pieces) {
      restore.call(this, readSessions(pieces).machine)
    })
    expect(found()).toBeDefined()
  })

  test("[SE7] the log's time is lost with a snapshot", () => {
    const { restore } = SessionMachine.prototype
    vi.spyOn(SessionMachine.prototype, 'restore').mockImplementation(function (this: SessionMachine, pieces) {
      const { machine, ...state } = readSessions(pieces)
      state.sessions.timeMs = 0
      restore.call(this, [packSessions(state), ...machine])
    })
    expect(found(150)).toBeDefined()
  })

  test('[SE5] a session expires by the clock of its node', () => {
    const { tell } = Sessions.prototype
    let reading = 0
    vi.spyOn(Sessions.prototype, 'tell').mockImplementation(function (this: Sessions, timeMs) {
      tell.call(this, timeMs + (reading++ % 100))
    })
    expect(found(150)).toBeDefined()
  })

  test('[SE3] a call that is behind a later one is taken for applied', () => {
    const { begin } = Sessions.prototype
    vi.spyOn(Sessions.prototype, 'begin').mockImplementation(function (this: Sessions, call, index) {
      const last = Math.max(0, ...(this.find(call.session)?.answers.keys() ?? []))
      return call.sequence < last ? 'stale' : begin.call(this, call, index)
    })
    expect(found()).toBeDefined()
  })

  test('[SE2] a call is answered as another one', () => {
    const { begin } = Sessions.prototype
    vi.spyOn(Sessions.prototype, 'begin').mockImplementation(function (this: Sessions, call, index) {
      const begun = begin.call(this, call, index)
      const [other] = this.find(call.session)?.answers.values() ?? []
      const isRepeated = typeof begun !== 'string' && begun.count > 0
      return isRepeated && other !== undefined && other.count === begun.count ? other : begun
    })
    expect(found()).toBeDefined()
  })
})
