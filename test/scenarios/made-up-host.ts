/** A host without a cluster behind it: it answers as a test wants, so that what a runner finds wrong can be tried. */

import type { HashAt } from '../../src/cluster/index.js'
import type { FaultType } from '../../src/faults/index.js'
import type { NodeId } from '../../src/raft/index.js'
import type { CallEnd, Host, HostEvent, NodeSeen } from '../../src/scenarios/host.js'
import type { Shown } from '../../src/scenarios/ledger.js'
import { VirtualTime } from '../../src/sim/virtual-time.js'
import type { Story } from '../../src/telemetry/index.js'

export class MadeUpHost implements Host {
  readonly name = 'simulated'
  readonly nodeIds = [1, 2, 3]
  readonly heartbeatIntervalMs = 50
  readonly electionTimeoutMs = 500
  leaderId: NodeId | undefined = 1
  term = 1
  violation: string | undefined
  hashesOfNodes = ['a', 'a', 'a']
  readonly carriedOut: string[] = []
  readonly keys = new Map<string, Shown>()
  /** Decides how a write ends; `undefined`: as it should. */
  endOf: (key: string, value: string) => CallEnd | 'forgotten' | undefined = () => undefined
  /** What a read of the key shows. */
  shows: (key: string, shown: Shown) => Shown = (_, shown) => shown
  /** Whether a key can be read now. */
  reads: (key: string) => boolean = () => true
  /** The count of writes called. */
  calls = 0
  /** A verb changes the leader. */
  isMoved = true
  readonly #time = new VirtualTime()
  #listener: (event: HostEvent) => void = () => {}
  #revision = 0

  now(): number {
    return this.#time.nowMs
  }

  later(ms: number, run: () => void): void {
    this.#time.after(1000 * ms, run)
  }

  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const untilUs = this.#time.nowUs + 1000 * withinMs
    while (!condition()) {
      await Promise.resolve()
      if (!this.#time.step(untilUs)) return condition()
    }
    return true
  }

  nodes(): readonly NodeSeen[] {
    return this.nodeIds.map((nodeId) => ({
      nodeId,
      state: 'running',
      member: 'voter' as const,
      role: nodeId === this.leaderId ? 'leader' : 'follower',
      currentTerm: this.term,
      lastIndex: 10,
      lastApplied: 10,
    }))
  }

  nodeOf(word: string): NodeId {
    return word === 'leader' ? (this.leaderId ?? 0) : Number(word)
  }

  put(key: string, value: string, done: (end: CallEnd) => void): void {
    this.calls++
    this.later(1, () => {
      if (this.leaderId === undefined) return done({ type: 'notDone', code: 'NO_LEADER' })
      const end = this.endOf(key, value)
      if (end !== undefined && end !== 'forgotten') return done(end)
      const revision = this.nextRevision()
      if (end !== 'forgotten') this.keep(key, value, revision)
      done({ type: 'written', revision })
    })
  }

  nextRevision(): number {
    return ++this.#revision
  }

  keep(key: string, value: string, revision = this.nextRevision()): void {
    this.keys.set(key, { value, revision, version: this.#shown(key).version + 1 })
  }

  get(key: string, done: (end: CallEnd) => void): void {
    const shown = this.shows(key, this.#shown(key))
    this.later(1, () =>
      done(this.reads(key) ? { type: 'read', ...shown } : { type: 'notDone', code: 'NO_LEADER' }),
    )
  }

  #shown(key: string): Shown {
    return this.keys.get(key) ?? { value: undefined, revision: 0, version: 0 }
  }

  /** Nobody leads for a second, and then the next node does. */
  async carryOut(line: string): Promise<void> {
    this.carriedOut.push(line)
    if (!this.isMoved) return
    const next = ((this.leaderId ?? 0) % 3) + 1
    this.leaderId = undefined
    this.later(1000, () => this.elect(next))
  }

  elect(nodeId: NodeId): void {
    this.leaderId = nodeId
    this.term++
    for (const happened of ['candidate', 'leader'] as const)
      this.#listener({ atMs: this.now(), nodeId, happened, words: `node ${nodeId} becomes ${happened}` })
  }

  onEvent(listener: (event: HostEvent) => void): void {
    this.#listener = listener
  }

  async healAll(): Promise<void> {}

  async hashes(): Promise<ReadonlyMap<NodeId, HashAt>> {
    return new Map(this.hashesOfNodes.map((hash, at) => [at + 1, { lastApplied: 10, hash }]))
  }

  nemesis(): () => Promise<ReadonlyMap<FaultType, number>> {
    return async () => new Map([['cut', 3]])
  }

  story(): Story {
    const { nodeIds, heartbeatIntervalMs, electionTimeoutMs } = this
    const times = { heartbeatIntervalMs, electionTimeoutMs, tickMs: heartbeatIntervalMs }
    return { nodeIds, ...times, happened: [], passed: [], carried: [] }
  }

  async close(): Promise<void> {}
}
