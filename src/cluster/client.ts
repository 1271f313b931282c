/**
 * The client side of a cluster: packs the calls of a turn, sends them to the leader, follows it when it
 * changes, and tells each call one of three things: applied, not applied, or not known.
 */
import { RaftError } from '../errors/index.js'
import { endOfResults, isReusable } from '../machine/index.js'
import { RunningTime } from '../node/index.js'
import { type NodeId, sliceFrame } from '../raft/index.js'
import {
  type ClientEnd,
  type FromNode,
  NodePort,
  type Settlement,
  type Settlements,
} from '../transport/index.js'
import { BackOff } from './back-off.js'
import { Caller, type CallSender, pendingBytesMax } from './caller.js'
import { unreadable } from './refusals.js'
import {
  Answers,
  AnswersInParts,
  type AnswersPart,
  type CallQueue,
  type Request,
  type RequestPacker,
} from './requests.js'
import { SharedRoom } from './shared-room.js'

/** Bytes of one caller on their way to a node and not settled; more waits here. Other callers leave it less. */
const sentBytesMax = 16 << 20
/** Bytes of queries that may leave before their turn is over. */
const aheadBytes = 12 << 10
/** Requests on their way with which none leaves ahead: then the leader has work, and a larger frame costs it less. */
const aheadMax = 4
/** Buffers of answers that wait to go back. */
const readBuffersMax = 4
/** How often deadlines and a missing leader are looked at while something waits. */
const sweepMs = 20

/** News of a node about itself. */
export type News = Exclude<FromNode, { readonly type: 'settlements' }>

export class Client implements CallSender {
  readonly pendingRoom = new SharedRoom(pendingBytesMax)
  isClosed = false
  readonly #timeoutMs: number
  readonly #findLeader: () => NodeId | undefined
  /** The clock of deadlines. */
  readonly #time = new RunningTime()
  readonly #ports = new Map<NodeId, NodePort>()
  readonly #sentRoom = new SharedRoom(sentBytesMax)
  /** Those with calls that are not sent. Each turn begins with the next one of them. */
  #waiting: CallQueue[] = []
  readonly #sent = new Map<number, Request>()
  /** All that is not settled, in order of deadline. */
  #pending: Request[] = []
  /** Buffers of answers to queries, all of which were copied by those who asked: they go back to whoever leads. */
  #read: ArrayBuffer[] = []
  #nextId = 1
  #nextPlace = 1
  #isTurnScheduled = false
  #sweeper: NodeJS.Timeout | undefined
  /** While it pauses nothing is sent, so that what was refused leaves before later calls. */
  readonly #backOff = new BackOff(() => this.#scheduleTurn())

  /** `findLeader` tells who leads now, as far as is known. */
  constructor(timeoutMs: number, findLeader: () => NodeId | undefined) {
    this.#timeoutMs = timeoutMs
    this.#findLeader = findLeader
  }

  /** Another caller, whose calls wait by themselves. */
  newCaller(): Caller {
    return new Caller(this)
  }

  called(queue: CallQueue, packer: RequestPacker): void {
    this.#waits(queue)
    // The nodes have work while the rest of the turn's calls are made.
    if (packer.isFull || this.#mayQueriesGoAhead(queue)) this.#send()
    else this.#scheduleTurn()
  }

  /** The queue has calls that are not sent. */
  #waits(queue: CallQueue): void {
    if (queue.isWaiting) return
    queue.isWaiting = true
    this.#waiting.push(queue)
  }

