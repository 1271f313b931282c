/** A node's numbers, in memory that other threads read without asking. One writer: the node's driver. */
import type { Role } from '../raft/index.js'

const names = [
  'role',
  'currentTerm',
  'leaderId',
  'lastIndex',
  'flushedIndex',
  'commitIndex',
  'lastApplied',
  'snapshotIndex',
  'firstIndex',
  /** Weight of the log in bytes, the objects around its runs included. */
  'logBytes',
  /** Since the cluster was started, over all lives of the node: */
  'commandsApplied',
  'flushes',
  'bytesFlushed',
  'messagesSent',
  'messagesReceived',
  'elections',
  /** How often the node came to know of a leader: of another one than before, or after it knew of none. */
  'leaderChanges',
  /** Commands that the node refused, or of which it lost sight before it could answer. */
  'proposalsFailed',
  'snapshotsTaken',
  'snapshotsInstalled',
  'heartbeatsReceived',
  /** Whole intervals that passed without one: a gap of two intervals is one missed. */
  'heartbeatsMissed',
] as const

export type CounterName = (typeof names)[number]
export type CounterValues = Readonly<Record<CounterName, number>>

export const roles: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader']

const position = Object.fromEntries(names.map((name, at) => [name, at])) as Record<CounterName, number>

export class Counters {
  readonly #values: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(names.length * Float64Array.BYTES_PER_ELEMENT)
  }

  set(name: CounterName, value: number): void {
    this.#values[position[name]] = value
  }

  add(name: CounterName, amount: number): void {
    const at = position[name]
    this.#values[at] = (this.#values[at] ?? 0) + amount
  }

  get(name: CounterName): number {
    return this.#values[position[name]] ?? 0
  }

  read(): CounterValues {
    return Object.fromEntries(names.map((name) => [name, this.#values[position[name]] ?? 0])) as Record<
      CounterName,
      number
    >
  }
}
