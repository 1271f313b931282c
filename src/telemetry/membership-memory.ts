/**
 * The configuration by which a node goes, and the handing over that it has begun, in memory that other threads read
 * without asking: also of a node that has ended. The node's thread alone writes.
 */
import type { LogIndex, Membership, NodeId, RaftEvent } from '../raft/index.js'

export interface MembershipTold {
  /** The entry that holds the configuration; 0 for the first one. */
  readonly index: LogIndex
  readonly membership: Membership
  /** The node knows that the entry is committed. */
  readonly isCommitted: boolean
  /** The node leads, and hands over to this one; `undefined`: it does not. */
  readonly transferTo?: NodeId | undefined
}

/** The places of the words. The version is odd while the text is half written. */
const at = { version: 0, byteLength: 1 } as const
const headerBytes = 8
/** A configuration of 25 nodes with the longest ids takes less than a half. */
const memoryBytes = 4096

export class MembershipMemory {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #body: Uint8Array
  #told: MembershipTold | undefined

  constructor(memory = new SharedArrayBuffer(memoryBytes)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, headerBytes / Int32Array.BYTES_PER_ELEMENT)
    this.#body = new Uint8Array(memory, headerBytes)
  }

  tell(told: MembershipTold): void {
    this.#told = told
    const bytes = new TextEncoder().encode(JSON.stringify(told))
    Atomics.add(this.#words, at.version, 1)
    this.#body.set(bytes)
    this.#words[at.byteLength] = bytes.byteLength
    Atomics.add(this.#words, at.version, 1)
  }

  happened(event: RaftEvent): void {
    if (event.type === 'membership') {
      const { index, membership, isCommitted } = event
      this.tell({ ...this.#told, index, membership, isCommitted })
    } else if (event.type === 'transferBegan' || event.type === 'transferEnded') {
      const transferTo = event.type === 'transferBegan' ? event.to : undefined
      if (this.#told !== undefined) this.tell({ ...this.#told, transferTo })
    }
  }

  /** `undefined`: the node has told nothing yet. */
  read(): MembershipTold | undefined {
    for (;;) {
      const version = Atomics.load(this.#words, at.version)
      const bytes = this.#body.slice(0, this.#words[at.byteLength])
      if (version % 2 !== 0 || version !== Atomics.load(this.#words, at.version)) continue
      return version === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes))
    }
  }
}
