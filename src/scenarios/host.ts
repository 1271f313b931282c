/** The place where a scenario runs: a cluster on real threads, or one in virtual time, with one runner for both. */
import type { HashAt } from '../cluster/index.js'
import type { Dice, FaultType } from '../faults/index.js'
import type { MemberKind } from '../membership/index.js'
import type { NodeId, Random, Role } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'
import type { Shown } from './ledger.js'

export const hostNames = ['threads', 'simulated'] as const
export type HostName = (typeof hostNames)[number]

/** A node as it is known without asking it. */
export interface NodeSeen {
  readonly nodeId: NodeId
  readonly state: 'running' | 'paused' | 'stopped' | 'failed'
  /** Its part in the configuration. */
  readonly member: MemberKind
  readonly role: Role
  readonly currentTerm: number
  readonly lastIndex: number
  readonly lastApplied: number
}

/** The end of a call, as its client was told. */
export type CallEnd =
  | { readonly type: 'written'; readonly revision: number }
  | ({ readonly type: 'read' } & Shown)
  /** The call did not happen, and will not. */
  | { readonly type: 'notDone'; readonly code: string }
  | { readonly type: 'unknown'; readonly why: string }

/** A happening in the cluster, as far as a scenario counts and tells it. */
export interface HostEvent {
  readonly atMs: number
  readonly nodeId: NodeId
  /** The kinds that a scenario counts; `undefined` for all else. */
  readonly happened: 'candidate' | 'leader' | 'snapshotInstalling' | undefined
  readonly words: string
}

export interface Host {
  readonly name: HostName
  readonly nodeIds: readonly NodeId[]
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  /** Milliseconds on the clock of this cluster. */
  now(): number
  /** Calls back once after so many milliseconds. */
  later(ms: number, run: () => void): void
  /** Lets time pass until the condition holds. False when it does not within so many milliseconds. */
  until(condition: () => boolean, withinMs: number): Promise<boolean>
  nodes(): readonly NodeSeen[]
  /** The node that an id or a role means; a role means none of those `taken`. Throws a `RaftError` where it means none. */
  nodeOf(word: string, random: Random, taken: readonly NodeId[]): NodeId
  /** The leader of the latest term; `undefined` while there is none. */
  readonly leaderId: NodeId | undefined
  /** `done` is called once, in a later turn. */
  put(key: string, value: string, done: (end: CallEnd) => void): void
  get(key: string, done: (end: CallEnd) => void): void
  /** Does what a line of the prompt says. Rejects with a `RaftError` that says why it cannot. */
  carryOut(line: string): Promise<void>
  onEvent(listener: (event: HostEvent) => void): void
  /** Begins to draw faults by chance. The answer ends that, and tells how many of each type there were. */
  nemesis(dice: Dice): () => Promise<ReadonlyMap<FaultType, number>>
  /** Heals every fault, and brings back every node that does not run. */
  healAll(): Promise<void>
  /** The hash of each node's state machine, and the index that it stands for. */
  hashes(): Promise<ReadonlyMap<NodeId, HashAt>>
  story(): Story
  /** A promise that a checker of the host itself saw broken. */
  readonly violation: string | undefined
  close(): Promise<void>
}
