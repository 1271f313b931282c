/**
 * Whether a leader steps down once no majority answers it, after two election timeouts at the latest (thesis §6.2), and
 * whether a transfer of leadership ends within one (thesis §3.10).
 */
import { isMajority } from '../proof/index.js'
import type { Membership, NodeId, RaftView } from '../raft/index.js'

/** Of one incarnation of a node; counts in that node's own ticks, which stand still while it is stopped. */
export class QuorumWatch {
  #ticks = 0
  /** How many ticks in a row it has led with these members. */
  #ledTicks = 0
  #membership: Membership | undefined
  /** How many ticks it has been handing over, by our count and by its own. */
  #transferTicks = 0
  #elapsedTicks = 0
  readonly #heardAtTick = new Map<NodeId, number>()

  heard(from: NodeId): void {
    this.#heardAtTick.set(from, this.#ticks)
  }

  /** After each tick. The answer says what is wrong, if anything is. */
  ticked({ id, role, limits, membership, leadership }: RaftView): string | undefined {
    this.#ticks++
    this.#ledTicks = role === 'leader' && membership === this.#membership ? this.#ledTicks + 1 : 0
    this.#membership = membership
    const elapsedTicks = leadership?.transfer?.elapsedTicks
    const isGoingOn = elapsedTicks !== undefined && elapsedTicks >= this.#elapsedTicks
    this.#transferTicks = isGoingOn ? this.#transferTicks + 1 : 0
    this.#elapsedTicks = elapsedTicks ?? 0
    if (this.#transferTicks > limits.electionTimeoutTicks)
      return `node ${id} has been handing over for ${this.#transferTicks} ticks, and takes no commands`
    const patience = 2 * limits.electionTimeoutTicks + 1
    if (this.#ledTicks <= patience) return undefined
    const isHeard = (other: NodeId): boolean =>
      other === id || this.#ticks - (this.#heardAtTick.get(other) ?? Number.NEGATIVE_INFINITY) <= patience
    if (isMajority(membership, isHeard)) return undefined
    return `node ${id} leads and hears ${membership.voters.filter(isHeard)} of ${membership.voters}`
  }
}
