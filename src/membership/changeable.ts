/** A cluster whose members come and go: on threads, inline or in virtual time. */
import type { ChangeOutcome, TransferOutcome } from '../driver/index.js'
import type { Result } from '../errors/index.js'
import type { Configuration, MembershipChange, NodeId } from '../raft/index.js'

/** The latest configuration in a node's log, and whether the node knows that it is committed. */
export interface KnownConfiguration extends Configuration {
  readonly isCommitted: boolean
}

/** Each `answered` is called once, at once or later. */
export interface Changeable {
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  /** The leader of the latest term; `undefined` while there is none. */
  readonly leaderId: NodeId | undefined
  /** The nodes that failed, and why; `undefined`: none has. */
  readonly failures: string | undefined
  /** The configuration by which the leader goes; `undefined` while there is no leader. */
  readonly configuration: KnownConfiguration | undefined
  /** Nodes that are being launched and added. The procedures count them [MC9]. */
  nodesJoining: number
  /** Milliseconds on the clock of this cluster. */
  now(): number
  /** Calls back once after so many milliseconds, or as the cluster is closed. */
  later(ms: number, run: () => void): void
  /** Throws a `RaftError` once the cluster is closed. */
  checkOpen(): void
  /** Throws a `RaftError` if the node does not run, with the reason if it failed. */
  checkRuns(nodeId: NodeId): void
  /** Asks a node for other members. A node that ends first, or takes longer, is an unknown outcome. */
  change(
    nodeId: NodeId,
    changes: readonly MembershipChange[],
    withinMs: number,
    answered: (outcome: ChangeOutcome) => void,
  ): void
  /** Asks a node to hand over its leadership. `undefined`: it ended first, or took longer. */
  handOver(
    nodeId: NodeId,
    to: NodeId | undefined,
    withinMs: number,
    answered: (outcome: TransferOutcome | undefined) => void,
  ): void
  /**
   * Starts a node with an empty disk and an id that no node had before. The node hears all others, all hear the node, and
   * the configuration does not have it yet.
   */
  launch(answered: (launched: Result<NodeId>) => void): void
  /** Ends a node, if it runs. The node can be started again. */
  end(nodeId: NodeId, answered: (ended: Result<undefined>) => void): void
  /** Ends a node for good, if it runs. With `keep`, its folder stays, and else it is removed. */
  discard(nodeId: NodeId, keep: boolean, answered: (ended: Result<undefined>) => void): void
}
