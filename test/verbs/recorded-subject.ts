/** A subject of five nodes, of which 2 leads: faults stand from their begin, and nothing else happens. */
import {
  type Cast,
  type EndTarget,
  type Fault,
  resolveGroups,
  resolveTarget,
  resolveWays,
  type StandingFault,
  type Target,
} from '../../src/faults/index.js'
import { Random } from '../../src/raft/index.js'
import type {
  FaultHandle,
  FaultMethods,
  ForTime,
  Healed,
  NodeTold,
  OnLink,
  Subject,
} from '../../src/verbs/index.js'

export const fiveNodes = [1, 2, 3, 4, 5]

export class RecordedSubject implements Subject, FaultMethods {
  readonly breaker = this
  readonly nodeIds = fiveNodes
  readonly faults: StandingFault[] = []
  readonly healed: Healed[] = []
  readonly keys = new Map<string, string>()
  readonly #cast: Cast = { nodeIds: fiveNodes, candidates: fiveNodes, leaderId: 2, random: new Random(1) }

  now = () => 1000

  status = (): NodeTold[] =>
    fiveNodes.map((nodeId) => ({
      ...{ nodeId, state: 'running', role: nodeId === 2 ? 'leader' : 'follower' },
      ...{ currentTerm: 3, leaderId: 2, lastIndex: 12_345, commitIndex: 12, lastApplied: 12, logBytes: 100 },
      failure: undefined,
    }))

  async put(key: string, value: string) {
    this.keys.set(key, value)
    return { index: this.keys.size, revision: this.keys.size }
  }

  async get(key: string) {
    const value = this.keys.get(key)
    return value === undefined ? undefined : { value: Buffer.from(value), version: 1, modRevision: 1 }
  }

  delete = async (key: string) => ({ index: 1, deleted: this.keys.delete(key) })

  async range(prefix: string) {
    const found = [...this.keys].filter(([key]) => key.startsWith(prefix))
    return {
      entries: found.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) })),
      hasMore: false,
    }
  }

  cut = (one: EndTarget, other: EndTarget, options: OnLink) =>
    this.#onLink(one, other, { type: 'cut' }, options)

  delay(
    one: EndTarget,
    other: EndTarget,
    delayMs: number,
    { jitterMs = 0, ...options }: OnLink & { jitterMs?: number },
  ) {
    return this.#onLink(one, other, { type: 'delay', delayMs, jitterMs }, options)
  }

  drop = (one: EndTarget, other: EndTarget, share: number, options: OnLink) =>
    this.#onLink(one, other, { type: 'drop', share }, options)

  duplicate = (one: EndTarget, other: EndTarget, share: number, options: OnLink) =>
    this.#onLink(one, other, { type: 'duplicate', share }, options)

  reorder = (one: EndTarget, other: EndTarget, share: number, options: OnLink) =>
    this.#onLink(one, other, { type: 'reorder', share }, options)

  throttle = (one: EndTarget, other: EndTarget, bytesPerSecond: number, options: OnLink) =>
    this.#onLink(one, other, { type: 'throttle', bytesPerSecond }, options)

  partition = (groups: readonly Target[], { forMs }: ForTime) =>
    this.#begin({ type: 'partition', groups: resolveGroups(groups, this.#cast) }, forMs)

  isolate = (target: Target, options: ForTime) => this.#onNodes(target, { type: 'isolate' }, options)

  slowDisk = (target: Target, flushMs: number, options: ForTime) =>
    this.#onNodes(target, { type: 'slowDisk', flushMs }, options)

  stallDisk = (target: Target, options: ForTime) => this.#onNodes(target, { type: 'stallDisk' }, options)

  failDisk = (target: Target, options: ForTime) => this.#onNodes(target, { type: 'failDisk' }, options)

  fullDisk = (target: Target, { bytesLeft = 0, ...options }: ForTime & { bytesLeft?: number }) =>
    this.#onNodes(target, { type: 'fullDisk', bytesLeft }, options)

  losePower = (_target: Target, _options: ForTime) => Promise.resolve({ id: 0, heal: async () => {} })

  pause = (target: Target, options: ForTime) => this.#onNodes(target, { type: 'pause' }, options)

  skew = (
    target: Target,
    { offsetMs = 0, drift = 0 }: { offsetMs?: number; drift?: number },
    options: ForTime,
  ) => this.#onNodes(target, { type: 'skew', offsetMs, drift }, options)

  async kill(target: Target, options: ForTime) {
    await this.#onNodes(target, { type: 'kill' }, options)
    return resolveTarget(target, this.#cast)
  }

  restart = async (target: Target) => resolveTarget(target, this.#cast)
  resume = async (target: Target) => resolveTarget(target, this.#cast)

  async heal(healed: Healed) {
    this.healed.push(healed)
    return this.faults.splice(0)
  }

  beginLoad = () => undefined
  endLoad = () => undefined
  story = () => {
    throw new Error('nothing happened')
  }

  #onLink(
    one: EndTarget,
    other: EndTarget,
    fault: object,
    { oneWay = false, messages, forMs }: OnLink,
  ): Promise<FaultHandle> {
    const ways = resolveWays({ one, other, oneWay }, this.#cast)
    return this.#begin({ ...fault, ways, ...(messages === undefined ? {} : { messages }) } as Fault, forMs)
  }

  #onNodes(target: Target, fault: object, { forMs }: ForTime): Promise<FaultHandle> {
    return this.#begin({ ...fault, nodes: resolveTarget(target, this.#cast) } as Fault, forMs)
  }

  async #begin(fault: Fault, forMs: number | undefined): Promise<FaultHandle> {
    const id = this.faults.length + 1
    const untilMs = forMs === undefined ? undefined : this.now() + forMs
    this.faults.push({ id, fault, sinceMs: this.now(), untilMs })
    return { id, heal: async () => void this.faults.splice(id - 1, 1) }
  }
}
