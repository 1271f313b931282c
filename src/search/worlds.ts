/** Worlds as numbers, one after the other in a list: a level of a breadth-first search. */
import { Growing } from './growing.js'

/** A world: the states of its nodes, the messages in flight, its history, and what may still happen. */
export interface World {
  /** Its place among all worlds that this thread has found. */
  readonly found: number
  readonly history: number
  readonly budgets: number
  readonly nodes: readonly number[]
  readonly messages: readonly number[]
}

export class Worlds {
  readonly #numbers = new Growing()
  readonly #nodeCount: number
  #count = 0

  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount
  }

  get count(): number {
    return this.#count
  }

  push({ found, history, budgets, nodes, messages }: World): void {
    const numbers = this.#numbers
    this.#count++
    numbers.push(messages.length)
    numbers.push(found)
    numbers.push(history)
    numbers.push(budgets)
    for (const node of nodes) numbers.push(node)
    for (const message of messages) numbers.push(message)
  }

  *[Symbol.iterator](): Generator<World> {
    const numbers = this.#numbers
    const headLength = 4 + this.#nodeCount
    for (let at = 0; at < numbers.length; ) {
      const nodes = numbers.slice(at + 4, at + headLength)
      const end = at + headLength + numbers.at(at)
      const messages = numbers.slice(at + headLength, end)
      const [found, history, budgets] = [numbers.at(at + 1), numbers.at(at + 2), numbers.at(at + 3)]
      yield { found, history, budgets, nodes, messages }
      at = end
    }
  }

  clear(): void {
    this.#numbers.clear()
    this.#count = 0
  }
}
