/** News in order, kept for readers that come later or come back. */
import type { Cluster, ClusterEvent } from '../cluster/index.js'
import { countOfLeading } from '../raft/index.js'
import type { Reader, Sent } from './readers.js'

const keptMax = 10_000

export type News = Sent & { readonly id: number }

export class Feed {
  /** Numbers count up, perhaps with gaps. */
  readonly #kept: News[] = []
  /** News up to this number are not kept. */
  #forgottenUpTo = 0
  readonly #pumps = new Set<() => void>()
  #isOver = false

  add(news: News): void {
    this.#kept.push(news)
    if (this.#kept.length > 2 * keptMax)
      this.#forgottenUpTo = this.#kept.splice(0, keptMax).at(-1)?.id ?? this.#forgottenUpTo
    this.#pump()
  }

  /** No more news comes: streams end once they have told all. */
  end(): void {
    this.#isOver = true
    this.#pump()
  }

  /**
   * Sends all news behind the number, and tells what of it is not kept. A number that no news has yet is of another run:
   * all is sent then.
   */
  sendTo(reader: Reader, behind: number): void {
    const lastId = this.#kept.at(-1)?.id ?? this.#forgottenUpTo
    let position = behind > lastId ? 0 : behind
    const forgottenBefore = this.#forgottenUpTo
    const pump = (): void => {
      while (!reader.isBehind) {
        if (position < this.#forgottenUpTo) {
          const [from, to] = [position + 1, this.#forgottenUpTo]
          const count = to - from + 1
          reader.send({ event: 'missed', data: JSON.stringify({ from, to, count }) })
          // A reader that comes late is not slow.
          reader.leavesOut('events', to - Math.max(position, forgottenBefore))
          position = to
        }
        const next = this.#firstBehind(position)
        if (next === undefined) {
          if (this.#isOver) reader.end()
          return
        }
        reader.send(next)
        position = next.id
      }
    }
    this.#pumps.add(pump)
    reader.onDrain(pump)
    reader.onClose(() => this.#pumps.delete(pump))
    pump()
  }

  #pump(): void {
    for (const pump of this.#pumps) pump()
  }

  #firstBehind(number: number): News | undefined {
    const passed = (at: number): boolean => (this.#kept[at]?.id ?? 0) <= number
    return this.#kept[countOfLeading(this.#kept.length, passed)]
  }
}

/** Adds all since the beginning of a cluster that has just started. Returns what ends it. */
export function feedEvents({ events }: Cluster, feed: Feed): () => void {
  const hear = (event: ClusterEvent): void => feed.add({ id: event.sequence, data: JSON.stringify(event) })
  events.on('event', hear)
  return () => events.off('event', hear)
}
