/** The log of a node that goes on: what is new in it since the last look. */
import type { LogIndex } from '../raft/index.js'
import type { LogEntry, LogOfNode, LogRange } from './read-log.js'

/** The findings of a look. */
export interface FollowedLog {
  /** From here on, entries that were told are gone: a later leader has put others in their place, or none. */
  readonly replacedFrom: LogIndex | undefined
  readonly entries: readonly LogEntry[]
}

/** Entries that are looked at again, at most: a later leader may replace them. */
const openMax = 100

export class Follower {
  readonly #read: (range: LogRange) => Promise<LogOfNode | undefined>
  /** The last entries that were told and are not known to be committed. */
  #open: readonly LogEntry[] = []
  #next: LogIndex | undefined

  constructor(read: (range: LogRange) => Promise<LogOfNode | undefined>) {
    this.#read = read
  }

  /** Reads what is new. The first look finds the last entries. */
  async look(): Promise<FollowedLog> {
    const log = await this.#read({ from: this.#open[0]?.index ?? this.#next })
    if (log === undefined) return { replacedFrom: undefined, entries: [] }
    const found = new Map(log.entries.map((entry) => [entry.index, entry]))
    // The log before its first entry was cut off behind a snapshot, which holds what is committed.
    const open = this.#open.filter(({ index }) => index >= log.firstIndex)
    const replacedFrom = open.find(({ index, term }) => found.get(index)?.term !== term)?.index
    const from = replacedFrom ?? this.#next ?? 0
    const entries = log.entries.filter(({ index }) => index >= from)
    const told = [
      ...open.filter(({ index }) => index < from).map((entry) => found.get(entry.index) ?? entry),
      ...entries,
    ]
    this.#open = told.filter(({ committed }) => committed !== true).slice(-openMax)
    this.#next = (told.at(-1)?.index ?? Math.max(log.lastIndex, from - 1)) + 1
    return { replacedFrom, entries }
  }
}
