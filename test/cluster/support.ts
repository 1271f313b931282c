/** What the tests of real clusters share: folders that go away, and conditions that are awaited, never slept for. */

import { on } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  type Cluster,
  type ClusterEvent,
  type ClusterOptions,
  type NodeStatus,
  type RaftError,
  startCluster,
} from '../../src/cluster/index.js'

/** A folder of the test's own. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A cluster that is closed when the test ends, however it ends. */
export async function startedCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options)
  onTestFinished(() => cluster.close())
  return cluster
}

/** The error of a start that is refused. A cluster that starts nevertheless is closed. */
export function refusalOf(options: ClusterOptions): Promise<RaftError> {
  return startCluster(options).then(
    async (cluster) => {
      await cluster.close()
      throw new Error('it was not refused')
    },
    (error: RaftError) => error,
  )
}

/** The next event that fits, from now on. */
export async function nextEvent(
  cluster: Cluster,
  fits: (event: ClusterEvent) => boolean,
): Promise<ClusterEvent> {
  for await (const [event] of on(cluster.events, 'event'))
    if (fits(event as ClusterEvent)) return event as ClusterEvent
  throw new Error('the events ended')
}

/** Waits until all running nodes have applied the same index and nothing is left to apply; returns their hashes. */
export async function convergedHashes(cluster: Cluster): Promise<Set<string>> {
  for (;;) {
    const running = cluster.status().filter(({ state }) => state === 'running')
    const applied = new Set(running.map(({ lastApplied }) => lastApplied))
    const ends = new Set(running.map(({ lastIndex }) => lastIndex))
    if (applied.size === 1 && ends.size === 1 && applied.has([...ends][0] ?? -1)) {
      const hashes = [...(await cluster.hashes()).values()]
      if (new Set(hashes.map(({ lastApplied }) => lastApplied)).size === 1)
        return new Set(hashes.map(({ hash }) => hash))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Waits until the disk of each running node holds all of its log: a close is like a crash, and leaves no more. */
export async function flushedLogs(cluster: Cluster): Promise<void> {
  const isBehind = ({ state, flushedIndex, lastIndex }: NodeStatus): boolean =>
    state === 'running' && flushedIndex < lastIndex
  while (cluster.status().some(isBehind)) await new Promise((resolve) => setImmediate(resolve))
}

/** Writes from several closed-loop clients until told to stop, and remembers what was acknowledged and what may have been. */
export class Load {
  readonly acknowledged = new Map<string, string>()
  /** Values whose write was neither acknowledged nor refused, by key. */
  readonly unknown = new Map<string, string[]>()
  readonly #running: Promise<void>[]
  #isStopped = false

  constructor(cluster: Cluster, clients: number) {
    this.#running = Array.from({ length: clients }, (_, client) => this.#run(cluster, client))
  }

  /** Resolves once so many writes are acknowledged. */
  async reaches(count: number): Promise<void> {
    while (this.acknowledged.size < count) await new Promise((resolve) => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
  }

  async #run(cluster: Cluster, client: number): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      const key = `${client}/${n}`
      try {
        await cluster.put(key, `value ${n}`)
        this.acknowledged.set(key, `value ${n}`)
      } catch (error) {
        // A test that failed closes its cluster, and cannot stop the load.
        if ((error as { code?: string }).code === 'STOPPED') return
        if ((error as { mayHaveHappened?: string }).mayHaveHappened === 'maybe')
          this.unknown.set(key, [`value ${n}`])
      }
    }
  }
}
