/** The log of a cluster: a line for each happening, from the main thread. No node writes a line, or waits for one. */
import type { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import type { Cluster, ClusterEvent } from '../cluster/index.js'
import { BoundedLines, type Tellers } from './bounded-lines.js'
import type { Level } from './levels.js'
import { Lines } from './lines.js'
import { prettyLines } from './pretty.js'

export interface JournalOptions extends Pick<Tellers, 'failed'> {
  /** Happenings that matter less get no line. */
  readonly level: Level
  /** Lines for a person at a terminal, and not JSON. */
  readonly isPretty: boolean
}

export class Journal {
  readonly #lines: BoundedLines
  readonly #logger: Logger

  constructor(stream: Writable, { level, isPretty, failed }: JournalOptions) {
    this.#lines = new BoundedLines(stream, { dropped: (count) => this.#tellDropped(count), failed })
    const pretty = isPretty ? prettyLines() : (line: string) => line
    this.#logger = pino(
      {
        level,
        // Each line tells when it happened, which is before it is written.
        timestamp: false,
        base: null,
        formatters: { level: (level) => ({ level }) },
      },
      { write: (line) => this.#lines.write(pretty(line)) },
    )
  }

  /** A line for all that happens from now on. A cluster that has just started is followed from its beginning. */
  follow({ events, options }: Pick<Cluster, 'events' | 'options'>): void {
    const lines = new Lines(options.heartbeatIntervalMs)
    events.on('event', (event: ClusterEvent) => {
      const { level, fields, msg } = lines.of(event)
      this.#logger[level](fields, msg)
    })
  }

  /** Lines that could not be written. */
  get dropped(): number {
    return this.#lines.dropped
  }

  /** Resolves once all lines have left, or it is clear that they will not. The stream stays open. */
  end(): Promise<void> {
    return this.#lines.end()
  }

  #tellDropped(count: number): void {
    const fields = { time: Date.now(), event: 'linesDropped', count }
    this.#logger.warn(
      fields,
      `${count} lines of this log were dropped: they came faster than they were written`,
    )
  }
}
