/** A server under a program: what the program's names mean there, and its answers in a form that can be compared. */
import { type Answer, EtcdClient, encode, type Message } from './client.js'
import { type AfterChange, Members } from './members-met.js'
import {
  type Garble,
  garbled,
  type Meanings,
  type MemberName,
  type Operation,
  type RevisionName,
  resolve,
} from './program.js'
import { WatchLog } from './watch-log.js'

/** Names of a member that each server chooses for itself, and the term, which is the member's past. */
const ownFields = new Set(['clusterId', 'memberId', 'raftTerm'])

/** The server under a side. */
export interface Asked {
  readonly endpoint: string
  readonly afterChange?: AfterChange
  /** Peer URLs for the members that programs add and somebody starts. Without them, added members never run. */
  readonly peerUrls?: readonly string[]
}

export class Side implements Meanings {
  readonly client: EtcdClient
  readonly #members: Members
  readonly #peerUrls: readonly string[]
  readonly streams = new Map<number, WatchLog>()
  readonly #marks = { now: 0, start: 0, compacted: 0 }
  readonly #slots = new Map<number, string>()
  /** Leases whose id the server chose, named by the order in which they were granted. */
  readonly #chosen = new Map<string, string>()

  /** `peerUrls` are the same on both sides. */
  constructor({ endpoint, afterChange }: Asked, peerUrls: readonly string[] = []) {
    this.client = new EtcdClient(endpoint)
    this.#peerUrls = peerUrls
    this.#members = new Members(this.client, afterChange, peerUrls.length > 0)
  }

  /** Called before the first program. */
  async meet(): Promise<void> {
    await this.#members.meet()
  }

  revision({ revision, plus }: RevisionName): number {
    return this.#marks[revision] + plus
  }

  lease(slot: number): string {
    return this.#slots.get(slot) ?? '404'
  }

  member({ member }: MemberName): string {
    return this.#members.idOf(member)
  }

  peerUrl(slot: number): string {
    return this.#peerUrls[slot] ?? ''
  }

  get compacted(): number {
    return this.#marks.compacted
  }

  /** Whether a lease of this program has an id that the server chose. */
  get hasChosen(): boolean {
    return this.#chosen.size > 0
  }

  /** Begins a program: its names mean nothing of an earlier one. */
  begin(): void {
    this.#marks.start = this.#marks.now
    this.#slots.clear()
    this.#chosen.clear()
    this.#members.begin()
  }

  async answer(
    operation: Exclude<
      Operation,
      { watch: Message } | { cancel: number } | { cancelId: string } | { progress: number }
    >,
  ): Promise<Answer> {
    if ('keepAlive' in operation) {
      return this.#plain(await this.client.ask('Lease/LeaseKeepAlive', this.#resolve(operation.keepAlive)))
    }
    if ('garble' in operation)
      return this.#plain(await this.client.call(operation.garble, this.garbled(operation)))
    const request = this.#resolve(operation.request)
    if (operation.call.startsWith('Cluster/'))
      return this.#plain(await this.#members.ask(operation.call, request, operation.slot ?? 0))
    const answer = await this.client.call(operation.call, encode(operation.call, request))
    if ('response' in answer) this.#learn(operation, request, answer.response)
    return this.#plain(answer)
  }

  garbled({ garble, request, changes }: Garble): Buffer {
    return garbled(encode(garble, this.#resolve(request)), changes)
  }

  stream(number: number): WatchLog {
    const open = this.streams.get(number) ?? new WatchLog(this.client.stream('Watch/Watch'))
    this.streams.set(number, open)
    return open
  }

  async createWatch(request: Message, on: number): Promise<{ id: string; live: boolean; start: number }> {
    const log = this.stream(on)
    const before = log.created.length
    const { startRevision, ...createRequest } = this.#resolve(request)
    const asked = Number(startRevision ?? 0)
    // etcd 3.4 has lost the deletes of the compacted revision: see the named differences.
    const start = asked === this.#marks.compacted ? asked + 1 : asked
    log.write({ createRequest: { ...createRequest, startRevision: start === asked ? startRevision : start } })
    await log.until(() => log.created.length > before)
    const { id = '-', canceled = true } = log.created[before] ?? {}
    return { id, live: !canceled, start: start === 0 ? this.#marks.now + 1 : start }
  }

  async revokeAll(): Promise<void> {
    const answer = await this.client.call('Lease/LeaseLeases', Buffer.alloc(0))
    if (!('response' in answer)) return
    for (const { ID } of answer.response['leases'] as readonly { ID: string }[]) {
      await this.client.call('Lease/LeaseRevoke', encode('Lease/LeaseRevoke', { ID }))
    }
  }

  async dismissAll(): Promise<void> {
    await this.#members.dismissAll()
  }

  endStreams(): void {
    for (const log of this.streams.values()) log.end()
    this.streams.clear()
  }

  #resolve(request: Message): Message {
    return resolve(request, this) as Message
  }

  #learn(operation: { call: string; slot?: number }, request: Message, response: Message): void {
    if (operation.call === 'Lease/LeaseGrant') {
      const id = String(response['ID'])
      this.#slots.set(operation.slot ?? 0, id)
      if (Number(request['ID'] ?? 0) === 0) this.#chosen.set(id, `chosen ${this.#chosen.size}`)
    }
    if (operation.call === 'KV/Compact') this.#marks.compacted = Number(request['revision'] ?? 0)
  }

  /** Takes away what servers may differ in, and learns the revision. */
  #plain(answer: Answer): Answer {
    if (!('response' in answer)) return answer
    const header = answer.response['header'] as { revision?: string } | null
    this.#marks.now = Math.max(this.#marks.now, Number(header?.revision ?? 0))
    return { response: this.plain(answer.response) as Message }
  }

  plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.plain(item))
    if (typeof value === 'string') return this.#chosen.get(value) ?? value
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !ownFields.has(name))
        .map(([name, field]) => [name, this.plain(field)]),
    )
  }
}
