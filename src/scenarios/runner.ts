/** Runs a scenario: carries out its steps under load, heals all, and judges what clients were told. */
import type { KeyValueOperation } from '../check/index.js'
import { RaftError, reasonOf } from '../errors/index.js'
import { Dice } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import { BadInput, Failed } from '../terminal/index.js'
import type { Host, HostName } from './host.js'
import { Ledger } from './ledger.js'
import { LoadClients } from './load-clients.js'
import { Observations } from './observations.js'
import { Outages } from './outages.js'
import { RecordedCalls } from './recorded-calls.js'
import { type Rss, RssWatch } from './rss-watch.js'
import type { Scenario, Step } from './scenario.js'
import { withNames } from './verb-lines.js'
import { type Condition, type Expectation, seen } from './words.js'

export interface RunOptions {
  /** Decides what is left to chance: the rhythm of clients, and which node a role means. */
  readonly seed: number
  readonly signal: AbortSignal
  /** A line of the story; `sinceMs` counts from the first step. */
  tell(line: string, sinceMs: number): void
  /** Keeps the calls of a run whose answers contradict each other, and tells how to look at them. */
  keep?(history: readonly KeyValueOperation[]): string
}

/** An expectation as it came out. */
export interface Judged {
  readonly text: string
  readonly met: boolean
  /** The state or the figure that was there. */
  readonly found: string
}

export interface ScenarioResult {
  readonly name: string
  readonly host: HostName
  readonly seed: number
  readonly verdict: 'passed' | 'failed'
  readonly expectations: readonly Judged[]
  /** A step that could not be done, or a condition that did not come about. */
  readonly failedStep: string | undefined
  /** Promises that were not kept, one line each. */
  readonly brokenPromises: readonly string[]
  readonly elections: number
  readonly leaderChanges: number
  /** The longest time without an acknowledged write while load ran, and the sum of those of an election timeout. */
  readonly unavailableMs: number
  readonly unavailableTotalMs: number
  readonly acknowledged: number
  readonly notDone: number
  readonly unknown: number
  readonly lost: number
  /** Faults that a nemesis drew, by type. */
  readonly nemesis: Readonly<Record<string, number>>
  readonly rss: Rss
  /** The elections, and why they were held, in a few sentences. */
  readonly explained: readonly string[]
}

/** Election timeouts after which a healed cluster must have come right. */
const patience = 60
const patienceMsMin = 30_000

export async function runScenario(
  scenario: Scenario,
  host: Host,
  options: RunOptions,
): Promise<ScenarioResult> {
  const run = new Run(scenario, host, options)
  try {
    return await run.run()
  } finally {
    run.end()
  }
}

/** Acknowledged writes after which a cluster is taken to work, and its steps begin. */
const firstWrites = 4

class StepFailed extends Error {}

class Run {
  readonly #scenario: Scenario
  readonly #host: Host
  readonly #options: RunOptions
  readonly #ledger = new Ledger()
  readonly #recorded = new RecordedCalls()
  readonly #outages: Outages
  readonly #clients: LoadClients
  readonly #seen: Observations
  readonly #dice: Dice
  readonly #names = new Map<string, NodeId>()
  readonly #judged: Judged[] = []
  readonly #struck = new Map<string, number>()
  readonly #rss = new RssWatch()
  #startMs = 0

