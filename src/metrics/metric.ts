/** A metric as data: its name and meaning, and how its samples are read from a moment. */
import { classEndsUs, type HistogramReading, type ProgressTold } from '../telemetry/index.js'
import type { Moment, NodeNow } from './moment.js'

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface Metric {
  readonly name: string
  readonly type: MetricType
  /** A sentence. */
  readonly help: string
  readonly labels: readonly string[]
  samples(now: Moment): readonly Sample[]
}

export interface Sample {
  /** The name of the metric itself, unless it is another: that of a histogram's bucket, sum or count. */
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

type Value = number | boolean | undefined
type Labels = Sample['labels']

/** One metric for each row of name, sentence and value of a node. `undefined`: the node has no such value now. */
export function ofNodes(
  type: 'counter' | 'gauge',
  rows: readonly (readonly [name: string, help: string, value: (node: NodeNow) => Value])[],
): Metric[] {
  return rows.map(([name, help, value]) => ({
    ...{ name, type, help, labels: ['node'] },
    samples: ({ nodes }) => nodes.flatMap((node) => sampleOf({ node: node.nodeId }, value(node))),
  }))
}

/** A metric with a sample for each word of `label`: what `values` gives for the words of a node. */
export function byWord(
  name: string,
  help: string,
  label: string,
  values: (node: NodeNow) => Readonly<Record<string, Value>>,
): Metric {
  return {
    ...{ name, type: 'gauge', help, labels: ['node', label] },
    samples: ({ nodes }) =>
      nodes.flatMap((node) =>
        Object.entries(values(node)).flatMap(([word, value]) =>
          sampleOf({ node: node.nodeId, [label]: word }, value),
        ),
      ),
  }
}

/** A metric of what a leader knows of each other node. */
export function ofFollowers(
  name: string,
  help: string,
  value: (progress: ProgressTold, leader: NodeNow) => Value,
): Metric {
  return {
    ...{ name, type: 'gauge', help, labels: ['node', 'to'] },
    samples: ({ nodes }) =>
      nodes.flatMap((leader) =>
        leader.progress.flatMap((progress) =>
          sampleOf({ node: leader.nodeId, to: progress.nodeId }, value(progress, leader)),
        ),
      ),
  }
}

/** A metric of the cluster or of its program. */
export function ofAll(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (now: Moment) => number,
): Metric {
  return { name, type, help, labels: [], samples: (now) => sampleOf({}, value(now)) }
}

/** A metric of the cluster or of its program, with a value for each word of a label. */
export function ofWords(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  values: (now: Moment) => Readonly<Record<string, number>>,
): Metric {
  return {
    ...{ name, type, help, labels: [label] },
    samples: (now) =>
      Object.entries(values(now)).flatMap(([word, value]) => sampleOf({ [label]: word }, value)),
  }
}

/** A histogram in seconds, of one reading or of one for each set of labels. */
export function ofLatencies(
  name: string,
  help: string,
  labels: readonly string[],
  readings: (now: Moment) => readonly (readonly [Labels, HistogramReading])[],
): Metric {
  return {
    ...{ name, type: 'histogram', help, labels },
    samples: (now) => readings(now).flatMap(([of, reading]) => histogramSamples(name, of, reading)),
  }
}

function sampleOf(labels: Labels, value: Value): Sample[] {
  return value === undefined ? [] : [{ labels, value: Number(value) }]
}

/** The buckets end at powers of two microseconds, from 16 us to 17 s, as classes of the shared histograms do. */
const buckets = Array.from({ length: 21 }, (_, at) => {
  const endUs = 2 ** (at + 4)
  return { le: endUs / 1e6, lastClass: classEndsUs.indexOf(endUs - 1) }
})

function histogramSamples(
  name: string,
  labels: Labels,
  { counts, count, sumUs }: HistogramReading,
): Sample[] {
  const totals: number[] = []
  let total = 0
  for (const times of counts) {
    total += times
    totals.push(total)
  }
  return [
    ...[...buckets, { le: '+Inf', lastClass: counts.length - 1 }].map(({ le, lastClass }) => ({
      ...{ metricName: `${name}_bucket`, labels: { ...labels, le }, value: totals[lastClass] ?? 0 },
    })),
    { metricName: `${name}_sum`, labels, value: sumUs / 1e6 },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
