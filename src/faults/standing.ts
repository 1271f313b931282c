/** The faults that stand in one cluster: begun, listed, healed by hand or by time. */
import { quoted, RaftError } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import { type Fault, isEnding, isLinkFault, nodesHit, type StandingFault, withoutNode } from './fault.js'

/**
 * A cluster that can be broken: on threads, inline or in virtual time. Each method acts before it returns; the promise
 * of one on threads tells when the node has noticed.
 */
export interface Breakable {
  readonly nodeIds: readonly NodeId[]
  /** Now, in milliseconds on the clock of this cluster. */
  now(): number
  /** Calls back once after so many milliseconds, unless the function that comes back is called before. */
  later(ms: number, run: () => void): () => void
  /** Throws a `RaftError` that says what is wrong with the fault here and now, before anything has changed. */
  check(fault: Fault): void
  /** From now on exactly these faults stand at the node: those of its disk, clock and thread, and of its links. */
  show(nodeId: NodeId, faults: readonly StandingFault[]): Promise<void> | undefined
  /** Ends the node: as a crash of its process would, or so that all that its disk has not flushed is lost. */
  stop(nodeId: NodeId, how: 'kill' | 'losePower'): Promise<void> | undefined
  /** Brings back a node that was stopped, or that failed by a fault of its disk. A node that runs goes on. */
  bringBack(nodeId: NodeId): Promise<void> | undefined
  /** Tells who listens that a fault has begun, or that it was healed, by the verb or since its time was over. */
  told(what: 'faultBegan' | 'faultHealed', fault: StandingFault, by: 'verb' | 'time'): void
}

/** A fault that was begun, for who wants to take back just this one. */
export interface Begun {
  readonly standing: StandingFault
  /** Once every node that it hits has noticed. Rejects when one could not. */
  readonly noticed: Promise<void>
  /** Takes the fault back; a fault that stands no more stays so. */
  heal(): Promise<void>
}

/** The most faults that stand at once: more is a mistake in a loop. */
export const standingFaultsMax = 100

/** The longest time that a timer of Node counts: 24 days. */
const forMsMax = 2 ** 31 - 1

export class Faults {
  readonly #cluster: Breakable
  readonly #standing = new Map<number, StandingFault>()
  readonly #timers = new Map<number, () => void>()
  #lastId = 0

  constructor(cluster: Breakable) {
    this.#cluster = cluster
  }

