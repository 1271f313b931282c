/** Whether an event that nobody was told of may explain a contradiction: then the history does not decide it. */
import type { Doubts } from './doubts.js'
import type { Suspicion } from './findings.js'
import type { Known } from './known.js'
import type { Leases } from './leases.js'
import type { Past } from './past.js'
import type { Replay } from './replay.js'
import { firstPlace } from './sorted.js'
import { covers, type Part } from './watches.js'

/** The first write of a store has revision 2: revision 1 is the empty store. */
const emptyRevision = 1

export class Unseen {
  readonly #known: Known
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #past: Past
  readonly #replay: Replay
  readonly #parts: readonly Part[]
  /** Revisions with an event, sorted. */
  readonly #written: readonly number[]

  constructor(
    { known, doubts, leases, past }: { known: Known; doubts: Doubts; leases: Leases; past: Past },
    replay: Replay,
    parts: readonly Part[],
  ) {
    this.#known = known
    this.#doubts = doubts
    this.#leases = leases
    this.#past = past
    this.#replay = replay
    this.#parts = parts
    this.#written = replay.writtenRevisions()
  }

  /** A call of unknown outcome that may explain it, by its place; the name of a lease whose end may; or nothing. */
  explains(suspicion: Suspicion): number | string | undefined {
    const { span, from, to } = suspicion
    const ambiguous = this.#replay.ambiguous.find(({ revision }) => revision <= to)
    if (ambiguous !== undefined) return ambiguous.at[0]
    const doubt = this.#doubts.within(span).find(({ call, at }) => {
      if (this.#replay.matching.isNeeded(at)) return false
      return this.#hasRoom(
        suspicion,
        Math.max(from, this.#known.before(call.call)?.revision ?? emptyRevision),
      )
    })
    if (doubt !== undefined) return doubt.at
    if (!this.#hasRoom(suspicion, Math.max(from, emptyRevision))) return undefined
    for (const lease of this.#past.leasesWithin(span, to))
      if (this.#leases.mayEndIn(lease, to) === true) return `lease ${lease}`
    return undefined
  }

  /** Whether there is a revision behind `from` without an event, of which no watch ought to have told. */
  #hasRoom({ span, to }: Suspicion, from: number): boolean {
    let start = from + 1
    for (let at = firstPlace(this.#written, (revision) => revision > from); start <= to; at++) {
      const end = Math.min((this.#written[at] ?? Number.POSITIVE_INFINITY) - 1, to)
      const isSeen = (): boolean =>
        this.#parts.some((part) => covers(part, span, start) && covers(part, span, end))
      if (start <= end && !isSeen()) return true
      start = end + 2
    }
    return false
  }
}
