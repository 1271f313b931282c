/** The configuration by which a node goes, and the handing over that it has begun, in memory that other threads read. */
import type { LogIndex, Membership, NodeId, RaftEvent } from '../raft/index.js'
import { ToldMemory } from './told-memory.js'

export interface MembershipTold {
  /** The entry that holds the configuration; 0 for the first one. */
  readonly index: LogIndex
  readonly membership: Membership
  /** The node knows that the entry is committed. */
  readonly isCommitted: boolean
  /** The node leads, and hands over to this one; `undefined`: it does not. */
  readonly transferTo?: NodeId | undefined
}

/** A configuration of 25 nodes with the longest ids takes less than a half. */
const textBytes = 4096

export class MembershipMemory extends ToldMemory<MembershipTold> {
  #told: MembershipTold | undefined

  constructor(memory = ToldMemory.allocate(textBytes)) {
    super(memory)
  }

  override tell(told: MembershipTold): void {
    this.#told = told
    super.tell(told)
  }

  happened(event: RaftEvent): void {
    if (event.type === 'membership') {
      const { index, membership, isCommitted } = event
      this.tell({ ...this.#told, index, membership, isCommitted })
    } else if (event.type === 'transferBegan' || event.type === 'transferEnded') {
      const transferTo = event.type === 'transferBegan' ? event.to : undefined
      if (this.#told !== undefined) this.tell({ ...this.#told, transferTo })
    }
  }
}
