/** The parts of a server that its routes use. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import type { Cluster } from '../cluster/index.js'
import type { MetricsText } from '../metrics/index.js'
import type { Observer } from '../observer/index.js'
import type { ClusterSubject } from '../verbs/index.js'
import type { Feed } from './feed.js'
import type { KeyWatches } from './key-watch.js'
import type { Readers } from './readers.js'
import type { Records } from './record.js'
import type { ScenarioRuns } from './scenario-run.js'

/** The cluster of which a server tells, and what acts on it and looks at it. */
export interface Served {
  readonly cluster: Cluster
  readonly subject: ClusterSubject
  readonly observer: Observer
  /** How much others left out since somebody was slow, by what it was. */
  readonly dropped?: () => Readonly<Record<string, number>>
  /** Called when the line `quit` was answered. */
  readonly quit: () => void
}

export interface Rooms extends Served {
  /** All that happened in the cluster. */
  readonly events: Feed
  readonly keys: KeyWatches
  readonly readers: Readers
  readonly records: Records
  readonly scenarios: ScenarioRuns
  readonly metrics: MetricsText
  /** The answer of a route that has written it itself. */
  readonly alreadySent: Response
}

export interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

export type App = Hono<{ Bindings: Bindings }>
