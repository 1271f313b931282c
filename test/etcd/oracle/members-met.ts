/** The members of one server, under names that mean the same on another one: a server chooses its ids and its addresses. */
import { type EtcdClient, encode, type Message } from './client.js'
import type { MemberName } from './program.js'

interface Told extends Message {
  readonly ID: string
  readonly peerURLs: readonly string[]
}

/** The id of the member that is asked, in a comparable answer. */
export const self = 'self'
/** No server has such a member. */
const never = '404'

export class Members {
  #selfId = never
  /** The peer URLs with which the server began. */
  #ownUrls: readonly string[] = []
  readonly #slots = new Map<number, string>()
  /** Members that programs have added, by the order in which they came. */
  readonly #names = new Map<string, string>()

  /** The server has one member. */
  async meet(client: EtcdClient): Promise<void> {
    const [only] = await list(client)
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

  /** Takes the member of an answer to `MemberAdd` into the slot, and answers its id. */
  learn(response: Message, slot: number): number {
    const { ID } = response['member'] as Told
    this.#slots.set(slot, ID)
    this.#names.set(ID, `added ${this.#names.size}`)
    return Number(ID)
  }

  /** The response with names for ids. etcd sorts the members by ids, and so by chance. */
  plain({ member, members, ...response }: Message): Message {
    const plain = (members as readonly Told[]).map((told) => this.#plain(told))
    plain.sort((one, other) => (one.ID < other.ID ? -1 : 1))
    return {
      ...response,
      ...(member === undefined ? {} : { member: this.#plain(member as Told) }),
      members: plain,
    }
  }

  /** Leaves the server as it was at the beginning. */
  async dismissAll(client: EtcdClient): Promise<void> {
    for (const { ID, peerURLs } of await list(client)) {
      if (ID !== this.#selfId)
        await client.call('Cluster/MemberRemove', encode('Cluster/MemberRemove', { ID }))
      else if (String(peerURLs) !== String(this.#ownUrls)) {
        const request = { ID, peerURLs: this.#ownUrls }
        await client.call('Cluster/MemberUpdate', encode('Cluster/MemberUpdate', request))
      }
    }
  }

  #plain(told: Told): Told {
    const isOwn = String(told.peerURLs) === String(this.#ownUrls)
    return {
      ...told,
      ID: told.ID === this.#selfId ? self : (this.#names.get(told.ID) ?? told.ID),
      peerURLs: isOwn ? ['its own'] : told.peerURLs,
    }
  }
}

async function list(client: EtcdClient): Promise<readonly Told[]> {
  const answer = await client.call('Cluster/MemberList', Buffer.alloc(0))
  return 'response' in answer ? (answer.response['members'] as readonly Told[]) : []
}
