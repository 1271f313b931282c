/**
 * The session of a handle (§8): its commands are sent again after an unknown outcome, and applied once. The first command
 * registers it. The session expires when it is not used, and the next command registers another one.
 */
import {
  answersMax,
  readSessionAnswer,
  registerFrame,
  type SessionAnswer,
  sessionAnswerBytes,
  writeCallHeader,
} from '../machine/index.js'
import { commandHeaderBytes, type LogIndex, type NodeId } from '../raft/index.js'
import type { ClientRequest } from '../transport/index.js'
import { firstPatience, type Request } from './requests.js'

/** Answers to so many requests for a session count. Older requests are given up. */
const askedMax = 16

/**
 * `sent`: the call has its place in the session. `waits`: there is no session yet, or the session waits for the answer to
 * a call that is too far behind. `lost`: the call may have been applied in a session that is over.
 */
export type Admission = 'sent' | 'waits' | 'lost'

/** The request for a session. */
interface Registration {
  readonly id: number
  readonly sentTo: NodeId
  readonly sentMs: number
}

export class ClientSession {
  readonly #timeoutMs: number
  /** The session's id; `undefined` while there is none. */
  #id: LogIndex | undefined
  #lastSequence = 0
  /** The calls without an answer, in their order. */
  readonly #outstanding = new Set<number>()
  /** The request that is waited for; `undefined`: a session is there, or is to be asked for. */
  #registration: Registration | undefined
  /** The ids of all requests that may be answered yet, the oldest first: the first answer gives the session. */
  readonly #asked = new Set<number>()
  readonly #callTimeoutMs: number
  /** How long an answer is waited for before a session is asked for anew. */
  #patienceMs: number

  /** The session expires when it is not used for `timeoutMs`. A call is answered within `callTimeoutMs`. */
  constructor(timeoutMs: number, callTimeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.#callTimeoutMs = callTimeoutMs
    this.#patienceMs = firstPatience * callTimeoutMs
  }

  /** The request for a session, when there is none and none is on its way. */
  register(newId: () => number, sentTo: NodeId, sentMs: number): ClientRequest | undefined {
    if (this.#id !== undefined || this.#registration !== undefined) return undefined
    const id = newId()
    this.#registration = { id, sentTo, sentMs }
    this.#asked.add(id)
    const [oldest = id] = this.#asked
    if (this.#asked.size > askedMax) this.#asked.delete(oldest)
    return { request: id, type: 'propose', frame: registerFrame(this.#timeoutMs), isOfSession: true }
  }

  /** Whether a request for a session is on its way. */
  get isRegistering(): boolean {
    return this.#registration !== undefined
  }

  /** Whether the request is one for a session, whose answer counts. */
  isRegistration(request: number): boolean {
    return this.#asked.has(request)
  }

  /** The request for a session was answered. Without a session in the answer another one is asked for. */
  registered(request: number, answer: SessionAnswer | undefined): void {
    this.#asked.delete(request)
    if (answer !== undefined || this.#registration?.id === request) this.#registration = undefined
    if (answer === undefined) return
    // Sessions of later answers expire unused.
    this.#asked.clear()
    this.#patienceMs = firstPatience * this.#callTimeoutMs
    this.#id = answer.index
    this.#lastSequence = 0
    this.#outstanding.clear()
  }

  /**
   * Asks for a session anew if the request for it went to another node, or has had no answer for long. A second session
   * costs nothing but its memory until it expires. The later answer to the first request still counts: where each takes
   * longer than the patience, there would never be a session.
   */
  doubtRegistration(leaderId: NodeId | undefined, nowMs: number): void {
    if (this.#registration === undefined) return
    const { sentTo, sentMs } = this.#registration
    if (sentTo === leaderId && nowMs - sentMs <= this.#patienceMs) return
    if (sentTo === leaderId) this.#patienceMs = Math.min(2 * this.#patienceMs, this.#callTimeoutMs)
    this.#registration = undefined
  }

  /** Gives the request a place in the session, and writes it into its frame. */
  admit(request: Request, nowMs: number): Admission {
    const isOfEarlier = request.session !== this.#id
    if (isOfEarlier && request.whyUnknown !== undefined) return 'lost'
    if (this.#id === undefined) return 'waits'
    if (isOfEarlier) {
      const [firstOutstanding = this.#lastSequence] = this.#outstanding
      // Beyond that the session would refuse the call.
      if (this.#lastSequence - firstOutstanding >= answersMax - 1) return 'waits'
      request.session = this.#id
      request.sequence = ++this.#lastSequence
      this.#outstanding.add(request.sequence)
    }
    const { session, sequence, frame } = request
    const [firstOutstanding = sequence] = this.#outstanding
    writeCallHeader(frame, { session, sequence, firstOutstanding })
    request.doubtedMs = nowMs + request.patienceMs
    return 'sent'
  }

  /** The client asks for this call no more. */
  settled({ session, sequence }: Request): void {
    if (session === this.#id) this.#outstanding.delete(sequence)
  }

  /** The session of the request has expired. */
  expired({ session }: Request): void {
    if (session === this.#id) this.#id = undefined
  }
}

/** The answer of a session to a frame whose results begin at `from`; `undefined`: they do not begin with one. */
export function answerOf(results: Uint8Array, from: number): SessionAnswer | undefined {
  const view = new DataView(results.buffer, results.byteOffset, results.byteLength)
  if (view.getUint32(from, true) !== sessionAnswerBytes) return undefined
  return readSessionAnswer(view, from + commandHeaderBytes)
}
