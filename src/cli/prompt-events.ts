/** The events of a cluster as lines of the prompt. */
import type { ClusterEvent } from '../cluster/index.js'
import { ToldHappenings } from '../telemetry/index.js'
import { printable } from '../terminal/index.js'

export class PromptEvents {
  readonly #heartbeatIntervalMs: number
  readonly #told: ToldHappenings

  constructor(heartbeatIntervalMs: number) {
    this.#heartbeatIntervalMs = heartbeatIntervalMs
    // A tick of a cluster is a heartbeat.
    this.#told = new ToldHappenings(heartbeatIntervalMs)
  }

  /** `undefined`: the prompt leaves the event out. */
  lineOf(event: ClusterEvent): string | undefined {
    if (isAnswered(event) || this.#isShort(event)) return undefined
    // Why a node failed is foreign text.
    return printable(this.#told.wordsOf(event))
  }

  /** A standstill of less than two heartbeats harms nobody. On a busy machine, such events would hide the others. */
  #isShort(event: ClusterEvent): boolean {
    if (event.type !== 'hostBlocked' && event.type !== 'threadStood') return false
    return event.forMs < 2 * this.#heartbeatIntervalMs
  }
}

/** True for an event that the answer to a verb tells as well. */
function isAnswered(event: ClusterEvent): boolean {
  if (event.type === 'faultHealed') return event.by === 'verb'
  return ['started', 'killed', 'paused', 'faultBegan'].includes(event.type)
}
