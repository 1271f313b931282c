/** Messages between the main thread and the thread of the traces. */
import type { TracesTold } from '../cluster/index.js'
import type { Configuration, NodeId } from '../raft/index.js'
import type { Happened, WaymarkMemory } from '../telemetry/index.js'
import type { EndedCall } from './command-spans.js'

/** The file or the collector to which traces go. */
export type Place = { readonly file: string } | { readonly url: string | undefined }

/** Calls and happenings since the last message. */
export interface News {
  readonly type: 'news'
  /** Calls that have ended, and happenings, both in their order. */
  readonly calls: readonly EndedCall[]
  readonly happened: readonly Happened[]
}

export type ToWorker =
  | {
      readonly type: 'cluster'
      readonly heartbeatIntervalMs: number
      readonly electionTimeoutMs: number
      /** The configuration as the traces begin. `undefined`: no node has told any. */
      readonly configuration: Configuration | undefined
    }
  /** Shared memory of the rows of a node. A new node has told nothing that was not asked for. */
  | {
      readonly type: 'node'
      readonly nodeId: NodeId
      readonly memory: WaymarkMemory
      readonly isNew: boolean
    }
  | { readonly type: 'nodeGone'; readonly nodeId: NodeId }
  | News
  | { readonly type: 'close'; readonly withinMs: number }

/** The thread's own counters. */
export interface Done extends Pick<TracesTold, 'spansSent' | 'spansDropped'> {
  /** Calls that it is through with. */
  readonly calls: number
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'warning'; readonly line: string }
  | ({ readonly type: 'done' } & Done)
  | { readonly type: 'closed' }
