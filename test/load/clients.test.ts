import { afterEach, describe, expect, test, vi } from 'vitest'
import { RaftError } from '../../src/cluster/index.js'
import type { Call } from '../../src/load/calls.js'
import { OpenLoop, type OpenLoopOptions, runClosedLoop } from '../../src/load/clients.js'
import { Tally } from '../../src/load/tally.js'

/** A clock that goes where the test says, and calls back what is due on the way, in order. */
class Clock {
  nowMs = 0
  #alarms: { readonly atMs: number; readonly callback: () => void }[] = []

  readonly wakeAfter = (callback: () => void, ms: number): void => {
    this.#alarms.push({ atMs: this.nowMs + ms, callback })
  }

  async goTo(ms: number): Promise<void> {
    for (;;) {
      const next = this.#alarms.filter(({ atMs }) => atMs <= ms).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.callback()
      await settled()
    }
    this.nowMs = ms
  }

  /** Time passes while this thread does something else: every alarm comes late. */
  stall(ms: number): void {
    this.nowMs += ms
  }
}

function leastMs(tally: Tally): number {
  return Math.min(...[...tally.histograms.values()].map(({ min }) => min)) / 1000
}

/** After all promises that can go on now. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Histograms keep three digits. */
const about = (ms: number): unknown => expect.closeTo(ms, 0)

function openLoop(
  takes: number | Error,
  options: Partial<OpenLoopOptions> = {},
): { readonly clock: Clock; readonly tally: Tally; readonly loop: OpenLoop } {
  const clock = new Clock()
  const tally = new Tally(() => clock.nowMs)
  const call: Call = {
    op: 'put',
    commands: 1,
    perform: () =>
      new Promise<void>((resolve, reject) =>
        takes instanceof Error ? reject(takes) : clock.wakeAfter(resolve, takes),
      ),
  }
  tally.open()
  const loop = new OpenLoop(tally, () => call, {
    ...{ rate: 100, arrivals: 'even', inFlightMax: 1000, random: () => 0.5 },
    wakeAfter: clock.wakeAfter,
    ...options,
  })
  return { clock, tally, loop }
}

describe('open loop', () => {
  test('calls leave on their schedule, however long the answers take', async () => {
    const { clock, tally, loop } = openLoop(35)
    void loop.run()
    await clock.goTo(100)
    // Due at 10, 20, … 100, each answered 35 ms later.
    expect([tally.callsSoFar, loop.countUnanswered()]).toEqual([6, 4])
    tally.close()
    expect(tally.latencies).toMatchObject({ count: 6, p50ms: about(35), maxMs: about(35) })
  })

  test('a call that waits for one of too many on their way counts from when it was due', async () => {
    const { clock, tally, loop } = openLoop(40, { inFlightMax: 1 })
    void loop.run()
    await clock.goTo(170)
    tally.close()
    // Due at 10, 20, 30, 40; answered at 50, 90, 130, 170. From its sending, each took 40.
    expect(tally.latencies).toMatchObject({ count: 4, maxMs: about(130) })
    expect(leastMs(tally)).toEqual(about(40))
    expect(loop.countUnanswered()).toBe(13)
  })

  test('calls that a stall of the callers kept from being made count from when they were due', async () => {
    const { clock, tally, loop } = openLoop(1)
    void loop.run()
    clock.stall(100)
    await clock.goTo(101)
    tally.close()
    // Ten calls were due at 10, 20, … 100, and all left at 100.
    expect(tally.latencies).toMatchObject({ count: 10, maxMs: about(91) })
    expect(leastMs(tally)).toEqual(about(1))
  })

  test('arrivals of independent callers lie as far apart as the dice say, at the same rate on the whole', async () => {
    const dice = [1 - Math.exp(-1), 0, 1 - Math.exp(-3), 1 - Math.exp(-2)]
    const { clock, tally, loop } = openLoop(0, { arrivals: 'poisson', random: () => dice.shift() ?? 0.9999 })
    void loop.run()
    // 10 ms in the mean: due at 10, 10, 40 and 60.
    await clock.goTo(9)
    expect(tally.callsSoFar).toBe(0)
    await clock.goTo(39)
    expect(tally.callsSoFar).toBe(2)
    await clock.goTo(61)
    expect(tally.callsSoFar).toBe(4)
  })

  test('a call that fails is counted as such, and is in no latency', async () => {
    const broken = new Error('broken')
    const { clock, tally, loop } = openLoop(broken)
    const ended = loop.run()
    await clock.goTo(10)
    await ended
    expect(tally.broken.reason).toBe(broken)
    expect([tally.callsSoFar, tally.latencies.count]).toEqual([0, 0])
  })
})

