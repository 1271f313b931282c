/** The parts of a server that its routes use. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import type { Cluster } from '../cluster/index.js'
import type { Observer } from '../observer/index.js'
import type { ClusterSubject } from '../verbs/index.js'
import type { Feed } from './feed.js'
import type { Readers } from './readers.js'
import type { Records } from './record.js'
import type { ScenarioRuns } from './scenario-run.js'

/** The figures of a cluster, as Prometheus reads them. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

/** The cluster of which a server tells, and what acts on it and looks at it. */
export interface Served {
  readonly cluster: Cluster
  readonly subject: ClusterSubject
  readonly observer: Observer
  /** `undefined`: there are none. */
  readonly metrics?: Metrics
  /** Called when the line `quit` was answered. */
  readonly quit: () => void
}

export interface Rooms extends Served {
  /** All that happened in the cluster. */
  readonly events: Feed
  readonly readers: Readers
  readonly records: Records
  readonly scenarios: ScenarioRuns
  /** The answer of a route that has written it itself. */
  readonly alreadySent: Response
}

export interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

export type App = Hono<{ Bindings: Bindings }>
