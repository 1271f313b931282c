/** What happens in a cluster, and why. */
import type { EventEmitter } from 'node:events'
import type { NodeHappening } from '../node/index.js'
import type { NodeId } from '../raft/index.js'

/** When, on the clock of `Date.now`, and at which node. */
interface At {
  readonly atMs: number
  readonly nodeId: NodeId
}

/** Times in ticks are told in heartbeats: a tick of a cluster is its `options.heartbeatIntervalMs`. */
export type ClusterEvent = At &
  (NodeHappening | { readonly type: 'killed' } | { readonly type: 'failed'; readonly why: string })

/** `events.on('event', …)`; `on(events, 'event')` of node:events makes it an async iterable. */
export type ClusterEvents = EventEmitter<{ event: [ClusterEvent] }>
