/** A node's numbers, in memory that other threads read without asking. One writer: the node's driver. */
import type { LogIndex, NodeId, Role } from '../raft/index.js'

/** The place of each number. The writer names places, which cost it less than names that are looked up in each turn. */
export const counterAt = {
  role: 0,
  currentTerm: 1,
  leaderId: 2,
  lastIndex: 3,
  flushedIndex: 4,
  commitIndex: 5,
  lastApplied: 6,
  snapshotIndex: 7,
  firstIndex: 8,
  /** Weight of the log in bytes, the objects around its runs included. */
  logBytes: 9,
  /** Since the cluster was started, over all lives of the node: */
  commandsApplied: 10,
  flushes: 11,
  bytesFlushed: 12,
  messagesSent: 13,
  messagesReceived: 14,
  elections: 15,
  /** How often the node came to know of a leader: of another one than before, or after it knew of none. */
  leaderChanges: 16,
  /** Commands that the node refused, or of which it lost sight before it could answer. */
  proposalsFailed: 17,
  snapshotsTaken: 18,
  snapshotsInstalled: 19,
  heartbeatsReceived: 20,
  /** Whole intervals that passed without one: a gap of two intervals is one missed. */
  heartbeatsMissed: 21,
} as const

export type CounterName = keyof typeof counterAt
type Place = (typeof counterAt)[CounterName]
export type CounterValues = Readonly<Record<CounterName, number>>

export const roles: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader']

const names = Object.keys(counterAt) as CounterName[]

/** How far a leader knows another node to be. */
export interface PeerIndexes {
  readonly nodeId: NodeId
  readonly nextIndex: LogIndex
  readonly matchIndex: LogIndex
}

/** Behind the counters stand how many peers a leader has, and three numbers of each. */
const peersAt = names.length
const peersMax = 32
const numbersOfPeer = 3

export class Counters {
  readonly #values: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer((peersAt + 1 + peersMax * numbersOfPeer) * Float64Array.BYTES_PER_ELEMENT)
  }

  set(place: Place, value: number): void {
    this.#values[place] = value
  }

  add(place: Place, amount: number): void {
    this.#values[place] = (this.#values[place] ?? 0) + amount
  }

  get(name: CounterName): number {
    return this.#values[counterAt[name]] ?? 0
  }

  /** A life begins as a follower that knows of no leader, whatever the life before was. */
  begins(): void {
    this.set(counterAt.role, roles.indexOf('follower'))
    this.set(counterAt.leaderId, 0)
  }

  setPeers(peers: ReadonlyMap<NodeId, Omit<PeerIndexes, 'nodeId'>>): void {
    const values = this.#values
    let at = peersAt
    values[at++] = Math.min(peers.size, peersMax)
    for (const [nodeId, { nextIndex, matchIndex }] of peers) {
      if (at === values.length) return
      values[at++] = nodeId
      values[at++] = nextIndex
      values[at++] = matchIndex
    }
  }

  /** Of a leader: the nodes that it sends to. */
  peers(): PeerIndexes[] {
    const numberAt = (at: number): number => this.#values[at] ?? 0
    return Array.from({ length: numberAt(peersAt) }, (_, peer) => {
      const at = peersAt + 1 + peer * numbersOfPeer
      return { nodeId: numberAt(at), nextIndex: numberAt(at + 1), matchIndex: numberAt(at + 2) }
    })
  }

  read(): CounterValues {
    return Object.fromEntries(names.map((name) => [name, this.get(name)])) as CounterValues
  }
}
