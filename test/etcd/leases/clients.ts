/** Clients of all members of a cluster, which make many calls at a time. */
import { EtcdClient, encode, type Message } from '../oracle/client.js'

const clientsPerMember = 2
/** Calls of one client that are on their way. */
const inFlight = 32
const timeoutMs = 60_000
/** A machine that stands still for long loses a call or two. */
export const attempts = 5
/** The code of gRPC for a call that the client has given up. */
const deadlineExceeded = 4

export class Clients {
  readonly all: readonly EtcdClient[]

  constructor(endpoints: readonly string[]) {
    this.all = endpoints.flatMap((endpoint) =>
      Array.from({ length: clientsPerMember }, () => new EtcdClient(new URL(endpoint).host, timeoutMs)),
    )
  }

  get first(): EtcdClient {
    return this.all[0] as EtcdClient
  }

  /** One call for each item. The first that fails rejects. */
  async each<Item>(
    items: readonly Item[],
    call: (client: EtcdClient, item: Item) => Promise<unknown>,
  ): Promise<void> {
    const left = items.values()
    const callers = this.all.flatMap((client) => Array.from({ length: inFlight }, () => client))
    await Promise.all(
      callers.map(async (client) => {
        for (const item of left) await call(client, item)
      }),
    )
  }

  close(): void {
    for (const client of this.all) client.close()
  }
}

/** Whether a refusal is fine, at the first attempt or a later one. */
export type IsFine = (details: string, attempt: number) => boolean

/**
 * The response to a call, which is made again as long as its outcome is unknown. `undefined`: the call was refused, and that
 * is fine.
 */
export async function tryToAsk(
  client: EtcdClient,
  name: string,
  request: Message,
  isFine: IsFine,
): Promise<Message | undefined> {
  const bytes = encode(name, request)
  for (let attempt = 1; ; attempt++) {
    const answer = await client.call(name, bytes)
    if ('response' in answer) return answer.response
    if (isFine(answer.details, attempt)) return undefined
    const isUnknown = answer.code === deadlineExceeded || answer.details === 'etcdserver: request timed out'
    if (!isUnknown || attempt === attempts) throw new Error(`${name}: ${answer.details}`)
  }
}

/** The response to a call that may not be refused. */
export async function ask(client: EtcdClient, name: string, request: Message): Promise<Message> {
  return (await tryToAsk(client, name, request, () => false)) ?? {}
}
