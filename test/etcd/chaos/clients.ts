/** Clients that work on all members and go to the next one where a call fails. What they are told is recorded. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Dice } from '../../../src/faults/index.js'
import { type Answer, EtcdClient, encode, type Message } from '../oracle/client.js'
import { nowUs, type Recorder } from './recorder.js'

/** Longer than an election, shorter than the servers' own time: an answer that comes later is one that nobody hears. */
const callTimeoutMs = 2000
const afterFailureMs = 20
/** Keys with a lease, and all keys. */
export const everyKey = { key: Buffer.from('k'), rangeEnd: Buffer.from('m') }

/** What all clients of a run share. */
export class Told {
  readonly recorder: Recorder
  readonly leases = new Set<string>()
  /** The highest revision that was told to anybody. */
  revision = 0
  /** The highest revision that anybody asked to compact. */
  compacted = 0
  isOver = false

  constructor(recorder: Recorder) {
    this.recorder = recorder
  }
}

/** One client, whose calls go to one member until one fails. */
export class Endpoints {
  readonly name: string
  readonly #clients: readonly EtcdClient[]
  readonly #told: Told
  #at: number

  constructor(endpoints: readonly string[], first: number, name: string, told: Told) {
    this.#clients = endpoints.map((endpoint) => new EtcdClient(endpoint, callTimeoutMs))
    this.#at = first % endpoints.length
    this.name = name
    this.#told = told
  }

  get current(): EtcdClient {
    return this.#clients[this.#at] as EtcdClient
  }

  moveOn(): void {
    this.#at = (this.#at + 1) % this.#clients.length
  }

  async call(name: string, request: Message): Promise<Message | undefined> {
    const callUs = nowUs()
    const answer = await this.#answerTo(name, request)
    this.#told.recorder.ended(this.name, name, request, callUs, answer)
    if ('response' in answer) {
      const { revision = '0' } = (answer.response['header'] ?? {}) as { revision?: string }
      this.#told.revision = Math.max(this.#told.revision, Number(revision))
      return answer.response
    }
    this.moveOn()
    await delay(afterFailureMs)
    return undefined
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  #answerTo(name: string, request: Message): Promise<Answer> {
    if (name === 'Lease/LeaseKeepAlive') return this.current.ask(name, request)
    return this.current.call(name, encode(name, request))
  }
}

/** Reads and writes registers until the run is over. One that only reads stays at a member that no write gets through. */
export class Worker {
  readonly #endpoints: Endpoints
  readonly #told: Told
  readonly #dice: Dice
  readonly #keys: readonly string[]
  readonly #readShare: number
  /** The revision at which this client last saw each key. */
  readonly #seen = new Map<string, string>()
  #count = 0

  constructor(
    endpoints: Endpoints,
    told: Told,
    dice: Dice,
    { keys, readShare }: { keys: readonly string[]; readShare: number },
  ) {
    this.#endpoints = endpoints
    this.#told = told
    this.#dice = dice
    this.#keys = keys
    this.#readShare = readShare
  }

