/** A member of the cluster, as its services see it: each request goes through this node, and none around it. */
import type { CommandOp, QueryOp } from '../mvcc/index.js'
import type { NodeId } from '../raft/index.js'

/** The answer of the machine; one that refuses has been thrown as an `EtcdError`. */
export interface Served {
  readonly revision: number
  /** The response without its header. */
  readonly body: Buffer
}

export interface Member {
  readonly nodeId: NodeId

  /** By the configuration by which the cluster goes. Each call asks. */
  readonly isLearner: boolean

  /**
   * Replicates a command. A follower makes sure first that it hears its leader, and every member answers once it has
   * applied the command itself: a read of this member sees the write.
   */
  propose(op: CommandOp, request: Uint8Array): Promise<Served>

  /** A linearizable read, served by this node. */
  read(op: QueryOp, request: Uint8Array): Promise<Served>

  /** A read of what this node has applied, however old that is. */
  readLocal(op: QueryOp, request: Uint8Array): Promise<Served>

  /** The node's own figures, read from shared memory. */
  look(): MemberLook

  /** `ResponseHeader` as field 1 of a response: to be put in front of a body. */
  header(revision: number): Buffer

  /** Resolves once the node has applied `index`, or once `signal` is aborted. */
  applied(index: number, signal?: AbortSignal): Promise<void>

  /** Called when this node may have applied more, or may know of another leader: at most once a turn. */
  onProgress(listener: () => void): () => void
}

export interface MemberLook {
  /** `undefined`: this node knows of no leader. */
  readonly leaderId: NodeId | undefined
  readonly term: number
  readonly commitIndex: number
  readonly lastApplied: number
}
