/** The roles and terms of each node, from when to when, for its line in a picture. */
import type { NodeId, Role } from '../raft/index.js'
import { overlaps, type Stretch } from './stretch.js'
import type { Timeline } from './timeline.js'

export interface Stay extends Stretch {
  readonly role: Role | 'down'
  readonly term: number
}

/** The stays of a node within the window, without gaps. */
export function staysOf({ story }: Timeline, nodeId: NodeId, window: Stretch): Stay[] {
  const stays: Stay[] = []
  let stay: Stay = {
    role: 'follower',
    term: 0,
    sinceMs: Number.NEGATIVE_INFINITY,
    untilMs: Number.POSITIVE_INFINITY,
  }
  const becomes = (atMs: number, role: Stay['role'], term = stay.term): void => {
    if (role === stay.role && term === stay.term) return
    stays.push({ ...stay, untilMs: atMs })
    stay = { role, term, sinceMs: atMs, untilMs: Number.POSITIVE_INFINITY }
  }
  for (const each of story.happened) {
    if (each.nodeId !== nodeId) continue
    if (each.type === 'role') becomes(each.atMs, each.role, each.term)
    else if (each.type === 'started') becomes(each.atMs, 'follower')
    else if (each.type === 'killed' || each.type === 'failed' || each.type === 'removed')
      becomes(each.atMs, 'down')
  }
  const within = [...stays, stay].filter((each) => overlaps(each, window))
  return within.map((each) => ({
    ...each,
    sinceMs: Math.max(each.sinceMs, window.sinceMs),
    untilMs: Math.min(each.untilMs, window.untilMs),
  }))
}
