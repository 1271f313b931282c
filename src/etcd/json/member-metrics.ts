/** The metrics of one member, by the names that etcd gives them where they mean the same. */
import type { Cluster } from '../../cluster/index.js'
import { type Metric, type MetricsText, metricsOfNode } from '../../metrics/index.js'
import { readFigures, type StoreFigures } from '../../mvcc/index.js'
import type { Member } from '../member.js'
import type { RpcCounts } from '../rpc-counts.js'
import { version } from '../version.js'
import { hubOf } from '../watch/hubs.js'

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
    const store = (name: keyof StoreFigures) => () => this.#figures?.[name]
    const watches = hubOf(this.#member)
    const checks = this.#checks
    return [
      {
        ...{ name: 'etcd_server_version', type: 'gauge', labels: ['server_version'] },
        help: 'The version of etcd whose API this is. Always 1.',
        samples: () => [{ labels: { server_version: version }, value: 1 }],
      },
      ...told('gauge', [
        [
          'etcd_mvcc_db_total_size_in_bytes',
          'Bytes of all keys and values, those of the past too.',
          store('bytes'),
        ],
        ['etcd_mvcc_db_total_size_in_use_in_bytes', 'The same bytes: none is kept free.', store('bytes')],
        ['etcd_debugging_mvcc_keys_total', 'Keys that exist.', store('keys')],
        ['etcd_debugging_mvcc_current_revision', 'The revision of the store.', store('revision')],
        [
          'etcd_debugging_mvcc_compact_revision',
          'The revision of the last compaction; -1: there was none.',
          store('compactRevision'),
        ],
        ['etcd_debugging_mvcc_watch_stream_total', 'Streams of watches.', () => watches.figures.streams],
        ['etcd_debugging_mvcc_watcher_total', 'Watches.', () => watches.figures.watchers],
        [
          'etcd_debugging_mvcc_slow_watcher_total',
          'Watches behind the store: their clients read slowly, or asked for the past.',
          () => watches.figures.slowWatchers,
        ],
      ]),
      ...told('counter', [
        ['etcd_debugging_mvcc_events_total', 'Events that watches were sent.', () => watches.figures.events],
        ['etcd_server_health_success', 'Health checks that succeeded.', () => checks.success],
        ['etcd_server_health_failures', 'Health checks that failed.', () => checks.failures],
      ]),
    ]
  }
}

type Row = readonly [name: string, help: string, value: () => number | undefined]

/** A metric for each row. `undefined`: there is no such value now. */
function told(type: Metric['type'], rows: readonly Row[]): Metric[] {
  return rows.map(([name, help, value]) => ({
    ...{ name, type, help, labels: [] },
    samples: () => {
      const now = value()
      return now === undefined ? [] : [{ labels: {}, value: now }]
    },
  }))
}