describe('the window of an open loop', () => {
  test('begins with the schedule: what the warm-up has left undone is in no figure', async () => {
    const { clock, tally, loop } = openLoop(35, { inFlightMax: 1 })
    void loop.run()
    await clock.goTo(1000)
    loop.windowOpens()
    const before = tally.callsSoFar
    await clock.goTo(1100)
    // One on its way was due long ago. Of those that are due from 1000 on, the first two are answered 35 ms one behind the other.
    tally.close()
    expect(tally.callsSoFar - before).toBe(2)
    expect(tally.latencies.maxMs).toBeGreaterThan(400)
    expect(loop.countUnanswered()).toBe(9)
  })

  test('ends at once, however many calls were due and not made', async () => {
    const { clock, loop } = openLoop(35, { inFlightMax: 1, rate: 1e7 })
    void loop.run()
    await clock.goTo(3_600_000)
    // All but the one that a stand-still of an hour has left on its way, and those answered before.
    expect(loop.countUnanswered()).toBeGreaterThan(3.5e10)
  })
})

describe('open loop of calls that fail', () => {
  afterEach(() => void vi.useRealTimers())

  test('count where they failed, and are not unanswered as well while they pause', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { clock, tally, loop } = openLoop(new RaftError('OVERLOADED', { what: 'much' }), { inFlightMax: 7 })
    void loop.run()
    await clock.goTo(50)
    expect([tally.notApplied, loop.countUnanswered()]).toEqual([5, 0])
    await clock.goTo(100)
    // Those that pause keep their places, so the last three wait.
    expect([tally.notApplied, loop.countUnanswered()]).toEqual([7, 3])
  })
})

describe('closed loop', () => {
  afterEach(() => void vi.useRealTimers())

  function closedLoop(clients: number, perform: (clock: Clock) => Promise<void>) {
    const clock = new Clock()
    const tally = new Tally(() => clock.nowMs)
    tally.open()
    const call: Call = { op: 'put', commands: 1, perform: () => perform(clock) }
    void runClosedLoop(tally, () => call, clients)
    return { clock, tally }
  }

  test('each client calls again when it is answered, and the call counts from there', async () => {
    const { clock, tally } = closedLoop(2, (clock) => new Promise((resolve) => clock.wakeAfter(resolve, 10)))
    await clock.goTo(35)
    tally.close()
    expect(tally.latencies).toMatchObject({ count: 6, maxMs: about(10) })
    expect(leastMs(tally)).toEqual(about(10))
  })

  test('the clock is looked at once for all answers that come together, and again for the next ones', async () => {
    let nowMs = 0
    let looks = 0
    const tally = new Tally(() => {
      looks++
      return nowMs
    })
    tally.open()
    const answers: (() => void)[] = []
    const perform = (): Promise<void> => new Promise((resolve) => void answers.push(resolve))
    void runClosedLoop(tally, () => ({ op: 'put', commands: 1, perform }), 3)
    await settled()
    for (const ms of [10, 30]) {
      looks = 0
      nowMs = ms
      for (const answer of answers.splice(0)) answer()
      await settled()
      expect(looks).toBe(1)
    }
    tally.close()
    expect(tally.latencies).toMatchObject({ count: 6, maxMs: about(20) })
    expect(leastMs(tally)).toEqual(about(10))
  })

  test('a call that cannot even be made ends the run', async () => {
    const tally = new Tally()
    let calls = 0
    const perform = (): Promise<void> => {
      calls++
      if (calls > 2) throw new Error('broken')
      return Promise.resolve()
    }
    await expect(runClosedLoop(tally, () => ({ op: 'put', commands: 1, perform }), 1)).rejects.toThrow(
      'broken',
    )
  })

  test('a client that got an error waits before it calls again, and the wait is in no latency', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const answers: (() => void)[] = []
    const { clock, tally } = closedLoop(
      1,
      () =>
        new Promise((resolve, reject) => {
          const isFirst = answers.length === 0
          answers.push(isFirst ? () => reject(new RaftError('NO_LEADER', { deadlineMs: 1 })) : resolve)
        }),
    )
    answers[0]?.()
    await settled()
    clock.nowMs = 500
    expect(answers.length).toBe(1)
    await vi.runAllTimersAsync()
    expect(answers.length).toBe(2)
    clock.nowMs = 507
    answers[1]?.()
    await settled()
    tally.close()
    expect(tally.latencies).toMatchObject({ count: 1, maxMs: about(7) })
    expect(tally.notApplied).toBe(1)
  })
})

test('cuts divide a window without losing a call', () => {
  const tally = new Tally()
  tally.open()
  tally.answered('put', 0, 5, 3)
  expect(tally.cut()).toMatchObject({ commands: 3, p99ms: about(5) })
  tally.answered('put', 0, 9, 2)
  tally.answered('read', 7, 9, 0)
  expect(tally.cut()).toMatchObject({ commands: 2, p99ms: about(9) })
  expect(tally.cut()).toEqual({ commands: 0, p99ms: 0 })
  tally.close()
  expect([tally.commands, tally.latencies.count]).toEqual([5, 3])
})
