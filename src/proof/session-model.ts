/**
 * The fate of the frames of sessions, written a second time: which commands of the log are applied, entry by entry. The
 * bounds on sessions and answers are left out, which no run of a simulation reaches.
 */
import { readSessionHeader } from '../machine/index.js'
import { type EntryKind, entryKinds, type LogIndex, packCommands, type Term } from '../raft/index.js'

interface Entry {
  readonly index: LogIndex
  readonly term: Term
  readonly kind: EntryKind
  readonly command: Uint8Array
}

/** The commands of one call, by their place in it, which were applied. */
type Applied = Set<number>

interface Session {
  readonly timeoutMs: number
  usedMs: number
  firstOutstanding: number
  readonly calls: Map<number, Applied>
}

export class SessionModel {
  #timeMs = 0
  readonly #sessions = new Map<LogIndex, Session>()
  /** The frame whose commands come next, and the place of the next one. */
  #frame:
    | { readonly term: Term; readonly count: number; readonly applied: Applied | undefined; at: number }
    | undefined

  /** The next entry of the log is committed. True when the state machine is given its command. */
  commit(entry: Entry): boolean {
    if (entry.kind !== entryKinds.session) return entry.kind === entryKinds.commands
    const frame = this.#frame
    if (frame?.term !== entry.term || frame.at === frame.count) {
      this.#begin(entry)
      return false
    }
    const at = frame.at++
    const isFirst = frame.applied?.has(at) === false
    frame.applied?.add(at)
    return isFirst
  }

  #begin({ index, term, command }: Entry): void {
    this.#frame = undefined
    const header = readSessionHeader(packCommands([command]))
    if (header?.op === 'register') {
      const { timeoutMs } = header
      this.#sessions.set(index, { timeoutMs, usedMs: this.#timeMs, firstOutstanding: 0, calls: new Map() })
    } else if (header?.op === 'clock') {
      this.#timeMs = Math.max(this.#timeMs, header.timeMs)
      for (const [id, { usedMs, timeoutMs }] of this.#sessions)
        if (usedMs + timeoutMs < this.#timeMs) this.#sessions.delete(id)
    } else if (header?.op === 'call') {
      const { count, session: id, sequence, firstOutstanding } = header
      this.#frame = { term, count, applied: this.#callOf(id, sequence, firstOutstanding), at: 0 }
    }
  }

  #callOf(id: LogIndex, sequence: number, firstOutstanding: number): Applied | undefined {
    const session = this.#sessions.get(id)
    if (session === undefined) return undefined
    session.usedMs = this.#timeMs
    session.firstOutstanding = Math.max(session.firstOutstanding, firstOutstanding)
    if (sequence < session.firstOutstanding) return undefined
    const applied = session.calls.get(sequence) ?? new Set()
    session.calls.set(sequence, applied)
    return applied
  }
}
