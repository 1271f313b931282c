/** Requests on their way between clients and nodes: each is answered by its node once at most. */
import type { Dice } from '../faults/index.js'
import { callHeaderBytes, registerFrame, writeCallHeader } from '../machine/index.js'
import type { Call, History, Outcome } from '../proof/index.js'
import { commandHeaderBytes, type Frame, FrameBuilder, type NodeId } from '../raft/index.js'
import type { ClientRequest, Settlement, Settlements } from '../transport/index.js'
import type { Arrivals } from './arrivals.js'
import type { OfSession } from './script.js'
import type { World } from './world.js'

/** How a request reaches a node; false when it does not run. */
export type AskNode = (nodeId: NodeId, request: ClientRequest) => boolean

/** What a client waits for: the answers to all of its commands. */
interface Waiting {
  readonly done: (outcome: Outcome) => void
  /** The client was told something. */
  isSettled: boolean
}

interface Open {
  readonly call: Call
  readonly ofSession: OfSession | undefined
  readonly waiting: Waiting
  /** Answers that the client already has, to queries before these. */
  readonly answers: Read['answers']
  /** Its node has it. */
  hasArrived: boolean
  /** Its node has answered. */
  isAnswered: boolean
}

type Read = Outcome & { readonly outcome: 'read' }

export class Requests {
  readonly #world: World
  readonly #dice: Dice
  readonly #history: History
  readonly #arrivals: Arrivals
  readonly #ask: AskNode
  /** Mean of the way between a client and a node of the same process, in milliseconds. */
  readonly #wayMs: number
  readonly #open = new Map<number, Open>()
  readonly #packer = new FrameBuilder()
  #lastRequest = 0

  constructor(world: World, dice: Dice, history: History, arrivals: Arrivals, ask: AskNode, wayMs: number) {
    this.#world = world
    this.#dice = dice
    this.#history = history
    this.#arrivals = arrivals
    this.#ask = ask
    this.#wayMs = wayMs
  }

