/** Small records of the bench suite, made by hand. */
import type { BenchRecord, BenchResult, Figure } from '../../src/report/bench-record.js'

export function recordOf(results: readonly BenchResult[], changes: Partial<BenchRecord> = {}): BenchRecord {
  return {
    format: 'raftbox-bench',
    version: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    seconds: 90,
    machine: { cpuModel: 'Example 9000', cores: 2, memoryBytes: 8 * 2 ** 30, platform: 'linux x64' },
    versions: { raftbox: '0.1.0', commit: 'abc123', node: 'v20.19.0', v8: '11.3', lmdb: '3.5.6' },
    settings: { quick: true, rounds: 3 },
    results,
    ...changes,
  }
}

export function resultOf(id: string, changes: Partial<BenchResult> = {}): BenchResult {
  return {
    id,
    group: id.split('/')[0] ?? '',
    title: `the case ${id}`,
    parameters: {},
    figures: [],
    distributions: [],
    timeline: [],
    ...changes,
  }
}

export function figureOf(
  name: string,
  unit: string,
  better: Figure['better'],
  ...values: readonly number[]
): Figure {
  return { name, unit, better, values }
}

/** Three numbers of clients, durable and not; a bar chart of sizes; a time line of two rounds with elections. */
export const wholeRecord = recordOf([
  ...[1, 64, 1024].flatMap((clients) =>
    ['flush', 'none'].map((durability, at) =>
      resultOf(`clients/${clients}/${durability}`, {
        parameters: { clients, durability },
        figures: [
          figureOf(
            'commitsPerSecond',
            '1/s',
            'higher',
            clients * 100 * (at + 1),
            clients * 120 * (at + 1),
            1,
          ),
          figureOf('p50ms', 'ms', 'lower', 1.234, 1.5, 2),
          figureOf('p99ms', 'ms', 'lower', 7, 8, 9),
        ],
        distributions: [
          {
            name: 'put',
            points: [
              [0, 0],
              [50, 1.5],
              [99, 8],
              [100, 12],
            ],
          },
        ],
      }),
    ),
  ),
  ...[16, 16_384].map((size) =>
    resultOf(`sizes/${size}`, {
      parameters: { size },
      figures: [figureOf('commitsPerSecond', '1/s', 'higher', 1_600_000 / size)],
    }),
  ),
  resultOf('stability/6', {
    figures: [
      figureOf('commitsPerSecond', '1/s', 'higher', 500),
      figureOf('memoryMostBytes', 'bytes', 'lower', 687_030_272),
    ],
    timeline: [0, 1].flatMap((round) =>
      [0, 1, 2, 3, 4, 5].map((second) => ({
        round,
        second,
        commitsPerSecond: 1000 * (round + 1) + second,
        p99ms: 3,
        elections: round === 1 && second === 4 ? 2 : 0,
      })),
    ),
  }),
])
