/** Clients that work on all members and go to the next one where a call fails. What they are told is kept for the judge. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Dice } from '../../../src/faults/index.js'
import { type Answer, EtcdClient, encode, type Message } from '../oracle/client.js'
import type { Event, Held, Lease, Read, Write } from './history.js'

/** Longer than an election, shorter than the servers' own time: an answer that comes later is one that nobody hears. */
const callTimeoutMs = 2000
const afterFailureMs = 20
/** The kind of error that gRPC tells when a call has not left the client. */
const notSent = 'No connection established'

interface KeyValue {
  readonly key: Buffer
  readonly value: Buffer
  readonly modRevision: string
}

/** What all clients of a run tell each other, and the judge. */
export class Told {
  readonly writes: Write[] = []
  readonly reads: Read[] = []
  readonly leases: (Lease & { endedAtMs: number | undefined })[] = []
  /** The highest revision that was told to anybody. */
  floor = 0
  isOver = false
}

/** One client, whose calls go to one member until one fails. */
export class Endpoints {
  readonly #clients: readonly EtcdClient[]
  #at: number

  constructor(endpoints: readonly string[], first: number) {
    this.#clients = endpoints.map((endpoint) => new EtcdClient(endpoint, callTimeoutMs))
    this.#at = first % endpoints.length
  }

  get current(): EtcdClient {
    return this.#clients[this.#at] as EtcdClient
  }

  moveOn(): void {
    this.#at = (this.#at + 1) % this.#clients.length
  }

  async call(name: string, request: Message): Promise<Answer> {
    const answer = await this.current.call(name, encode(name, request))
    if ('code' in answer) await this.#failed()
    return answer
  }

  async keepAlive(id: string): Promise<Answer> {
    const answer = await this.current.ask('Lease/LeaseKeepAlive', { ID: id })
    if ('code' in answer) await this.#failed()
    return answer
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  async #failed(): Promise<void> {
    this.moveOn()
    await delay(afterFailureMs)
  }
}

const bytes = (text: string): Buffer => Buffer.from(text)
const revisionOf = (response: Message): number =>
  Number((response['header'] as { revision: string }).revision)

export function heldOf(kvs: unknown): Held | undefined {
  const [kv] = kvs as KeyValue[]
  return kv && { value: kv.value.toString(), revision: Number(kv.modRevision) }
}

/** Reads and writes registers until the run is over. One that only reads stays at a member that no write gets through. */
export class Worker {
  readonly #endpoints: Endpoints
  readonly #told: Told
  readonly #dice: Dice
  readonly #name: string
  readonly #keys: readonly string[]
  readonly #readShare: number
  /** The revision at which this client last saw each key. */
  readonly #seen = new Map<string, number>()
  #count = 0

  constructor(
    endpoints: Endpoints,
    told: Told,
    dice: Dice,
    { name, keys, readShare }: { name: string; keys: readonly string[]; readShare: number },
  ) {
    this.#endpoints = endpoints
    this.#told = told
    this.#dice = dice
    this.#name = name
    this.#keys = keys
    this.#readShare = readShare
  }

  async run(): Promise<void> {
    while (!this.#told.isOver) {
      const key = this.#dice.pick(this.#keys) as string
      const what = this.#dice.next()
      if (this.#dice.chance(this.#readShare)) await this.#read(key)
      else if (what < 0.45) await this.#put(key)
      else if (what < 0.9) await this.#swap(key)
      else await this.#delete(key)
    }
  }

  async #read(key: string): Promise<void> {
    const { floor } = this.#told
    const answer = await this.#endpoints.call('KV/Range', { key: bytes(key) })
    if ('response' in answer) this.#wasRead(key, floor, answer.response, answer.response['kvs'])
  }

  async #put(key: string): Promise<void> {
    const value = this.#value()
    const { floor } = this.#told
    const answer = await this.#endpoints.call('KV/Put', { key: bytes(key), value: bytes(value) })
    this.#wrote({ type: 'put', key, value, floor, outcome: outcomeOf(answer) })
  }

  async #swap(key: string): Promise<void> {
    const value = this.#value()
    const { floor } = this.#told
    const expected = this.#seen.get(key) ?? 0
    const answer = await this.#endpoints.call('KV/Txn', {
      compare: [{ result: 0, target: 2, key: bytes(key), modRevision: expected }],
      success: [{ requestPut: { key: bytes(key), value: bytes(value) } }],
      failure: [{ requestRange: { key: bytes(key) } }],
    })
    if ('response' in answer && answer.response['succeeded'] !== true) {
      const [range] = answer.response['responses'] as { responseRange: Message }[]
      this.#wasRead(key, floor, answer.response, range?.responseRange['kvs'])
    } else this.#wrote({ type: 'swap', key, value, floor, expected, outcome: outcomeOf(answer) })
  }

  async #delete(key: string): Promise<void> {
    const { floor } = this.#told
    const answer = await this.#endpoints.call('KV/DeleteRange', { key: bytes(key) })
    if ('response' in answer && answer.response['deleted'] === '0')
      this.#wasRead(key, floor, answer.response, [])
    else this.#wrote({ type: 'delete', key, value: '', floor, outcome: outcomeOf(answer) })
  }

  #value(): string {
    return `${this.#name}.${++this.#count}`
  }

  #wasRead(key: string, floor: number, response: Message, kvs: unknown): void {
    const revision = revisionOf(response)
    const held = heldOf(kvs)
    this.#told.reads.push({ key, floor, revision, held })
    this.#told.floor = Math.max(this.#told.floor, revision)
    this.#seen.set(key, held?.revision ?? 0)
  }

  #wrote(write: Write): void {
    this.#told.writes.push(write)
    if (typeof write.outcome === 'string') return
    this.#told.floor = Math.max(this.#told.floor, write.outcome.done)
    this.#seen.set(write.key, write.type === 'delete' ? 0 : write.outcome.done)
  }
}