  constructor(scenario: Scenario, host: Host, options: RunOptions) {
    this.#scenario = scenario
    this.#host = host
    this.#options = options
    this.#dice = new Dice(options.seed)
    this.#outages = new Outages(scenario.timing.electionTimeoutMs)
    const books = { ledger: this.#ledger, recorded: this.#recorded, outages: this.#outages }
    this.#clients = new LoadClients(host, books, scenario.load, this.#dice)
    const resolve = (word: string): NodeId | undefined => this.#names.get(word) ?? this.#idOf(word)
    this.#seen = new Observations({
      host,
      ledger: this.#ledger,
      outages: this.#outages,
      clients: this.#clients,
      resolve,
    })
  }

  async run(): Promise<ScenarioResult> {
    this.#startMs = this.#host.now()
    let isOver = false
    this.#host.onEvent((event) => {
      if (isOver) return
      this.#seen.happened(event)
      this.#options.tell(`  ${event.words}`, event.atMs - this.#startMs)
    })
    const failedStep = await this.#carryOutSteps()
    const { expectations } = this.#scenario
    for (const each of expectations) if (!each.isOfEnd) this.#judge(each)
    // Elections count up to here: those of the way back are not of the steps.
    const { elections, leaderChanges } = this.#seen
    const explained = this.#seen.explained()
    this.#clients.run(0)
    const brokenPromises = await this.#comeRight()
    for (const each of expectations) if (each.isOfEnd) this.#judge(each)
    isOver = true
    const isGood =
      failedStep === undefined && brokenPromises.length === 0 && this.#judged.every(({ met }) => met)
    return {
      name: this.#scenario.name,
      host: this.#host.name,
      seed: this.#options.seed,
      verdict: isGood ? 'passed' : 'failed',
      expectations: this.#judged,
      failedStep,
      brokenPromises,
      elections,
      leaderChanges,
      unavailableMs: Math.round(this.#outages.longest.forMs),
      unavailableTotalMs: Math.round(this.#outages.totalMs),
      acknowledged: this.#ledger.acknowledged,
      notDone: this.#ledger.notDone,
      unknown: this.#ledger.unknown,
      lost: this.#ledger.lost,
      nemesis: Object.fromEntries(this.#struck),
      rss: this.#rss.end(),
      explained,
    }
  }

  /** No client calls any more, also when a run was ended in the middle of it. */
  end(): void {
    this.#clients.run(0)
    this.#rss.end()
  }

  /** The step that failed, in words, if one did. */
  async #carryOutSteps(): Promise<string | undefined> {
    const { steps, load } = this.#scenario
    try {
      await this.#comesAbout(() => this.#host.leaderId !== undefined, patienceMsMin, 'a leader')
      this.#clients.run(load.clients)
      await this.#comesAbout(
        () => this.#ledger.acknowledged >= firstWrites,
        patienceMsMin,
        'the first writes',
      )
      this.#tell('  the cluster is ready; times count from the first step, which comes next')
      this.#startMs = this.#host.now()
      this.#outages.restart(this.#startMs)
      this.#seen.begin()
      for (const step of steps) {
        this.#options.signal.throwIfAborted()
        this.#tell(step.text)
        this.#seen.stepBegan()
        await this.#carryOut(step)
      }
      return undefined
    } catch (error) {
      if (error instanceof StepFailed) return error.message
      throw error
    }
  }

  async #carryOut(step: Step): Promise<void> {
    switch (step.type) {
      case 'verb':
        this.#seen.aboutToDo()
        return this.#do(step)
      case 'let':
        this.#names.set(step.name, this.#named(step))
        return this.#tell(`  ${step.name} is node ${this.#names.get(step.name)}`)
      case 'for':
        return this.#pass(step.ms)
      case 'until':
        return this.#comesAbout(() => this.#isSo(step.condition), step.withinMs, placeOf(step))
      case 'nemesis':
        return this.#strike(step.ms)
      case 'load':
        return this.#clients.run(step.clients)
      case 'expect':
        return this.#judge(step.expectation)
    }
  }

  async #do(step: Step): Promise<void> {
    try {
      await this.#host.carryOut(withNames(step.text, this.#names))
    } catch (error) {
      if (error instanceof RaftError || error instanceof BadInput || error instanceof Failed)
        throw new StepFailed(`${placeOf(step)}: ${error.message}`)
      throw error
    }
  }

  /** A follower that is named is another one than those that have a name already. */
  #named({ target, ...step }: Step & { type: 'let' }): NodeId {
    try {
      const taken = target === 'leader' ? [] : [...this.#names.values()]
      return this.#names.get(target) ?? this.#host.nodeOf(target, this.#dice, taken)
    } catch (error) {
      throw new StepFailed(`${placeOf(step)}: ${reasonOf(error)}`)
    }
  }

  /** The node that a word of a condition means now. */
  #idOf(word: string): NodeId | undefined {
    return word === 'leader' ? this.#host.leaderId : Number(word)
  }

  #isSo(condition: Condition): boolean {
    return condition.holds(this.#seen.situation())
  }

  #judge(expectation: Expectation): void {
    const situation = this.#seen.situation()
    const { text } = expectation
    const judged = { text, met: expectation.holds(situation), found: expectation.found(situation) }
    this.#judged.push(judged)
  }

  async #comesAbout(condition: () => boolean, withinMs: number, what: string): Promise<void> {
    if (await this.#until(condition, withinMs)) return
    throw new StepFailed(
      `${what} did not come about within ${withinMs / 1000} s: ${seen(this.#seen.situation())}`,
    )
  }

  async #pass(ms: number): Promise<void> {
    await this.#until(() => false, ms)
  }

  /** Throws at once when the run is interrupted. */
  async #until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const { signal } = this.#options
    const isSo = await this.#host.until(() => signal.aborted || condition(), withinMs)
    signal.throwIfAborted()
    return isSo
  }

  async #strike(ms: number): Promise<void> {
    const stop = this.#host.nemesis(this.#dice)
    try {
      await this.#pass(ms)
    } finally {
      for (const [type, count] of await stop()) this.#struck.set(type, (this.#struck.get(type) ?? 0) + count)
    }
  }

  /** Heals all, waits until nothing is left to do, and tells which promises were not kept. */
  async #comeRight(): Promise<string[]> {
    this.#tell('heals all, and compares what was acknowledged with what is there')
    const broken: string[] = []
    try {
      await this.#compare(broken)
    } catch (error) {
      if (!(error instanceof RaftError)) throw error
      broken.push(`the healed cluster did not come right: ${error.message}`)
    }
    const { violation } = this.#host
    // The ledger tells what it found in its own words, which know of revisions.
    if (this.#ledger.broken.length === 0) {
      const { contradiction, gaps } = await this.#recorded.judged()
      if (contradiction !== undefined) {
        const kept = this.#options.keep?.(this.#recorded.history)
        broken.push(kept === undefined ? contradiction : `${contradiction}; ${kept}`)
      }
      for (const gap of gaps) this.#tell(gap)
    }
    return [...broken, ...(violation === undefined ? [] : [violation]), ...this.#ledger.broken]
  }

  async #compare(broken: string[]): Promise<void> {
    const host = this.#host
    const withinMs = Math.max(patienceMsMin, patience * host.electionTimeoutMs)
    await host.healAll()
    const isLed = await this.#until(() => this.#clients.isIdle && isWhole(host), withinMs)
    if (!isLed) broken.push(`the healed cluster did not come right: ${seen(this.#seen.situation())}`)
    const unread = this.#clients.readBack()
    if (!(await this.#until(() => unread.size === 0, withinMs)))
      broken.push(`${unread.size} keys could not be read back`)
    unread.clear()
    const hashes = await this.#hashesAtOneIndex(withinMs)
    const kinds = new Set([...hashes.values()].map(({ lastApplied, hash }) => `${hash} at ${lastApplied}`))
    const { length } = host.nodeIds
    if (hashes.size < length) kinds.add(`${length - hashes.size} of ${length} nodes told no state`)
    this.#seen.isEqual = kinds.size === 1 && hashes.size > 0
    if (!this.#seen.isEqual) broken.push(`the nodes are not equal: ${[...kinds].join(', ')}`)
  }

  /** The hashes of all nodes, taken anew until they are of one index: the log goes on, since leaders tell the time in it. */
  async #hashesAtOneIndex(withinMs: number): ReturnType<Host['hashes']> {
    const host = this.#host
    const endMs = host.now() + withinMs
    for (;;) {
      const hashes = await host.hashes()
      const indices = new Set([...hashes.values()].map(({ lastApplied }) => lastApplied))
      const leftMs = endMs - host.now()
      // Simulated time stands still behind a violation.
      if (indices.size === 1 || leftMs <= 0 || host.violation !== undefined) return hashes
      await this.#until(() => isWhole(host), leftMs)
    }
  }

  #tell(line: string): void {
    this.#options.tell(line, this.#host.now() - this.#startMs)
  }
}

/** Somebody leads, and every node has applied all that the leader's log holds. */
function isWhole(host: Host): boolean {
  const nodes = host.nodes()
  const lastIndex = nodes.find(({ nodeId }) => nodeId === host.leaderId)?.lastIndex
  return nodes.every(({ state, lastApplied }) => state === 'running' && lastApplied === lastIndex)
}

function placeOf({ line, text }: Pick<Step, 'line' | 'text'>): string {
  return `line ${line}, '${text}'`
}
