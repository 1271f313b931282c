/** The run as a strip: stretches of time in which one node led, or nobody. */
import type { Frame } from '../observer/index.js'
import type { NodeId, Term } from '../raft/index.js'

export interface Reign {
  readonly fromMs: number
  readonly toMs: number
  readonly term: Term
  /** `undefined`: nobody led. */
  readonly leaderId: NodeId | undefined
}

/** A frame stands for the time until the next one. */
export function reignsOf(frames: readonly Frame[]): Reign[] {
  const reigns: Reign[] = []
  let begun: Omit<Reign, 'toMs'> | undefined
  for (const { atMs, leaderId, nodes } of frames) {
    let term = 0
    for (const { currentTerm } of nodes) term = Math.max(term, currentTerm)
    if (begun?.term === term && begun.leaderId === leaderId) continue
    if (begun !== undefined) reigns.push({ ...begun, toMs: atMs })
    begun = { fromMs: atMs, term, leaderId }
  }
  const last = frames.at(-1)
  if (begun !== undefined && last !== undefined) reigns.push({ ...begun, toMs: last.atMs })
  return reigns
}
