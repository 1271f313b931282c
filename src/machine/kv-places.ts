/** Numbers that stay with a record for life, and for each number the slot where its record lies at present. */
export class Places {
  /**
   * For each number the reference of its record. For a free number, the complement of the next free number, which is
   * below 0.
   */
  #refs = new Int32Array(64)
  #length = 1
  /** The number that was freed last. 0 when none is free: no record has the number 0. */
  #free = 0

  add(ref: number): number {
    const id = this.#free === 0 ? this.#addNumber() : this.#free
    if (id === this.#free) this.#free = ~this.#refs[id]!
    this.#refs[id] = ref
    return id
  }

  #addNumber(): number {
    if (this.#length === this.#refs.length) {
      const grown = new Int32Array(2 * this.#length)
      grown.set(this.#refs)
      this.#refs = grown
    }
    return this.#length++
  }

  refOf(id: number): number {
    return this.#refs[id]!
  }

  move(id: number, ref: number): void {
    this.#refs[id] = ref
  }

  remove(id: number): void {
    this.#refs[id] = ~this.#free
    this.#free = id
  }
}
