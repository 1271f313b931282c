/** Scenarios on real threads, one at a time: its story is kept, so that a reader may come at any time. */
import { Observer } from '../observer/index.js'
import { runScenario, type Scenario, shippedScenarios, ThreadsHost } from '../scenarios/index.js'
import { BadInput } from '../terminal/index.js'
import { refusalOf } from '../verbs/index.js'
import { Feed, feedEvents } from './feed.js'
import { HttpRefusal } from './refusals.js'

const seed = 1

/** Begins the story of a run. */
export interface ScenarioHead {
  readonly name: string
  readonly teaches: string
  readonly nodes: number
  readonly steps: readonly string[]
  readonly expectations: readonly string[]
}

/** A line of the story. */
export interface ScenarioLine {
  readonly text: string
  /** Since the first step. */
  readonly sinceMs: number
  /** True for a step of the scenario; false for what happened meanwhile. */
  readonly isStep: boolean
}

class ScenarioRun {
  readonly name: string
  readonly feed = new Feed()
  /** All that happens in its cluster. */
  readonly events = new Feed()
  readonly observer: Observer
  readonly #ending = new AbortController()
  readonly #over: Promise<void>
  #isOver = false
  #lines = 0

  constructor(scenario: Scenario, host: ThreadsHost) {
    this.name = scenario.name
    this.observer = new Observer(host.cluster)
    const endEvents = feedEvents(host.cluster, this.events)
    const { name, teaches, nodes, steps, expectations } = scenario
    const texts = (of: readonly { readonly text: string }[]): string[] => of.map(({ text }) => text)
    const head = { name, teaches, nodes, steps: texts(steps), expectations: texts(expectations) }
    this.#tell('scenario', head satisfies ScenarioHead)
    this.#over = this.#run(scenario, host).then(endEvents)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves once nothing of it runs. */
  end(): Promise<void> {
    this.#ending.abort()
    return this.#over
  }

  async #run(scenario: Scenario, host: ThreadsHost): Promise<void> {
    const { signal } = this.#ending
    const tell = (text: string, sinceMs: number): void => {
      // The cluster of a run that was ended still tells of its own end.
      if (signal.aborted) return
      const line = { text: text.trim(), sinceMs, isStep: !text.startsWith(' ') }
      this.#tell('line', line satisfies ScenarioLine)
    }
    try {
      const result = await runScenario(scenario, host, { seed, signal, tell })
      this.#tell('result', result)
    } catch (error) {
      const ended = { ok: false, code: 'ENDED', message: 'the scenario was ended before its verdict' }
      this.#tell('failed', signal.aborted ? ended : refusalOf(error))
    }
    this.observer.close()
    await host.close().catch((error: unknown) => this.#tell('failed', refusalOf(error)))
    this.#isOver = true
    this.feed.end()
    this.events.end()
  }

  #tell(event: string, data: object): void {
    this.feed.add({ id: ++this.#lines, event, data: JSON.stringify(data) })
  }
}

export class ScenarioRuns {
  /** Read once: reading them takes a while, in which no call is answered. */
  #shipped: readonly Scenario[] | undefined
  #run: ScenarioRun | undefined
  /** A run whose cluster starts. */
  #starting: Promise<void> | undefined

  get shipped(): readonly Scenario[] {
    this.#shipped ??= shippedScenarios()
    return this.#shipped
  }

  /** The run that goes on, or the last one. Throws an `HttpRefusal` when there was none. */
  get last(): ScenarioRun {
    if (this.#run !== undefined) return this.#run
    throw new HttpRefusal('NOT_FOUND', 'no scenario was started: POST its name to /api/scenarios/run')
  }

  get running(): string | undefined {
    return this.#run?.isOver === false ? this.#run.name : undefined
  }

  async start(name: string): Promise<void> {
    const scenario = this.shipped.find((shipped) => shipped.name === name)
    if (scenario === undefined)
      throw new BadInput(`there is no scenario '${name.slice(0, 60)}'; GET /api/scenarios lists all`)
    if (!scenario.hosts.includes('threads'))
      throw new BadInput(
        `${name} runs on ${scenario.hosts.join(' and ')} only: start it with raftbox scenario`,
      )
    if (this.#starting !== undefined || this.running !== undefined)
      throw new HttpRefusal('RUNNING_ALREADY', 'a scenario runs already: wait for its end, or end it')
    this.#starting = this.#begin(scenario)
    try {
      await this.#starting
    } finally {
      this.#starting = undefined
    }
  }

  /** Ends the run that goes on, also one that only starts. */
  async end(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.#run?.end()
  }

  async #begin(scenario: Scenario): Promise<void> {
    this.#run = new ScenarioRun(scenario, await ThreadsHost.start(scenario))
  }
}
