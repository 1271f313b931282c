/** A list of integers of 32 bits that grows without an object for each. */
export class Growing {
  #values = new Int32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  at(place: number): number {
    return this.#values[place] ?? 0
  }

  slice(from: number, end: number): number[] {
    return Array.from(this.#values.subarray(from, end))
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Int32Array(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  clear(): void {
    this.#length = 0
  }
}
