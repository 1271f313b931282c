/**
 * The board of one node, in memory that its cluster and its thread share: the gate of the node's turns, and the faults
 * that stand at it. The cluster writes, the node reads. A frozen thread answers no call, so its gate has to be here.
 */
import { type StandingFault, standingFaultsMax } from '../faults/index.js'

/** `closed`: the node waits. `ending`: the node takes no turn any more, and its end follows. */
export type Gate = 'open' | 'closed' | 'ending'
const gates: readonly Gate[] = ['open', 'closed', 'ending']

/** The places of the words. The node itself writes how its disk was used up, and which fault of its disk is spent. */
const at = { gate: 0, version: 1, byteLength: 2, spentId: 3 } as const
const bytesLeftAt = 32
/** Pairs of a fault and its bytes, of which a number does not fit into a word. */
const bytesLeftLength = 2 * standingFaultsMax
const headerBytes = bytesLeftAt + bytesLeftLength * Float64Array.BYTES_PER_ELEMENT
/** Bytes of faults that fit on a board. */
export const boardBytesMax = 64 * 1024

/** The faults at one node, as its board holds them. */
export class Notice {
  readonly bytes: Uint8Array

  constructor(standing: readonly StandingFault[]) {
    this.bytes = new TextEncoder().encode(JSON.stringify(standing))
  }

  get fits(): boolean {
    return this.bytes.byteLength <= boardBytesMax
  }
}

export class Board {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #body: Uint8Array
  readonly #bytesLeft: Float64Array

  constructor(memory = new SharedArrayBuffer(headerBytes + boardBytesMax)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, bytesLeftAt / Int32Array.BYTES_PER_ELEMENT)
    this.#bytesLeft = new Float64Array(memory, bytesLeftAt, bytesLeftLength)
    this.#body = new Uint8Array(memory, headerBytes)
  }

  get gate(): Gate {
    return gates[Atomics.load(this.#words, at.gate)] ?? 'open'
  }

  /** Changes with all that is written, and with the gate. A turn without news costs one look at it. */
  get version(): number {
    return Atomics.load(this.#words, at.version)
  }

  /** The version is odd while the notice is half written. */
  write({ bytes }: Notice): void {
    Atomics.add(this.#words, at.version, 1)
    this.#body.set(bytes)
    this.#words[at.byteLength] = bytes.byteLength
    Atomics.add(this.#words, at.version, 1)
  }

  close(): void {
    Atomics.store(this.#words, at.gate, gates.indexOf('closed'))
    Atomics.add(this.#words, at.version, 2)
  }

  open(): void {
    this.#leave('open')
  }

  /** Lets a frozen node go to its end only. */
  end(): void {
    if (this.gate === 'closed') this.#leave('ending')
  }

  #leave(gate: Gate): void {
    Atomics.store(this.#words, at.gate, gates.indexOf(gate))
    Atomics.add(this.#words, at.version, 2)
    Atomics.notify(this.#words, at.gate)
  }

  /** Freezes the thread of the caller, if the gate is closed, until it opens. */
  waitAtGate(): void {
    Atomics.wait(this.#words, at.gate, gates.indexOf('closed'))
  }

  /** The faults that stand, and the version of the board that says so. */
  read(): { readonly version: number; readonly standing: readonly StandingFault[] } {
    for (;;) {
      const { version } = this
      const bytes = this.#body.slice(0, this.#words[at.byteLength])
      if (version % 2 === 0 && version === this.version) {
        const text = new TextDecoder().decode(bytes)
        return { version, standing: text === '' ? [] : JSON.parse(text) }
      }
    }
  }

  /** True once this fault has failed a flush, in any life of the node: a fault fails one flush only. */
  isSpent(faultId: number): boolean {
    return faultId <= Atomics.load(this.#words, at.spentId)
  }

  spend(faultId: number): void {
    Atomics.store(this.#words, at.spentId, faultId)
  }

  /** The room on the disk that this fault gave and earlier lives of the node have not used. */
  bytesLeft(faultId: number): number | undefined {
    for (let place = 0; place < bytesLeftLength; place += 2)
      if (this.#bytesLeft[place] === faultId) return this.#bytesLeft[place + 1]
    return undefined
  }

  /** The room on the disk that each fault still gives as the node ends. */
  leaveBytes(left: ReadonlyMap<number, number>): void {
    this.#bytesLeft.fill(0)
    this.#bytesLeft.set([...left].flat())
  }
}
