/** How long a shrinking goes on, and how far it is: memory that its thread shares with the thread that waits for it. */

const cells = { stop: 0, runs: 1, acts: 2 } as const

export interface ShrinkFigures {
  /** Runs so far, of worlds and of lists. */
  readonly runs: number
  /** The length of the list. 0: there is none yet. */
  readonly acts: number
}

export class Bound {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(memory = new SharedArrayBuffer(4 * Object.keys(cells).length)) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  get figures(): ShrinkFigures {
    const [runs, acts] = [cells.runs, cells.acts].map((cell) => Atomics.load(this.#cells, cell))
    return { runs: runs ?? 0, acts: acts ?? 0 }
  }

  /** No further run begins. */
  end(): void {
    Atomics.store(this.#cells, cells.stop, 1)
  }

  isOver(): boolean {
    return Atomics.load(this.#cells, cells.stop) === 1
  }

  ran(): void {
    Atomics.add(this.#cells, cells.runs, 1)
  }

  /** The list has come to this length. */
  came(acts: number): void {
    Atomics.store(this.#cells, cells.acts, acts)
  }
}
