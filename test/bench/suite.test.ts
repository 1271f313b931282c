import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BenchRecord } from '../../src/report/bench-record.js'
import { startSuite, temporaryFolder } from '../cli/raftbox.js'

const percentiles = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 100]

function readRecord(file: string): BenchRecord {
  return JSON.parse(readFileSync(file, 'utf8')) as BenchRecord
}

/** What holds for every record, whatever was measured. */
function expectWellFormed({ results }: BenchRecord, rounds: number): void {
  expect(new Set(results.map(({ id }) => id)).size).toBe(results.length)
  for (const { id, group, title, figures, distributions, timeline } of results) {
    expect(id.startsWith(`${group}/`)).toBe(true)
    expect(title).not.toBe('')
    expect(figures.length).toBeGreaterThan(0)
    expect(new Set(figures.map(({ name }) => name)).size).toBe(figures.length)
    for (const { name, values } of figures) {
      expect(values.length, `${id} ${name}`).toBe(rounds)
      expect(values.every(Number.isFinite), `${id} ${name}: ${values}`).toBe(true)
    }
    for (const { points } of distributions) {
      expect(points.map(([percentile]) => percentile)).toEqual(percentiles)
      const times = points.map(([, ms]) => ms)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }
    for (const { round } of timeline) expect(round).toBeLessThan(rounds)
  }
}

test('a run leaves one record, with one value a round for each figure', async () => {
  const file = join(temporaryFolder(), 'record.json')
  const flags = ['--quick', '--only', 'hosts', '--rounds', '2', '--seconds', '0.5', '--out', file]
  const { code, stdout, stderr, left } = await startSuite(flags).ended
  expect([code, left]).toEqual([0, []])
  expect(stdout).toContain('hosts/threads')
  expect(stdout).toContain(file)
  expect(stderr).toContain('round 2/2, 1/2 hosts/threads: ')

  const record = readRecord(file)
  expectWellFormed(record, 2)
  expect(record).toMatchObject({ format: 'raftbox-bench', version: 1, versions: { node: process.version } })
  expect(record.settings).toEqual({ quick: true, long: false, only: 'hosts', rounds: 2, seconds: 0.5 })
  expect(record.versions.lmdb).toMatch(/^\d+\.\d+\.\d+/)
  expect(record.results.map(({ id }) => id)).toEqual(['hosts/threads', 'hosts/inline'])
  for (const { figures, distributions, timeline } of record.results) {
    const commits = figures.find(({ name }) => name === 'commitsPerSecond')
    expect(commits?.values.every((value) => value > 0)).toBe(true)
    expect(distributions.map(({ name }) => name)).toContain('put')
    expect([...new Set(timeline.map(({ round }) => round))]).toEqual([0, 1])
    expect(timeline.some(({ commitsPerSecond, p99ms }) => commitsPerSecond > 0 && p99ms > 0)).toBe(true)
  }
})

test('failover kills leaders under load, and its time line shows the elections', async () => {
  const file = join(temporaryFolder(), 'record.json')
  const { code, left } = await startSuite(['--quick', '--only', 'failover', '--out', file]).ended
  expect([code, left]).toEqual([0, []])
  const record = readRecord(file)
  expectWellFormed(record, 1)
  const { figures, distributions, timeline } = record.results[0]!
  const kills = figures.find(({ name }) => name === 'kills')?.values[0] ?? 0
  expect(kills).toBeGreaterThan(0)
  expect(timeline.reduce((sum, { elections }) => sum + elections, 0)).toBeGreaterThanOrEqual(kills)
  expect(distributions.map(({ name }) => name)).toEqual(['failover', 'put'])
})

test('after Ctrl-C there is no record and no temporary folder', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'record.json')
  const { child, said, ended } = startSuite(['--only', 'hosts', '--out', file])
  await said(/warm-up|measure/)
  child.kill('SIGINT')
  const { code, stdout, left } = await ended
  expect([code, stdout, left, existsSync(file)]).toEqual([130, '', [], false])
})

test.each([
  ['an unknown flag', ['--fast'], "unknown option '--fast'; see npm run bench -- --help"],
  ['a word too many', ['now'], 'too many arguments'],
  [
    'an unknown group',
    ['--only', 'hosts,guests'],
    '--only: give one or more of micro, check, etcd-store, stages, clients, ',
  ],
  ['no group', ['--only', ''], "not ''"],
  ['no rounds', ['--rounds', '0'], "--rounds: give a whole number from 1 to 100, not '0'"],
  ['no time', ['--seconds', '0'], '--seconds: give a number from 0.1'],
  ['quick and long', ['--quick', '--long'], '--quick: leave it out with --long'],
  ['no file', ['--out', ''], "--out: give the name of a file, not ''"],
  ['a folder for a file', ['--out', '.'], "--out: give the name of a file, not '.'"],
  ['a file that cannot be made', ['--out', '/proc/none.json'], '--out: /proc/none.json cannot be written'],
  ['a file in no folder', ['--out', 'no/such/record.json'], '--out: there is no folder no/such'],
])('%s is refused in one line, with exit code 2', async (_, flags, words) => {
  const { code, stdout, stderr, left } = await startSuite(flags).ended
  expect([code, stdout, left]).toEqual([2, '', []])
  expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
  expect(stderr).toContain(words)
})

test('its help names every group', async () => {
  const { code, stdout, stderr } = await startSuite(['--help']).ended
  expect([code, stderr]).toEqual([0, ''])
  for (const words of ['--quick', '--only', 'micro', 'clients', 'open-loop', 'bench/results'])
    expect(stdout).toContain(words)
})
