/** The latencies that a node measures, over all of its lives, in memory that other threads read without asking. */
import type { NodeId } from '../raft/index.js'
import { type HistogramReading, SharedHistogram } from './shared-histogram.js'

/** Each peer that a leader has heard has a place. Of more, the one that answered longest ago loses its place. */
const peersMax = 32

/** The latencies of a node at one moment, cumulative since its cluster was started. */
export interface LatenciesTold {
  /** From the handing over of a write to the disk to its flush. */
  readonly flushes: HistogramReading
  /** How late heartbeats came at a follower: the time since the one before, less the interval. */
  readonly heartbeatsLate: HistogramReading
  /** How late the thread took its ticks: how long its event loop was busy or stood. */
  readonly ticksLate: HistogramReading
  /** While it led: from a round of heartbeats to the answer of each other node. */
  readonly roundTrips: ReadonlyMap<NodeId, HistogramReading>
}

const { byteLength } = SharedHistogram
/** The ids of the peers lie in front; 0: the place is free. */
const headBytes = peersMax * Int32Array.BYTES_PER_ELEMENT

export class NodeLatencies {
  readonly memory: SharedArrayBuffer
  readonly flushes: SharedHistogram
  readonly heartbeatsLate: SharedHistogram
  readonly ticksLate: SharedHistogram
  readonly #peers: Int32Array
  readonly #ofPeers: readonly SharedHistogram[]
  /** The places of the peers, the one that answered longest ago first. */
  readonly #places = new Map<NodeId, number>()

  /** Goes on where the life before ended. */
  constructor(memory = NodeLatencies.#allocate()) {
    this.memory = memory
    const histogram = (at: number): SharedHistogram =>
      new SharedHistogram(memory, headBytes + at * byteLength)
    this.flushes = histogram(0)
    this.heartbeatsLate = histogram(1)
    this.ticksLate = histogram(2)
    this.#peers = new Int32Array(memory, 0, peersMax)
    this.#ofPeers = Array.from({ length: peersMax }, (_, at) => histogram(3 + at))
    for (const [at, peer] of this.#peers.entries()) if (peer !== 0) this.#places.set(peer, at)
  }

  static #allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(headBytes + (3 + peersMax) * byteLength)
  }

  answered(peer: NodeId, afterUs: number): void {
    const place = this.#places.get(peer) ?? this.#newPlaceOf(peer)
    this.#places.delete(peer)
    this.#places.set(peer, place)
    this.#ofPeers[place]?.record(afterUs)
  }

  read(): LatenciesTold {
    const roundTrips = new Map<NodeId, HistogramReading>()
    for (const [at, histogram] of this.#ofPeers.entries()) {
      const peer = Atomics.load(this.#peers, at)
      if (peer === 0) continue
      const reading = histogram.read()
      // Meanwhile the place may have been given to another peer.
      if (Atomics.or(this.#peers, at, 0) === peer) roundTrips.set(peer, reading)
    }
    return {
      flushes: this.flushes.read(),
      heartbeatsLate: this.heartbeatsLate.read(),
      ticksLate: this.ticksLate.read(),
      roundTrips,
    }
  }

  #newPlaceOf(peer: NodeId): number {
    const [longestAgo] = this.#places
    const isFull = this.#places.size === peersMax
    const place = isFull && longestAgo !== undefined ? longestAgo[1] : this.#peers.indexOf(0)
    if (isFull && longestAgo !== undefined) this.#places.delete(longestAgo[0])
    Atomics.exchange(this.#peers, place, 0)
    this.#ofPeers[place]?.clear()
    Atomics.exchange(this.#peers, place, peer)
    return place
  }
}