  /**
   * Sends a request; `done` is called once, in a later step, at the latest after `timeoutMs`. Returns the call, for copies
   * of it.
   */
  send(
    nodeId: NodeId,
    type: ClientRequest['type'],
    commands: readonly Uint8Array[],
    timeoutMs: number,
    done: (outcome: Outcome) => void,
    ofSession?: OfSession,
  ): Call {
    const waiting: Waiting = { done, isSettled: false }
    const call = this.#request(waiting, nodeId, type, commands, [], ofSession)
    this.#world.time.after(1000 * timeoutMs, () => {
      if (waiting.isSettled) return
      this.#world.counts.timedOut++
      this.#tell(waiting, unknown('no answer came in time'))
    })
    return call
  }

  #request(
    waiting: Waiting,
    nodeId: NodeId,
    type: ClientRequest['type'],
    commands: readonly Uint8Array[],
    answers: Read['answers'],
    ofSession?: OfSession,
  ): Call {
    const request = ++this.#lastRequest
    const isOfSession = ofSession !== undefined
    const copyOf = ofSession && 'call' in ofSession ? ofSession.copyOf : undefined
    const call = this.#history.call(request, type, nodeId, commands, { isOfSession, copyOf })
    const open: Open = { call, ofSession, waiting, answers, hasArrived: false, isAnswered: false }
    this.#open.set(request, open)
    const frame = this.#frameOf(commands, ofSession)
    const arrive = (): void => {
      open.hasArrived = true
      if (this.#ask(nodeId, { request, type, frame, isOfSession })) return
      this.#open.delete(request)
      this.#tell(waiting, unknown('its node does not run'))
    }
    this.#world.time.after(this.#way(), () => {
      if (!this.#arrivals.request(nodeId, frame.bytes.byteLength, arrive)) this.#open.delete(request)
    })
    return call
  }

  #frameOf(commands: readonly Uint8Array[], ofSession: OfSession | undefined): Frame {
    if (ofSession !== undefined && 'registerMs' in ofSession) return registerFrame(ofSession.registerMs)
    if (ofSession !== undefined) this.#packer.reserve(callHeaderBytes)
    for (const command of commands) this.#packer.append(command)
    const frame = this.#packer.take()
    if (ofSession !== undefined) writeCallHeader(frame, ofSession.call)
    return frame
  }

  /** A node takes up what has arrived. */
  taken(request: number): void {
    const open = this.#open.get(request)
    if (open === undefined) return
    const { nodeId, type, commands } = open.call
    this.#world.script?.asked({ request, nodeId, type, commands, ofSession: open.ofSession })
    this.#history.taken(open.call)
  }

  /** What a node settled in one turn. */
  settle(nodeId: NodeId, { settled, results }: Settlements): void {
    let offset = 0
    for (const settlement of settled) {
      const from = offset
      if (settlement.outcome === 'applied') offset = skipResults(results, offset, settlement.count)
      const bytes = settlement.outcome === 'read' ? settlement.results : results.slice(from, offset)
      this.#answered(nodeId, settlement, bytes)
    }
    if (offset !== results.byteLength)
      this.#world.checker.report(
        'results',
        `node ${nodeId} sent ${results.byteLength - offset} bytes too many`,
      )
  }

  /** The node died: what it had not answered it never will. */
  stopped(nodeId: NodeId): void {
    for (const open of this.#open.values()) {
      if (open.call.nodeId !== nodeId || !open.hasArrived || open.isAnswered) continue
      this.#open.delete(open.call.request)
      this.#world.time.after(this.#way(), () => this.#tell(open.waiting, unknown('its node stopped')))
    }
  }

  /** Requests that a living node took and did not answer. */
  get unanswered(): Call[] {
    const open = [...this.#open.values()].filter(({ hasArrived, isAnswered }) => hasArrived && !isAnswered)
    return open.map(({ call }) => call)
  }

  #answered(nodeId: NodeId, settlement: Settlement, bytes: Uint8Array): void {
    const { request, outcome } = settlement
    const { tracer, fingerprint, checker, time } = this.#world
    tracer.record(nodeId, { type: 'settled', request, outcome })
    fingerprint.add(request)
    fingerprint.addText(outcome)
    fingerprint.addBytes(bytes)
    const open = this.#open.get(request)
    if (open === undefined || open.isAnswered || open.call.nodeId !== nodeId) {
      checker.report('settled exactly once', `node ${nodeId} settles request ${request}, which is not open`)
      return
    }
    open.isAnswered = true
    this.#open.delete(request)
    this.#history.answered(open.call, settlement)
    const arrive = (): void => {
      const told = this.#history.settled(open.call, settlement, bytes)
      this.#world.script?.told(request, told)
      if (told.outcome === 'read') this.#wasRead(open, told)
      else this.#tell(open.waiting, told)
    }
    time.after(this.#way(), () => this.#arrivals.answer(nodeId, bytes.byteLength, arrive))
  }

  /** Where a part was answered, the rest is asked for, at the same node: by a call of its own, which may see more. */
  #wasRead({ call, waiting, answers }: Open, told: Read): void {
    const rest = call.commands.slice(told.answers.length)
    const all = [...answers, ...told.answers]
    if (rest.length === 0) return this.#tell(waiting, { ...told, answers: all })
    if (!waiting.isSettled) this.#request(waiting, call.nodeId, call.type, rest, all)
  }

  #tell(waiting: Waiting, outcome: Outcome): void {
    if (waiting.isSettled) return
    waiting.isSettled = true
    waiting.done(outcome)
  }

  #way(): number {
    return 1000 * this.#dice.around(this.#wayMs)
  }
}

function unknown(why: string): Outcome {
  return { outcome: 'unknown', why }
}

/** The offset behind `count` results. */
function skipResults(results: Uint8Array, offset: number, count: number): number {
  const view = new DataView(results.buffer, results.byteOffset, results.byteLength)
  let end = offset
  for (let position = 0; position < count; position++) end += commandHeaderBytes + view.getUint32(end, true)
  return end
}