function outcomeOf(answer: Answer): Write['outcome'] {
  if ('response' in answer) return { done: revisionOf(answer.response) }
  return answer.details.startsWith(notSent) ? 'refused' : 'unknown'
}

/** Takes one lease after the other, keeps each alive for a while, and leaves it. */
export class Tenant {
  readonly #endpoints: Endpoints
  readonly #told: Told
  readonly #dice: Dice
  readonly #name: string
  #count = 0

  constructor(endpoints: Endpoints, told: Told, dice: Dice, name: string) {
    this.#endpoints = endpoints
    this.#told = told
    this.#dice = dice
    this.#name = name
  }

  async run(): Promise<void> {
    while (!this.#told.isOver) await this.#oneLease()
  }

  async #oneLease(): Promise<void> {
    const sentAtMs = performance.now()
    const answer = await this.#endpoints.call('Lease/LeaseGrant', { TTL: 2 })
    if (!('response' in answer)) return
    const { ID, TTL } = answer.response as { ID: string; TTL: string }
    const keys = [1, 2].map((at) => `l${this.#name}.${++this.#count}.${at}`)
    const lease = { id: ID, ttlMs: Number(TTL) * 1000, keys, keptAtMs: sentAtMs, endedAtMs: undefined }
    this.#told.leases.push(lease)
    for (const key of keys) await this.#put(key, ID)
    await this.#keep(lease)
  }

  async #put(key: string, lease: string): Promise<void> {
    const { floor } = this.#told
    const value = `${key} of ${lease}`
    const answer = await this.#endpoints.call('KV/Put', { key: bytes(key), value: bytes(value), lease })
    this.#told.writes.push({ type: 'put', key, value, floor, outcome: outcomeOf(answer) })
  }

  async #keep(lease: { id: string; keptAtMs: number; endedAtMs: number | undefined }): Promise<void> {
    const untilMs = performance.now() + this.#dice.between(0, 5000)
    while (performance.now() < untilMs && !this.#told.isOver && lease.endedAtMs === undefined) {
      const sentAtMs = performance.now()
      const answer = await this.#endpoints.keepAlive(lease.id)
      if (!('response' in answer)) continue
      if (Number(answer.response['TTL']) > 0) lease.keptAtMs = sentAtMs
      else lease.endedAtMs ??= performance.now()
      await delay(500)
    }
  }
}

interface ToldEvent {
  readonly type: number | string
  readonly kv: KeyValue
}

/** Watches all keys, at the next member whenever a stream breaks or tells nothing for a while, and now and then anyway. */
export class Watcher {
  readonly events: Event[] = []
  breaks = 0
  readonly from: number
  readonly #endpoints: Endpoints
  readonly #onEvent: (event: Event) => void
  /** A member that was cut from its clients does not say so. */
  readonly #silentMs: number
  #stop: () => void = () => undefined
  #isOver = false

  constructor(endpoints: Endpoints, from: number, onEvent: (event: Event) => void, silentMs = 1500) {
    this.#endpoints = endpoints
    this.from = from
    this.#onEvent = onEvent
    this.#silentMs = silentMs
  }

  get reached(): number {
    return this.events.at(-1)?.revision ?? 0
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      await this.#watchOne()
      if (this.#isOver) return
      this.breaks += 1
      this.#endpoints.moveOn()
      await delay(afterFailureMs)
    }
  }

  end(): void {
    this.#isOver = true
    this.#stop()
  }

  /** Resolves when the stream is over. */
  #watchOne(): Promise<void> {
    const stream = this.#endpoints.current.stream('Watch/Watch')
    const next = this.events.length === 0 ? this.from : this.reached + 1
    return new Promise((resolve) => {
      let told = true
      const leaving = setTimeout(() => this.#stop(), 2 * this.#silentMs)
      const timer = setInterval(() => {
        if (!told) this.#stop()
        told = false
      }, this.#silentMs)
      this.#stop = () => {
        clearInterval(timer)
        clearTimeout(leaving)
        stream.cancel()
        resolve()
      }
      stream.on('error', this.#stop)
      stream.on('end', this.#stop)
      stream.on('data', (response: Message) => {
        told = true
        for (const event of response['events'] as ToldEvent[]) this.#take(event)
        if (response['canceled'] === true) this.#stop()
      })
      stream.write({ createRequest: { key: bytes('k'), rangeEnd: bytes('m'), startRevision: next } })
    })
  }

  #take({ type, kv }: ToldEvent): void {
    const isPut = type === 0 || type === 'PUT'
    const event: Event = {
      revision: Number(kv.modRevision),
      type: isPut ? 'put' : 'delete',
      key: kv.key.toString(),
      value: isPut ? kv.value.toString() : '',
    }
    this.events.push(event)
    this.#onEvent(event)
  }
}
