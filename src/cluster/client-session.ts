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
import type { Request } from './requests.js'

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
  #registration: Registration | undefined

  /** The session expires when it is not used for `timeoutMs`. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The request for a session, when there is none and none is on its way. */
  register(newId: () => number, sentTo: NodeId, sentMs: number): ClientRequest | undefined {
    if (this.#id !== undefined || this.#registration !== undefined) return undefined
    const id = newId()
    this.#registration = { id, sentTo, sentMs }
    return { request: id, type: 'propose', frame: registerFrame(this.#timeoutMs), isOfSession: true }
  }

  /** Whether a request for a session is on its way. */
  get isRegistering(): boolean {
    return this.#registration !== undefined
  }

  /** Whether the request is the one for a session. */
  isRegistration(request: number): boolean {
    return this.#registration?.id === request
  }

  /** Without an answer a session is asked for anew: a second one costs nothing but its memory until it expires. */
  registered(answer: SessionAnswer | undefined): void {
    this.#registration = undefined
    if (answer === undefined) return
    this.#id = answer.index
    this.#lastSequence = 0
    this.#outstanding.clear()
  }

  /** Asks for a session anew if the request for it went to another node, or before `sinceMs`. */
  giveUpRegistration(leaderId: NodeId | undefined, sinceMs: number): void {
    if (this.#registration === undefined) return
    if (this.#registration.sentTo !== leaderId || this.#registration.sentMs < sinceMs)
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
