/** Numbers that stay with a record for life, and the slot where it lies at present. */
export class Places {
  /** By number: the reference of a record, or, below 0, the complement of the next free number. */
  #refs = new Int32Array(64)
  #length = 1
  /** The number that was freed last; 0, which nobody gets, for none. */
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
