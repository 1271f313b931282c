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

/** A frame tells of the time until the next one. */
export function reignsOf(frames: readonly Frame[]): Reign[] {
  const reigns: Reign[] = []
  for (const frame of frames) {
    const { atMs, leaderId } = frame
    const term = frame.nodes.reduce((most, { currentTerm }) => Math.max(most, currentTerm), 0)
    const before = reigns.at(-1)
    if (before !== undefined) reigns[reigns.length - 1] = { ...before, toMs: atMs }
    if (before?.term !== term || before.leaderId !== leaderId)
      reigns.push({ fromMs: atMs, toMs: atMs, term, leaderId })
  }
  return reigns
}
