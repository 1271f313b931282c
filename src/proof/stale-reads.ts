/** Whether stale reads tell the truth about the state that they show: the state of their index, and no older than said. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Staleness } from '../transport/index.js'
import type { Checker } from './checker.js'

/** The clock of each node. */
export type Clocks = () => Iterable<readonly [NodeId, number]>

/** Ages are differences of readings. */
const roundingMs = 1e-6

export class StaleReads {
  readonly #checker: Checker
  readonly #clocks: Clocks
  /** The reading of each node's clock when each entry became known to be committed, by the index of the entry. */
  readonly #committedAtMs = new Map<NodeId, number[]>()

  constructor(checker: Checker, clocks: Clocks) {
    this.#checker = checker
    this.#clocks = clocks
  }

  committed(index: LogIndex): void {
    for (const [nodeId, nowMs] of this.#clocks()) {
      const readings = this.#committedAtMs.get(nodeId) ?? []
      this.#committedAtMs.set(nodeId, readings)
      readings[index] = nowMs
    }
  }

  /** The mistake in an answer that the node gives now; `undefined`: there is none. */
  lieIn(nodeId: NodeId, { index, ageMs }: Staleness): string | undefined {
    const { committed } = this.#checker.ledger
    if (committed[index] === undefined) return `tells index ${index}, which nobody committed`
    if (!(ageMs >= 0)) return `tells an age of ${ageMs} ms`
    const nowMs = new Map(this.#clocks()).get(nodeId) ?? 0
    // Clocks never fall, so the entry behind the state was committed before all later ones.
    const missedAtMs = this.#committedAtMs.get(nodeId)?.[index + 1] ?? Number.POSITIVE_INFINITY
    if (missedAtMs >= nowMs - ageMs - roundingMs) return undefined
    return `tells an age of ${ageMs} ms at index ${index}, and ${index + 1} was committed ${nowMs - missedAtMs} ms ago`
  }
}
