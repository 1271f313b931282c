/** The acts of a run of whole nodes: messages that arrive, clients that ask, time that passes, and faults. */
import type { MembershipChange, NodeId } from '../raft/index.js'
import type { Asked, MomentName } from '../sim/index.js'
import type { TakeMessage } from './acts.js'

/** An act of a client, at the node of the act. */
export type ClientDeed =
  | { readonly type: 'ask'; readonly what: Asked['type']; readonly commands: readonly Uint8Array[] }
  /** The client wants a session of its own. */
  | { readonly type: 'register'; readonly timeoutMs: number }
  /** A call in the session that the act `session` began; the same `sequence` once more is another copy of the call. */
  | {
      readonly type: 'call'
      readonly session: number
      readonly sequence: number
      readonly firstOutstanding: number
      readonly commands: readonly Uint8Array[]
    }

export type WholeDeed =
  | TakeMessage
  | ClientDeed
  /** All clocks go on, and all nodes that are not paused have their ticks. Of no node. */
  | { readonly type: 'pass'; readonly ms: number }
  /** Time passes until the node campaigns, or gives up its leadership. */
  | { readonly type: 'timeOut' }
  /** The node takes a snapshot of its own, and cuts its log behind it. */
  | { readonly type: 'snapshot' }
  /** The node ends, and starts again. */
  | { readonly type: 'crash'; readonly how: 'kill' | 'losePower' }
  /** The node's disk holds writes back from now on: acts flush them. */
  | { readonly type: 'stall' }
  /** A stalled disk flushes what it held back, and holds later writes back again. */
  | { readonly type: 'flush' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Another node starts, with an empty disk. Its id is the next one. */
  | { readonly type: 'launch' }
  | { readonly type: 'change'; readonly changes: readonly MembershipChange[] }
  /** `undefined`: to the best. */
  | { readonly type: 'transfer'; readonly to: NodeId | undefined }
  /** The node's clock is set ahead or back, and runs too fast or too slow, from now on. */
  | { readonly type: 'skew'; readonly offsetMs: number; readonly drift: number }

export interface WholeAct {
  /** Names the act in the run. */
  readonly id: number
  /** 0: of no node. */
  readonly node: NodeId
  readonly deed: WholeDeed
  /** The node that comes to this moment in the act ends there, and starts again. */
  readonly struck?: Struck
}

export interface Struck {
  readonly moment: MomentName
  readonly how: 'kill' | 'losePower'
}

/** The act with other names for the acts that it names, and for itself. */
export function renamedAct(act: WholeAct, nameOf: (id: number) => number): WholeAct {
  const { deed } = act
  const id = nameOf(act.id)
  if (deed.type === 'take') return { ...act, id, deed: { ...deed, of: nameOf(deed.of) } }
  if (deed.type === 'call') return { ...act, id, deed: { ...deed, session: nameOf(deed.session) } }
  return { ...act, id }
}