  /** All faults that stand, the oldest first. */
  get standing(): readonly StandingFault[] {
    return [...this.#standing.values()]
  }

  /** The faults that stand at a node. */
  at(nodeId: NodeId): readonly StandingFault[] {
    return this.standing.filter(({ fault }) => nodesHit(fault, this.#cluster.nodeIds).includes(nodeId))
  }

  /** Begins a fault, for `forMs` or until it is healed. Throws what `check` throws, and has then changed nothing. */
  begin(fault: Fault, forMs?: number): Begun {
    this.#cluster.check(fault)
    if (forMs !== undefined && !(typeof forMs === 'number' && forMs >= 0 && forMs <= forMsMax))
      throw new RaftError('INVALID_FAULT', {
        what: typeof forMs === 'number' ? `for ${forMs} ms` : `forMs ${quoted(forMs)}`,
        why: `a time is a number of milliseconds from 0 to ${forMsMax}`,
      })
    const sinceMs = this.#cluster.now()
    const id = ++this.#lastId
    const untilMs = forMs === undefined ? undefined : sinceMs + forMs
    const standing: StandingFault = { id, fault, sinceMs, untilMs }
    this.#standing.set(id, standing)
    this.#cluster.told('faultBegan', standing, 'verb')
    const noticed = this.#act(fault, 'stop')
    if (forMs !== undefined) {
      // Nobody waits for what time heals: a node that cannot be brought back tells so itself.
      this.#timers.set(
        id,
        this.#cluster.later(forMs, () => void this.#heal(id, 'time').catch(ignore)),
      )
    }
    return { standing, noticed, heal: () => this.#heal(id, 'verb') }
  }

  /** Heals those of the faults that stand for which the rule is true. Returns them. */
  heal(rule: (fault: StandingFault) => boolean): Promise<readonly StandingFault[]> {
    const healed = this.standing.filter(rule)
    return valueOnceAll(
      healed.map(({ id }) => this.#heal(id, 'verb')),
      healed,
    )
  }

  /**
   * Takes nodes out of the faults of disks, clocks and threads for which the rule is true. Other nodes that such a fault
   * hits keep it. Returns the faults, each with the nodes that were taken out of it.
   */
  release(nodeIds: readonly NodeId[], rule: (fault: Fault) => boolean): Promise<readonly StandingFault[]> {
    const released: StandingFault[] = []
    const waits: Promise<void>[] = []
    for (const standing of this.standing) {
      const { id, fault } = standing
      if (isLinkFault(fault) || !rule(fault)) continue
      const nodes = fault.nodes.filter((nodeId) => nodeIds.includes(nodeId))
      const others = fault.nodes.filter((nodeId) => !nodeIds.includes(nodeId))
      if (nodes.length === 0) continue
      const part = { ...standing, fault: { ...fault, nodes } }
      released.push(part)
      if (others.length > 0) {
        this.#standing.set(id, { ...standing, fault: { ...fault, nodes: others } })
        waits.push(this.#healed(part, 'verb'))
      } else waits.push(this.#heal(id, 'verb'))
    }
    return valueOnceAll(waits, released)
  }

  /** The cluster has another node: each is shown the faults that stand at it now. */
  nodesChanged(): Promise<void> {
    if (this.#standing.size === 0) return done
    const { nodeIds } = this.#cluster
    return onceAll(nodeIds.map((nodeId) => this.#cluster.show(nodeId, this.at(nodeId))))
  }

  /** A node is gone for good: it is taken out of all faults, and those that hit nothing else are over. */
  gone(nodeId: NodeId): void {
    for (const standing of this.standing) {
      const { id } = standing
      const fault = withoutNode(standing.fault, nodeId)
      if (fault !== undefined) this.#standing.set(id, { ...standing, fault })
      else {
        this.#standing.delete(id)
        this.#timers.get(id)?.()
        this.#timers.delete(id)
        this.#cluster.told('faultHealed', standing, 'verb')
      }
    }
  }

  /** Forgets all faults without acting on any node: the cluster ends. */
  forget(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#standing.clear()
  }

  #heal(id: number, by: 'verb' | 'time'): Promise<void> {
    const standing = this.#standing.get(id)
    if (standing === undefined) return done
    this.#standing.delete(id)
    this.#timers.get(id)?.()
    this.#timers.delete(id)
    try {
      return this.#healed(standing, by)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #healed(standing: StandingFault, by: 'verb' | 'time'): Promise<void> {
    this.#cluster.told('faultHealed', standing, by)
    return this.#act(standing.fault, 'bringBack')
  }

  /** All synchronous work comes first, so that virtual time sees a fault begin and heal at one moment. */
  #act(fault: Fault, end: 'stop' | 'bringBack'): Promise<void> {
    const hit = nodesHit(fault, this.#cluster.nodeIds)
    const waits = hit.map((nodeId) => this.#cluster.show(nodeId, this.at(nodeId)))
    if (end === 'stop') {
      const { type } = fault
      if (type === 'kill' || type === 'losePower')
        waits.push(...hit.map((nodeId) => this.#cluster.stop(nodeId, type)))
    } else if (keepsDown(fault)) {
      // A node stays down as long as another fault keeps it down.
      const free = hit.filter((nodeId) => !this.at(nodeId).some((standing) => isEnding(standing.fault)))
      waits.push(...free.map((nodeId) => this.#cluster.bringBack(nodeId)))
    }
    return onceAll(waits)
  }
}

const done = Promise.resolve()

/**
 * Resolves once all of them have. Where nothing is to be waited for, as in virtual time, no reaction to a promise is
 * queued: it would keep the whole cluster in memory until its thread comes to rest.
 */
function onceAll(waits: readonly (Promise<void> | undefined)[]): Promise<void> {
  const promises = waits.filter((wait) => wait !== undefined && wait !== done)
  return promises.length === 0 ? done : Promise.all(promises).then(ignore)
}

function valueOnceAll<T>(waits: readonly Promise<void>[], value: T): Promise<T> {
  const all = onceAll(waits)
  return all === done ? Promise.resolve(value) : all.then(() => value)
}

function ignore(): void {}

/** True for a fault after which a node may be down until it is healed: its disk may have stopped it. */
export function keepsDown(fault: Fault): boolean {
  return isEnding(fault) || fault.type === 'failDisk' || fault.type === 'fullDisk'
}
