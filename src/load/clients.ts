/**
 * Who calls, and when. Closed-loop clients make their next call when the last one is answered: they measure
 * what the cluster can do. Open-loop calls leave on a schedule, whatever became of the earlier ones: they
 * measure what somebody waits who comes unasked. All run in this thread.
 */
import type { Call, NextCall } from './calls.js'
import type { Tally } from './tally.js'

export interface Callers {
  /** Resolves once the tally is stopped. */
  run(): Promise<void>
  /** The window begins. */
  windowOpens?(): void
  countUnanswered?(): number
}

export interface CallersOptions {
  readonly clients: number
  /** Open loop, with so many calls a second; `clients` is then the most that may be on their way. */
  readonly rate?: number
  readonly arrivals?: Arrivals
}

/** In a closed loop or, with a rate, in an open one. */
export function callersOf(
  tally: Tally,
  nextCall: NextCall,
  { clients, rate, arrivals = 'poisson' }: CallersOptions,
): Callers {
  if (rate === undefined) return { run: () => runClosedLoop(tally, nextCall, clients) }
  const wakeAfter = (callback: () => void, ms: number): void => void setTimeout(callback, ms)
  return new OpenLoop(tally, nextCall, {
    rate,
    arrivals,
    inFlightMax: clients,
    wakeAfter,
    random: Math.random,
  })
}

/** Resolves once the tally is stopped; rejects when a call cannot even be made. */
export async function runClosedLoop(tally: Tally, nextCall: NextCall, clients: number): Promise<void> {
  const loop = { tally, nextCall, now: onceABatch(tally.now), startsMs: new Float64Array(clients) }
  const run = (_: unknown, number: number): Promise<void> =>
    new Promise((ended, broken) => new Client(loop, number, ended, broken).begin())
  await Promise.all(Array.from({ length: clients }, run))
}

/** What all closed-loop clients share. */
interface ClosedLoop {
  readonly tally: Tally
  readonly nextCall: NextCall
  readonly now: () => number
  /** Since when each client's present call counts: in one array, for a number in an object of its own is garbage. */
  readonly startsMs: Float64Array
}

/** One closed-loop client: two callbacks cost it less than an async function that waits. */
class Client {
  readonly #loop: ClosedLoop
  readonly #number: number
  readonly #ended: () => void
  readonly #broken: (error: unknown) => void
  #call: Call | undefined

  constructor(loop: ClosedLoop, number: number, ended: () => void, broken: (error: unknown) => void) {
    this.#loop = loop
    this.#number = number
    this.#ended = ended
    this.#broken = broken
  }

  begin(): void {
    this.#loop.startsMs[this.#number] = this.#loop.now()
    this.#callAgain()
  }

