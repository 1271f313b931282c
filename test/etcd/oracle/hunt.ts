/** Looks for a program that two servers answer differently, and shrinks the one that it finds. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { program } from './arbitraries.js'
import { Difference, Lockstep } from './lockstep.js'
import { type Program, show } from './program.js'
import { shrink } from './shrink.js'
import type { Asked } from './side.js'

/** A server with an empty store. */
export interface Server extends Asked, AsyncDisposable {
  /** Resolves when the server has ended. */
  readonly ended: Promise<void>
}

export interface Hunt {
  readonly startRight: () => Promise<Server>
  readonly startOurs: () => Promise<Server>
  readonly seed: number
  readonly operations: number
  /** Default: programs of all operations. */
  readonly programs?: fc.Arbitrary<Program>
  /** Called after each program. */
  readonly onProgress?: (operations: number) => void
  /** Called with a difference before its program is made smaller. */
  readonly onFound?: (difference: string) => void
}

export interface Found {
  readonly operations: number
  /** How often a request ended etcd, which then had no answer to compare with. */
  readonly deaths: number
}

const programOperationsMax = 80
const deathWithinMs = 300
const programsOfSeed = 50
/** A machine that stands still for so long brings calls near the end of their time, at one server and not at the other. */
const standstillMs = 2000

/** Two servers, and new ones in their place once they have differed: what they hold then is no beginning. */
class Pair {
  readonly #hunt: Hunt
  #servers: readonly Server[] = []
  #lockstep: Lockstep | undefined
  readonly #delays = monitorEventLoopDelay()
  deaths = 0

  constructor(hunt: Hunt) {
    this.#hunt = hunt
    this.#delays.enable()
  }

  /**
   * Resolves with the number of operations, or where the servers differed. A program that fails while the machine stands
   * still is run again, on new stores: it may have failed for want of time alone.
   */
  async run(random: Program): Promise<number | Difference> {
    for (;;) {
      this.#delays.reset()
      try {
        const ran = await this.#runOnce(random)
        if (typeof ran === 'number' || !(await this.#stoodStill())) return ran
      } catch (error) {
        if (!(await this.#stoodStill())) throw error
      }
    }
  }

  async #stoodStill(): Promise<boolean> {
    // A standstill is known once the loop has turned.
    await delay(1)
    return this.#delays.max / 1e6 > standstillMs
  }

  async #runOnce(random: Program): Promise<number | Difference> {
    this.#lockstep ??= await this.#start()
    const before = this.#lockstep.operations
    try {
      if (before === 0) await this.#lockstep.begin()
      await this.#lockstep.run(random)
      return this.#lockstep.operations - before
    } catch (error) {
      const died = await this.#rightDied()
      await this.end()
      if (!(error instanceof Difference)) throw error
      if (!died) return error
      this.deaths += 1
      return 0
    }
  }

  /** A connection breaks a little before the process has ended. */
  async #rightDied(): Promise<boolean> {
    const ended = this.#servers[0]?.ended.then(() => true)
    return (await Promise.race([ended, delay(deathWithinMs, false)])) ?? false
  }

  async close(): Promise<void> {
    this.#delays.disable()
    await this.end()
  }

  async end(): Promise<void> {
    this.#lockstep?.close()
    this.#lockstep = undefined
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
    this.#servers = []
  }

  async #start(): Promise<Lockstep> {
    const right = await this.#hunt.startRight()
    // A server that has started ends also if the other one does not start.
    this.#servers = [right]
    const ours = await this.#hunt.startOurs()
    this.#servers = [right, ours]
    return new Lockstep(right, ours)
  }
}

/** Resolves with the operations that were run; rejects with the smallest program found that tells a difference. */
export async function hunt(options: Hunt): Promise<Found> {
  const pair = new Pair(options)
  const { programs = program(programOperationsMax) } = options
  try {
    let operations = 0
    for (let seed = options.seed; operations < options.operations; seed++) {
      for (const random of fc.sample(programs, { seed, numRuns: programsOfSeed })) {
        if (operations >= options.operations) break
        const ran = await pair.run(random)
        if (typeof ran !== 'number') throw await smallest(pair, random, ran, { ...options, seed })
        operations += ran
        options.onProgress?.(operations)
      }
    }
    return { operations, deaths: pair.deaths }
  } finally {
    await pair.close()
  }
}

async function smallest(
  pair: Pair,
  random: Program,
  first: Difference,
  { seed, onFound }: Hunt,
): Promise<Error> {
  let difference = first
  onFound?.(difference.message)
  const fails = async (smaller: Program): Promise<boolean> => {
    const ran = await pair.run(smaller)
    if (typeof ran === 'number') return false
    difference = ran
    return true
  }
  const recurs = await fails(random)
  const small = recurs ? await shrink(random, fails) : []
  return new Error(
    [
      `a program of seed ${seed} tells a difference${recurs ? ':' : ', and on new stores it tells none:'}`,
      ...small.map((operation) => `  ${show(operation)}`),
      'in the answer to',
      difference.message,
    ].join('\n'),
    { cause: difference },
  )
}
