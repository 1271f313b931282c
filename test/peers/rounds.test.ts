import { expect, test } from 'vitest'
import { type Figures, labelOf, type Measurement } from '../../bench/peers/measurement.js'
import { comparisonOf } from '../../bench/peers/print.js'
import { recordOf } from '../../bench/peers/record.js'
import { measurementsOf, type RoundsOptions, resultOf, runRounds } from '../../bench/peers/rounds.js'
import { allRows, opponentOf, type Row, rowsNamed, whileBusy } from '../../bench/peers/rows.js'
import { parseRecord } from '../../src/report/index.js'
import { Failed } from '../../src/terminal/failure.js'

const figures: Figures = {
  commitsPerSecond: 100,
  callsPerSecond: 100,
  p50ms: 1,
  p99ms: 10,
  firstHundredP50ms: undefined,
  elections: 0,
  heartbeatLateP999ms: 2,
}

/** Rounds of what `figuresIn` says of a measurement, or throws. */
async function results(
  rows: readonly Row[],
  rounds: number,
  figuresIn: (measurement: Measurement, round: number) => Partial<Figures>,
) {
  const runs = new Map<string, number>()
  const options: RoundsOptions = {
    rows,
    rounds,
    signal: new AbortController().signal,
    tell: () => undefined,
    perform: async (measurement) => {
      const label = labelOf(measurement)
      const round = (runs.get(label) ?? 0) + 1
      runs.set(label, round)
      return { ...figures, ...figuresIn(measurement, round) }
    },
  }
  const done = await runRounds(options)
  return { runs, results: rows.map((row) => resultOf(row, done)) }
}

test('each measurement runs once a round, however many rows need it', async () => {
  const { runs } = await results(allRows, 2, () => ({}))
  expect(new Set(runs.values())).toEqual(new Set([2]))
  expect(runs.size).toBe(measurementsOf(allRows).length)
  expect(runs.size).toBeLessThan(2 * allRows.length)
})

test('each second round runs backwards', async () => {
  const order: string[] = []
  await results(rowsNamed(['durable-64-floor']), 2, ({ program }) => {
    order.push(program)
    return {}
  })
  expect(order).toEqual(['raftbox', 'floor', 'floor', 'raftbox'])
})

test('a ratio is formed within one round', async () => {
  const rates: Record<string, number[]> = { raftbox: [100, 900, 200], 'etcd-raft': [100, 300, 50] }
  const {
    results: [result],
  } = await results(rowsNamed(['durable-64-etcd-raft']), 3, ({ program }, round) => ({
    commitsPerSecond: rates[program]?.[round - 1] ?? 0,
  }))
  expect(result).toMatchObject({ ratios: [1, 3, 4], spread: { min: 1, median: 3, max: 4 }, isMet: true })
})

test('a round in which a peer fails says so and has no ratio', async () => {
  const {
    results: [result],
  } = await results(rowsNamed(['durable-64-etcd-raft']), 3, ({ program }, round) => {
    if (program === 'etcd-raft' && round === 2) throw new Failed('it lost its leader')
    return {}
  })
  expect(result).toMatchObject({ ratios: [1, 1], failures: ['round 2: etcd-raft: it lost its leader'] })
})

test('what failed in every round is not judged', async () => {
  const run = await results(rowsNamed(['durable-64-etcd-raft']), 1, () => {
    throw new Failed('no leader')
  })
  expect(run.results[0]).toMatchObject({ ratios: [], spread: undefined, isMet: undefined })
  expect(comparisonOf(run.results, 1)).toMatch(
    /not measured[\s\S]*round 1: raftbox: no leader; etcd-raft: no leader/,
  )
})

test('a record of it has what was measured, and a report can read it', async () => {
  const rows = rowsNamed(['durable-64-etcd-raft', 'durable-64-floor', 'durable-1-etcd-raft'])
  const run = await results(rows, 1, ({ program, clients }) => {
    if (program === 'etcd-raft' || clients === 1) throw new Failed('it lost its leader')
    return {}
  })
  const startedAt = new Date()
  const ran = { startedAt, rounds: [], seconds: 1, busy: false, found: new Map(), leftOut: [] }
  const record = parseRecord(JSON.stringify(recordOf({ ...ran, results: run.results })), 'the record')
  expect(record.results.map(({ id, figures: told }) => [id, told.length])).toEqual([
    ['peers/durable-64-etcd-raft', 1],
    ['peers/durable-64-floor', 3],
  ])
})

