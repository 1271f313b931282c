/**
 * A client's connection of gRPC, of whose calls the short and frequent ones are answered here: unary methods whose
 * requests and responses are bytes. gRPC's own server, which takes ten times as long for a call, serves all else over the
 * same connection.
 */
import type { Duplex } from 'node:stream'
import { Metadata } from '@grpc/grpc-js'
import { codes as statuses } from '../errors.js'
import {
  type Call,
  type CallHeader,
  headOf,
  type Methods,
  meaningOf,
  messageIn,
  newCall,
  readHead,
  tooLate,
} from './calls.js'
import { Deadlines } from './deadlines.js'
import { Elsewhere } from './elsewhere.js'
import {
  ConnectionError,
  codes,
  contentOf,
  type Frame,
  FrameReader,
  firstWindow,
  flags,
  frame,
  goAway,
  isOfStream,
  narrowed,
  preface,
  rstStream,
  settings,
  settingsAck,
  settingsFrame,
  settingsIn,
  types,
  wholeOf,
  windowMax,
  windowUpdate,
} from './frames.js'
import { HeaderBlocks } from './header-blocks.js'
import { HpackDecoder, HpackError } from './hpack.js'
import { messageHeadBytes, Outlet } from './outlet.js'
import { PingLimit } from './ping-limit.js'
import { takenBytesMin, UnfinishedRequests } from './unfinished.js'

export interface LaneOptions {
  readonly methods: Methods
  /** Calls of a connection at a time. */
  readonly streamsMax: number
  readonly messageBytesMax: number
  /** gRPC's own server. */
  readonly elsewhere: (connection: Duplex) => void
}

/** Bytes of DATA that a client may send before they are taken. */
const connectionWindow = 1 << 20

const noMetadata = new Metadata()
const noBytes = Buffer.alloc(0)
const noMessage = 'grpc: a request is no whole message'
const tooMany = 'etcdserver: too many requests'

export class Lane {
  readonly #options: LaneOptions
  readonly #outlet: Outlet
  readonly #frames: FrameReader
  readonly #blocks: HeaderBlocks
  readonly #headers: HpackDecoder<CallHeader>
  readonly #unfinished: UnfinishedRequests
  readonly #calls = new Map<number, Call>()
  readonly #deadlines = new Deadlines(this.#calls, (call) => this.#expire(call))
  /** Calls that nobody waits for any more, and whose methods go on. */
  #givenUp = 0
  readonly #elsewhere: Elsewhere
  readonly #settings = new Map<number, number>()
  readonly #pings = new PingLimit()
  #lastStreamId = 0
  /** Bytes of DATA that the client may send on the connection. */
  #receiveWindow = connectionWindow
  /** Since the client was told of room on the connection. */
  #bytesTaken = 0
  #prefaceLeft = preface.length
  /** gRPC's server has closed its end, and answers are on their way. */
  #isLeaving = false
  #isOver = false

