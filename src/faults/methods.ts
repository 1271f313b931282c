/** The methods by which a cluster of any host is broken and healed: targets become nodes, and their faults begin. */
import { checkFlag, checkOptions } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import {
  type Fault,
  isEnding,
  isLinkFault,
  type LinkFault,
  type MessageKind,
  nodesHit,
  type StandingFault,
  waysOf,
} from './fault.js'
import type { Faults } from './standing.js'
import {
  type Cast,
  type EndTarget,
  type LinkTarget,
  resolveGroups,
  resolveTarget,
  resolveWays,
  type Target,
} from './targets.js'

export interface ForTime {
  /** The fault heals by itself after so many milliseconds. Default: it stands until it is healed. */
  readonly forMs?: number
}

export interface OnLink extends ForTime {
  /** Only what the first end sends to the other is hit. Default: both directions. */
  readonly oneWay?: boolean
  /** Only messages of this kind are hit. Default: all. */
  readonly messages?: MessageKind
}

/** A fault that was begun, for who wants to take back just this one. */
export interface FaultHandle extends AsyncDisposable {
  readonly id: number
  /** The fault as it was begun. */
  readonly standing: StandingFault
  heal(): Promise<void>
}

/** A choice of faults to heal: all, that of a number, those of a node, or those of a link. */
export type Healed =
  | { readonly all: true }
  | { readonly faultId: number }
  | { readonly target: Target }
  | { readonly link: LinkTarget }

const onNodesNames = ['forMs'] as const satisfies (keyof ForTime)[]
const onLinkNames = ['oneWay', 'messages', ...onNodesNames] as const satisfies (keyof OnLink)[]

type OnWays = Extract<LinkFault, { readonly ways: unknown }>
type Without<Each, Key extends PropertyKey> = Each extends unknown ? Omit<Each, Key> : never

/** Each method rejects with a `RaftError` where its fault does not fit, and has then changed nothing. */
export class FaultMethods {
  readonly #faults: Faults
  readonly #cast: () => Cast

  /** `cast` tells who is there now: roles mean the nodes that run. */
  constructor(faults: Faults, cast: () => Cast) {
    this.#faults = faults
    this.#cast = cast
  }

  get faults(): readonly StandingFault[] {
    return this.#faults.standing
  }

  cut(one: EndTarget, other: EndTarget, options: OnLink = {}): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'cut' }, options)
  }

  delay(
    one: EndTarget,
    other: EndTarget,
    delayMs: number,
    options: OnLink & { readonly jitterMs?: number } = {},
  ): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'delay', delayMs, jitterMs: options?.jitterMs ?? 0 }, options)
  }

  drop(one: EndTarget, other: EndTarget, share: number, options: OnLink = {}): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'drop', share }, options)
  }

  duplicate(one: EndTarget, other: EndTarget, share: number, options: OnLink = {}): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'duplicate', share }, options)
  }

  reorder(one: EndTarget, other: EndTarget, share: number, options: OnLink = {}): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'reorder', share }, options)
  }

  throttle(
    one: EndTarget,
    other: EndTarget,
    bytesPerSecond: number,
    options: OnLink = {},
  ): Promise<FaultHandle> {
    return this.#onLink(one, other, { type: 'throttle', bytesPerSecond }, options)
  }

  async partition(groups: readonly Target[], options: ForTime = {}): Promise<FaultHandle> {
    checkOptions('partition', options, onNodesNames)
    return this.#begin({ type: 'partition', groups: resolveGroups(groups, this.#cast()) }, options.forMs)
  }

  isolate(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'isolate' }, options)
  }

  slowDisk(target: Target, flushMs: number, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'slowDisk', flushMs }, options)
  }

  stallDisk(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'stallDisk' }, options)
  }

  failDisk(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'failDisk' }, options)
  }

  fullDisk(target: Target, options: ForTime & { readonly bytesLeft?: number } = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'fullDisk', bytesLeft: options?.bytesLeft ?? 0 }, options)
  }

  /** Without `forMs`, the nodes come back at once, and the promise resolves once they are back. */
  async losePower(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    const handle = await this.#onNodes(target, { type: 'losePower' }, options)
    if (options.forMs === undefined) await handle.heal()
    return handle
  }

  kill(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'kill' }, options)
  }

  pause(target: Target, options: ForTime = {}): Promise<FaultHandle> {
    return this.#onNodes(target, { type: 'pause' }, options)
  }

  async skew(
    target: Target,
    change: { readonly offsetMs?: number; readonly drift?: number },
    options: ForTime = {},
  ): Promise<FaultHandle> {
    checkOptions('skew', change, ['offsetMs', 'drift'])
    const { offsetMs = 0, drift = 0 } = change
    return this.#onNodes(target, { type: 'skew', offsetMs, drift }, options)
  }

  /** Lets paused nodes go on. Other nodes that the same fault paused stay so. */
  async resume(target: Target): Promise<readonly StandingFault[]> {
    return this.#faults.release(this.#resolved(target), ({ type }) => type === 'pause')
  }

  /** Resolves with the faults that were healed, once every node that they hit has noticed. */
  async heal(healed: Healed): Promise<readonly StandingFault[]> {
    const { nodeIds } = this.#cast()
    if ('all' in healed) return this.#faults.heal(() => true)
    if ('faultId' in healed) return this.#faults.heal(({ id }) => id === healed.faultId)
    if ('target' in healed) {
      const nodes = this.#resolved(healed.target)
      return this.#faults.heal(({ fault }) => nodesHit(fault, nodeIds).some((hit) => nodes.includes(hit)))
    }
    const ways = resolveWays(healed.link, this.#cast())
    return this.#faults.heal(
      ({ fault }) =>
        isLinkFault(fault) &&
        waysOf(fault, nodeIds).some(({ from, to }) => ways.some((way) => way.from === from && way.to === to)),
    )
  }

  /** The nodes of which a fault is taken back: roles mean nodes that are down as well. */
  #resolved(target: Target): readonly NodeId[] {
    const cast = this.#cast()
    return resolveTarget(target, { ...cast, candidates: cast.nodeIds })
  }

  async #onLink(
    one: EndTarget,
    other: EndTarget,
    fault: Without<OnWays, 'ways' | 'messages'>,
    options: OnLink,
  ): Promise<FaultHandle> {
    checkOptions(fault.type, options, fault.type === 'delay' ? ['jitterMs', ...onLinkNames] : onLinkNames)
    const { oneWay = false, messages, forMs } = options
    checkFlag('oneWay', oneWay)
    const ways = resolveWays({ one, other, oneWay }, this.#cast())
    return this.#begin({ ...fault, ways, messages } as Fault, forMs)
  }

  async #onNodes(
    target: Target,
    fault: Without<Extract<Fault, { readonly nodes: unknown }>, 'nodes'>,
    options: ForTime,
  ): Promise<FaultHandle> {
    checkOptions(
      fault.type,
      options,
      fault.type === 'fullDisk' ? ['bytesLeft', ...onNodesNames] : onNodesNames,
    )
    return this.#begin({ ...fault, nodes: resolveTarget(target, this.#cast()) } as Fault, options.forMs)
  }

  async #begin(fault: Fault, forMs: number | undefined): Promise<FaultHandle> {
    const { standing, noticed, heal } = this.#faults.begin(fault, forMs)
    try {
      await noticed
    } catch (error) {
      // The caller gets no handle to take it back by. A node that has ended uncleanly stays down.
      if (!isEnding(fault)) await heal().catch(() => {})
      throw error
    }
    return { id: standing.id, standing, heal, [Symbol.asyncDispose]: heal }
  }
}
