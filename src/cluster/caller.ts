/** A caller of a cluster. Its calls travel in frames of their own, and wait beside those of other callers. */
import { RaftError } from '../errors/index.js'
import { assert } from '../raft/index.js'
import type { Origin } from '../transport/index.js'
import type { CallMeter } from './call-meter.js'
import type { FrameBuffers } from './frame-buffers.js'
import type { NodeReads } from './node-reads.js'
import type { Calls, ReadAt, Reading } from './readings.js'
import { refusalOf } from './refusals.js'
import { CallFrame, type CallQueue, type Request, RequestPacker, SessionFrame } from './requests.js'
import type { SharedRoom } from './shared-room.js'

/** Bytes of calls of one caller that wait or are on their way; more calls are refused. Other callers leave it less. */
export const pendingBytesMax = 64 << 20
/** Bytes that a call holds in memory beside its commands: its promise, and what is chained to it. */
export const callWeight = 256
/** Bytes that the calls of one frame hold together beside their own: the request, its promise and its buffer. */
const frameWeight = 1024

/** The client that sends the calls. */
export interface CallSender {
  readonly isClosed: boolean
  /** The room for calls that are not settled. */
  readonly pendingRoom: SharedRoom
  readonly frameBuffers: FrameBuffers
  readonly calls: CallMeter
  /** A call was packed. */
  called(queue: CallQueue, packer: RequestPacker): void
  /** Reads that name their node. */
  readonly nodeReads: NodeReads
}

export class Caller implements Calls, CallQueue {
  readonly commands: RequestPacker
  readonly queries = new RequestPacker('read', this, new CallFrame())
  readonly atNodes = new Map<number, RequestPacker>()
  unsent: Request[] = []
  pendingBytes = 0
  sentBytes = 0
  isWaiting = false
  readonly origin: Origin
  readonly #sender: CallSender

  constructor(sender: CallSender, origin: Origin = 'outside') {
    this.#sender = sender
    this.origin = origin
    this.commands = new RequestPacker('propose', this, new SessionFrame(sender.frameBuffers))
  }

  /**
   * `write` packs straight into the frame of the turn, so it runs no code of the caller: another call would go between.
   */
  call<Outcome, Parts extends unknown[]>(
    { type, count, answerBytes, read, at }: Reading<Outcome>,
    write: (frame: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome> {
    let packer = type === 'read' ? this.queries : this.commands
    try {
      if (at !== undefined) packer = this.#packerAt(at)
    } catch (error) {
      return this.#refused(error)
    }
    const { frame } = packer
    const { byteLength: bytesBefore, count: countBefore, isEmpty } = frame
    try {
      this.#checkOpen()
      write(frame, ...parts)
      assert(frame.count - countBefore === count, 'a call reads one answer for each of its commands')
    } catch (error) {
      frame.rewind(bytesBefore, countBefore)
      return this.#refused(error)
    }
    if (answerBytes > 0) frame.expectAnswer(answerBytes)
    const weight = frame.byteLength - bytesBefore + callWeight + (isEmpty ? frameWeight : 0)
    this.pendingBytes += weight
    this.#sender.pendingRoom.take(weight)
    const outcome = packer.outcomeOf(read, weight)
    const { tracer } = this.#sender.calls
    if (tracer !== undefined && type === 'propose') packer.follow(tracer.choose())
    this.#sender.called(this, packer)
    return outcome
  }

  /** Nothing of the call is sent. */
  #refused(error: unknown): Promise<never> {
    const refusal = refusalOf(error)
    this.#sender.calls.refused(refusal)
    return Promise.reject(refusal)
  }

  #packerAt(at: ReadAt): RequestPacker {
    const nodeId = this.#sender.nodeReads.nodeFor(at)
    const isAny = at.from === 'any'
    const key = 4 * nodeId + (isAny ? 2 : 0) + (at.isStale ? 1 : 0)
    let packer = this.atNodes.get(key)
    if (packer === undefined) {
      this.#letGoOfNodesThatLeft()
      packer = new RequestPacker(at.isStale ? 'staleRead' : 'readHere', this, new CallFrame(), {
        nodeId,
        isAny,
      })
      this.atNodes.set(key, packer)
    }
    return packer
  }

  /** Ids are never given again, so that packers for nodes that left would only gather. */
  #letGoOfNodesThatLeft(): void {
    const { nodeReads } = this.#sender
    for (const [key, { isEmpty }] of this.atNodes)
      if (isEmpty && !nodeReads.has(Math.floor(key / 4))) this.atNodes.delete(key)
  }

  #checkOpen(): void {
    if (this.#sender.isClosed) throw new RaftError('STOPPED', { what: 'the cluster' })
    if (this.#sender.pendingRoom.isOpenTo(this.pendingBytes)) return
    throw new RaftError('OVERLOADED', { what: `${this.pendingBytes} bytes of calls of this client` })
  }
}
