/** More calls than a real cluster can take, and nodes that stand still meanwhile: what waits is bounded, and nothing is lost. */
import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  type Cluster,
  type ClusterClient,
  pendingBytesMax,
  type RaftError,
  valueBytesMax,
} from '../../src/cluster/index.js'
import { unreadBytesMax } from '../../src/transport/index.js'
import { convergedHashes, startedCluster } from './support.js'

const timeout = 180_000
const callsATurn = 200
/** A machine that has other work too is no reason for an election or a late answer. */
const patient = { electionTimeoutMs: 10_000, requestTimeoutMs: 60_000 }

/** MiB of memory of the process that are no pages of files: a log that lies in LMDB does not count. */
function ownMiB(): number {
  const kiB = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kiB) / 1024
}

/** A client that makes so many calls in each turn, whatever becomes of those before. */
class Flood {
  made = 0
  answered = 0
  waiting = 0
  /** Refusals that came in the turn of their call, and in a later one. */
  readonly refused = { atOnce: 0, later: 0 }
  readonly unknown: RaftError[] = []
  peakMiB = 0
  readonly #client: ClusterClient
  readonly #value: Buffer
  #turn = 0
  #isOver = false
  readonly #calling: Promise<void>

  constructor(cluster: Cluster, valueBytes: number) {
    this.#client = cluster.client()
    this.#value = Buffer.alloc(valueBytes, 'v')
    this.#calling = this.#call()
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#calling
    while (this.waiting > 0) await nextTurn()
  }

  async #call(): Promise<void> {
    for (; !this.#isOver; this.#turn++) {
      for (let call = 0; call < callsATurn; call++) void this.#put(`${this.made++ % 100}`, this.#turn)
      this.peakMiB = Math.max(this.peakMiB, ownMiB())
      await nextTurn()
    }
  }

  async #put(key: string, turn: number): Promise<void> {
    this.waiting++
    try {
      await this.#client.kv.put(key, this.#value)
      this.answered++
    } catch (error) {
      const { code } = error as RaftError
      if (code !== 'OVERLOADED') this.unknown.push(error as RaftError)
      else if (this.#turn === turn) this.refused.atOnce++
      else this.refused.later++
    } finally {
      this.waiting--
    }
  }
}

test('[CA6][CA11] ten times as much as a cluster can do is refused at once, takes bounded memory, and starves nobody else', {
  timeout,
}, async () => {
  const cluster = await startedCluster({ nodes: 3, ...patient })
  const other = cluster.client()
  await other.kv.put('other', '0')
  const beforeMiB = ownMiB()
  const valueBytes = 64 << 10
  const flood = new Flood(cluster, valueBytes)
  let puts = 0
  while (puts < 20 || flood.answered < 1000 || flood.made < 10 * flood.answered)
    await other.kv.put('other', `${++puts}`)
  await flood.end()
  expect(flood.unknown).toEqual([])
  expect(flood.refused.later).toBe(0)
  expect(flood.refused.atOnce).toBe(flood.made - flood.answered)
  expect(flood.peakMiB - beforeMiB).toBeLessThan(1024)
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('[OV1] a leader that stands still is sent no more than its port takes, however many calls are given up', {
  timeout,
}, async () => {
  const cluster = await startedCluster({ nodes: 1, durability: 'none', requestTimeoutMs: 100 })
  while (!(await cluster.put('k', 'before').catch(() => false)));
  await cluster.pause('leader')
  const callBytes = valueBytesMax
  const value = Buffer.alloc(callBytes)
  let sent = 0
  for (let round = 0; round < 6; round++) {
    const calls = Array.from({ length: pendingBytesMax / callBytes }, () => cluster.put('k', value))
    for (const call of await Promise.allSettled(calls)) {
      if (call.status === 'rejected' && call.reason.mayHaveHappened === 'maybe') sent++
    }
  }
  expect(sent).toBeGreaterThan(10)
  // The last message may pass the bound.
  expect(sent * callBytes).toBeLessThan(unreadBytesMax + (17 << 20))
  await cluster.resume('all')
  while (!(await cluster.put('k', 'after').catch(() => false)));
  expect(`${(await cluster.get('k'))?.value}`).toBe('after')
})

test('[OV2] a follower that stands still under full load takes bounded memory, and comes to the state of the others', {
  timeout,
}, async () => {
  const cluster = await startedCluster({ nodes: 3, ...patient })
  await cluster.put('k', 'v')
  await cluster.pause('follower')
  const beforeMiB = ownMiB()
  let peakMiB = 0
  const value = Buffer.alloc(valueBytesMax, 'v')
  const writes = 1600
  const writer = async (first: number) => {
    for (let n = first; n < writes; n += 16) {
      await cluster.put(`${n % 20}`, value)
      peakMiB = Math.max(peakMiB, ownMiB())
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, first) => writer(first)))
  const writtenMiB = (writes * valueBytesMax) / 2 ** 20
  expect(peakMiB - beforeMiB).toBeLessThan(0.75 * writtenMiB)
  await cluster.resume('all')
  expect((await convergedHashes(cluster)).size).toBe(1)
})
