/** Commands and queries of one client, drawn by chance: whatever runs the nodes, the same history can be checked. */
import {
  encode,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../machine/index.js'
import type { Random } from '../raft/index.js'

export interface CallShape {
  /** Few keys: clients meet at each of them. */
  readonly keys: number
  readonly valueBytesMax: number
  /** Commands in one request. */
  readonly batchMax: number
  /** Share of requests that read. */
  readonly readShare: number
}

export interface RandomCall {
  readonly type: 'propose' | 'read'
  readonly commands: readonly Uint8Array[]
}

export class RandomCalls {
  readonly #random: Random
  readonly #shape: CallShape
  readonly #client: number
  #written = 0
  /** The value that the client wrote last under each key, which its next compare-and-set expects. */
  readonly #lastValues = new Map<string, string>()

  /** Clients of one history have different numbers. */
  constructor(random: Random, shape: CallShape, client: number) {
    this.#random = random
    this.#shape = shape
    this.#client = client
  }

  next(): RandomCall {
    const isRead = this.#random.chance(this.#shape.readShare)
    const count = 1 + this.#random.below(this.#shape.batchMax)
    const commands = Array.from({ length: count }, () => (isRead ? this.#query() : this.#command()))
    return { type: isRead ? 'read' : 'propose', commands }
  }

  #query(): Uint8Array {
    return this.#random.chance(0.1) ? encode(writeRange, {}) : encode(writeGet, this.#key())
  }

  /** No two commands are alike, deletions aside: so each can be told apart wherever it turns up. */
  #command(): Uint8Array {
    const key = this.#key()
    const name = `${this.#client}.${++this.#written}`
    const value = name.padEnd(this.#random.below(this.#shape.valueBytesMax), '_')
    const chance = this.#random.next()
    if (chance < 0.1) return encode(writeDelete, key)
    if (chance < 0.3) return encode(writeAppend, key, name)
    const expected = this.#lastValues.get(key)
    this.#lastValues.set(key, value)
    if (chance < 0.45) return encode(writeCas, key, expected, value)
    return encode(writePut, key, value)
  }

  #key(): string {
    return `key-${this.#random.below(this.#shape.keys)}`
  }
}
