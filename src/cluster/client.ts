/**
 * The client side of a cluster. Calls of a turn are packed into frames (`called`) and sent to the leader (`#send`). The
 * answers settle them (`#settle`), and each call is told one of three: applied, not applied, not known.
 */
import { RaftError } from '../errors/index.js'
import { endOfResults, type SessionAnswer } from '../machine/index.js'
import { RunningTime } from '../node/index.js'
import { type NodeId, sliceFrame } from '../raft/index.js'
import {
  type ClientRequest,
  type ClientWayEnd,
  type NewsOfNode,
  NodePort,
  type Settlement,
  type Settlements,
} from '../transport/index.js'
import { Answers, AnswersInParts, type AnswersPart } from './answers.js'
import { BackOff } from './back-off.js'
import { CallMeter } from './call-meter.js'
import { type CallSender, pendingBytesMax } from './caller.js'
import { answerOf, ClientSession } from './client-session.js'
import { closeErrorOf, type Leadership, lackOf, lateErrorOf, noAnswer, stoppedError } from './end-errors.js'
import { FrameBuffers } from './frame-buffers.js'
import { NextTurn } from './next-turn.js'
import { NodeReads } from './node-reads.js'
import { ReadBuffers } from './read-buffers.js'
import { invalid, unreadable } from './refusals.js'
import { type CallQueue, lateAmong, type Request, type RequestPacker } from './requests.js'
import { SentRequests } from './sent-requests.js'
import { answersOf, endsOfApplied } from './settled-answers.js'
import { SharedRoom } from './shared-room.js'

/** Bytes of queries that may leave before their turn is over. */
const aheadBytes = 12 << 10
/** Requests on their way with which none leaves ahead: then the leader has work, and a larger frame costs it less. */
const aheadMax = 4
const hasUnsent = ({ unsent }: CallQueue): boolean => unsent.length > 0
/** How often deadlines and a missing leader are looked at while something waits. */
const sweepMs = 20

export class Client implements CallSender {
  readonly pendingRoom = new SharedRoom(pendingBytesMax)
  readonly frameBuffers = new FrameBuffers()
  readonly calls = new CallMeter()
  isClosed = false
  readonly #timeoutMs: number
  readonly #leadership: () => Leadership
  /** The clock of deadlines. */
  readonly #time = new RunningTime()
  readonly #ports = new Map<NodeId, NodePort>()
  /** The callers with calls that are not sent. Each turn begins with the next one of them. */
  #waiting: CallQueue[] = []
  readonly #session: ClientSession
  readonly #sent = new SentRequests()
  /** All that is not settled, in order of deadline. */
  #pending: Request[] = []
  readonly #read = new ReadBuffers()
  readonly nodeReads: NodeReads
  #nextPlace = 1
  readonly #turn = new NextTurn(() => this.#send())
  #sweeper: NodeJS.Timeout | undefined
  /** While it pauses nothing is sent, so that what was refused leaves before later calls. */
  readonly #backOff = new BackOff(() => this.#turn.schedule())

