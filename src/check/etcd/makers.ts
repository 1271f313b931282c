/** The calls of unknown outcome and the ends of leases that may have made a revision, with what each would have changed. */
import type { Claim } from './claims.js'
import type { Doubt, Doubts } from './doubts.js'
import { comparesHold, type Effect, effectsOf, effectsOfOps } from './effects.js'
import type { Leases } from './leases.js'
import type { Maker } from './matching.js'
import type { Past } from './past.js'
import { emptyRevision } from './record.js'
import { firstPlace } from './sorted.js'

export type OfKey = ReadonlyMap<string, readonly Claim[]>

export interface PossibleMaker {
  readonly maker: Maker
  readonly effects: Map<string, Effect>
  readonly at: number
  /** Whether what it changes depends on comparisons. */
  readonly branches: boolean
  /** Whether it made the revision only if an unseen event came before it. */
  readonly isSupposed: boolean
}

export interface MakersParts {
  readonly past: Past
  readonly doubts: Doubts
  readonly leases: Leases
  /** Whether one watch told all events of the key from one revision to another. */
  isCovered(key: string, from: number, to: number): boolean
}

export class Makers {
  readonly #parts: MakersParts
  readonly #explained: readonly number[]

  /** `explained`: the revisions so far whose maker is known, sorted. */
  constructor(parts: MakersParts, explained: readonly number[]) {
    this.#parts = parts
    this.#explained = explained
  }

  /** The one that changes the fewest keys first. */
  of(revision: number, claims: OfKey): PossibleMaker[] {
    const { past, doubts, leases, isCovered } = this.#parts
    const [[key, [claim]] = ['', []]] = claims as ReadonlyMap<string, Claim[]>
    if (claim === undefined) return []
    const possible = doubts.of(key, revision)
    const makers = possible.flatMap((doubt) => makerOf(doubt, effectsOf(doubt.call, past), claims))
    const lease = claim.type === 'delete' ? past.last(key)?.held?.lease : undefined
    if (lease && leases.mayEndIn(lease, revision) === true) {
      const effects = new Map<string, Effect>(past.attached(lease).map((each) => [each, 'deleted']))
      if (isExplained(claims, effects))
        makers.push({ maker: lease, effects, at: claim.at, branches: false, isSupposed: false })
    }
    const isSeen = ({ effects }: PossibleMaker): boolean =>
      [...effects.keys()].every((each) => claims.has(each) || !isCovered(each, revision, revision))
    // A watch would have told of all that the maker changed. If it did not, then an unseen event came before, with which a
    // transaction may have compared: it may have taken the other branch.
    const seen = makers.filter(isSeen)
    const likely = seen.length > 0 ? seen : makers.filter(({ branches }) => !branches)
    if (likely.length === 0) return []
    const others = possible.flatMap((doubt) => this.#byOtherBranch(doubt, revision, claims)).filter(isSeen)
    return [...likely, ...others].sort((one, other) => one.effects.size - other.effects.size)
  }

  /** The changes that a transaction would have made by the branch that only an unseen event leads to. */
  #byOtherBranch({ call, at }: Doubt, revision: number, claims: OfKey): PossibleMaker[] {
    if (call.op !== 'txn') return []
    const { past } = this.#parts
    const holds = comparesHold(call.compare, (key) => past.last(key)?.held)
    const others = [...(holds === true ? [] : [call.success]), ...(holds === false ? [] : [call.failure])]
    const makers = others.flatMap((ops) => makerOf({ call, at }, effectsOfOps(ops, past), claims))
    if (makers.length === 0) return []
    const isOpen = holds === undefined || call.compare.some(({ key }) => this.#mayHaveChanged(key, revision))
    return isOpen ? makers.map((maker) => ({ ...maker, isSupposed: true })) : []
  }

  /** Whether an unseen event may have changed the key between its last event and the revision. */
  #mayHaveChanged(key: string, revision: number): boolean {
    const from = Math.max(this.#parts.past.unseenFrom(key), emptyRevision) + 1
    const explained = this.#explained.length - firstPlace(this.#explained, (each) => each >= from)
    return explained < revision - from && !this.#parts.isCovered(key, from, revision - 1)
  }
}

function makerOf(
  { call, at }: Doubt,
  effects: Map<string, Effect> | undefined,
  claims: OfKey,
): PossibleMaker[] {
  if (effects === undefined || !isExplained(claims, effects)) return []
  return [
    { maker: at, effects, at, branches: call.op === 'txn' && call.compare.length > 0, isSupposed: false },
  ]
}

/** Whether these effects are, among others, the events that were told. */
export function isExplained(claims: OfKey, effects: ReadonlyMap<string, Effect>): boolean {
  return [...claims].every(([key, told]) => {
    const effect = effects.get(key)
    return told.every(({ type, value, lease }) => {
      if (effect === undefined || effect === 'deleted') return effect === 'deleted' && type === 'delete'
      return (
        type === 'put' && (value ?? effect.value) === effect.value && (lease ?? effect.lease) === effect.lease
      )
    })
  })
}
