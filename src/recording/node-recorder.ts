/** Writes down the lives of one node: handed to its driver, and asked for the end when a life ends. */
import type { Input, NodeId, Raft, RaftOptions, Recorder } from '../raft/index.js'
import { type Line, textOf } from './line.js'
import { hashOf } from './state-hash.js'

export class NodeRecorder implements Recorder {
  readonly #node: NodeId
  readonly #write: (line: string) => unknown
  #isEnded = false

  /**
   * `write` takes a line without its line break, and returns false when it takes no more. An error that it throws stops
   * the node.
   */
  constructor(node: NodeId, write: (line: string) => unknown) {
    this.#node = node
    this.#write = write
  }

  begins(options: RaftOptions): void {
    this.#isEnded = false
    this.#line({ node: this.#node, begins: options })
  }

  told(input: Input): void {
    if (!this.#isEnded) this.#line({ node: this.#node, told: input })
  }

  /** The life is over. A driver that is stopped in the midst of a turn may tell its protocol more: it counts no longer. */
  ends(raft: Raft): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#line({ node: this.#node, ends: hashOf(raft) })
  }

  #line(line: Line): void {
    if (this.#write(textOf(line)) === false) this.#isEnded = true
  }
}
