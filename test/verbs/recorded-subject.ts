/** A subject of five nodes, of which 2 leads: faults stand from their begin, and nothing else happens. */
import {
  type Cast,
  checkFault,
  FaultMethods,
  type FaultSurroundings,
  Faults,
  type ForTime,
  isEnding,
  resolveTarget,
  type Target,
} from '../../src/faults/index.js'
import { MembershipMethods } from '../../src/membership/index.js'
import { type NodeId, Random } from '../../src/raft/index.js'
import type { Changer, NodeTold, ReadWhere, Subject } from '../../src/verbs/index.js'
import { MadeStory } from '../explain/made-story.js'
import { done, membership, PlayedCluster } from '../membership/played-cluster.js'

export const fiveNodes = [1, 2, 3, 4, 5]

export const cast: Cast = { nodeIds: fiveNodes, candidates: fiveNodes, leaderId: 2, random: new Random(1) }

/** No fault stands, and no read rests on a lease. */
export const healthy: FaultSurroundings = {
  ...{ nodeIds: fiveNodes, isUp: () => true, standing: [], clockBounds: undefined },
}

export class RecordedSubject implements Subject {
  readonly nodeIds = fiveNodes
  readonly breaker: FaultMethods
  /** Calls of methods that change members, in words. */
  readonly changes: readonly string[]
  readonly membership = { index: 7, isCommitted: true, membership: membership([1, 2, 3, 4, 5]) }
  readonly changer: Changer
  readonly #faults: Faults
  readonly keys = new Map<string, string | Buffer>()
  nowMs = 1000

  constructor() {
    this.#faults = new Faults({
      nodeIds: fiveNodes,
      now: () => this.now(),
      later(ms, run) {
        if (ms === 0) run()
        return () => undefined
      },
      check: (fault) => checkFault(fault, { ...healthy, standing: this.#faults.standing }),
      show: () => undefined,
      stop: () => undefined,
      bringBack: () => undefined,
      told: () => undefined,
    })
    this.breaker = new FaultMethods(this.#faults, () => cast)
    const cluster = new PlayedCluster(
      [done([1, 2, 3, 4, 5])],
      [
        (played) => {
          played.leaderId = 3
          return { outcome: 'done' }
        },
      ],
    )
    cluster.goesBy(membership(fiveNodes))
    this.changes = cluster.asked
    this.changer = new MembershipMethods(cluster, () => cast, 1000)
  }

  now(): number {
    return this.nowMs
  }

  status(): NodeTold[] {
    return fiveNodes.map((nodeId) => ({
      ...{ nodeId, state: this.#stateOf(nodeId), role: nodeId === 2 ? 'leader' : 'follower' },
      member: 'voter',
      ...{ currentTerm: 3, leaderId: 2, lastIndex: 12_345, commitIndex: 12, lastApplied: 12, logBytes: 100 },
      failure: undefined,
    }))
  }

  #stateOf(nodeId: NodeId): NodeTold['state'] {
    const at = this.breaker.faults.filter(({ fault }) => 'nodes' in fault && fault.nodes.includes(nodeId))
    if (at.some(({ fault }) => isEnding(fault))) return 'stopped'
    return at.some(({ fault }) => fault.type === 'pause') ? 'paused' : 'running'
  }

  async put(key: string, value: string) {
    this.keys.set(key, value)
    return { index: this.keys.size, revision: this.keys.size }
  }

  async get(key: string, where: ReadWhere = {}) {
    const value = this.keys.get(key)
    const answer = value === undefined ? undefined : { value: Buffer.from(value), version: 1, modRevision: 1 }
    return { answer, ...this.#told(where) }
  }

  /** Node 3 has never known that it is up to date. */
  #told({ from, isStale = false }: ReadWhere) {
    return isStale ? { index: 12, ageMs: from === 3 ? Number.POSITIVE_INFINITY : 40.5 } : {}
  }

  async delete(key: string) {
    return { index: 1, deleted: this.keys.delete(key) }
  }

  async range(prefix: string, where: ReadWhere = {}) {
    const found = [...this.keys].filter(([key]) => key.startsWith(prefix))
    const entries = found.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }))
    return { answer: { entries, hasMore: false }, ...this.#told(where) }
  }

  async kill(target: Target, options: ForTime) {
    await this.breaker.kill(target, options)
    return resolveTarget(target, cast)
  }

  async restart(target: Target) {
    await this.#faults.release(resolveTarget(target, cast), isEnding)
  }

  async snapshot(target: Target) {
    return resolveTarget(target, cast).map((nodeId) => ({ nodeId, index: 12, term: 3, size: 1000 }))
  }

  beginLoad = () => undefined
  endLoad = () => undefined
  story = () => new MadeStory(5).begins().story
}
