/** Happenings in a cluster, and their causes. */
import type { EventEmitter } from 'node:events'
import type { Happened } from '../telemetry/index.js'

/**
 * Something that happened at a node, or at none, with its sequence number and its cause. Times in ticks are told in
 * heartbeats: a tick of a cluster is its `options.heartbeatIntervalMs`.
 */
export type ClusterEvent = Happened

/**
 * `events.on('event', …)`; `on(events, 'event', { signal: cluster.closing })` of node:events makes it an async iterable,
 * which ends by an `AbortError` as the cluster closes.
 */
export type ClusterEvents = EventEmitter<{ event: [ClusterEvent] }>
