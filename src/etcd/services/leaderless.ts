/** Ends the streams of clients that asked for a leader, once their member has had none for long: as etcd's monitor does. */
import type { Member } from '../member.js'

/** A stream ends when the member was without a leader at so many looks in a row, an election timeout apart. */
const looksMax = 3

export class Leaderless {
  readonly #member: Pick<Member, 'look'>
  readonly #electionTimeoutMs: number
  readonly #streams = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #looks = 0

  constructor(member: Pick<Member, 'look'>, electionTimeoutMs: number) {
    this.#member = member
    this.#electionTimeoutMs = electionTimeoutMs
  }

  /** Calls `end` when the leader is missed. Returns how to stop. */
  watch(end: () => void): () => void {
    this.#streams.add(end)
    this.#timer ??= setInterval(() => this.#look(), this.#electionTimeoutMs)
    return () => {
      this.#streams.delete(end)
      if (this.#streams.size === 0) this.#stop()
    }
  }

  #look(): void {
    this.#looks = this.#member.look().leaderId === undefined ? this.#looks + 1 : 0
    if (this.#looks < looksMax) return
    const streams = [...this.#streams]
    this.#streams.clear()
    this.#stop()
    for (const end of streams) end()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#looks = 0
  }
}
