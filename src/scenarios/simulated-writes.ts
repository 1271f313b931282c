/**
 * Writes of clients in virtual time. All are calls of one session, as those of a handle on threads: a write without an
 * answer is sent again, and applied once.
 */
import type { ErrorDetails } from '../errors/index.js'
import { answersMax } from '../machine/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Outcome, SimulatedCluster } from '../sim/index.js'

/** A client that cannot send a write, or waits for the answer to one, looks again after so many milliseconds. */
const lookAgainMs = 10
/** A write without an answer is sent again after this share of its time, then after twice as long, and so on. */
const firstPatience = 1 / 4
/** The session expires when it is not used for so long, as that of a handle does by default. */
const sessionMs = 60_000

type Lack = 'NO_LEADER' | 'NO_SESSION' | 'OVERLOADED'

export type WriteEnd =
  | (Outcome & { readonly outcome: 'applied' | 'unknown' })
  | { readonly outcome: 'notDone'; readonly code: Lack; readonly details: ErrorDetails }

interface Write {
  readonly command: Uint8Array
  readonly deadlineMs: number
  readonly done: (end: WriteEnd) => void
  /** The place of the write in a session; 0 before it has one. */
  session: LogIndex
  sequence: number
  first: Copy | undefined
  /** The copy whose answer is waited for. An earlier one may still be answered. */
  awaited: Copy | undefined
  /** How long the answer to the next copy is waited for. */
  patienceMs: number
  /** Why it was not sent, or not taken. */
  lack: Lack
  /** Why a copy of it may have happened. */
  whyUnknown: string | undefined
  isSettled: boolean
}

type Copy = ReturnType<SimulatedCluster['send']>

export class SimulatedWrites {
  readonly #cluster: SimulatedCluster
  readonly #timeoutMs: number
  #session: LogIndex | undefined
  #isRegistering = false
  #lastSequence = 0
  /** The calls of the session without an answer, in their order. */
  readonly #outstanding = new Set<number>()

  constructor(cluster: SimulatedCluster, timeoutMs: number) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /** `done` is called once, in a later step. */
  write(command: Uint8Array, done: (end: WriteEnd) => void): void {
    this.#send({
      command,
      deadlineMs: this.#cluster.nowMs + this.#timeoutMs,
      done,
      session: 0,
      sequence: 0,
      first: undefined,
      awaited: undefined,
      patienceMs: firstPatience * this.#timeoutMs,
      lack: 'NO_LEADER',
      whyUnknown: undefined,
      isSettled: false,
    })
  }

  /** Sends a copy, or looks again later for what that lacks. */
  #send(write: Write): void {
    const { leaderId, nowMs } = this.#cluster
    const leftMs = write.deadlineMs - nowMs
    if (write.isSettled) return
    if (leftMs <= 0) return this.#end(write, lateEndOf(write, this.#timeoutMs))
    if (this.#isLost(write))
      return this.#end(write, unknown(`${write.whyUnknown}, and its session has expired`))
    if (leaderId === undefined) return this.#sendLater(write, 'NO_LEADER')
    const lack = this.#admit(write, leaderId)
    if (lack !== undefined) return this.#sendLater(write, lack)
    const { session, sequence, command, first: copyOf } = write
    const [firstOutstanding = sequence] = this.#outstanding
    const told = (outcome: Outcome): void => this.#told(write, copy, outcome)
    const ofSession = { call: { session, sequence, firstOutstanding }, copyOf }
    const copy: Copy = this.#cluster.send(leaderId, 'propose', [command], told, leftMs, ofSession)
    write.first ??= copy
    write.awaited = copy
    this.#watch(write, copy, nowMs + write.patienceMs)
    write.patienceMs *= 2
  }

  #sendLater(write: Write, lack: Lack): void {
    write.lack = lack
    this.#cluster.later(lookAgainMs, () => this.#send(write))
  }

  /** A call that may have happened in a session that is over could happen again in another one. */
  #isLost({ session, whyUnknown }: Write): boolean {
    return session > 0 && session !== this.#session && whyUnknown !== undefined
  }

  /** Gives the write a place in the session. */
  #admit(write: Write, leaderId: NodeId): Lack | undefined {
    if (this.#session === undefined) {
      this.#register(leaderId)
      return 'NO_SESSION'
    }
    if (write.session === this.#session) return undefined
    const [firstOutstanding = this.#lastSequence] = this.#outstanding
    // Beyond that the session would refuse the call.
    if (this.#lastSequence - firstOutstanding >= answersMax - 1) return 'OVERLOADED'
    write.session = this.#session
    write.sequence = ++this.#lastSequence
    this.#outstanding.add(write.sequence)
    return undefined
  }

  #register(leaderId: NodeId): void {
    if (this.#isRegistering) return
    this.#isRegistering = true
    const told = (outcome: Outcome): void => {
      this.#isRegistering = false
      if (outcome.outcome !== 'applied') return
      this.#session = outcome.index
      this.#lastSequence = 0
      this.#outstanding.clear()
    }
    const ofSession = { registerMs: sessionMs }
    this.#cluster.send(leaderId, 'propose', [], told, firstPatience * this.#timeoutMs, ofSession)
  }

  /** Sends the write again when its answer takes too long, or another node leads. */
  #watch(write: Write, copy: Copy, untilMs: number): void {
    this.#cluster.later(lookAgainMs, () => {
      if (write.isSettled || write.awaited !== copy) return
      const { leaderId = copy.nodeId, nowMs } = this.#cluster
      if (leaderId === copy.nodeId && nowMs < untilMs) return this.#watch(write, copy, untilMs)
      write.whyUnknown = leaderId === copy.nodeId ? 'no answer came' : `node ${copy.nodeId} lost its lead`
      this.#send(write)
    })
  }

  #told(write: Write, copy: Copy, outcome: Outcome): void {
    if (write.isSettled) return
    if (outcome.outcome === 'applied') return this.#end(write, outcome)
    if (write.awaited !== copy) return
    write.awaited = undefined
    if (outcome.outcome === 'unknown') write.whyUnknown = outcome.why
    const code = outcome.outcome === 'refused' ? outcome.code : undefined
    if (code === 'expired' && this.#session === write.session) this.#session = undefined
    this.#sendLater(write, code === 'overloaded' || code === 'full' ? 'OVERLOADED' : 'NO_LEADER')
  }

  #end(write: Write, end: WriteEnd): void {
    write.isSettled = true
    if (write.session === this.#session) this.#outstanding.delete(write.sequence)
    write.done(end)
  }
}

function lateEndOf({ whyUnknown, lack }: Write, deadlineMs: number): WriteEnd {
  if (whyUnknown !== undefined) return unknown(whyUnknown)
  const what = `the leader refused the call for ${deadlineMs} ms`
  return { outcome: 'notDone', code: lack, details: lack === 'OVERLOADED' ? { what } : { deadlineMs } }
}

function unknown(why: string): WriteEnd {
  return { outcome: 'unknown', why }
}