  constructor(timeoutMs: number, sessionTimeoutMs: number, leadership: () => Leadership) {
    this.#timeoutMs = timeoutMs
    this.#session = new ClientSession(sessionTimeoutMs, timeoutMs)
    this.#leadership = leadership
    const ways = { ports: this.#ports, sent: this.#sent, read: this.#read, leadership, time: this.#time }
    this.nodeReads = new NodeReads(ways)
  }

  called(queue: CallQueue, packer: RequestPacker): void {
    this.#waits(queue)
    // The nodes have work while the rest of the turn's calls are made.
    if (packer.isFull || this.#mayQueriesGoAhead(queue, packer)) this.#send()
    else if (this.#turn.isScheduled) return
    // Nothing is on its way or waits, so no answers come in this turn of the event loop whose callers would call as well.
    else if (this.#sent.size > 0 || this.#waiting.some(hasUnsent)) this.#turn.schedule()
    else this.#turn.scheduleSoon()
  }

  /** The queue has calls that are not sent. */
  #waits(queue: CallQueue): void {
    if (!queue.isWaiting) this.#waiting.push(queue)
    queue.isWaiting = true
  }

  /** Begins to use the way to a node: answers are taken here, and what the node tells of itself goes to `told`. */
  attach(nodeId: NodeId, end: ClientWayEnd, told: (news: NewsOfNode) => void): void {
    const port = new NodePort(end, (message) => {
      // A port that is closed while it delivers goes on to deliver: that belongs to a life of the node that is over.
      if (this.#ports.get(nodeId) !== port) return
      if (message.type === 'settlements') this.#settle(message, nodeId)
      else told(message)
    })
    this.#ports.set(nodeId, port)
    port.listen()
  }

  /** Takes what lies in the port of a node, so that what it has told counts before it is judged. */
  drain(nodeId: NodeId): void {
    const port = this.#ports.get(nodeId)
    // A message may tell that the node failed, by which its port is closed.
    while (port !== undefined && this.#ports.get(nodeId) === port) if (!port.receiveNext()) return
  }

  /** The node is gone: what it was sent may or may not have happened. The next leader is asked again. */
  detach(nodeId: NodeId, why: string): void {
    this.#ports.get(nodeId)?.close()
    this.#ports.delete(nodeId)
    this.#backOff.end()
    for (const request of this.#sent.at((sentTo) => sentTo === nodeId)) this.#doubt(request, why)
    this.#packAll()
    for (const request of this.nodeReads.left(nodeId)) this.#fail(request, stoppedError(nodeId, why))
    this.#turn.schedule()
  }

  /** Sends what waits: a leader may be there now. */
  leaderChanged(): void {
    this.#backOff.end()
    const leader = this.#leadership().leaderId
    const elsewhere = leader === undefined ? [] : this.#sent.at((sentTo) => sentTo !== leader)
    for (const request of elsewhere) {
      // A node that is frozen or cut off answers neither commands nor reads. Only reads of its own state wait for it.
      if (request.target === undefined) this.#doubt(request, `node ${request.sentTo} lost its lead`)
    }
    this.#sendWaiting()
  }

  /** A request that was sent may or may not have happened: it is sent again, and its session applies it once. */
  #doubt(request: Request, why: string): void {
    if (request.type === 'propose') request.whyUnknown = why
    this.#sendAgain(request)
  }

  #settle({ settled, results }: Settlements, nodeId: NodeId): void {
    const ends = endsOfApplied(settled, results)
    // The time of all these answers.
    this.#time.now()
    let [from, position] = [0, 0]
    for (const settlement of settled) {
      if (settlement.outcome === 'applied') {
        this.#backOff.taken()
        this.#wasApplied(settlement, ends && answerOf(results, from), results, from)
        from = ends?.[position++] ?? 0
      } else if (settlement.outcome === 'read') this.#wasRead(settlement)
      else this.#notAnswered(settlement)
    }
    for (const request of this.#sent.passedOverBy(settled, nodeId))
      this.#doubt(request, 'a later command was answered')
    this.#sendWaiting()
  }

  #sendWaiting(): void {
    if (this.#waiting.length > 0 || this.nodeReads.isWaiting) this.#turn.schedule()
  }

  #wasRead(settlement: Settlement & { outcome: 'read' }): void {
    const request = this.#sent.find(settlement.request)
    const { count, results, refused, staleness } = settlement
    if (request !== undefined) {
      const isWhole = count > 0 && endOfResults(results, 0, count) === results.byteLength
      if (!isWhole || count > request.frame.count) this.#notReadable(request)
      else if (count < request.frame.count)
        return this.#askForRest(request, count, { bytes: results, refused, staleness })
      else this.#answered(request, answersOf(request, { bytes: results, refused, staleness }))
    }
    // Behind the calls that copy their answers now.
    queueMicrotask(() => this.#read.add(results.buffer as ArrayBuffer))
  }

  /**
   * A part of the answers waits here, and the rest is asked for: so no more than a part is on its way at a time. The parts
   * take room of their caller. Calls whose answers find none are refused.
   */
  #askForRest(request: Request, count: number, part: AnswersPart): void {
    const { queue, parts } = request
    parts.push(part)
    const { byteLength } = part.bytes.buffer
    request.partsBytes += byteLength
    this.#holds(queue, byteLength)
    if (!this.pendingRoom.isOpenTo(queue.pendingBytes)) {
      const what = `${request.partsBytes} bytes of answers to the calls of one turn`
      return this.#answered(request, new AnswersInParts(parts, new RaftError('OVERLOADED', { what })))
    }
    request.frame = sliceFrame(request.frame, count)
    if (request.target === undefined) this.#sendAgain(request)
    else this.nodeReads.goesOn(request)
  }

  #notReadable(request: Request | undefined): void {
    if (request === undefined) return
    this.#fail(request, unreadable(request.type, new Error('a message holds other answers than it says')))
  }

  /** `answer` is that of the session, which begins at `from`. The results of the commands follow it. */
  #wasApplied(
    { request: id, count }: Settlement & { outcome: 'applied' },
    answer: SessionAnswer | undefined,
    results: Uint8Array,
    from: number,
  ): void {
    // A request that is not there was given up at its deadline: its callers were told that the outcome is unknown.
    const request = this.#sent.find(id)
    if (this.#session.isRegistration(id)) this.#session.registered(id, answer)
    else if (answer === undefined || count !== (request?.frame.count ?? count)) this.#notReadable(request)
    else if (request !== undefined && answer.status === 'applied')
      this.#answered(request, new Answers(results, endOfResults(results, from, 1) ?? from, answer.index))
    else if (request !== undefined) this.#wasNotApplied(request, answer)
  }

  #wasNotApplied(request: Request, { status }: SessionAnswer): void {
    if (status === 'full') {
      this.#backOff.refused()
      return this.#refused(request, 'overloaded')
    }
    if (status === 'expired') this.#session.expired(request)
    // A call of which no other copy was sent has not happened, so another session may take it.
    if (status === 'expired' && request.whyUnknown === undefined) return this.#sendAgain(request)
    const why = status === 'forgotten' ? 'its answer is no longer kept' : `its session has ${status}`
    this.#fail(request, new RaftError('UNKNOWN_OUTCOME', { why }))
  }

  #answered(request: Request, answers: Answers): void {
    this.calls.answered(request, answers.index + 1, this.#time.askedAtMs)
    this.#forget(request)
    request.answer(answers)
  }

  /** Ends every call: what was not sent did not happen, what was sent may have. */
  close(): void {
    for (const nodeId of this.#ports.keys()) this.drain(nodeId)
    this.isClosed = true
    this.#packAll()
    for (const request of [...this.#pending]) {
      if (request.isSettled) continue
      // A caller that looks at its call only after the close is told then, and no rejection ends the process before.
      for (const outcome of request.outcomes) outcome.catch(() => undefined)
      this.#fail(request, closeErrorOf(request))
    }
    clearInterval(this.#sweeper)
    this.#backOff.end()
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
  }

  #notAnswered(settlement: Exclude<Settlement, { outcome: 'applied' | 'read' }>): void {
    const request = this.#sent.find(settlement.request)
    const code = settlement.outcome === 'refused' ? settlement.code : undefined
    // A leader that hands over refuses all until another one leads, or until it goes on.
    const isBusy = code === 'overloaded' || code === 'transferring'
    if (isBusy && request?.target === undefined) this.#backOff.refused()
    if (this.#session.isRegistration(settlement.request))
      this.#session.registered(settlement.request, undefined)
    // A later copy may still be answered.
    if (request?.id !== settlement.request) return
    if (settlement.outcome === 'unknown') return this.#doubt(request, settlement.why)
    if (settlement.code !== 'malformed') return this.#refused(request, settlement.code)
    this.#fail(request, invalid('the commands', 'a well-formed frame', 'what was sent'))
  }

  /** Takes a request up again of which this copy has not happened. */
  #refused(request: Request, code: NonNullable<Request['refusal']>): void {
    request.refusal = code
    this.#sendAgain(request)
  }

  /**
   * Commands wait for each other, to share a flush, and queries beside them, which would wait for that flush. Queries
   * alone share a round of heartbeats at most: the leader reads the first while the rest of the turn is packed.
   */
  #mayQueriesGoAhead({ commands }: CallQueue, { frame }: RequestPacker): boolean {
    return frame.byteLength >= aheadBytes && this.#sent.size < aheadMax && commands.isEmpty
  }

  #send(): void {
    if (this.isClosed) return
    this.#packAll()
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs)
    if (this.nodeReads.isWaiting) this.nodeReads.send()
    if (this.#backOff.isPausing) return
    const leader = this.#leadership().leaderId
    const port = leader === undefined ? undefined : this.#ports.get(leader)
    // A node that stands still gets no more than fits into its port.
    if (leader === undefined || port === undefined || port.isFull) return
    const batch: ClientRequest[] = []
    for (const queue of this.#waiting) this.#take(queue, leader, batch)
    const [first, ...others] = this.#waiting.filter(({ isWaiting }) => isWaiting)
    this.#waiting = first === undefined ? [] : [...others, first]
    if (batch.length > 0) port.send(batch, this.#read.take())
  }

  /** Adds to the batch what the queue may send. */
  #take(queue: CallQueue, leader: NodeId, batch: ClientRequest[]): void {
    const { unsent } = queue
    const kept: Request[] = []
    let looked = 0
    for (const request of unsent) {
      if (!this.#sent.isOpenTo(queue)) break
      looked++
      // An earlier copy was answered.
      if (request.isSettled) continue
      if (this.#mayGo(request, leader, batch)) batch.push(this.#sent.add(request, leader))
      else if (!request.isSettled) kept.push(request)
    }
    if (looked > 0) queue.unsent = [...kept, ...unsent.slice(looked)]
    queue.isWaiting = queue.unsent.length > 0
  }

  /** Commands go in a session: without one, the batch asks for it. */
  #mayGo(request: Request, leader: NodeId, batch: ClientRequest[]): boolean {
    if (request.type !== 'propose') return true
    const nowMs = this.#time.now()
    const admission = this.#session.admit(request, nowMs)
    if (admission === 'sent') return true
    if (admission === 'lost') {
      const why = `${request.whyUnknown}, and its session has expired`
      this.#fail(request, new RaftError('UNKNOWN_OUTCOME', { why }))
      return false
    }
    // Calls from inside wait for it too.
    const registration = this.#session.register(() => this.#sent.newId('inside'), leader, nowMs)
    if (registration !== undefined) batch.push(registration)
    return false
  }

  #packAll(): void {
    for (const { commands, queries, atNodes } of this.#waiting) {
      if (!commands.isEmpty) this.#pack(commands)
      if (!queries.isEmpty) this.#pack(queries)
      for (const packer of atNodes.values()) if (!packer.isEmpty) this.#pack(packer)
    }
  }

  #pack(packer: RequestPacker): void {
    const now = this.#time.now()
    const request = packer.take(this.#nextPlace++, now, this.#timeoutMs, this.#time.askedAtMs)
    this.#pending.push(request)
    const unsent = request.target === undefined ? request.queue.unsent : this.nodeReads.unsent
    unsent.push(request)
  }

  /** Ends what is past its deadline, and looks for a leader again. Answers that lie in the ports are in time. */
  #sweep(): void {
    for (const nodeId of this.#ports.keys()) this.drain(nodeId)
    const nowMs = this.#time.now()
    this.#pending = this.#pending.filter((request) => !request.isSettled)
    const lack = lackOf(this.#leadership(), this.#session.isRegistering)
    for (const request of this.#pending)
      if (request.deadlineMs <= nowMs) this.#fail(request, lateErrorOf(request, lack, this.#timeoutMs))
    for (const request of lateAmong(this.#pending, nowMs)) {
      this.#doubt(request, noAnswer)
      request.patienceMs *= 2
    }
    this.nodeReads.look()
    this.#session.doubtRegistration(this.#leadership().leaderId, nowMs)
    for (const caller of this.#waiting) caller.unsent = caller.unsent.filter((request) => !request.isSettled)
    this.#sendWaiting()
    if (this.#pending.length > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  #fail(request: Request, error: RaftError): void {
    this.calls.failed(request, error)
    this.#forget(request)
    request.fail(error)
  }

  /** The request waits for the next turn, where it stood among the requests that were never sent. */
  #sendAgain(request: Request): void {
    // An answer to an earlier copy may find it waiting.
    if (request.sentTo === undefined) return
    const { queue, place, target } = request
    if (target !== undefined) return this.nodeReads.failed(request, target)
    this.#sent.takeBack(request)
    const { unsent } = queue
    let at = unsent.length
    while (at > 0 && (unsent[at - 1]?.place ?? 0) > place) at--
    unsent.splice(at, 0, request)
    this.#waits(queue)
  }

  #forget(request: Request): void {
    this.#sent.remove(request)
    request.isSettled = true
    this.#session.settled(request)
    if (request.type === 'propose') this.frameBuffers.reuse(request.frame.bytes)
    // A settled request stays pending for a while, which keeps no value of its calls in memory.
    request.outcomes.length = 0
    this.#holds(request.queue, -(request.weight + request.partsBytes))
  }

  #holds(queue: CallQueue, bytes: number): void {
    queue.pendingBytes += bytes
    this.pendingRoom.take(bytes)
  }
}