  #callAgain(): void {
    const { tally, nextCall } = this.#loop
    if (tally.isStopped) return this.#ended()
    try {
      const call = nextCall()
      if (call !== this.#call) this.#call = call
      call.perform().then(this.#answered, this.#failed)
    } catch (error) {
      this.#broken(error)
    }
  }

  readonly #answered = (): void => {
    const { tally, startsMs, now } = this.#loop
    const call = this.#call
    const endMs = now()
    if (call !== undefined) tally.answered(call.op, startsMs[this.#number]!, endMs, call.commands)
    // The next call counts from the answer to this one, so that no time is left out.
    startsMs[this.#number] = endMs
    this.#callAgain()
  }

  readonly #failed = async (error: unknown): Promise<void> => {
    await this.#loop.tally.failed(error)
    this.begin()
  }
}

/**
 * The time at which the first of those asked whose answers came together: they go on one behind the other, and a look
 * at the clock takes each a fifth of what its call does. Who takes its answer late also makes its next call late: from
 * answer to answer no time is lost.
 */
function onceABatch(now: () => number): () => number {
  let batchMs: number | undefined
  const forget = (): void => {
    batchMs = undefined
  }
  return () => {
    if (batchMs === undefined) {
      batchMs = now()
      // Behind all that goes on by now.
      queueMicrotask(forget)
    }
    return batchMs
  }
}

/** `poisson`: as many independent callers come. `even`: at equal distances. */
export const arrivalNames = ['poisson', 'even'] as const
export type Arrivals = (typeof arrivalNames)[number]

export interface OpenLoopOptions {
  /** Calls a second. */
  readonly rate: number
  readonly arrivals: Arrivals
  /** Calls that may be on their way; those that are due beyond it wait, and their waiting counts. */
  readonly inFlightMax: number
  /** Calls back once, after at least so many milliseconds. */
  readonly wakeAfter: (callback: () => void, ms: number) => void
  /** Numbers from 0, included, to 1, excluded. */
  readonly random: () => number
}

/**
 * Each call's latency is counted from the moment at which it was due. From its sending, a stall of the
 * cluster or of this very thread would hide all the calls that it kept from being made: Tene's coordinated
 * omission.
 */
export class OpenLoop {
  readonly #tally: Tally
  readonly #nextCall: NextCall
  readonly #options: OpenLoopOptions
  #nextDueMs = 0
  #inFlight = 0
  /** Calls that were due earlier belong to the warm-up, and are in no figure. */
  #countsFromMs = 0
  /** Calls on their way that count, without those that failed: these pause, and are counted where they failed. */
  #unanswered = 0
  #isWakeSet = false
  #ended: () => void = () => undefined

  constructor(tally: Tally, nextCall: NextCall, options: OpenLoopOptions) {
    this.#tally = tally
    this.#nextCall = nextCall
    this.#options = options
  }

  /** Resolves once the tally is stopped and nothing is on its way. */
  run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve
    })
    this.#nextDueMs = this.#tally.now() + this.#gapMs()
    this.#callDue()
    return ended
  }

  /** The schedule begins anew where it is behind, and what the warm-up has left undone counts nowhere. */
  windowOpens(): void {
    this.#countsFromMs = this.#tally.now()
    this.#nextDueMs = Math.max(this.#nextDueMs, this.#countsFromMs)
    this.#unanswered = 0
  }

  /** Calls of the window that are due by now and not answered: they are in no latency. */
  countUnanswered(): number {
    const behindMs = this.#tally.now() - this.#nextDueMs
    // Behind the next one, as many as the rate says: to draw millions of them would take the program's thread for seconds.
    const unsent = behindMs < 0 ? 0 : 1 + Math.floor((behindMs * this.#options.rate) / 1000)
    return this.#unanswered + unsent
  }

  /** Makes all calls that are due and may be on their way, then sleeps until the next one. */
  #callDue(): void {
    if (this.#tally.isStopped) {
      if (this.#inFlight === 0) this.#ended()
      return
    }
    const { inFlightMax, wakeAfter } = this.#options
    while (this.#inFlight < inFlightMax && this.#nextDueMs <= this.#tally.now()) {
      void this.#call(this.#nextDueMs)
      this.#nextDueMs += this.#gapMs()
    }
    // At the bound, the next answer goes on.
    if (this.#isWakeSet || this.#inFlight >= inFlightMax) return
    this.#isWakeSet = true
    wakeAfter(
      () => {
        this.#isWakeSet = false
        this.#callDue()
      },
      Math.max(0, this.#nextDueMs - this.#tally.now()),
    )
  }

  async #call(dueMs: number): Promise<void> {
    this.#inFlight++
    this.#unanswered++
    const { op, commands, perform } = this.#nextCall()
    try {
      await perform()
      if (this.#takeEnd(dueMs)) this.#tally.answered(op, dueMs, this.#tally.now(), commands)
    } catch (error) {
      this.#takeEnd(dueMs)
      await this.#tally.failed(error)
    }
    this.#inFlight--
    if (this.#tally.isStopped || this.#inFlight === this.#options.inFlightMax - 1) this.#callDue()
  }

  /** A call that was due then has ended. False where it counts nowhere. */
  #takeEnd(dueMs: number): boolean {
    const counts = dueMs >= this.#countsFromMs
    if (counts) this.#unanswered--
    return counts
  }

  #gapMs(): number {
    const { rate, arrivals, random } = this.#options
    const meanMs = 1000 / rate
    return arrivals === 'even' ? meanMs : -Math.log(1 - random()) * meanMs
  }
}
