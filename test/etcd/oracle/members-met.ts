/**
 * The members of one server, under names that mean the same on another one: a server chooses its ids and its addresses. Calls
 * of the Cluster service go through here.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type EtcdClient, encode, type Message } from './client.js'
import type { MemberName } from './program.js'

interface Told extends Message {
  readonly ID: string
  readonly peerURLs: readonly string[]
}

/** A change of the members that a server has made. */
export interface MemberChange {
  readonly type: 'added' | 'promoted' | 'removed'
  readonly id: string
}

/** Called after each change, and awaited before the program goes on. */
export type AfterChange = (change: MemberChange) => Promise<unknown>

const changes: Readonly<Record<string, MemberChange['type']>> = {
  'Cluster/MemberAdd': 'added',
  'Cluster/MemberPromote': 'promoted',
  'Cluster/MemberRemove': 'removed',
}

/** The id of the member that is asked, in a comparable answer. */
export const self = 'self'
/** No server has such a member. */
const never = '404'

/**
 * etcd makes the id of a member of its URLs and the second. If a member has that id, or had it, then the call is made again
 * in the next second.
 */
const isIdTaken = ['etcdserver: member ID already exist', 'etcdserver: member not found']
/** A started learner is in sync soon, and clients try so long. */
const notInSync = 'etcdserver: can only promote a learner member which is in sync with leader'
const inSyncWithinMs = 10_000
const againMs = 50

export class Members {
  readonly #client: EtcdClient
  readonly #afterChange: AfterChange | undefined
  #selfId = never
  /** The peer URLs with which the server began. */
  #ownUrls: readonly string[] = []
  readonly #slots = new Map<number, string>()
  /** Members that programs have added, by the order in which they came. */
  readonly #names = new Map<string, string>()
  /** Members that somebody has started: the others are never in sync. */
  readonly #started: boolean

  constructor(client: EtcdClient, afterChange: AfterChange | undefined, started: boolean) {
    this.#client = client
    this.#afterChange = afterChange
    this.#started = started
  }

  /** The server has one member. */
  async meet(): Promise<void> {
    const [only] = await this.#list()
    if (only === undefined) throw new Error('the server tells no member')
    this.#selfId = only.ID
    this.#ownUrls = only.peerURLs
  }

  begin(): void {
    this.#slots.clear()
    this.#names.clear()
  }

  idOf(name: MemberName['member']): string {
    return name === 'self' ? this.#selfId : (this.#slots.get(name) ?? never)
  }

  /** Makes a call of the Cluster service. An added member goes into the slot. The answer has names for ids. */
  async ask(name: string, request: Message, slot: number): Promise<Answer> {
    const answer = await this.#call(name, request)
    if (!('response' in answer)) return answer
    if (name === 'Cluster/MemberAdd') this.#learn((answer.response['member'] as Told).ID, slot)
    const type = changes[name]
    const { ID } = (answer.response['member'] ?? request) as Told
    if (type !== undefined) await this.#afterChange?.({ type, id: ID })
    return { response: this.#plain(answer.response) }
  }

  /** Leaves the server as it was at the beginning. */
  async dismissAll(): Promise<void> {
    for (const { ID, peerURLs } of await this.#list()) {
      if (ID !== this.#selfId) await this.ask('Cluster/MemberRemove', { ID }, 0)
      else if (String(peerURLs) !== String(this.#ownUrls))
        await this.ask('Cluster/MemberUpdate', { ID, peerURLs: this.#ownUrls }, 0)
    }
  }

  async #call(name: string, request: Message): Promise<Answer> {
    const untilMs = performance.now() + inSyncWithinMs
    for (;;) {
      const answer = await this.#client.call(name, encode(name, request))
      if ('response' in answer) return answer
      if (name === 'Cluster/MemberAdd' && isIdTaken.includes(answer.details)) await nextSecond()
      else if (this.#started && answer.details === notInSync && performance.now() < untilMs)
        await delay(againMs)
      else return answer
    }
  }

  async #list(): Promise<readonly Told[]> {
    const answer = await this.#client.call('Cluster/MemberList', Buffer.alloc(0))
    return 'response' in answer ? (answer.response['members'] as readonly Told[]) : []
  }

  #learn(id: string, slot: number): void {
    this.#slots.set(slot, id)
    this.#names.set(id, `added ${this.#names.size}`)
  }

  /** etcd sorts the members by ids, and so by chance. */
  #plain({ member, members, ...response }: Message): Message {
    const plain = (members as readonly Told[]).map((told) => this.#plainMember(told))
    plain.sort((one, other) => (one.ID < other.ID ? -1 : 1))
    return {
      ...response,
      ...(member === undefined ? {} : { member: this.#plainMember(member as Told) }),
      members: plain,
    }
  }

  #plainMember(told: Told): Told {
    const isOwn = String(told.peerURLs) === String(this.#ownUrls)
    return {
      ...told,
      ID: told.ID === this.#selfId ? self : (this.#names.get(told.ID) ?? told.ID),
      peerURLs: isOwn ? ['its own'] : told.peerURLs,
    }
  }
}

function nextSecond(): Promise<void> {
  return delay(1000 - (Date.now() % 1000))
}
