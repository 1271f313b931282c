/** The words in which every bench tells its figures. */
import type { Latencies, Measurement } from '../load/index.js'
import { counted, decimal, table } from '../terminal/index.js'

/** The result of a measurement, as JSON and in words. */
export interface Told {
  readonly figures: { readonly callsPerSecond: number }
  readonly words: string
}

/** Digits below a microsecond, or a millionth of a flush, mean nothing. */
export function rounded(measurement: object): unknown {
  const text = JSON.stringify(measurement, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toFixed(6)) : value,
  )
  return JSON.parse(text)
}

type Called = Pick<Measurement, 'clients' | 'rate' | 'unanswered' | 'notApplied' | 'unknown' | 'operations'>

export function callersOf({ clients, rate }: Called): string {
  return rate === null ? counted(clients, 'client') : `at most ${counted(clients, 'call')} on their way`
}

export function latencyTable({ operations }: Called): string {
  const rows = Object.entries(operations).map(([op, latencies]) => [
    op,
    ...latencyCells(latencies),
    decimal(latencies.count),
  ])
  return table([['ms', 'p50', 'p99', 'p99.9', 'max', 'calls'], ...rows])
}

export function latencyCells({ p50ms, p99ms, p999ms, maxMs }: Omit<Latencies, 'count'>): string[] {
  return [p50ms, p99ms, p999ms, maxMs].map((ms) => decimal(ms, ms < 10 ? 2 : 1))
}

/** The calls that are in no latency, if there are any. */
export function lossesOf({ rate, unanswered, notApplied, unknown }: Called): string[] {
  const lines: string[] = []
  if (rate !== null) {
    lines.push(
      `open loop: ${decimal(rate)} calls a second were due, ${decimal(unanswered ?? 0)} of them unanswered at the end`,
    )
  }
  if (notApplied + unknown > 0) {
    lines.push(`${notApplied} calls were not applied, and of ${unknown} it is not known`)
  }
  return lines
}
