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
    const { past, doubts } = this.#parts
    const [key] = claims.keys()
    if (key === undefined) return []
    const possible = doubts.of(key, revision)
    const ends = this.#ends(revision, claims)
    const makers = possible.flatMap((doubt) => makerOf(doubt, effectsOf(doubt.call, past), claims))
    makers.push(...ends.filter(({ isSupposed }) => !isSupposed))
    // A watch would have told of all that the maker changed. If it did not, then an unseen event came before, with which a
    // transaction may have compared: it may have taken the other branch.
    const seen = makers.filter((maker) => this.#untold(maker, revision, claims).length === 0)
    const likely = seen.length > 0 ? seen : makers.filter(({ branches }) => !branches)
    if (likely.length === 0) return []
    const others = [
      ...makers.filter((maker) => !likely.includes(maker)),
      ...possible.flatMap((doubt) => this.#byOtherBranch(doubt, revision, claims)),
      ...ends.filter(({ isSupposed }) => isSupposed),
    ].flatMap((maker) => this.#asSeen(maker, revision, claims))
    return [...likely, ...others].sort((one, other) => one.effects.size - other.effects.size)
  }

  /** The keys of which a watch ought to have told, if the maker changed them. */
  #untold({ effects }: PossibleMaker, revision: number, claims: OfKey): string[] {
    return [...effects.keys()].filter(
      (key) => !claims.has(key) && this.#parts.isCovered(key, revision, revision),
    )
  }

  /** The maker without the deletions of which no watch told: unseen events may have deleted those keys before. */
  #asSeen(maker: PossibleMaker, revision: number, claims: OfKey): PossibleMaker[] {
    const untold = this.#untold(maker, revision, claims)
    if (untold.length === 0) return [maker]
    const effects = new Map(maker.effects)
    for (const key of untold) {
      if (effects.get(key) !== 'deleted' || !this.#mayHaveChanged(key, revision)) return []
      effects.delete(key)
    }
    return [{ ...maker, effects, isSupposed: true }]
  }

  /** The ends of leases that all of the keys had, or may have had by unseen puts. */
  #ends(revision: number, claims: OfKey): PossibleMaker[] {
    const { past, leases } = this.#parts
    const [[key, [claim]]] = [...claims] as [[string, [Claim]]]
    const possible = [past.last(key)?.held?.lease ?? '', ...this.#leasesPut(key, revision)]
    const ended = [...new Set(possible)].filter(
      (lease) =>
        lease !== '' &&
        leases.mayEndIn(lease, revision) === true &&
        [...claims.keys()].every((each) => this.#mayHave(each, lease, revision)),
    )
    return ended.flatMap((lease) => {
      const attached = past.attached(lease)
      const effects = new Map<string, Effect>(
        [...attached, ...claims.keys()].map((each) => [each, 'deleted']),
      )
      const isSupposed = effects.size > attached.length
      const at = leases.revokedIn(lease, revision) ?? claim.at
      return isExplained(claims, effects) ? [{ maker: lease, effects, at, branches: false, isSupposed }] : []
    })
  }

  /** Whether the key had the lease before the revision, or may have had it by an unseen put. */
  #mayHave(key: string, lease: string, revision: number): boolean {
    return (
      this.#parts.past.last(key)?.held?.lease === lease ||
      (this.#leasesPut(key, revision).includes(lease) && this.#mayHaveChanged(key, revision))
    )
  }

  /** The leases that calls of unknown outcome may have given to the key. */
  #leasesPut(key: string, revision: number): string[] {
    return this.#parts.doubts.of(key, revision).flatMap(({ call }) => {
      const ops = call.op === 'txn' ? [...call.success, ...call.failure] : [call]
      return ops.flatMap((op) => (op.op === 'put' && op.key === key && op.lease ? [op.lease] : []))
    })
  }

  /** The changes that a transaction would have made by the branch that only an unseen event leads to. */
  #byOtherBranch({ call, at }: Doubt, revision: number, claims: OfKey): PossibleMaker[] {
    if (call.op !== 'txn') return []
    const { past } = this.#parts
    const holds = comparesHold(call.compare, (key) => past.last(key)?.held)
    const others = [...(holds === true ? [] : [call.success]), ...(holds === false ? [] : [call.failure])]
    const makers = others.flatMap((ops) => makerOf({ call, at }, effectsOfOps(ops, past), claims))
    if (makers.length === 0) return []
    const isOpen =
      holds === undefined ||
      call.compare.some(({ key }) => this.#mayHaveChanged(key, revision, past.last(key)?.sureFrom ?? 0))
    return isOpen ? makers.map((maker) => ({ ...maker, isSupposed: true })) : []
  }

  /** Whether the keys of a revoked lease may all have been changed by unseen events, so that the revoke deleted none of them. */
  mayHaveLeft(keys: readonly string[], revision: number): boolean {
    const { past, doubts, isCovered } = this.#parts
    return keys.every(
      (key) => doubts.of(key, revision).length > 0 && !isCovered(key, past.unseenFrom(key) + 1, revision),
    )
  }

  /**
   * Whether an unseen event may have changed the key before the revision, and behind `sure`. Left out: behind its last event. A
   * comparison may also be of the key's version, which unseen events before its last one may have made another.
   */
  #mayHaveChanged(key: string, revision: number, sure = this.#parts.past.unseenFrom(key)): boolean {
    const from = Math.max(sure, emptyRevision) + 1
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
