/** Looks for a program that two servers answer differently, and shrinks the one that it finds. */
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { program } from './arbitraries.js'
import { Lockstep } from './lockstep.js'
import { type Program, show } from './program.js'

/** A server with an empty store. */
export interface Server extends AsyncDisposable {
  readonly endpoint: string
  /** Resolves when the server has ended. */
  readonly ended: Promise<void>
}

export interface Hunt {
  readonly startRight: () => Promise<Server>
  readonly startOurs: () => Promise<Server>
  readonly seed: number
  readonly operations: number
  /** Called after each program. */
  readonly onProgress?: (operations: number) => void
}

const programOperationsMax = 80
const deathWithinMs = 300
const programsOfSeed = 50

/** Two servers, and new ones in their place once they have differed: what they hold then is no beginning. */
class Pair {
  readonly #hunt: Hunt
  #servers: readonly Server[] = []
  #lockstep: Lockstep | undefined
  deaths = 0

  constructor(hunt: Hunt) {
    this.#hunt = hunt
  }

  async run(random: Program): Promise<number> {
    this.#lockstep ??= await this.#start()
    const before = this.#lockstep.operations
    try {
      if (before === 0) await this.#lockstep.begin()
      await this.#lockstep.run(random)
      return this.#lockstep.operations - before
    } catch (error) {
      const died = await this.#rightDied()
      await this.end()
      if (!died) throw error
      // Some requests end etcd, which then has no answer to compare with.
      this.deaths += 1
      return 0
    }
  }

  /** A connection breaks a little before the process has ended. */
  async #rightDied(): Promise<boolean> {
    const ended = this.#servers[0]?.ended.then(() => true)
    return (await Promise.race([ended, delay(deathWithinMs, false)])) ?? false
  }

  async end(): Promise<void> {
    this.#lockstep?.close()
    this.#lockstep = undefined
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
    this.#servers = []
  }

  async #start(): Promise<Lockstep> {
    const [right, ours] = await Promise.all([this.#hunt.startRight(), this.#hunt.startOurs()])
    this.#servers = [right, ours]
    return new Lockstep(right.endpoint, ours.endpoint)
  }
}

/** Resolves with the operations that were run; rejects with the smallest program found that tells a difference. */
export async function hunt(options: Hunt): Promise<number> {
  const pair = new Pair(options)
  let operations = 0
  try {
    const property = fc.asyncProperty(program(programOperationsMax), async (random) => {
      operations += await pair.run(random)
      options.onProgress?.(operations)
    })
    for (let seed = options.seed; operations < options.operations; seed++) {
      const found = await fc.check(property, { seed, numRuns: programsOfSeed })
      if (found.failed) throw new Error(told(found), { cause: found.errorInstance })
    }
    return operations
  } finally {
    await pair.end()
  }
}

function told(found: fc.RunDetails<[Program]>): string {
  const lines = (found.counterexample?.[0] ?? []).map((operation) => `  ${show(operation)}`)
  const { seed, counterexamplePath, errorInstance } = found
  return [
    `after ${found.numRuns} programs of seed ${seed} (path ${counterexamplePath}) this one tells a difference:`,
    ...lines,
    'in the answer to',
    String(errorInstance instanceof Error ? errorInstance.message : errorInstance),
  ].join('\n')
}
