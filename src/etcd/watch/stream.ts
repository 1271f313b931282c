/** The watches of one client on one stream: what the client asks for, and what it is told, as etcd 3.4 does both. */
import { receivedBytesMax } from '../limits.js'
import type { WatchEvent } from './history.js'
import type { WatchHub } from './hub.js'
import {
  canceled,
  cancelReasonBytes,
  compactRevisionBytes,
  created,
  fragment,
  watchIdBytes,
} from './messages.js'
import { endless } from './ranges.js'
import type { Listener, Watcher } from './watcher.js'

/** etcd's interval of progress notifications, and the random part of it that keeps clients apart. */
const progressMs = 10 * 60 * 1000
const progressJitterMs = progressMs / 10

/** Requests that wait for the member. More are left to the connection. */
const requestsMax = 256

/** The watch id of a response that is of no watch, or of one that was not created. */
const noWatchId = watchIdBytes('-1')

export interface CreateRequest {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
  readonly startRevision: string
  readonly progressNotify: boolean
  readonly filters: readonly number[]
  readonly prevKv: boolean
  readonly watchId: string
  readonly fragment: boolean
}

/** At most one of the fields is set. */
export interface WatchRequest {
  readonly createRequest?: CreateRequest | null
  readonly cancelRequest?: { readonly watchId: string } | null
  readonly progressRequest?: object | null
}

/** The client's connection. */
export interface Outlet {
  readonly hasRoom: boolean
  write(response: Buffer): void
  /** No more requests are wanted, or they are again. */
  pause(): void
  resume(): void
  fail(error: unknown): void
}

export class WatchStream implements Listener {
  readonly requests: WatchRequest[] = []
  readonly #hub: WatchHub
  readonly #outlet: Outlet
  readonly #watchers = new Map<string, Watcher>()
  #nextId = 0
  #progress: NodeJS.Timeout | undefined

  constructor(hub: WatchHub, outlet: Outlet) {
    this.#hub = hub
    this.#outlet = outlet
    hub.open(this)
  }

  get hasRoom(): boolean {
    return this.#outlet.hasRoom
  }

  /** The client asks. Requests are served in their order, each with a revision that is no older than it. */
  receive(request: WatchRequest): void {
    this.requests.push(request)
    this.#breathe()
    this.#hub.ask(this)
  }

  /** The client has read. */
  drained(): void {
    this.#breathe()
    this.#hub.wake()
  }

  close(): void {
    clearInterval(this.#progress)
    for (const watcher of this.#watchers.values()) this.#hub.delete(watcher)
    this.#hub.close(this)
  }

  serve(count: number, revision: number): void {
    for (const request of this.requests.splice(0, count)) {
      if (request.createRequest) this.#create(request.createRequest, revision)
      else if (request.cancelRequest) this.#cancel(request.cancelRequest.watchId, revision)
      else if (request.progressRequest) this.#hub.askProgress(this, revision)
    }
    this.#breathe()
  }

  sendEvents(watcher: Watcher, header: Buffer, events: readonly WatchEvent[]): void {
    const parts = events.map(({ bytes, bytesWithPrev }) => (watcher.prevKv ? bytesWithPrev : bytes))
    const head = Buffer.concat([header, watcher.idBytes])
    if (watcher.fragment) for (const part of fragments(head, parts)) this.#outlet.write(part)
    else this.#outlet.write(Buffer.concat([head, ...parts]))
  }

  sendProgress(header: Buffer): void {
    this.#send(header, noWatchId)
  }

  sendCompacted(watcher: Watcher, header: Buffer, compactRevision: number): void {
    this.#send(header, watcher.idBytes, canceled, compactRevisionBytes(compactRevision))
  }

  fail(error: unknown): void {
    this.#outlet.fail(error)
  }

  #create(request: CreateRequest, revision: number): void {
    const header = this.#hub.headerOf(revision)
    const refuse = (reason: string): void =>
      this.#send(header, noWatchId, created, canceled, cancelReasonBytes(reason))
    const range = rangeOf(request)
    if (range.end !== undefined && range.key >= range.end) return refuse('mvcc: watcher range is empty')
    const id = request.watchId === '0' ? this.#newId() : request.watchId
    if (this.#watchers.has(id)) return refuse('mvcc: duplicate watch ID provided on the WatchStream')
    const start = Number(request.startRevision)
    const watcher: Watcher = {
      ...range,
      listener: this,
      idBytes: watchIdBytes(id),
      noPut: request.filters.includes(0),
      noDelete: request.filters.includes(1),
      prevKv: request.prevKv,
      fragment: request.fragment,
      progressNotify: request.progressNotify,
      next: start === 0 ? revision + 1 : start,
      hasSent: false,
    }
    this.#watchers.set(id, watcher)
    this.#send(header, watcher.idBytes, created)
    this.#hub.add(watcher)
    if (watcher.progressNotify) this.#progress ??= this.#notifyProgress()
  }

  /** A watch that history left behind keeps its id until the client cancels it too. */
  #cancel(id: string, revision: number): void {
    const watcher = this.#watchers.get(id)
    if (watcher === undefined) return
    this.#watchers.delete(id)
    this.#hub.delete(watcher)
    this.#send(this.#hub.headerOf(revision), watcher.idBytes, canceled)
  }

  #newId(): string {
    while (this.#watchers.has(String(this.#nextId))) this.#nextId++
    return String(this.#nextId++)
  }

  #notifyProgress(): NodeJS.Timeout {
    const notify = (): void => {
      for (const watcher of this.#watchers.values()) {
        if (!watcher.progressNotify) continue
        if (!watcher.hasSent && this.hasRoom && this.#hub.isInStep(watcher))
          this.#send(this.#hub.header(), watcher.idBytes)
        watcher.hasSent = false
      }
    }
    return setInterval(notify, progressMs + Math.random() * progressJitterMs)
  }

  /** Takes no more requests while the client does not read, or more of them wait than is good. */
  #breathe(): void {
    if (this.hasRoom && this.requests.length < requestsMax) this.#outlet.resume()
    else this.#outlet.pause()
  }

  #send(...parts: readonly Uint8Array[]): void {
    this.#outlet.write(Buffer.concat(parts))
  }
}

/** The smallest key is one byte 0. An end of one byte 0 means all keys from the first on. */
function rangeOf({ key, rangeEnd }: CreateRequest): {
  readonly key: string
  readonly end: string | undefined
} {
  const first = key.byteLength === 0 ? '\0' : latin1(key)
  if (rangeEnd.byteLength === 0) return { key: first, end: undefined }
  const end = latin1(rangeEnd)
  return { key: first, end: end === '\0' ? endless : end }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Responses below the limit, with at least one event each: all but the last say that more fragments follow. */
function* fragments(head: Buffer, events: readonly Buffer[]): Iterable<Buffer> {
  let piece: Buffer[] = []
  let bytes = head.byteLength
  for (const event of events) {
    if (piece.length > 0 && bytes + event.byteLength + fragment.byteLength >= receivedBytesMax) {
      yield Buffer.concat([head, fragment, ...piece])
      piece = []
      bytes = head.byteLength
    }
    piece.push(event)
    bytes += event.byteLength
  }
  yield Buffer.concat([head, ...piece])
}
