/**
 * The answers to clients, held against what is read later. Each key has one client, whose calls follow each other: so the
 * last acknowledged write of a key must be there, unless a write of unknown outcome came after it. The store counts the
 * writes of each key, so that one which was lost is found also when another was written over it.
 */

interface Key {
  /** The latest write that was acknowledged or read, with the revision that it made. */
  value: string | undefined
  revision: number
  acknowledged: number
  /** Writes that may have happened, or may happen later. */
  readonly unknown: Set<string>
}

/** A key as a read shows it. `value` is `undefined`, and the figures are 0, where there is no such key. */
export interface Shown {
  readonly value: string | undefined
  readonly revision: number
  /** Writes that the key has seen. */
  readonly version: number
}

/** Broken promises told one by one; more of them mostly say the same. */
const toldMax = 20

export class Ledger {
  readonly #keys = new Map<string, Key>()
  readonly broken: string[] = []
  acknowledged = 0
  unknown = 0
  notDone = 0
  /** Acknowledged writes that were not there when they had to be. */
  lost = 0

  get keys(): readonly string[] {
    return [...this.#keys.keys()]
  }

  /** The write was acknowledged: a majority has it on disk. */
  written(key: string, value: string, revision: number): void {
    const known = this.#key(key)
    this.acknowledged++
    known.acknowledged++
    if (revision <= known.revision)
      this.#break(`'${key}' was written at revision ${revision}, not after ${known.revision}`)
    known.value = value
    known.revision = revision
  }

  /** The write may have happened, or may happen later. */
  mayBeWritten(key: string, value: string): void {
    this.unknown++
    this.#key(key).unknown.add(value)
  }

  /** A linearizable read of the key's own client, while no other call of that client is on its way. */
  read(key: string, shown: Shown): void {
    const known = this.#key(key)
    const { value, revision, version } = shown
    const missing = known.acknowledged - version
    if (missing > 0 || revision < known.revision) return this.#lose(key, known, shown, Math.max(1, missing))
    const isKnown = revision === known.revision ? value === known.value : known.unknown.has(value ?? '')
    if (!isKnown) this.#break(`'${key}' holds ${inWords(shown)}, which no client was told to be possible`)
    if (version > known.acknowledged + known.unknown.size)
      this.#break(
        `'${key}' was written ${version} times, and ${known.acknowledged} of them were acknowledged`,
      )
    known.value = value
    known.revision = revision
  }

  #lose(key: string, known: Key, shown: Shown, count: number): void {
    this.lost += count
    this.#break(
      `'${key}' holds ${inWords(shown)}: lost are ${count} of ${known.acknowledged} acknowledged writes, of which the last is '${known.value}' of revision ${known.revision}`,
    )
    // A loss is told once.
    known.acknowledged = shown.version
    known.value = shown.value
    known.revision = shown.revision
  }

  #key(key: string): Key {
    let known = this.#keys.get(key)
    if (known === undefined) {
      known = { value: undefined, revision: 0, acknowledged: 0, unknown: new Set() }
      this.#keys.set(key, known)
    }
    return known
  }

  #break(what: string): void {
    if (this.broken.length < toldMax) this.broken.push(what)
  }
}

function inWords({ value, revision, version }: Shown): string {
  return value === undefined ? 'nothing' : `'${value}' of revision ${revision} after ${version} writes`
}
