/** What verbs act on: a cluster on threads, inline or in virtual time, as far as a person at a prompt sees it. */
import type { EndTarget, LinkTarget, MessageKind, StandingFault, Target } from '../faults/index.js'
import type { Seen } from '../load/index.js'
import type { LogIndex, NodeId, Role, Term } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'

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

/** A fault that was begun. */
export interface FaultHandle {
  readonly id: number
  heal(): Promise<void>
}

/** The faults that can be begun. Each promise resolves once every node that the fault hits has noticed. */
export interface FaultMethods {
  cut(one: EndTarget, other: EndTarget, options: OnLink): Promise<FaultHandle>
  delay(
    one: EndTarget,
    other: EndTarget,
    delayMs: number,
    options: OnLink & { readonly jitterMs?: number },
  ): Promise<FaultHandle>
  drop(one: EndTarget, other: EndTarget, share: number, options: OnLink): Promise<FaultHandle>
  duplicate(one: EndTarget, other: EndTarget, share: number, options: OnLink): Promise<FaultHandle>
  reorder(one: EndTarget, other: EndTarget, share: number, options: OnLink): Promise<FaultHandle>
  throttle(one: EndTarget, other: EndTarget, bytesPerSecond: number, options: OnLink): Promise<FaultHandle>
  partition(groups: readonly Target[], options: ForTime): Promise<FaultHandle>
  isolate(target: Target, options: ForTime): Promise<FaultHandle>
  slowDisk(target: Target, flushMs: number, options: ForTime): Promise<FaultHandle>
  stallDisk(target: Target, options: ForTime): Promise<FaultHandle>
  failDisk(target: Target, options: ForTime): Promise<FaultHandle>
  fullDisk(target: Target, options: ForTime & { readonly bytesLeft?: number }): Promise<FaultHandle>
  losePower(target: Target, options: ForTime): Promise<FaultHandle>
  pause(target: Target, options: ForTime): Promise<FaultHandle>
  skew(
    target: Target,
    change: { readonly offsetMs?: number; readonly drift?: number },
    options: ForTime,
  ): Promise<FaultHandle>
}

/** What `status` tells of a node. */
export interface NodeTold {
  readonly nodeId: NodeId
  /** A paused node is alive and frozen. Role and pointers of a node that does not run are the last ones known. */
  readonly state: 'running' | 'paused' | 'stopped' | 'failed'
  readonly role: Role
  readonly currentTerm: Term
  readonly leaderId: NodeId | undefined
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  readonly logBytes: number
  /** Why it failed, when it did. */
  readonly failure: string | undefined
}

/** Bad input throws before anything has changed. */
export interface Subject {
  /** What begins faults: the handle of the cluster itself, where it has these methods. */
  readonly breaker: FaultMethods
  readonly nodeIds: readonly NodeId[]
  readonly faults: readonly StandingFault[]
  /** Now, on the clock of the faults. */
  now(): number
  status(): readonly NodeTold[]
  put(key: string, value: string): Promise<{ readonly index: LogIndex; readonly revision: number }>
  get(key: string): Promise<ValueTold | undefined>
  delete(key: string): Promise<{ readonly index: LogIndex; readonly deleted: boolean }>
  /** Up to 1000 keys that begin with the prefix, in order. */
  range(prefix: string): Promise<{ readonly entries: readonly EntryTold[]; readonly hasMore: boolean }>
  /** Ends nodes as a crash would. Resolves with their ids. */
  kill(target: Target, options: ForTime): Promise<readonly NodeId[]>
  /** Starts nodes that do not run, from their disks. `renew`: anew, if the disk is lost. Resolves with their ids. */
  restart(target: Target, options: { readonly renew?: boolean }): Promise<readonly NodeId[]>
  /** Lets paused nodes go on. Resolves with their ids. */
  resume(target: Target): Promise<readonly NodeId[]>
  /** Heals the faults for which the rule is true. Resolves with them once every node that they hit has noticed. */
  heal(healed: Healed): Promise<readonly StandingFault[]>
  /** Begins a load of closed-loop clients in the background. */
  beginLoad(clients: number): void
  /** Ends it. `undefined`: there was none. */
  endLoad(): Seen | undefined
  story(): Story
}

/** Which faults to heal: all, that of a number, those of a node, or those of a link. */
export type Healed =
  | { readonly all: true }
  | { readonly faultId: number }
  | { readonly target: Target }
  | { readonly link: LinkTarget }

export interface ValueTold {
  readonly value: Uint8Array
  readonly version: number
  readonly modRevision: number
}

export interface EntryTold {
  readonly key: Uint8Array
  readonly value: Uint8Array
}
