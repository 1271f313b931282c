/** Which call of unknown outcome made which revision: each made one at most. */

/** The possible maker of a revision: the place of a record, or the name of a lease that ended. */
export type Maker = number | string

/** All possible makers of all revisions. */
const makersMax = 100_000

export class Matching {
  #makersCount = 0
  readonly #makersOf = new Map<number, readonly Maker[]>()
  readonly #made = new Map<Maker, number>()
  readonly #makerOf = new Map<number, Maker>()

  hasRoomFor(makers: readonly Maker[]): boolean {
    return this.#makersCount + makers.length <= makersMax
  }

  /** Finds a maker for one more revision, and for those before it. False, and nothing is changed, if there is none. */
  add(revision: number, makers: readonly Maker[]): boolean {
    this.#makersOf.set(revision, makers)
    this.#makersCount += makers.length
    const from = new Map<Maker, number>()
    const open = [revision]
    for (const next of open) {
      for (const maker of this.#makersOf.get(next) ?? []) {
        if (from.has(maker)) continue
        from.set(maker, next)
        const other = this.#made.get(maker)
        if (other === undefined) {
          this.#exchange(maker, revision, from)
          return true
        }
        open.push(other)
      }
    }
    this.#makersCount -= makers.length
    this.#makersOf.delete(revision)
    return false
  }

  /** Whether the revision of the maker would have no maker without it. Another matching may leave it free. */
  isNeeded(maker: Maker): boolean {
    const taken = this.#made.get(maker)
    if (taken === undefined) return false
    const asked = new Set([maker])
    const open = [taken]
    for (const revision of open) {
      for (const other of this.#makersOf.get(revision) ?? []) {
        if (asked.has(other)) continue
        asked.add(other)
        const made = this.#made.get(other)
        if (made === undefined) return false
        open.push(made)
      }
    }
    return true
  }

  /** Each revision on the way gives its maker to the one that asked for it. */
  #exchange(free: Maker, revision: number, from: ReadonlyMap<Maker, number>): void {
    for (let maker = free; ; ) {
      const taker = from.get(maker)!
      const given = this.#makerOf.get(taker)
      this.#made.set(maker, taker)
      this.#makerOf.set(taker, maker)
      if (taker === revision) return
      maker = given!
    }
  }
}
