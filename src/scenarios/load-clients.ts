/**
 * Clients that write and read keys of their own, and enter all that they are told into the ledger. Now and then one looks at a
 * key of the next client.
 */
import type { Random } from '../raft/index.js'
import type { CallEnd, Host } from './host.js'
import type { Ledger, Shown } from './ledger.js'
import type { Outages } from './outages.js'
import type { RecordedCalls } from './recorded-calls.js'
import type { LoadShape } from './scenario.js'

export const keysOfClient = 8
/** Calls of which one is a read. */
const readEvery = 5
/** Calls of which one reads a key of another client. */
const lookEvery = 10
const readAgainMs = 100

/** Where the clients enter what they are told. */
export interface Books {
  readonly ledger: Ledger
  readonly recorded: RecordedCalls
  readonly outages: Outages
}

export class LoadClients {
  readonly #host: Host
  readonly #ledger: Ledger
  readonly #recorded: RecordedCalls
  readonly #outages: Outages
  readonly #shape: LoadShape
  readonly #random: Random
  readonly #padding: string
  /** Clients that shall call; those above this count stop once their call has ended. */
  #wanted = 0
  readonly #calling = new Set<number>()
  /** Writes of each client, over all times that it called. */
  readonly #writes: number[] = []
  /** Calls that were told as not done, by code. */
  readonly refusals = new Map<string, number>()

  constructor(host: Host, { ledger, recorded, outages }: Books, shape: LoadShape, random: Random) {
    this.#host = host
    this.#ledger = ledger
    this.#recorded = recorded
    this.#outages = outages
    this.#shape = shape
    this.#random = random
    this.#padding = '.'.repeat(shape.size)
  }

  /** No call is on its way, and none will be made. */
  get isIdle(): boolean {
    return this.#calling.size === 0
  }

  /** From now on so many clients call; 0: none. */
  run(clients: number): void {
    const nowMs = this.#host.now()
    if (clients > 0) this.#outages.begin(nowMs)
    else this.#outages.end(nowMs)
    this.#wanted = clients
    for (let client = 0; client < clients; client++) {
      if (this.#calling.has(client)) continue
      this.#calling.add(client)
      // Clients that all call at one moment would make a rhythm of their own.
      this.#later(client, this.#random.next() * this.#gapMs())
    }
  }

  /** Reads every key that was written, again where that fails, for as long as the key is in the answer. */
  readBack(): Set<string> {
    const unread = new Set(this.#ledger.keys)
    const read = (key: string): void => {
      if (!unread.has(key)) return
      this.#get('at the end', key, (end) => {
        if (end.type !== 'read') return this.#host.later(readAgainMs, () => read(key))
        if (unread.delete(key)) this.#enterRead(key, end)
      })
    }
    for (const key of unread) read(key)
    return unread
  }

  #gapMs(): number {
    return (1000 * this.#wanted) / this.#shape.rate
  }

  #later(client: number, ms: number): void {
    this.#host.later(ms, () => this.#call(client))
  }

  #call(client: number): void {
    if (client >= this.#wanted) return void this.#calling.delete(client)
    const startMs = this.#host.now()
    const next = (): void => {
      const waitMs = startMs + this.#gapMs() - this.#host.now()
      if (waitMs > 0) this.#later(client, waitMs)
      else this.#call(client)
    }
    const count = (this.#writes[client] ?? 0) + 1
    this.#writes[client] = count
    const key = `client-${client}-${count % keysOfClient}`
    if (count % lookEvery === 0 && this.#wanted > 1) return this.#look(client, count, next)
    if (count % readEvery === 0) return this.#read(client, key, next)
    // The value is unlike all others, so that a read tells which write it shows.
    const tag = `${client}:${count}`
    const recordEnd = this.#recorded.begin({ client, op: 'put', key, value: tag })
    this.#host.put(key, this.#valueOf(tag), (end) => {
      recordEnd(end)
      this.#enterWrite(key, tag, end)
      next()
    })
  }

  #read(client: number, key: string, next: () => void): void {
    this.#get(client, key, (end) => {
      if (end.type === 'read') this.#enterRead(key, end)
      else if (end.type === 'notDone') this.#count(end.code)
      next()
    })
  }

  /** Calls of the key's own client may be on their way: the ledger cannot judge the answer, and the history can. */
  #look(client: number, count: number, next: () => void): void {
    const key = `client-${(client + 1) % this.#wanted}-${Math.floor(count / lookEvery) % keysOfClient}`
    this.#get(client, key, (end) => {
      if (end.type === 'notDone') this.#count(end.code)
      next()
    })
  }

  #get(client: number | string, key: string, done: (end: CallEnd) => void): void {
    const recordEnd = this.#recorded.begin({ client, op: 'get', key })
    this.#host.get(key, (end) => {
      recordEnd(end, end.type === 'read' ? this.#tagOf(end.value) : undefined)
      done(end)
    })
  }

  #enterWrite(key: string, tag: string, end: CallEnd): void {
    switch (end.type) {
      case 'written':
        this.#outages.acknowledged(this.#host.now())
        return this.#ledger.written(key, tag, end.revision)
      case 'notDone':
        this.#ledger.notDone++
        return this.#count(end.code)
      default:
        return this.#ledger.mayBeWritten(key, tag)
    }
  }

  #enterRead(key: string, shown: Shown): void {
    this.#ledger.read(key, { ...shown, value: this.#tagOf(shown.value) })
  }

  /** The tag of a value. Bytes that no client wrote are told as they are. */
  #tagOf(value: string | undefined): string | undefined {
    if (value === undefined) return undefined
    const [tag = ''] = value.split(' ', 1)
    return value === this.#valueOf(tag) ? tag : value.slice(0, 100)
  }

  #valueOf(tag: string): string {
    return `${tag} ${this.#padding}`.slice(0, Math.max(this.#shape.size, tag.length + 1))
  }

  #count(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
  }
}
