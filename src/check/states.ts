/** The states that a search has seen, each with a number: equal states have the same one. */
import { RaftError } from '../errors/index.js'
import type { Memory } from './configuration-set.js'
import type { Identity, Model, Operation } from './model.js'

/** Bytes of a number, its entry in the table and a small state, beside the characters of a long text. */
const bytesPerState = 100

export class States<State, Op extends Operation> {
  readonly #model: Model<State, Op>
  readonly #memory: Memory
  readonly #numbers = new Map<Identity, number>()
  readonly #states: State[] = []
  /** The characters of each state's identity. */
  readonly #lengths: number[] = []
  #bytes = 0
  /** The characters of all states that were asked for: what the work with them grows with. */
  characters = 0

  constructor(model: Model<State, Op>, memory: Memory) {
    this.#model = model
    this.#memory = memory
  }

  /** The state's number; -1 when there is no memory for it. */
  numberOf(state: State): number {
    const identity = this.#identityOf(state)
    const length = typeof identity === 'string' ? identity.length : 0
    this.characters += length
    const known = this.#numbers.get(identity)
    if (known !== undefined) return known
    const bytes = bytesPerState + 2 * length
    if (!this.#memory.take(bytes)) return -1
    this.#bytes += bytes
    this.#numbers.set(identity, this.#states.length)
    this.#lengths.push(length)
    return this.#states.push(state) - 1
  }

  at(number: number): State {
    this.characters += this.#lengths[number] ?? 0
    return this.#states[number]!
  }

  /** Gives its memory back. No state is asked for any more. */
  release(): void {
    this.#memory.giveBack(this.#bytes)
    this.#bytes = 0
    this.#numbers.clear()
  }

  #identityOf(state: State): Identity {
    if (this.#model.identityOf !== undefined) return this.#model.identityOf(state)
    if (typeof state !== 'object' || state === null) return state as Identity
    throw new RaftError('INVALID_OPTION', {
      option: 'model.identityOf',
      expected: 'a function that tells equal states, since the states are objects',
      actual: 'undefined',
    })
  }
}