  async run(): Promise<void> {
    while (!this.#told.isOver) {
      const key = Buffer.from(this.#dice.pick(this.#keys) as string)
      const what = this.#dice.next()
      if (this.#dice.chance(this.#readShare)) await this.#read(key)
      else if (what < 0.4) await this.#endpoints.call('KV/Put', { key, value: this.#value() })
      else if (what < 0.7) await this.#swap(key)
      else if (what < 0.85) await this.#writePair(key)
      else await this.#endpoints.call('KV/DeleteRange', { key })
    }
  }

  #oldRevision(): number {
    const { revision } = this.#told
    return Math.floor(this.#dice.between(Math.max(1, revision - 100), revision))
  }

  async #read(key: Buffer): Promise<void> {
    const span = this.#dice.chance(0.2) ? everyKey : { key }
    const isOld = this.#dice.chance(0.1) && this.#told.revision > 1
    const how = isOld ? { revision: this.#oldRevision() } : { serializable: this.#dice.chance(0.2) }
    const response = await this.#endpoints.call('KV/Range', { ...span, ...how })
    if (response !== undefined && !isOld) this.#saw(response['kvs'])
  }

  async #swap(key: Buffer): Promise<void> {
    const modRevision = this.#seen.get(key.toString()) ?? '0'
    const response = await this.#endpoints.call('KV/Txn', {
      compare: [{ result: 0, target: 2, key, modRevision }],
      success: [{ requestPut: { key, value: this.#value() } }],
      failure: [{ requestRange: { key } }],
    })
    if (response === undefined) return
    if (response['succeeded'] === true)
      this.#seen.set(key.toString(), (response['header'] as { revision: string }).revision)
    else this.#saw((response['responses'] as { responseRange: Message }[])[0]?.responseRange['kvs'])
  }

  /** Two keys in one revision, the other one deleted now and then. */
  async #writePair(key: Buffer): Promise<void> {
    const other = Buffer.from(this.#keys.find((each) => each !== key.toString()) as string)
    const second = this.#dice.chance(0.7)
      ? { requestPut: { key: other, value: this.#value() } }
      : { requestDeleteRange: { key: other } }
    const success = [{ requestPut: { key, value: this.#value() } }, second, { requestRange: everyKey }]
    await this.#endpoints.call('KV/Txn', { success })
  }

  /** No other write has it. */
  #value(): Buffer {
    return Buffer.from(`${this.#endpoints.name}.${++this.#count}`)
  }

  #saw(kvs: unknown): void {
    for (const kv of kvs as { key: Buffer; modRevision: string }[])
      this.#seen.set(kv.key.toString(), kv.modRevision)
  }
}

/** Takes one lease after the other, keeps each alive for a while, and leaves or revokes it. */
export class Tenant {
  readonly #endpoints: Endpoints
  readonly #told: Told
  readonly #dice: Dice
  #count = 0

  constructor(endpoints: Endpoints, told: Told, dice: Dice) {
    this.#endpoints = endpoints
    this.#told = told
    this.#dice = dice
  }

  async run(): Promise<void> {
    while (!this.#told.isOver) await this.#oneLease()
  }

  async #oneLease(): Promise<void> {
    const granted = await this.#endpoints.call('Lease/LeaseGrant', { TTL: 2 })
    if (granted === undefined) return
    const lease = String(granted['ID'])
    this.#told.leases.add(lease)
    for (const at of [1, 2]) {
      const key = Buffer.from(`l${this.#endpoints.name}.${++this.#count}.${at}`)
      await this.#endpoints.call('KV/Put', { key, value: Buffer.from(`${key} of ${lease}`), lease })
    }
    await this.#keep(lease)
    if (this.#dice.chance(0.3)) await this.#endpoints.call('Lease/LeaseRevoke', { ID: lease })
  }

  async #keep(id: string): Promise<void> {
    const untilMs = performance.now() + this.#dice.between(0, 5000)
    while (performance.now() < untilMs && !this.#told.isOver) {
      const response = await this.#endpoints.call('Lease/LeaseKeepAlive', { ID: id })
      if (response !== undefined && Number(response['TTL']) <= 0) return
      await delay(500)
    }
  }
}

/** Compacts all but the last revisions now and then. */
export class Compactor {
  readonly #endpoints: Endpoints
  readonly #told: Told
  readonly #gapMs = 3000
  readonly #kept = 60

  constructor(endpoints: Endpoints, told: Told) {
    this.#endpoints = endpoints
    this.#told = told
  }

  async run(): Promise<void> {
    for (let nextMs = performance.now() + this.#gapMs; !this.#told.isOver; await delay(50)) {
      const revision = this.#told.revision - this.#kept
      if (performance.now() < nextMs || revision <= this.#told.compacted) continue
      this.#told.compacted = revision
      await this.#endpoints.call('KV/Compact', { revision })
      nextMs = performance.now() + this.#gapMs
    }
  }
}

/** Watches all keys, at the next member whenever a stream breaks or tells nothing for a while, and now and then anyway. */
export class Watcher {
  breaks = 0
  /** The last revision that came whole. */
  reached: number
  readonly #endpoints: Endpoints
  readonly #recorder: Recorder
  /** A member that was cut from its clients does not say so. */
  readonly #silentMs: number
  #stop: () => void = () => undefined
  #isOver = false

  constructor(endpoints: Endpoints, from: number, recorder: Recorder, silentMs = 1500) {
    this.#endpoints = endpoints
    this.reached = from - 1
    this.#recorder = recorder
    this.#silentMs = silentMs
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
    const { name } = this.#endpoints
    const watch = `${name}.${this.breaks}`
    return new Promise((resolve) => {
      let isLive = true
      const leaving = setTimeout(() => this.#stop(), 2 * this.#silentMs)
      const timer = setInterval(() => {
        if (!isLive) this.#stop()
        isLive = false
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
        isLive = true
        this.#recorder.watched(name, watch, response)
        this.#take(response)
      })
      const createRequest = { ...everyKey, startRevision: this.reached + 1 }
      this.#recorder.watches(name, watch, createRequest)
      stream.write({ createRequest })
    })
  }

  #take({ events, fragment, canceled, compactRevision }: Message): void {
    const last = (events as { kv: { modRevision: string } }[]).at(-1)
    if (last !== undefined) this.reached = Number(last.kv.modRevision) - (fragment === true ? 1 : 0)
    if (canceled !== true) return
    if (compactRevision !== '0') this.reached = Number(compactRevision) - 1
    this.#stop()
  }
}
