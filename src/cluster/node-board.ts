/** The board of one node as its cluster holds it, and whether the thread of the node is frozen. */
import { type Result, unwrap } from '../errors/index.js'
import type { StandingFault } from '../faults/index.js'
import { Board, type ControlledNode, Notice } from '../node/index.js'

export class NodeBoard {
  readonly #board = new Board()
  /** Called when the node freezes. */
  readonly #onFrozen = new Set<() => void>()
  #frozenAtMs: number | undefined

  get memory(): SharedArrayBuffer {
    return this.#board.memory
  }

  /** Since when the node is frozen, by `performance.now`: it answers no call until its gate opens. */
  get frozenAtMs(): number | undefined {
    return this.#frozenAtMs
  }

  /** A new life begins, and takes its turns. */
  begin(): void {
    this.#open()
  }

  /** The life of the node ends: a frozen node goes nowhere else. */
  end(): void {
    this.#frozenAtMs = undefined
    this.#board.end()
  }

  /** The node has told that it freezes. True when it was not frozen before, and its gate is closed still. */
  froze(): boolean {
    if (this.#board.gate !== 'closed' || this.#frozenAtMs !== undefined) return false
    this.#frozenAtMs = performance.now()
    for (const frozen of this.#onFrozen) frozen()
    return true
  }

  /**
   * From now on exactly these faults stand. Resolves once the node has noticed, or is frozen: then it notices before it
   * does anything else.
   */
  async show(standing: readonly StandingFault[], node: ControlledNode | undefined): Promise<void> {
    this.#board.write(new Notice(standing))
    const isPaused = standing.some(({ fault }) => fault.type === 'pause')
    const isClosed = this.#board.gate === 'closed'
    if (isPaused && !isClosed) this.#board.close()
    if (!isPaused && isClosed) this.#open()
    const looked = node && (await this.unlessFrozen(() => node.look()))
    if (looked !== undefined) unwrap(looked)
  }

  /** The answer to a call; `undefined` when the node is frozen, or freezes before it answers. */
  async unlessFrozen<T>(call: () => Promise<Result<T>>): Promise<Result<T> | undefined> {
    if (this.#frozenAtMs !== undefined) return undefined
    let frozen: () => void = () => undefined
    const freezing = new Promise<undefined>((resolve) => {
      frozen = () => resolve(undefined)
    })
    this.#onFrozen.add(frozen)
    try {
      return await Promise.race([call(), freezing])
    } finally {
      this.#onFrozen.delete(frozen)
    }
  }

  #open(): void {
    this.#frozenAtMs = undefined
    this.#board.open()
  }
}
