/** What happened, in order: the last of it is kept for the report of a violation, all of it is told to whoever listens. */
import type { NodeId } from '../raft/index.js'
import { describe, type Happened } from './describe.js'
import type { VirtualTime } from './virtual-time.js'

/** Happenings kept for the report of a violation. */
const keptCount = 60

interface Record {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly happened: Happened
}

export class Tracer {
  readonly #time: VirtualTime
  readonly #listener: ((line: string) => void) | undefined
  readonly #kept: Record[] = []
  #next = 0

  constructor(time: VirtualTime, listener: ((line: string) => void) | undefined) {
    this.#time = time
    this.#listener = listener
  }

  /** `nodeId` 0 stands for the world around the nodes. */
  record(nodeId: NodeId, happened: Happened): void {
    const record = { atMs: this.#time.nowMs, nodeId, happened }
    this.#kept[this.#next] = record
    this.#next = (this.#next + 1) % keptCount
    this.#listener?.(lineOf(record))
  }

  /** The last happenings, oldest first. */
  last(): string[] {
    return [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)].map(lineOf)
  }
}

function lineOf({ atMs, nodeId, happened }: Record): string {
  const who = nodeId === 0 ? 'world' : `node ${nodeId}`
  return `${atMs.toFixed(3).padStart(11)} ${who.padEnd(7)} ${describe(happened)}`
}
