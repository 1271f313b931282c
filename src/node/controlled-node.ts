/** A node as the cluster holds it: in its thread, or inline in this one. */
import type { ChangeOutcome, TransferOutcome } from '../driver/index.js'
import { failure, type Result, unwrap } from '../errors/index.js'
import type { LogIndex, MembershipChange, NodeId, Snapshot } from '../raft/index.js'
import type { LatencyCounts } from '../telemetry/index.js'
import type { ClientWayEnd, LinkEnd } from '../transport/index.js'
import type { HashAt, NodeOptions } from './control.js'
import { answerWithin, snapshotWithinMs } from './deadline.js'
import { NodeHost } from './node-host.js'
import type { NodeParts } from './parts.js'

export interface ControlledNode {
  start(
    options: NodeOptions,
    client: ClientWayEnd,
    links: readonly LinkEnd[],
  ): Promise<Result<string | undefined>>
  connect(link: LinkEnd): Promise<Result<undefined>>
  disconnect(peerId: NodeId): Promise<Result<undefined>>
  /** Without an answer after `withinMs` nobody knows what becomes of the change. */
  changeMembership(changes: readonly MembershipChange[], withinMs: number): Promise<Result<ChangeOutcome>>
  transfer(to: NodeId | undefined, withinMs: number): Promise<Result<TransferOutcome>>
  hash(): Promise<Result<HashAt>>
  takeSnapshot(): Promise<Result<Snapshot>>
  readSnapshot(index: LogIndex, offset: number, length: number): Promise<Result<Uint8Array | undefined>>
  takeHeartbeatLateness(): Promise<Result<LatencyCounts>>
  /** Looks at its board. */
  look(): Promise<Result<undefined>>
  /** Goes on until its disk loses its power, and is then still to be ended. */
  losePower(): Promise<Result<undefined>>
  /**
   * Ends at once, as in a crash, and leaves no thread, port or file handle behind. Rejects when a part of it did not end
   * cleanly, once all parts have ended.
   */
  end(): Promise<void>
}

/** The same node in the main thread, where a profiler or a debugger sees all of it. */
export class InlineNode implements ControlledNode {
  readonly #nodeId: NodeId
  readonly #host: NodeHost

  constructor(nodeId: NodeId, parts: NodeParts) {
    this.#nodeId = nodeId
    this.#host = new NodeHost(parts)
  }

  start(
    options: NodeOptions,
    client: ClientWayEnd,
    links: readonly LinkEnd[],
  ): Promise<Result<string | undefined>> {
    return this.#host.start(options, client, links)
  }

  async connect(link: LinkEnd): Promise<Result<undefined>> {
    return this.#host.connect(link)
  }

  async disconnect(peerId: NodeId): Promise<Result<undefined>> {
    return this.#host.disconnect(peerId)
  }

  changeMembership(changes: readonly MembershipChange[], withinMs: number): Promise<Result<ChangeOutcome>> {
    return this.#within('the change of members', withinMs, this.#host.changeMembership(changes))
  }

  transfer(to: NodeId | undefined, withinMs: number): Promise<Result<TransferOutcome>> {
    return this.#within('the transfer', withinMs, this.#host.transfer(to))
  }

  async hash(): Promise<Result<HashAt>> {
    return this.#host.hash()
  }

  takeSnapshot(): Promise<Result<Snapshot>> {
    return this.#within('the snapshot', snapshotWithinMs, this.#host.takeSnapshot())
  }

  async readSnapshot(
    index: LogIndex,
    offset: number,
    length: number,
  ): Promise<Result<Uint8Array | undefined>> {
    return this.#host.readSnapshot(index, offset, length)
  }

  async takeHeartbeatLateness(): Promise<Result<LatencyCounts>> {
    return this.#host.takeHeartbeatLateness()
  }

  async look(): Promise<Result<undefined>> {
    return this.#host.look()
  }

  losePower(): Promise<Result<undefined>> {
    return this.#host.losePower()
  }

  async end(): Promise<void> {
    unwrap(await this.#host.crash())
  }

  #within<T>(what: string, deadlineMs: number, answer: Promise<Result<T>>): Promise<Result<T>> {
    return answerWithin<Result<T>>(
      answer,
      deadlineMs,
      failure('NO_ANSWER', { nodeId: this.#nodeId, what, deadlineMs }),
    )
  }
}
