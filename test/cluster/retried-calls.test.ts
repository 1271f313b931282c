/** Appends from several callers while nodes die: each is applied once, and each outcome is known. */
import { expect, test } from 'vitest'
import type { Cluster, RaftError } from '../../src/cluster/index.js'
import { convergedHashes, nextEvent, startedCluster } from './support.js'

/** Callers that append the numbers of their calls, one after the other. */
class Appenders {
  readonly errors: RaftError[] = []
  readonly #appended: number[]
  readonly #running: Promise<void>[]
  #isOver = false

  constructor(cluster: Cluster, count: number) {
    this.#appended = Array.from({ length: count }, () => 0)
    this.#running = this.#appended.map((_, caller) => this.#run(cluster, caller))
  }

  /** Resolves once each caller has so many more answers. */
  async answered(more: number): Promise<void> {
    const goals = this.#appended.map((count) => count + more)
    while (this.#appended.some((count, caller) => count < (goals[caller] ?? 0)) && this.errors.length === 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  /** The value that each key has to hold, once all callers have stopped. */
  async stop(): Promise<Map<string, string>> {
    this.#isOver = true
    await Promise.all(this.#running)
    const textOf = (count: number): string => Array.from({ length: count }, (_, call) => `${call};`).join('')
    return new Map(this.#appended.map((count, caller) => [`of ${caller}`, textOf(count)]))
  }

  async #run(cluster: Cluster, caller: number): Promise<void> {
    while (!this.#isOver) {
      try {
        await cluster.append(`of ${caller}`, `${this.#appended[caller]};`)
        this.#appended[caller]!++
      } catch (error) {
        this.errors.push(error as RaftError)
        return
      }
    }
  }
}

async function expectAppended(cluster: Cluster, appenders: Appenders): Promise<void> {
  const expected = await appenders.stop()
  expect(appenders.errors).toEqual([])
  for (const [key, text] of expected) expect((await cluster.get(key))?.value.toString()).toBe(text)
  expect((await convergedHashes(cluster)).size).toBe(1)
}

const patient = { requestTimeoutMs: 30_000, heartbeatIntervalMs: 50 }

test('[OU9][SE2] calls are applied once across leaders that are killed, restarts and snapshots', async () => {
  const cluster = await startedCluster({ ...patient, logBytesMax: 20_000, trailingBytes: 0 })
  const appenders = new Appenders(cluster, 20)
  for (let round = 0; round < 4; round++) {
    await appenders.answered(30)
    const led = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
    const killed = await cluster.kill('leader')
    await led
    await appenders.answered(30)
    await cluster.restart(killed)
  }
  expect(cluster.status().some(({ snapshotIndex }) => snapshotIndex > 0)).toBe(true)
  await expectAppended(cluster, appenders)
}, 60_000)

test('[OU9][SE2] calls are applied once across answers that are lost', async () => {
  const cluster = await startedCluster({ ...patient, requestTimeoutMs: 16_000 })
  const appenders = new Appenders(cluster, 5)
  for (let round = 0; round < 2; round++) {
    await appenders.answered(20)
    await cluster.cut('*', 'clients', { forMs: 100 })
    await appenders.answered(20)
  }
  await expectAppended(cluster, appenders)
}, 60_000)

test('[OU9][SE2] calls are applied once while the leader is replaced by another member', async () => {
  const cluster = await startedCluster(patient)
  const appenders = new Appenders(cluster, 10)
  for (let round = 0; round < 2; round++) {
    await appenders.answered(20)
    const dead = await cluster.kill('leader')
    await cluster.replaceNode(dead)
    await appenders.answered(20)
  }
  await expectAppended(cluster, appenders)
}, 60_000)

test('[OU9] reads are asked again of the next leader when theirs stands still', async () => {
  const cluster = await startedCluster({ ...patient, reads: 'readIndex' })
  await cluster.put('color', 'green')
  await using _frozen = await cluster.pause('leader')
  const reads = Array.from({ length: 10 }, () => cluster.get('color'))
  for (const entry of await Promise.all(reads)) expect(entry?.value.toString()).toBe('green')
}, 60_000)

test('[OU9] calls are asked again of the next leader at once when theirs stands still', async () => {
  const cluster = await startedCluster(patient)
  const appenders = new Appenders(cluster, 10)
  await appenders.answered(5)
  await cluster.pause('leader')
  await appenders.answered(20)
  await cluster.heal()
  await expectAppended(cluster, appenders)
}, 60_000)
