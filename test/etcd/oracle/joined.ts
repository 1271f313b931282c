/** A real etcd whose added members are started, each as a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts, startAddedEtcd } from '../../../bench/suite/index.js'
import { startRealEtcd } from '../real-etcd.js'
import { EtcdClient, encode } from './client.js'
import type { Server } from './hunt.js'
import type { MemberChange } from './members-met.js'

/** Members that a program can add. */
export const slots = 2
const withinMs = 120_000
const againMs = 50

interface Told {
  readonly ID: string
  readonly name: string
  readonly peerURLs: readonly string[]
}

/** Starts a server, and each member that is added to it. */
export async function startRightThatJoins(): Promise<Server> {
  const { endpoints, ended, close } = await startRealEtcd()
  const [endpoint = ''] = endpoints
  const ports = await freePorts(slots)
  const added = new AddedMembers(endpoint)
  return {
    ...{ endpoint, ended },
    peerUrls: ports.map((port) => `http://127.0.0.1:${port}`),
    afterChange: (change) => added.after(change),
    [Symbol.asyncDispose]: async () => {
      await added.close()
      await close()
    },
  }
}

class AddedMembers {
  readonly #client: EtcdClient
  readonly #folder = mkdtempSync(join(tmpdir(), 'raftbox-added-etcd-'))
  readonly #running = new Map<string, ReturnType<typeof startAddedEtcd>>()

  constructor(endpoint: string) {
    this.#client = new EtcdClient(endpoint)
  }

  async after({ type, id }: MemberChange): Promise<void> {
    if (type === 'added') await this.#start(id)
    if (type === 'removed') await this.#stop(id)
    else await this.#settled()
  }

  async close(): Promise<void> {
    this.#client.close()
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)))
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  /** Resolves once the member has told the others its name: that is the first thing that it does. */
  async #start(id: string): Promise<void> {
    const seats = (await this.#list()).map((told) => ({
      name: told.name === '' ? told.ID : told.name,
      peerUrl: told.peerURLs[0] ?? '',
    }))
    const [port] = await freePorts(1)
    const own = { name: id, endpoint: `127.0.0.1:${port}`, peerUrl: peerUrlOf(id, seats) }
    this.#running.set(id, startAddedEtcd(own, seats, this.#folder))
    await this.#until(async () => (await this.#list()).some(({ ID, name }) => ID === id && name === id))
  }

  async #stop(id: string): Promise<void> {
    await this.#running.get(id)?.stop()
    this.#running.delete(id)
  }

  /** etcd adds no member until it has heard of all voters for five seconds. A URL that is taken asks whether it would. */
  async #settled(): Promise<void> {
    const [first] = await this.#list()
    const request = encode('Cluster/MemberAdd', { peerURLs: first?.peerURLs, isLearner: true })
    await this.#until(async () => {
      const answer = await this.#client.call('Cluster/MemberAdd', request)
      return 'details' in answer && answer.details !== 'etcdserver: unhealthy cluster'
    })
  }

  async #list(): Promise<readonly Told[]> {
    const answer = await this.#client.call('Cluster/MemberList', Buffer.alloc(0))
    return 'response' in answer ? (answer.response['members'] as readonly Told[]) : []
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    while (!(await condition())) {
      if (performance.now() > deadlineMs) throw new Error('an added etcd does not come')
      await delay(againMs)
    }
  }
}

function peerUrlOf(
  id: string,
  seats: readonly { readonly name: string; readonly peerUrl: string }[],
): string {
  return seats.find(({ name }) => name === id)?.peerUrl ?? ''
}
