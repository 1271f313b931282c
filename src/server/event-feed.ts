/** What happened in a cluster, kept for readers that come later or come back. */
import type { Cluster, ClusterEvent } from '../cluster/index.js'
import type { Reader } from './readers.js'

const keptMax = 10_000

interface Kept {
  readonly sequence: number
  readonly text: string
}

export class EventFeed {
  readonly #cluster: Cluster
  readonly #kept: Kept[] = []
  /** Happenings up to this number are not kept. */
  #forgottenUpTo = 0
  readonly #pumps = new Set<() => void>()

  /** Hears all since the beginning of a cluster that has just started. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster
    cluster.events.on('event', this.#hear)
  }

  close(): void {
    this.#cluster.events.off('event', this.#hear)
  }

  /** Sends all that happens behind the sequence number, and tells what of it is not kept. */
  sendTo(reader: Reader, behind: number): void {
    let position = behind
    const pump = (): void => {
      while (!reader.isBehind) {
        if (position < this.#forgottenUpTo) {
          const data = JSON.stringify({ from: position + 1, to: this.#forgottenUpTo })
          reader.send({ event: 'missed', data })
          position = this.#forgottenUpTo
        }
        const next = this.#firstBehind(position)
        if (next === undefined) return
        reader.send({ id: next.sequence, data: next.text })
        position = next.sequence
      }
    }
    this.#pumps.add(pump)
    reader.onDrain(pump)
    reader.onClose(() => this.#pumps.delete(pump))
    pump()
  }

  readonly #hear = (event: ClusterEvent): void => {
    this.#kept.push({ sequence: event.sequence, text: JSON.stringify(event) })
    if (this.#kept.length > 2 * keptMax) {
      const forgotten = this.#kept.splice(0, keptMax)
      this.#forgottenUpTo = forgotten.at(-1)?.sequence ?? this.#forgottenUpTo
    }
    for (const pump of this.#pumps) pump()
  }

  /** Happenings come in the order of their numbers. */
  #firstBehind(sequence: number): Kept | undefined {
    let [low, high] = [0, this.#kept.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#kept[middle]?.sequence ?? 0) > sequence) high = middle
      else low = middle + 1
    }
    return this.#kept[low]
  }
}