  constructor(connection: Duplex, options: LaneOptions) {
    this.#options = options
    this.#outlet = new Outlet(connection, (streamId) => this.#forget(streamId))
    this.#elsewhere = new Elsewhere({
      settings: this.#settings,
      outlet: this.#outlet,
      serve: options.elsewhere,
      taken: (bytes) => this.#taken(bytes),
      answers: () => this.#pings.forgive(),
      lastStreamId: () => this.#lastStreamId,
      ended: () => this.#leave(),
    })
    this.#frames = new FrameReader((each) => this.#take(each))
    this.#blocks = new HeaderBlocks((...block) => this.#takeBlock(...block))
    this.#unfinished = new UnfinishedRequests((streamId, bytes) =>
      this.#outlet.send(windowUpdate(streamId, bytes)),
    )
    this.#headers = new HpackDecoder((name, value) => meaningOf(name, value, options.methods))
    this.#outlet.send(settingsFrame(new Map([[settings.maxConcurrentStreams, options.streamsMax]])))
    this.#outlet.send(windowUpdate(0, connectionWindow - firstWindow))
    connection.on('data', (bytes: Buffer) => this.#read(bytes))
    connection.on('end', () => this.#end())
    connection.on('close', () => this.#close())
  }

  #read(bytes: Buffer): void {
    if (this.#isOver) return
    try {
      this.#frames.read(this.#prefaceLeft > 0 ? this.#readPreface(bytes) : bytes)
    } catch (error) {
      if (error instanceof ConnectionError) this.#giveUp(error.code)
      else if (error instanceof HpackError) this.#giveUp(codes.compressionError)
      else throw error
    }
  }

  #readPreface(bytes: Buffer): Buffer {
    const length = Math.min(this.#prefaceLeft, bytes.length)
    const start = preface.length - this.#prefaceLeft
    if (!preface.subarray(start, start + length).equals(bytes.subarray(0, length))) {
      throw new ConnectionError(codes.protocolError, 'the connection does not begin as HTTP/2')
    }
    this.#prefaceLeft -= length
    return bytes.subarray(length)
  }

  #take(each: Frame): void {
    if (this.#isOver) return
    if (this.#blocks.isOpen && each.type !== types.continuation) {
      throw new ConnectionError(codes.protocolError, 'a block of headers is not finished')
    }
    if (each.streamId === 0 && isOfStream(each.type)) {
      throw new ConnectionError(codes.protocolError, 'a frame of a stream names none')
    }
    switch (each.type) {
      case types.data:
        return this.#takeData(each)
      case types.headers:
        return this.#blocks.begin(each)
      case types.continuation:
        return this.#blocks.goOn(each)
      case types.settings:
        return this.#takeSettings(each)
      case types.windowUpdate:
        return this.#takeWindowUpdate(each)
      case types.rstStream:
        return this.#takeReset(each)
      case types.ping:
        return this.#takePing(each)
      // A client that leaves still waits for its answers: gRPC's server, if told, would close the connection under them.
      case types.goAway:
        return
      case types.pushPromise:
        throw new ConnectionError(codes.protocolError, 'a client promises nothing')
    }
  }

  #takeBlock(first: Frame, bytes: Buffer, start: number, end: number): void {
    const headers: CallHeader[] = []
    this.#headers.decode(bytes, start, end, headers)
    const { streamId } = first
    const isLast = (first.flags & flags.endStream) !== 0
    const call = this.#calls.get(streamId)
    if (call?.hasEnded) throw new ConnectionError(codes.streamClosed, 'a request goes on after its end')
    if (call !== undefined) {
      return isLast ? this.#performWhole(call) : this.#reset(streamId, codes.protocolError)
    }
    if (this.#elsewhere.has(streamId)) return this.#elsewhere.headers(streamId, isLast, headers)
    // A stream that is over: the client may not know it yet.
    if (streamId <= this.#lastStreamId) return
    if (streamId % 2 === 0) throw new ConnectionError(codes.protocolError, 'the stream of a server')
    this.#lastStreamId = streamId
    if (
      this.#isLeaving ||
      this.#givenUp + this.#calls.size + this.#elsewhere.size >= this.#options.streamsMax
    ) {
      return this.#outlet.send(rstStream(streamId, codes.refusedStream))
    }
    const { method, timeoutMs, refusal } = headOf(headers)
    if (refusal !== undefined) return this.#outlet.refuse(streamId, isLast, refusal)
    if (method === undefined || isLast) return this.#elsewhere.headers(streamId, isLast, headers)
    const window = this.#settings.get(settings.initialWindowSize) ?? firstWindow
    const deadlineMs = timeoutMs === undefined ? undefined : performance.now() + timeoutMs
    this.#calls.set(streamId, newCall(streamId, method, window, deadlineMs))
    if (deadlineMs !== undefined) this.#deadlines.add(deadlineMs)
  }

  #takeData(each: Frame): void {
    const { streamId } = each
    // Padding counts, too.
    const length = each.end - each.start
    this.#receiveWindow = narrowed(this.#receiveWindow, length)
    const call = this.#calls.get(streamId)
    if (call === undefined) {
      if (!this.#elsewhere.takesData(each)) this.#taken(length)
      return
    }
    if (call.hasEnded) throw new ConnectionError(codes.streamClosed, 'a request goes on after its end')
    call.receiveWindow = narrowed(call.receiveWindow, length)
    this.#taken(length)
    const { start, end } = contentOf(each)
    const isLast = (each.flags & flags.endStream) !== 0
    // The whole request in one frame, as it nearly always comes.
    if (isLast && call.length === 0 && end - start <= messageHeadBytes + this.#options.messageBytesMax) {
      return this.#perform(call, messageIn(each.bytes, start, end))
    }
    if (!this.#append(call, each.bytes, start, end)) return
    if (isLast) return this.#performWhole(call)
    this.#unfinished.taken(call, length)
  }

  /** `false`: the call has been refused. */
  #append(call: Call, bytes: Buffer, start: number, end: number): boolean {
    readHead(call, bytes, start, end)
    const { messageBytes } = call
    const bytesMax = this.#options.messageBytesMax
    if (messageBytes !== undefined && messageBytes > bytesMax) {
      const details = `grpc: received message larger than max (${messageBytes} vs. ${bytesMax})`
      this.#refuse(call, statuses.resourceExhausted, details)
    } else if (messageBytes !== undefined && call.length + end - start > messageHeadBytes + messageBytes) {
      this.#refuse(call, statuses.internal, noMessage)
    } else if (this.#unfinished.append(call, bytes, start, end)) return true
    else this.#refuse(call, statuses.resourceExhausted, tooMany)
    return false
  }

  #performWhole(call: Call): void {
    this.#perform(call, messageIn(call.bytes, 0, call.length))
    call.bytes = noBytes
  }

  #takeSettings(each: Frame): void {
    if ((each.flags & flags.ack) !== 0) return
    const values = settingsIn(each)
    const before = this.#settings.get(settings.initialWindowSize) ?? firstWindow
    for (const [setting, value] of values) this.#settings.set(setting, value)
    const now = this.#settings.get(settings.initialWindowSize) ?? firstWindow
    if (now > windowMax) throw new ConnectionError(codes.flowControlError, 'a window is too wide')
    for (const call of this.#calls.values()) {
      call.window += now - before
      if (call.window > windowMax) throw new ConnectionError(codes.flowControlError, 'a window is too wide')
    }
    this.#outlet.send(settingsAck())
    this.#outlet.changed()
    this.#elsewhere.set(values)
  }

  #takeWindowUpdate(each: Frame): void {
    const { streamId } = each
    const increment = each.bytes.readUInt32BE(each.start) & windowMax
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(codes.protocolError, 'a window widens by nothing')
      return this.#outlet.widen(increment)
    }
    const call = this.#calls.get(streamId)
    if (call === undefined) {
      if (this.#elsewhere.has(streamId)) this.#elsewhere.send(each)
      return
    }
    if (increment === 0) return this.#reset(streamId, codes.protocolError)
    if (call.window + increment > windowMax) return this.#reset(streamId, codes.flowControlError)
    call.window += increment
    this.#outlet.changed()
  }

  #takeReset(each: Frame): void {
    if (!this.#giveUpCall(each.streamId)) this.#elsewhere.reset(each.streamId, wholeOf(each))
  }

  /** The client has broken a rule on the stream of a call, and its other streams go on. */
  #reset(streamId: number, code: number): void {
    this.#giveUpCall(streamId)
    this.#outlet.send(rstStream(streamId, code))
  }

  /** `false`: no call has this stream. */
  #giveUpCall(streamId: number): boolean {
    const call = this.#calls.get(streamId)
    if (call === undefined) return false
    call.isReset = true
    if (call.isDue) this.#givenUp++
    this.#unfinished.release(call)
    this.#forget(streamId)
    this.#outlet.changed()
    return true
  }

  /** Pings of gRPC's server pass through here, and so do the answers to them. */
  #takePing(each: Frame): void {
    if ((each.flags & flags.ack) !== 0) return this.#elsewhere.send(each)
    const hasCalls = this.#calls.size + this.#elsewhere.size > 0
    if (!this.#pings.allows(hasCalls)) return this.#giveUp(codes.enhanceYourCalm, 'too_many_pings')
    this.#outlet.send(frame(types.ping, flags.ack, 0, each.bytes.subarray(each.start, each.end)))
  }

  /** DATA has been taken: the client may send as much again. */
  #taken(bytes: number): void {
    this.#bytesTaken += bytes
    if (this.#bytesTaken < takenBytesMin) return
    this.#receiveWindow += this.#bytesTaken
    this.#outlet.send(windowUpdate(0, this.#bytesTaken))
    this.#bytesTaken = 0
  }

  /** `undefined`: the client has sent no whole message. */
  #perform(call: Call, request: Buffer | undefined): void {
    if (call.hasEnded) throw new ConnectionError(codes.streamClosed, 'a request ends twice')
    call.hasEnded = true
    if (call.length > 0) this.#unfinished.release(call)
    if (request === undefined) {
      return this.#refuse(call, statuses.internal, noMessage)
    }
    if (this.#outlet.isOverfull) {
      return this.#refuse(call, statuses.resourceExhausted, tooMany)
    }
    if (call.deadlineMs <= performance.now()) {
      return this.#refuse(call, tooLate.code, tooLate.details)
    }
    call.isDue = true
    call.method({ request, metadata: noMetadata }, (error, response) => {
      call.isDue = false
      if (call.isReset) this.#givenUp--
      if (call.isReset || this.#isOver) return
      this.#pings.forgive()
      if (error) this.#refuse(call, error.code ?? statuses.unknown, error.details ?? '')
      else this.#outlet.answer(call, response ?? noBytes)
      // The call has been served: an error would tell its client that it was not. A lost connection tells it nothing.
      if (this.#outlet.isOverfull) this.#giveUp(codes.enhanceYourCalm)
    })
  }

  /** The client's time is over while its request comes or its method runs. An answer that has begun goes on. */
  #expire(call: Call): void {
    if (this.#isOver || (call.hasEnded && !call.isDue)) return
    if (call.isDue) this.#givenUp++
    call.isReset = true
    this.#refuse(call, tooLate.code, tooLate.details)
  }

  #refuse(call: Call, code: number, details: string): void {
    this.#unfinished.release(call)
    this.#outlet.refuse(call.streamId, call.hasEnded, { code, details })
    this.#forget(call.streamId)
  }

  /** The call is over. */
  #forget(streamId: number): void {
    this.#calls.delete(streamId)
    if (this.#isLeaving) this.#endIfIdle()
  }

  /** gRPC's server has closed its end: no call may begin, and those on their way are answered. */
  #leave(): void {
    if (this.#isOver) return
    this.#isLeaving = true
    this.#outlet.send(goAway(this.#lastStreamId, codes.noError))
    this.#endIfIdle()
  }

  #endIfIdle(): void {
    for (const call of this.#calls.values()) if (call.hasEnded) return
    this.#end()
  }

  /** The client has made a connection of which nothing more can be understood. */
  #giveUp(code: number, why?: string): void {
    this.#outlet.send(goAway(this.#lastStreamId, code, why))
    this.#end()
  }

  /** No more is read, and what has been answered leaves. */
  #end(): void {
    if (this.#isOver) return
    this.#close()
    this.#outlet.end()
  }

  #close(): void {
    this.#isOver = true
    this.#deadlines.close()
    this.#elsewhere.close()
  }
}
