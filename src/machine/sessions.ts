/**
 * The sessions of clients (§8, thesis §6.3): which calls were applied, and what they were answered. All of it follows
 * from the log alone, so it is the same on every node.
 */
import type { LogIndex } from '../raft/index.js'
import type { CallHeader, SessionStatus } from './session-frame.js'

/** Sessions that are remembered. A further session takes the place of the one that was used longest ago. */
export const sessionsMax = 256
/** Answers that one session remembers. A further call is refused until the client has received some of them. */
export const answersMax = 1024
/** Bytes of results that all sessions remember together. Beyond it the oldest results are forgotten. */
export const answerBytesMax = 16 << 20

const noResults = new Uint8Array(0)

/** The results of a call, as far as its commands are applied. */
export class CallResults {
  /** The place of the call's first command. */
  readonly index: LogIndex
  /** How many of the call's commands are applied. */
  count: number
  /** Their results, each behind its length. `undefined`: they are forgotten. */
  results: Uint8Array | undefined

  constructor(index: LogIndex, count = 0, results: Uint8Array | undefined = noResults) {
    this.index = index
    this.count = count
    this.results = results
  }
}

export interface Session {
  /** The index of the entry that registered it. */
  readonly id: LogIndex
  /** The session expires when the log's time passes its last use by this. */
  readonly timeoutMs: number
  /** The log's time at the last use. */
  lastUseMs: number
  /** The client has the answers to all calls before this one. */
  firstOutstanding: number
  /** By sequence. */
  readonly answers: Map<number, CallResults>
}

export class Sessions {
  /** The log's time: 0 before it is told first. The time never falls. */
  timeMs = 0
  /** By id; the one that was used longest ago comes first. */
  readonly #sessions = new Map<LogIndex, Session>()
  /** Answers with results, the oldest first. */
  readonly #kept = new Set<CallResults>()
  #keptBytes = 0

  get all(): Iterable<Session> {
    return this.#sessions.values()
  }

  find(id: LogIndex): Session | undefined {
    return this.#sessions.get(id)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** The shortest timeout of a session; infinite when there is none. */
  get leastTimeoutMs(): number {
    let least = Number.POSITIVE_INFINITY
    for (const { timeoutMs } of this.#sessions.values()) least = Math.min(least, timeoutMs)
    return least
  }

  register(id: LogIndex, timeoutMs: number): void {
    const [oldest] = this.#sessions.values()
    if (oldest !== undefined && this.#sessions.size === sessionsMax) this.#remove(oldest)
    this.add({ id, timeoutMs, lastUseMs: this.timeMs, firstOutstanding: 0, answers: new Map() })
  }

  /** A session as it was; the one that was used longest ago is added first. */
  add(session: Session): void {
    this.#sessions.set(session.id, session)
  }

  /** Remembers results of an answer as it was; of the oldest call first. */
  keep(answer: CallResults, results: Uint8Array): void {
    answer.results = results
    this.#kept.add(answer)
    this.#keptBytes += results.byteLength
  }

  /** The log's time moves up to `timeMs`, and sessions that were not used for their timeout expire. */
  tell(timeMs: number): void {
    this.timeMs = Math.max(this.timeMs, timeMs)
    for (const session of this.#sessions.values()) {
      if (this.timeMs - session.lastUseMs > session.timeoutMs) this.#remove(session)
    }
  }

  /** The answer to which the call's commands add what is not applied yet, or why the call is not applied. */
  begin(call: CallHeader, index: LogIndex): CallResults | Exclude<SessionStatus, 'applied' | 'forgotten'> {
    const session = this.#sessions.get(call.session)
    if (session === undefined) return 'expired'
    this.#use(session, call.firstOutstanding)
    if (call.sequence < session.firstOutstanding) return 'stale'
    const known = session.answers.get(call.sequence)
    if (known !== undefined) return known
    if (session.answers.size === answersMax) return 'full'
    const answer = new CallResults(index)
    session.answers.set(call.sequence, answer)
    return answer
  }

  /** The next `count` commands of a call gave these results. */
  applied(answer: CallResults, count: number, results: Uint8Array): void {
    answer.count += count
    if (answer.results === undefined) return
    this.#keptBytes -= answer.results.byteLength
    this.keep(answer, answer.count === count ? results : Buffer.concat([answer.results, results]))
    if (this.#keptBytes > answerBytesMax) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const oldest of this.#kept) {
      this.#release(oldest)
      oldest.results = undefined
      if (this.#keptBytes <= answerBytesMax) return
    }
  }

  #use(session: Session, firstOutstanding: number): void {
    session.lastUseMs = this.timeMs
    if (this.#sessions.size > 1) {
      this.#sessions.delete(session.id)
      this.#sessions.set(session.id, session)
    }
    if (firstOutstanding <= session.firstOutstanding) return
    session.firstOutstanding = firstOutstanding
    for (const [sequence, answer] of session.answers) {
      if (sequence >= firstOutstanding) continue
      session.answers.delete(sequence)
      this.#release(answer)
    }
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id)
    for (const answer of session.answers.values()) this.#release(answer)
  }

  #release(answer: CallResults): void {
    if (this.#kept.delete(answer)) this.#keptBytes -= answer.results?.byteLength ?? 0
  }
}
