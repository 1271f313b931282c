/** A scenario as plain data: the cluster that it wants, its load, its steps, and what is expected of it. */

import type { HostName } from './host.js'
import type { Timing } from './lengths.js'
import type { Condition, Expectation } from './words.js'

export interface Scenario {
  readonly name: string
  /** Its lesson, in plain words. */
  readonly teaches: string
  /** On which hosts it can run. */
  readonly hosts: readonly HostName[]
  readonly nodes: number
  readonly timing: ScenarioTiming
  /** Bytes of log before a snapshot is taken and the log is cut. `undefined`: as a cluster does by itself. */
  readonly logBytesMax: number | undefined
  readonly load: LoadShape
  readonly steps: readonly Step[]
  readonly expectations: readonly Expectation[]
}

export interface ScenarioTiming extends Timing {
  /** Milliseconds after which a client gives a call up. */
  readonly callTimeoutMs: number
}

export interface LoadShape {
  readonly clients: number
  /** Bytes of a value. */
  readonly size: number
  /** Calls a second, over all clients. */
  readonly rate: number
}

export type Step = { readonly line: number; readonly text: string } & (
  | { readonly type: 'verb' }
  /** From here on, the word stands for the node that the target means now. */
  | { readonly type: 'let'; readonly name: string; readonly target: string }
  | { readonly type: 'for'; readonly ms: number }
  | { readonly type: 'until'; readonly condition: Condition; readonly withinMs: number }
  /** For so long, faults of all kinds are drawn by chance. */
  | { readonly type: 'nemesis'; readonly ms: number }
  | { readonly type: 'load'; readonly clients: number }
  | { readonly type: 'expect'; readonly expectation: Expectation }
)
