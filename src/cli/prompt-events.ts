/** The events of a cluster as lines of the prompt. */
import type { ClusterEvent } from '../cluster/index.js'
import { inWords } from './happenings.js'

/** Events whose words are kept, in case they are repeated: the newest. */
const keptMax = 256

export class PromptEvents {
  readonly #heartbeatIntervalMs: number
  readonly #words = new Map<number, string>()

  constructor(heartbeatIntervalMs: number) {
    this.#heartbeatIntervalMs = heartbeatIntervalMs
  }

  /** `undefined`: the prompt leaves the event out. */
  lineOf(event: ClusterEvent): string | undefined {
    if (isAnswered(event) || this.#isShort(event)) return undefined
    const words = this.#wordsOf(event)
    this.#words.set(event.sequence, words)
    const [oldest] = this.#words.keys()
    if (this.#words.size > keptMax && oldest !== undefined) this.#words.delete(oldest)
    return words
  }

  /** Other events may stand between an event and its repetition, so the repetition says what was repeated. */
  #wordsOf(event: ClusterEvent): string {
    const repeated = event.type === 'repeated' ? this.#words.get(event.cause ?? 0) : undefined
    if (event.type === 'repeated' && repeated !== undefined) return `${repeated} (${event.times} times more)`
    // A tick of a cluster is a heartbeat.
    return inWords(event, this.#heartbeatIntervalMs)
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
  return event.type === 'started' || event.type === 'killed' || event.type === 'faultBegan'
}
