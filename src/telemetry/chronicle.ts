/** All that happened in a cluster, in the order of its sequence numbers, each with its cause. Of one thread. */
import type { Configuration, NodeId } from '../raft/index.js'
import { Causes } from './causes.js'
import { EventReader, EventWriter, type Sequence } from './event-ring.js'
import { configurationTold, type Happened, type Happening } from './happenings.js'
import type { HappeningSink } from './narrator.js'

/** Happenings that are kept; of more, the oldest are forgotten. */
const keptMax = 10_000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A happening as its node writes it into its ring: the reader knows the node. */
type Written = Omit<Happened, 'nodeId'>

/** A node's end of its ring. `call` is to bring the reader to read. */
export class RingSink implements HappeningSink {
  readonly #writer: EventWriter
  readonly #call: () => void

  constructor(memory: SharedArrayBuffer, sequence: Sequence, call: () => void) {
    this.#writer = new EventWriter(memory, sequence)
    this.#call = call
  }

  tell(happening: Happening, atMs: number, cause: number | undefined): number {
    const told = this.#writer.write((sequence) =>
      encoder.encode(JSON.stringify({ ...happening, sequence, atMs, cause } satisfies Written)),
    )
    if (this.#writer.callsReader()) this.#call()
    return told
  }
}

export class Chronicle {
  readonly #sequence: Pick<Sequence, 'last' | 'next'>
  readonly #hear: (happened: Happened) => void
  readonly #rings = new Map<NodeId, EventReader>()
  readonly #causes = new Causes()
  /** Read, but something that happened before may still come. */
  readonly #waiting: Happened[] = []
  #kept: Happened[] = []
  /** The newest configuration that happenings told which were forgotten. */
  #configuration: Configuration | undefined
  /** Happenings that came faster than they were read, and are lost. */
  missed = 0

  /** `hear` is called for each happening, in order, once. */
  constructor(sequence: Pick<Sequence, 'last' | 'next'>, hear: (happened: Happened) => void) {
    this.#sequence = sequence
    this.#hear = hear
  }

  /** The last happenings, oldest first. */
  get happened(): readonly Happened[] {
    return this.#kept.slice(-keptMax)
  }

  /** The newest configuration that was known as committed before the first of `happened`, or with which a node started. */
  get configuration(): Configuration | undefined {
    return newestIn(this.#kept.slice(0, -keptMax), this.#configuration)
  }

  /** Begins to read the ring of a node. */
  follow(nodeId: NodeId, memory: SharedArrayBuffer): void {
    this.#rings.set(nodeId, new EventReader(memory))
  }

  /** The thread of the node has ended: what it began to tell and did not end comes no more. */
  nodeIsGone(nodeId: NodeId): void {
    this.#rings.get(nodeId)?.writerIsGone()
    this.read()
  }

  /** Ends to read the ring of a node that is gone. Happenings that the node told stay. */
  forget(nodeId: NodeId): void {
    this.#rings.delete(nodeId)
  }

  /** Tells what this thread knows, and all that the nodes have told before. `nodeId` 0: of no node. */
  tell(nodeId: NodeId, happening: Happening, atMs: number, cause?: number): number {
    const sequence = this.#sequence.next()
    this.#waiting.push({ ...happening, sequence, atMs, nodeId, cause })
    this.read()
    return sequence
  }

  /** Tells what came into the rings. */
  read(): void {
    // Numbers up to this one are given. A node that was given one is still at work on it, or has shown it.
    let safe = this.#sequence.last
    for (const [nodeId, ring] of this.#rings) {
      safe = Math.min(safe, (ring.floor ?? safe + 1) - 1)
      const { records, missed } = ring.take()
      for (const record of records) this.#waiting.push({ ...happenedIn(record), nodeId } as Happened)
      if (missed > 0) this.#noteMissed(nodeId, missed)
    }
    this.#waiting.sort((a, b) => a.sequence - b.sequence)
    const settled = this.#waiting.findLastIndex(({ sequence }) => sequence <= safe) + 1
    for (const happened of this.#waiting.splice(0, settled)) this.#settle(happened)
  }

  #noteMissed(nodeId: NodeId, count: number): void {
    this.missed += count
    const { atMs = 0 } = this.#waiting.at(-1) ?? {}
    const sequence = this.#sequence.next()
    this.#waiting.push({ type: 'missed', count, sequence, atMs, nodeId, cause: undefined })
  }

  #settle(happened: Happened): void {
    const explained = this.#causes.explained(happened)
    this.#kept.push(explained)
    if (this.#kept.length > 2 * keptMax) {
      this.#configuration = this.configuration
      this.#kept = this.#kept.slice(-keptMax)
    }
    this.#hear(explained)
  }
}

function newestIn(
  happened: readonly Happened[],
  before: Configuration | undefined,
): Configuration | undefined {
  let newest = before
  for (const each of happened) {
    // Another leader may yet cut it off.
    if (each.type === 'membership' && !each.isCommitted) continue
    const { index, membership } = configurationTold(each) ?? {}
    if (index !== undefined && membership !== undefined && index >= (newest?.index ?? 0))
      newest = { index, membership }
  }
  return newest
}

function happenedIn(record: Uint8Array): Written {
  return JSON.parse(decoder.decode(record))
}
