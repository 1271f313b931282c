/** The metrics of one member, by the names that etcd gives them where they mean the same. */
import type { Cluster } from '../../cluster/index.js'
import { type Metric, type MetricsText, metricsOfNode } from '../../metrics/index.js'
import { readFigures, type StoreFigures } from '../../mvcc/index.js'
import type { Member } from '../member.js'
import type { RpcCounts } from '../rpc-counts.js'
import { version } from '../version.js'
import { hubOf } from '../watch/hub.js'

const noBytes = Buffer.alloc(0)

export class MemberMetrics {
  readonly #member: Member
  readonly #text: MetricsText
  /** As the store told them for this scrape. `undefined`: its node did not answer. */
  #figures: StoreFigures | undefined
  readonly #checks = { success: 0, failures: 0 }

  constructor(cluster: Cluster, member: Member, counts: RpcCounts) {
    this.#member = member
    this.#text = metricsOfNode(cluster, member.nodeId, [...this.#own(), ...counts.metrics])
  }

  /** Counts a health check, and passes its outcome on. */
  async health(check: Promise<boolean>): Promise<boolean> {
    const isHealthy = await check
    this.#checks[isHealthy ? 'success' : 'failures']++
    return isHealthy
  }

  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    const told = await this.#member.readLocal('figures', noBytes).catch(() => undefined)
    this.#figures = told && readFigures(told.body)
    return { contentType: this.#text.contentType, text: await this.#text.text() }
  }

  #own(): Metric[] {
    const watches = hubOf(this.#member)
    const bytes = () => this.#figures?.bytes
    return [
      named(
        'etcd_server_version',
        'The version of etcd whose API this is. Always 1.',
        'server_version',
        version,
      ),
      told('etcd_mvcc_db_total_size_in_bytes', 'Bytes of all keys and values, those of the past too.', bytes),
      told('etcd_mvcc_db_total_size_in_use_in_bytes', 'The same bytes: none is kept free.', bytes),
      told('etcd_debugging_mvcc_keys_total', 'Keys that exist.', () => this.#figures?.keys),
      told(
        'etcd_debugging_mvcc_current_revision',
        'The revision of the store.',
        () => this.#figures?.revision,
      ),
      told(
        'etcd_debugging_mvcc_compact_revision',
        'The revision of the last compaction; -1: there was none.',
        () => this.#figures?.compactRevision,
      ),
      told('etcd_debugging_mvcc_watch_stream_total', 'Streams of watches.', () => watches.figures.streams),
      told('etcd_debugging_mvcc_watcher_total', 'Watches.', () => watches.figures.watchers),
      told(
        'etcd_debugging_mvcc_slow_watcher_total',
        'Watches behind the store: their clients read slowly, or asked for the past.',
        () => watches.figures.slowWatchers,
      ),
      told(
        'etcd_debugging_mvcc_events_total',
        'Events that watches were sent.',
        () => watches.figures.events,
        'counter',
      ),
      told(
        'etcd_server_health_success',
        'Health checks that succeeded.',
        () => this.#checks.success,
        'counter',
      ),
      told(
        'etcd_server_health_failures',
        'Health checks that failed.',
        () => this.#checks.failures,
        'counter',
      ),
    ]
  }
}

/** A figure that has one value at a time. */
function told(
  name: string,
  help: string,
  value: () => number | undefined,
  type: Metric['type'] = 'gauge',
): Metric {
  const samples = () => {
    const now = value()
    return now === undefined ? [] : [{ labels: {}, value: now }]
  }
  return { name, type, help, labels: [], samples }
}

/** A text as a figure: its label has the text. */
function named(name: string, help: string, label: string, value: string): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: [label],
    samples: () => [{ labels: { [label]: value }, value: 1 }],
  }
}
