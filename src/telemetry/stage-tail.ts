/**
 * The stages that nodes have passed since the last look, read from their rows without asking them, and without an object
 * a row: a reader may want all rows of a cluster under full load.
 */
import type { LogIndex, NodeId, Term } from '../raft/index.js'
import type { Stage } from './happenings.js'
import { RingEnd } from './row-ring.js'
import { answersChunk, isOfReceived, stageOf, type WaymarkMemory } from './waymarks.js'

export interface StageReader {
  /** A node has come so far. `peer` is 0 where the stage has none. Of a node, in the order of time. */
  passed(nodeId: NodeId, stage: Stage, peer: NodeId, index: LogIndex, term: Term, atMs: number): void
  /** An answer to a piece of a snapshot left a node, or came to one. */
  chunkAnswered(nodeId: NodeId, peer: NodeId, direction: 'sent' | 'received', atMs: number): void
  /** Rows of a node were overwritten before they were read: all before those that come. */
  lost(nodeId: NodeId, rows: number): void
}

export class StageTail {
  readonly #reader: StageReader
  readonly #nodes = new Map<NodeId, { readonly busy: RingEnd; readonly calm: RingEnd }>()

  constructor(reader: StageReader) {
    this.#reader = reader
  }

  /** Reads a node as well. What it told before is left out, unless `isNew`. */
  add(nodeId: NodeId, { busy, calm }: WaymarkMemory, isNew: boolean): void {
    const ends = { busy: new RingEnd(busy), calm: new RingEnd(calm) }
    if (!isNew) for (const end of Object.values(ends)) end.skip()
    this.#nodes.set(nodeId, ends)
  }

  remove(nodeId: NodeId): void {
    this.#nodes.delete(nodeId)
  }

  read(): void {
    const reader = this.#reader
    for (const [nodeId, { busy, calm }] of this.#nodes) {
      const rows = busy.read()
      if (rows.lost > 0) reader.lost(nodeId, rows.lost)
      for (let at = 0; at < rows.length; at++) {
        const stage = stageOf(rows.codeAt(at))
        const atMs = rows.timeAt(at)
        if (stage !== undefined && !Number.isNaN(atMs))
          reader.passed(nodeId, stage, rows.peerAt(at), rows.markAt(at), rows.termAt(at), atMs)
      }
      // Commits are among the busy rows too.
      const calmRows = calm.read()
      for (let at = 0; at < calmRows.length; at++) {
        const code = calmRows.codeAt(at)
        const direction = isOfReceived(code) ? 'received' : 'sent'
        const atMs = calmRows.timeAt(at)
        if (answersChunk(code) && !Number.isNaN(atMs))
          reader.chunkAnswered(nodeId, calmRows.peerAt(at), direction, atMs)
      }
    }
  }
}