  /** Begins to use the way to a node: answers are taken here, and what the node tells of itself goes to `told`. */
  attach(nodeId: NodeId, end: ClientEnd, told: (news: News) => void): void {
    const port = new NodePort(end, (message) => {
      // A port that is closed while it delivers goes on to deliver: that belongs to a life of the node that is over.
      if (this.#ports.get(nodeId) !== port) return
      if (message.type === 'settlements') this.#settle(message)
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

  /** The node is gone: what it was sent may or may not have happened. Reads change nothing and are asked again. */
  detach(nodeId: NodeId, why: string): void {
    this.#ports.get(nodeId)?.close()
    this.#ports.delete(nodeId)
    this.#backOff.end()
    for (const request of [...this.#sent.values()]) {
      if (request.sentTo !== nodeId) continue
      if (request.type === 'read') this.#sendAgain(request)
      else this.#fail(request, new RaftError('UNKNOWN_OUTCOME', { why }))
    }
    this.#scheduleTurn()
  }

  /** Sends what waits: a leader may be there now. */
  leaderChanged(): void {
    this.#backOff.end()
    this.#sendWaiting()
  }

  #settle({ settled, results }: Settlements): void {
    const ends = endsOfApplied(settled, results)
    let from = 0
    let position = 0
    for (const settlement of settled) {
      // A request that is not there was given up at its deadline: its callers were told that the outcome is unknown.
      const request = this.#sent.get(settlement.request)
      if (settlement.outcome === 'read') {
        this.#wasRead(request, settlement)
      } else if (settlement.outcome === 'applied') {
        this.#backOff.taken()
        if (ends === undefined || settlement.count !== (request?.frame.count ?? settlement.count)) {
          this.#notReadable(request)
        } else {
          this.#answered(request, new Answers(results, from, settlement.index))
        }
        from = ends?.[position++] ?? 0
      } else if (request !== undefined) {
        this.#notAnswered(request, settlement)
      }
    }
    this.#sendWaiting()
  }

  #sendWaiting(): void {
    if (this.#waiting.length > 0) this.#scheduleTurn()
  }

  #wasRead(request: Request | undefined, settlement: Settlement & { outcome: 'read' }): void {
    const { count, results, refused } = settlement
    if (request !== undefined) {
      const isWhole = count > 0 && endOfResults(results, 0, count) === results.byteLength
      if (!isWhole || count > request.frame.count) this.#notReadable(request)
      else if (count < request.frame.count)
        return this.#askForRest(request, count, { bytes: results, refused })
      else this.#answered(request, answersOf(request, { bytes: results, refused }))
    }
    // Behind the calls that copy their answers now.
    queueMicrotask(() => this.#giveBack(results.buffer as ArrayBuffer))
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
    this.#sendAgain(request)
  }

  #notReadable(request: Request | undefined): void {
    if (request === undefined) return
    this.#fail(request, unreadable(request.type, new Error('a message holds other answers than it says')))
  }

  #answered(request: Request | undefined, answers: Answers): void {
    if (request === undefined) return
    this.#forget(request)
    request.answer(answers)
  }

  #giveBack(buffer: ArrayBuffer): void {
    if (isReusable(buffer) && this.#read.length < readBuffersMax) this.#read.push(buffer)
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
      const isKnown = request.sentTo === undefined || request.type === 'read'
      const error = isKnown
        ? new RaftError('STOPPED', { what: 'the cluster' })
        : new RaftError('UNKNOWN_OUTCOME', { why: 'the cluster was closed' })
      this.#fail(request, error)
    }
    clearInterval(this.#sweeper)
    this.#backOff.end()
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
  }

  #notAnswered(request: Request, settlement: Exclude<Settlement, { outcome: 'applied' | 'read' }>): void {
    if (settlement.outcome === 'unknown') {
      this.#fail(request, new RaftError('UNKNOWN_OUTCOME', { why: settlement.why }))
    } else if (settlement.frame !== undefined && settlement.code !== 'malformed') {
      // The node refused the request on arrival and has not touched it.
      request.frame = settlement.frame
      request.isOverloaded = settlement.code === 'overloaded'
      if (request.isOverloaded) this.#backOff.refused()
      this.#sendAgain(request)
    } else if (settlement.code === 'malformed') {
      const details = { what: 'the commands', expected: 'a well-formed frame', actual: 'what was sent' }
      this.#fail(request, new RaftError('INVALID_COMMAND', details))
    } else {
      this.#fail(request, new RaftError('REPLACED'))
    }
  }

  /**
   * Commands wait for each other, to share a flush, and queries beside them, which would wait for that flush. Queries
   * alone share a round of heartbeats at most: the leader reads the first while the rest of the turn is packed.
   */
  #mayQueriesGoAhead({ queries, commands }: CallQueue): boolean {
    const isEnough = queries.frame.byteLength >= aheadBytes
    return isEnough && this.#sent.size < aheadMax && commands.isEmpty
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.isClosed) return
    this.#isTurnScheduled = true
    // After all callers of this turn have had their say.
    setImmediate(() => {
      this.#isTurnScheduled = false
      if (!this.isClosed) this.#send()
    })
  }

  #send(): void {
    this.#packAll()
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs)
    if (this.#backOff.isPausing) return
    const leader = this.#findLeader()
    const port = leader === undefined ? undefined : this.#ports.get(leader)
    // A node that stands still gets no more than fits into its port.
    if (leader === undefined || port === undefined || port.isFull) return
    const batch: Request[] = []
    for (const queue of this.#waiting) this.#take(queue, leader, batch)
    const [first, ...others] = this.#waiting.filter((queue) => this.#isStillWaiting(queue))
    this.#waiting = first === undefined ? [] : [...others, first]
    if (batch.length === 0) return
    const requests = batch.map(({ id, type, frame }) => ({ request: id, type, frame }))
    port.send(requests, this.#read)
    this.#read = []
  }

  /** Adds to the batch what the queue may send. */
  #take(queue: CallQueue, leader: NodeId, batch: Request[]): void {
    let taken = 0
    for (const request of queue.unsent) {
      if (!this.#sentRoom.isOpenTo(queue.sentBytes)) break
      request.id = this.#nextId++
      request.sentTo = leader
      queue.sentBytes += request.weight
      this.#sentRoom.take(request.weight)
      this.#sent.set(request.id, request)
      batch.push(request)
      taken++
    }
    if (taken > 0) queue.unsent = queue.unsent.slice(taken)
  }

  #isStillWaiting(queue: CallQueue): boolean {
    queue.isWaiting = queue.unsent.length > 0
    return queue.isWaiting
  }

  #packAll(): void {
    for (const { commands, queries } of this.#waiting) {
      if (!commands.isEmpty) this.#pack(commands)
      if (!queries.isEmpty) this.#pack(queries)
    }
  }

  #pack(packer: RequestPacker): void {
    const request = packer.take(this.#nextPlace++, this.#time.now() + this.#timeoutMs)
    this.#pending.push(request)
    request.queue.unsent.push(request)
  }

  /** Ends what is past its deadline, and looks for a leader again. Answers that lie in the ports are in time. */
  #sweep(): void {
    for (const nodeId of this.#ports.keys()) this.drain(nodeId)
    const nowMs = this.#time.now()
    this.#pending = this.#pending.filter((request) => !request.isSettled)
    for (const request of this.#pending) {
      if (request.deadlineMs > nowMs) break
      this.#fail(request, this.#lateError(request))
    }
    for (const caller of this.#waiting) caller.unsent = caller.unsent.filter((request) => !request.isSettled)
    this.#sendWaiting()
    if (this.#pending.length > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  #lateError(request: Request): RaftError {
    const deadlineMs = this.#timeoutMs
    if (request.sentTo === undefined && request.isOverloaded) {
      return new RaftError('OVERLOADED', { what: `the leader refused the call for ${deadlineMs} ms` })
    }
    if (request.type === 'read') return new RaftError('READ_TIMEOUT', { deadlineMs })
    if (request.sentTo === undefined) return new RaftError('NO_LEADER', { deadlineMs })
    return new RaftError('UNKNOWN_OUTCOME', { why: `no answer within ${deadlineMs} ms` })
  }

  #fail(request: Request, error: RaftError): void {
    this.#forget(request)
    request.fail(error)
  }

  /** The request waits for the next turn, where it stood among the requests that were never sent. */
  #sendAgain(request: Request): void {
    this.#takeBack(request)
    const { queue, place } = request
    const { unsent } = queue
    let at = unsent.length
    while (at > 0 && (unsent[at - 1]?.place ?? 0) > place) at--
    unsent.splice(at, 0, request)
    this.#waits(queue)
  }

  #takeBack(request: Request): void {
    this.#sent.delete(request.id)
    request.queue.sentBytes -= request.weight
    this.#sentRoom.leave(request.weight)
    request.sentTo = undefined
  }

  #forget(request: Request): void {
    if (request.sentTo !== undefined) this.#takeBack(request)
    request.isSettled = true
    // A settled request stays pending for a while, which keeps no value of its calls in memory.
    request.outcomes.length = 0
    this.#holds(request.queue, -(request.weight + request.partsBytes))
  }

  #holds(queue: CallQueue, bytes: number): void {
    queue.pendingBytes += bytes
    this.pendingRoom.take(bytes)
  }
}

/** Answers to the whole request, of which `part` are the last or the only ones. */
function answersOf({ parts }: Request, part: AnswersPart): Answers {
  if (parts.length === 0 && part.refused === undefined) return new Answers(part.bytes, 0, 0)
  parts.push(part)
  return new AnswersInParts(parts)
}

/**
 * Where the results of each applied request end. Nothing but their order tells whose they are: when they are not
 * exactly as many as the message says, they are nobody's.
 */
function endsOfApplied(settled: readonly Settlement[], results: Uint8Array): number[] | undefined {
  const ends: number[] = []
  let end = 0
  for (const settlement of settled) {
    if (settlement.outcome !== 'applied') continue
    const next = endOfResults(results, end, settlement.count)
    if (next === undefined) return undefined
    ends.push(next)
    end = next
  }
  return end === results.byteLength ? ends : undefined
}
