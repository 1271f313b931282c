/** A simulated node tells of itself here: to the story of the run, to its trace, to its fingerprint and to the checks. */
import { allocateWaymarks, Counters, type Happening, isOfProtocol, Meter } from '../telemetry/index.js'
import type { NodeMoments } from './node-moments.js'
import type { SimulatedNodeOptions, Surroundings } from './node-options.js'
import type { World } from './world.js'

export class NodeStory {
  /** How far its log has come when, and its messages: few rows, since a sweep makes thousands of nodes. */
  readonly waymarks = allocateWaymarks(1 << 11, 1 << 11)
  readonly #options: SimulatedNodeOptions
  readonly #world: World
  readonly #surroundings: Surroundings
  readonly #moments: NodeMoments
  /** The probe of the present life. */
  #meter: Meter | undefined

  constructor(options: SimulatedNodeOptions, world: World, surroundings: Surroundings, moments: NodeMoments) {
    this.#options = options
    this.#world = world
    this.#surroundings = surroundings
    this.#moments = moments
  }

  /** The probe of a life that begins. */
  newMeter(now: () => number, failed: (error: unknown) => void): Meter {
    const { tickMs, limits } = this.#options
    const storyNow = (): number => this.#world.time.nowMs
    this.#meter = new Meter({
      counters: new Counters(Counters.allocate()),
      now,
      happenings: { tell: (happening, atMs, cause) => this.#happened(happening, atMs, cause) },
      waymarks: this.waymarks,
      storyNow,
      lastLook: storyNow,
      tickMs,
      heartbeatIntervalMs: tickMs * limits.heartbeatTicks,
      electionTimeoutMs: tickMs * limits.electionTimeoutTicks,
      failed,
    })
    return this.#meter
  }

  /** The host of the node tells in words what became of it, and what of that belongs into the story. */
  tell(what: string, happening?: Happening): void {
    this.#world.fingerprint.addText(what)
    this.#world.tracer.record(this.#options.id, { type: 'told', what })
    if (happening !== undefined) this.#meter?.tell(happening)
  }

  #happened(happening: Happening, atMs: number, cause: number | undefined): number {
    const { id } = this.#options
    const { tracer, questions, chronicle } = this.#world
    if (isOfProtocol(happening)) {
      tracer.record(id, { type: 'event', event: happening })
      questions.observed(id, happening)
      this.#surroundings.observe(id, happening)
    }
    const told = chronicle.tell(id, happening, atMs, cause)
    if (isOfProtocol(happening)) this.#moments.observed(happening)
    return told
  }
}
