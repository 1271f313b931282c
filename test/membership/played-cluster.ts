/** A cluster whose answers to an operator are those that the test says, in order. Time passes only in pauses and starts. */
import type { ChangeOutcome, TransferOutcome } from '../../src/driver/index.js'
import { RaftError, type Result } from '../../src/errors/index.js'
import type { Changeable, KnownConfiguration } from '../../src/membership/index.js'
import type { Membership, MembershipChange, NodeId } from '../../src/raft/index.js'

type Play<Outcome> = Outcome | ((cluster: PlayedCluster) => Outcome)

export class PlayedCluster implements Changeable {
  readonly heartbeatIntervalMs = 100
  readonly electionTimeoutMs = 500
  leaderId: NodeId | undefined = 1
  failures: string | undefined
  running: readonly NodeId[] = [1, 2, 3, 4]
  configuration: KnownConfiguration | undefined
  isClosed = false
  nodesJoining = 0
  /** The time that the start of a node takes. */
  launchMs = 0
  /** What becomes of nodes that are to be ended for good. */
  discarded: Result<undefined> = { ok: true, value: undefined }
  /** All that was asked of it, in order. */
  readonly asked: string[] = []
  readonly #changes: Play<ChangeOutcome>[]
  readonly #transfers: Play<TransferOutcome | undefined>[]
  #nowMs = 0
  #event = { atMs: Number.POSITIVE_INFINITY, happens: (): void => undefined }

  constructor(changes: Play<ChangeOutcome>[], transfers: Play<TransferOutcome | undefined>[] = []) {
    this.#changes = changes
    this.#transfers = transfers
    this.goesBy(membership([1, 2, 3]))
  }

  goesBy(configuration: Membership, isCommitted = true): void {
    this.configuration = { index: 1, membership: configuration, isCommitted }
  }

  now(): number {
    return this.#nowMs
  }

  later(ms: number, run: () => void): void {
    this.#nowMs += ms
    if (this.#nowMs >= this.#event.atMs) this.#event.happens()
    run()
  }

  /** What happens in the cluster by itself, so many milliseconds from now. */
  afterwards(ms: number, happens: () => void): void {
    this.#event = { atMs: this.#nowMs + ms, happens }
  }

  checkOpen(): void {
    if (this.isClosed) throw new RaftError('STOPPED', { what: 'the cluster' })
  }

  checkRuns(nodeId: NodeId): void {
    if (this.running.includes(nodeId)) return
    throw new RaftError('STOPPED', { what: `node ${nodeId}`, because: this.failures })
  }

  change(
    nodeId: NodeId,
    changes: readonly MembershipChange[],
    _: number,
    answered: (outcome: ChangeOutcome) => void,
  ): void {
    this.asked.push(`${nodeId}: ${changes.map(({ type, nodeId: of }) => `${type} ${of}`).join(', ')}`)
    answered(this.#played(this.#changes))
  }

  handOver(
    nodeId: NodeId,
    to: NodeId | undefined,
    _: number,
    answered: (outcome: TransferOutcome | undefined) => void,
  ): void {
    this.asked.push(`${nodeId}: hand over to ${to}`)
    answered(this.#played(this.#transfers))
  }

  launch(answered: (launched: Result<NodeId>) => void): void {
    this.asked.push('launch 4')
    this.#nowMs += this.launchMs
    answered({ ok: true, value: 4 })
  }

  end(nodeId: NodeId, answered: (ended: Result<undefined>) => void): void {
    this.asked.push(`end ${nodeId}`)
    answered({ ok: true, value: undefined })
  }

  discard(nodeId: NodeId, keep: boolean, answered: (ended: Result<undefined>) => void): void {
    this.asked.push(`${keep ? 'keep' : 'drop'} ${nodeId}`)
    answered(this.discarded)
  }

  /** The last answer is given again and again. */
  #played<Outcome>(plays: Play<Outcome>[]): Outcome {
    const play = plays.length > 1 ? plays.shift() : plays[0]
    return typeof play === 'function'
      ? (play as (cluster: PlayedCluster) => Outcome)(this)
      : (play as Outcome)
  }
}

export function membership(voters: readonly NodeId[], learners: readonly NodeId[] = []): Membership {
  return { voters, votersOutgoing: [], learners }
}

export function refused(code: Extract<ChangeOutcome, { outcome: 'refused' }>['code'], why = code as string) {
  return { outcome: 'refused', code, leaderId: undefined, why } as const
}

export function done(voters: readonly NodeId[], learners: readonly NodeId[] = []) {
  return { outcome: 'done', index: 9, membership: membership(voters, learners) } as const
}

export const unknown = { outcome: 'unknown', why: 'node 1 failed' } as const
