/** The metrics of one cluster, as Prometheus reads them. */
import { Gauge, Registry } from 'prom-client'
import type { NodeId } from '../raft/index.js'
import { etcdMetrics } from './etcd-metrics.js'
import type { Metric, Sample } from './metric.js'
import { type Looked, Looks } from './moment.js'
import { nodeMetrics } from './node-metrics.js'
import { programMetrics } from './program-metrics.js'

export const metrics: readonly Metric[] = [...etcdMetrics, ...nodeMetrics, ...programMetrics]

/** The text of a scrape is read from shared memory: no node is asked, and a frozen one shows what it told last. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

/** `dropped` tells what was left out since somebody was slow, by what it was. */
export function metricsOf(
  cluster: Looked,
  dropped: () => Readonly<Record<string, number>> = () => ({}),
): MetricsText {
  return textOf(new Looks(cluster, dropped), metrics)
}

/** The metrics of one node, as if it were scraped alone: no label names it. `more` are told beside them. */
export function metricsOfNode(cluster: Looked, nodeId: NodeId, more: readonly Metric[]): MetricsText {
  const ofNode = metrics
    .filter(({ labels }) => labels.includes('node'))
    .map((metric) => alone(metric, nodeId))
  const ofProcess = programMetrics.filter(({ name }) => name.startsWith('process_'))
  return textOf(new Looks(cluster, () => ({})), [...ofNode, ...ofProcess, ...more])
}

function alone(metric: Metric, nodeId: NodeId): Metric {
  return {
    ...metric,
    labels: metric.labels.filter((label) => label !== 'node'),
    samples: (now) =>
      metric
        .samples(now)
        .filter((sample) => sample.labels['node'] === nodeId)
        .map(({ labels: { node: _, ...labels }, ...sample }) => ({ ...sample, labels })),
  }
}

function textOf(looks: Looks, told: readonly Metric[]): MetricsText {
  const registry = new Registry()
  let now = looks.now()
  for (const metric of told) registry.registerMetric(new Told(metric, () => metric.samples(now)))
  return {
    contentType: registry.contentType,
    text() {
      now = looks.now()
      // All samples are read before this returns, so that they are of one moment.
      return registry.metrics()
    },
  }
}

/** A metric of any type whose samples were counted elsewhere. prom-client's own types count by themselves. */
class Told extends Gauge {
  readonly #type: Metric['type']
  readonly #samples: () => readonly Sample[]

  constructor({ name, help, labels, type }: Metric, samples: () => readonly Sample[]) {
    super({ name, help, labelNames: labels, registers: [] })
    this.#type = type
    this.#samples = samples
  }

  override async get(): ReturnType<Gauge['get']> {
    const values = [...this.#samples()]
    const gauge = await super.get()
    // The registry writes the type as it is, though its declaration says a number.
    return { ...gauge, type: this.#type as unknown as typeof gauge.type, values }
  }
}