test('no two rows stand for the same thing, so that a plot over clients has one value for each of them', async () => {
  const { results: all } = await results(allRows, 1, () => ({}))
  const startedAt = new Date()
  const ran = { startedAt, rounds: [], seconds: 1, busy: false, found: new Map(), leftOut: [] }
  const told = recordOf({ ...ran, results: all }).results.map(({ parameters }) => JSON.stringify(parameters))
  const late = told.filter((parameters) => parameters.includes('heartbeatLateP999ms'))
  expect(late.length).toBeGreaterThan(0)
  expect(new Set(told).size).toBe(told.length)
})

test('a mistake of our own ends the run', async () => {
  const run = results(rowsNamed(['durable-64-floor']), 1, () => {
    throw new TypeError('x is not a function')
  })
  await expect(run).rejects.toThrow(TypeError)
})

test("raftbox's elections in the measured windows are shown beside the row, and the ratio stands", async () => {
  const run = await results(rowsNamed(['durable-64-floor']), 2, ({ program }) => ({
    elections: program === 'raftbox' ? 1 : 0,
  }))
  expect(run.results[0]).toMatchObject({ elections: 2, ratios: [1, 1] })
  expect(comparisonOf(run.results, 2)).toContain("durable-64-floor: 2 of raftbox's elections")
})

test('targets are held against the median in both directions', async () => {
  const rows = rowsNamed(['durable-1024-p99-etcd-raft', 'five-nodes-three-nodes', 'heartbeats-late'])
  const run = (p99ms: number, commitsPerSecond: number, heartbeatLateP999ms: number) =>
    results(rows, 1, ({ program, nodes }) => ({
      ...(program === 'raftbox' && { p99ms, heartbeatLateP999ms }),
      ...(nodes === 5 && { commitsPerSecond }),
    }))
  expect((await run(2.5, 70, 25)).results.map(({ isMet }) => isMet)).toEqual([true, true, true])
  expect((await run(2.6, 69, 26)).results.map(({ isMet }) => isMet)).toEqual([false, false, false])
})

test('while the cores are kept busy, a row is held against the target for that, or against none', async () => {
  const rows = rowsNamed(['durable-64-etcd-raft', 'durable-64-floor']).map(whileBusy)
  const run = (commitsPerSecond: number) =>
    results(rows, 1, ({ program }) => (program === 'raftbox' ? { commitsPerSecond } : {}))
  expect((await run(150)).results.map(({ isMet }) => isMet)).toEqual([true, undefined])
  expect((await run(149)).results.map(({ isMet }) => isMet)).toEqual([false, undefined])
})

test('a row without a target is shown and not judged', async () => {
  const { results: shown } = await results(rowsNamed(['durable-1-etcd-raft']), 1, () => ({}))
  expect(shown[0]).toMatchObject({ ratios: [1], isMet: undefined })
  expect(comparisonOf(shown, 1)).not.toMatch(/met|missed|not measured/)
})

test('a peer chooses all its rows, and every row has a name of its own', () => {
  const rows = rowsNamed(['hashicorp-raft'])
  expect(rows.length).toBeGreaterThan(1)
  expect(rows.every((row) => opponentOf(row) === 'hashicorp-raft')).toBe(true)
  expect(new Set(allRows.map(({ name }) => name)).size).toBe(allRows.length)
})

test('an interrupted run ends after what is under way', async () => {
  const interruption = new AbortController()
  let performed = 0
  const run = runRounds({
    rows: allRows,
    rounds: 3,
    signal: interruption.signal,
    tell: () => undefined,
    perform: async () => {
      performed++
      interruption.abort()
      return figures
    },
  })
  await expect(run).rejects.toThrow('aborted')
  expect(performed).toBe(1)
})
