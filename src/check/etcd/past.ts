/** All events that are known, by which the keys at any revision are known. */
import { isWide, keysWithin } from './keys.js'
import type { KeySpan } from './record.js'
import { firstPlace } from './sorted.js'

/** The state of a key behind an event. The value is undefined if nobody told it. */
export interface Held {
  readonly value: string | undefined
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  /** Empty: none. */
  readonly lease: string
}

export interface Version {
  readonly revision: number
  /** `undefined`: the key was deleted. */
  readonly held: Held | undefined
  /** A record that tells of the event. */
  readonly at: number
  /** Whether a record tells of the event itself: a deletion may be no more than what a call ought to have done. */
  readonly isTold: boolean
  /** Unseen events up to this revision do not change what the key holds: its version was told then, or its deletion was. */
  readonly sureFrom: number
}

export class Past {
  /** All keys of the history, sorted. */
  readonly #keys: readonly string[]
  readonly #versions = new Map<string, Version[]>()
  readonly #attached = new Map<string, Set<string>>()
  /** For each key, the leases that it had at any time, with the first revision of each. */
  readonly #leasesOf = new Map<string, Map<string, number>>()

  constructor(sortedKeys: readonly string[]) {
    this.#keys = sortedKeys
  }

  /** Events are added in the order of their revisions. */
  add(key: string, version: Version): void {
    const versions = this.#versions.get(key) ?? []
    this.#versions.set(key, versions)
    const lease = versions.at(-1)?.held?.lease
    if (lease) this.#attached.get(lease)?.delete(key)
    versions.push(version)
    if (!version.held?.lease) return
    const attached = this.#attached.get(version.held.lease) ?? new Set()
    this.#attached.set(version.held.lease, attached.add(key))
    const leases = this.#leasesOf.get(key) ?? new Map<string, number>()
    this.#leasesOf.set(key, leases)
    if (!leases.has(version.held.lease)) leases.set(version.held.lease, version.revision)
  }

  /** Keys that have the lease behind all events so far. */
  attached(lease: string): readonly string[] {
    return [...(this.#attached.get(lease) ?? [])]
  }

  /** Leases that a key of the span had at any time before the revision, each with the first revision of that. */
  leasesWithin(span: KeySpan, before: number): ReadonlyMap<string, number> {
    const leases = new Map<string, number>()
    for (const key of this.keysWithin(span))
      for (const [lease, revision] of this.#leasesOf.get(key) ?? [])
        if (revision < Math.min(before, leases.get(lease) ?? before)) leases.set(lease, revision)
    return leases
  }

  last(key: string): Version | undefined {
    return this.#versions.get(key)?.at(-1)
  }

  /**
   * An unseen event of the key may be behind this revision: that of its last event, or of the one before it if the last one is a
   * deletion that nobody told of.
   */
  unseenFrom(key: string): number {
    const last = this.last(key)
    if (last === undefined || last.isTold || last.held !== undefined) return last?.revision ?? 0
    return this.at(key, last.revision - 1)?.revision ?? 0
  }

  /** The last event of the key up to the revision. */
  at(key: string, revision: number): Version | undefined {
    const versions = this.#versions.get(key) ?? []
    return versions[firstPlace(versions, (version) => version.revision > revision) - 1]
  }

  keysWithin(span: KeySpan): Iterable<string> {
    return isWide(span) ? keysWithin(this.#keys, span) : [span.key]
  }

  /** Events of the key from one revision to another, both included. */
  versions(key: string, from: number, to: number): readonly Version[] {
    const versions = this.#versions.get(key) ?? []
    const first = firstPlace(versions, ({ revision }) => revision >= from)
    return versions.slice(
      first,
      firstPlace(versions, ({ revision }) => revision > to),
    )
  }
}
