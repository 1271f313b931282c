/** Whether an event that nobody was told of may explain a contradiction: then the history does not decide it. */
import type { Doubts } from './doubts.js'
import type { Gap, Suspicion } from './findings.js'
import type { Known } from './known.js'
import type { Leases } from './leases.js'
import type { Past } from './past.js'
import type { Reading } from './reading.js'
import { emptyRevision } from './record.js'
import type { Replay } from './replay.js'
import { firstPlace } from './sorted.js'
import { covers, type Part } from './watches.js'

export class Unseen {
  readonly #known: Known
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #past: Past
  readonly #replay: Replay
  readonly #parts: readonly Part[]

  /** For the time when the replay has run. */
  constructor({ known, doubts, leases, past, replay, parts }: Reading) {
    this.#known = known
    this.#doubts = doubts
    this.#leases = leases
    this.#past = past
    this.#replay = replay
    this.#parts = parts
  }

  /** A call of unknown outcome that may explain it, by its place; the name of a lease whose end may; or nothing. Turns. */
  *explains({ gaps }: Suspicion): Generator<void, number | string | undefined> {
    for (const gap of gaps) {
      const why = yield* this.#fills(gap)
      if (why !== undefined) return why
    }
    return undefined
  }

  /** Turns. */
  *#fills(gap: Gap): Generator<void, number | string | undefined> {
    const { span, from, to } = gap
    const ambiguous = this.#replay.ambiguous.find(({ revision }) => revision <= to)
    if (ambiguous !== undefined) return ambiguous.at[0]
    for (const { call, at } of this.#doubts.within(span)) {
      yield
      if (this.#replay.matching.isNeeded(at)) continue
      const known = this.#known.before(call.call)?.revision ?? emptyRevision
      if (yield* this.#hasRoom(gap, Math.max(from, known))) return at
    }
    if (!(yield* this.#hasRoom(gap, Math.max(from, emptyRevision)))) return undefined
    // The end of a lease deletes a key only behind the event that gave the lease to the key.
    for (const [lease, given] of this.#past.leasesWithin(span, to)) {
      if (this.#leases.mayEndIn(lease, to) !== true) continue
      if (yield* this.#hasRoom(gap, Math.max(from, given))) return `lease ${lease}`
    }
    return undefined
  }

  /** Whether there is a revision behind `from` whose events are not all known, and of which no watch ought to have told. Turns. */
  *#hasRoom({ span, to }: Gap, from: number): Generator<void, boolean> {
    const { explained } = this.#replay
    let start = from + 1
    for (let at = firstPlace(explained, (revision) => revision > from); start <= to; at++) {
      const end = Math.min((explained[at] ?? Number.POSITIVE_INFINITY) - 1, to)
      const isSeen = (): boolean =>
        this.#parts.some((part) => covers(part, span, start) && covers(part, span, end))
      if (start <= end && !isSeen()) return true
      start = end + 2
      yield
    }
    return false
  }
}
