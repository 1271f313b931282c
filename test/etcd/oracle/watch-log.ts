/** The responses of a stream of watches: for each watch its events and what became of it, in the order in which they came. */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { type Message, refusalOf } from './client.js'

interface Told extends Message {
  readonly watchId: string
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: string
  readonly cancelReason: string
  readonly fragment: boolean
  readonly header: { readonly revision: string }
  readonly events: readonly (Message & { readonly kv: { readonly modRevision: string } })[]
}

/** Each is a message of the server, less what depends on when the server sent it. */
export type Entry = Message

/** Progress is of the whole stream, and told under an id that a watch can have. */
export const progressLog = 'progress'
/** A watch that is not created has the id -1, which another one can have. */
const refusedLog = 'refused'

export class WatchLog {
  readonly #stream: ClientDuplexStream<Message, Message>
  readonly #logs = new Map<string, Entry[]>()
  readonly #waiting = new Set<() => void>()
  /** The revision of each watch's last event, and whether more events of it may follow. */
  readonly #last = new Map<string, { revision: string; open: boolean }>()
  /** Answers to creations, in the order of the requests. */
  readonly created: { readonly id: string; readonly canceled: boolean }[] = []
  ended: unknown

  constructor(stream: ClientDuplexStream<Message, Message>) {
    this.#stream = stream
    stream.on('data', (told: Told) => {
      this.#take(told)
      this.#wake()
    })
    stream.on('error', (error: ServiceError) => {
      this.ended = refusalOf(error)
      this.#wake()
    })
    stream.on('end', () => {
      this.ended ??= 'ended'
      this.#wake()
    })
  }

  write(request: Message): void {
    this.#stream.write(request)
  }

  /** Whether `condition` held within `withinMs`, or the stream ended first. */
  async until(condition: () => boolean, withinMs = 10_000): Promise<boolean> {
    const deadlineMs = performance.now() + withinMs
    while (!condition() && this.ended === undefined) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, leftMs)
        const waiting = this.#waiting
        waiting.add(wake)
        function wake(): void {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
      })
    }
    return true
  }

  entriesOf(id: string): readonly Entry[] {
    return this.#logs.get(id) ?? []
  }

  ids(): string[] {
    return [...this.#logs.keys()]
  }

  /** Whether the watch has told an event of this revision or a later one, or was cancelled. */
  hasReached(id: string, revision: number): boolean {
    const last = this.entriesOf(id).at(-1)
    return last?.['canceled'] === true || Number(this.#last.get(id)?.revision ?? 0) >= revision
  }

  end(): void {
    this.#stream.on('error', () => undefined)
    this.#stream.cancel()
  }

  #take(told: Told): void {
    const { watchId, created, canceled, compactRevision, cancelReason, header } = told
    const isProgress = !created && !canceled && told.events.length === 0
    const log = this.#log(isProgress ? progressLog : created && canceled ? refusedLog : watchId)
    for (const event of told.events) log.push({ event })
    if (told.events.length > 0) this.#checkWhole(log, told)
    if (created) this.created.push({ id: watchId, canceled })
    // An id that a canceled watch had begins anew: two watches may tell the same revision.
    if (created && !canceled) this.#last.delete(watchId)
    // A watch that was compacted away is cancelled when the server comes to it, at whatever revision.
    const revision = canceled && compactRevision !== '0' ? undefined : header.revision
    if (created || canceled) log.push({ created, canceled, compactRevision, cancelReason, revision })
    else if (isProgress) log.push({ watchId, progress: header.revision })
  }

  #log(id: string): Entry[] {
    const log = this.#logs.get(id) ?? []
    this.#logs.set(id, log)
    return log
  }

  /** Events of one revision are in one message, or in fragments that say so. The header is never older than its events. */
  #checkWhole(log: Entry[], { watchId, events, fragment, header }: Told): void {
    const last = this.#last.get(watchId)
    const first = events[0]?.kv.modRevision
    if (last !== undefined && last.revision === first && !last.open) log.push({ torn: first })
    const revision = events.at(-1)?.kv.modRevision ?? '0'
    if (BigInt(header.revision) < BigInt(revision)) log.push({ olderHeader: revision })
    this.#last.set(watchId, { revision, open: fragment })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
