/** Whether a leader steps down once no majority answers it: after two election timeouts at the latest (thesis §6.2). */
import { majorityOf, type NodeId, type RaftView } from '../raft/index.js'

/** Of one incarnation of a node; counts in that node's own ticks, which stand still while it is stopped. */
export class QuorumWatch {
  #ticks = 0
  /** How many ticks in a row it has led. */
  #ledTicks = 0
  readonly #heardAtTick = new Map<NodeId, number>()

  heard(from: NodeId): void {
    this.#heardAtTick.set(from, this.#ticks)
  }

  /** After each tick. The answer says what is wrong, if anything is. */
  ticked({ id, role, limits, membership }: RaftView): string | undefined {
    this.#ticks++
    this.#ledTicks = role === 'leader' ? this.#ledTicks + 1 : 0
    const patience = 2 * limits.electionTimeoutTicks + 1
    if (this.#ledTicks <= patience) return undefined
    let heard = 1
    for (const atTick of this.#heardAtTick.values()) if (this.#ticks - atTick <= patience) heard++
    if (heard >= majorityOf(membership.voters.length)) return undefined
    return `node ${id} leads and hears ${heard - 1} others`
  }
}
