/** `raftbox mutants` at the command line. What it finds is tested in test/mutants. */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { lastLine, run, temporaryFolder } from './raftbox.js'

test('one mutant is killed by its test, the last line tells so, and the record keeps it', {
  timeout: 300_000,
}, async () => {
  const record = join(temporaryFolder(), 'record.json')
  const { code, stdout, stderr, left } = await run([
    ...['mutants', '--only', 'percentile-one-call-late', '--json', '--record', record],
  ])
  expect([code, stderr, left]).toEqual([0, '', []])
  expect(lastLine(stdout)).toMatchObject({ mutants: 1, killed: 1, survivors: [], unmutated: [] })
  const { results } = JSON.parse(readFileSync(record, 'utf8')) as { results: object[] }
  expect(results).toMatchObject([{ id: 'percentile-one-call-late', isKilled: true, seeds: null }])
})

test.each([
  [['--only', 'no-such-mutant'], "raftbox: --only: there is no mutant 'no-such-mutant'\n"],
  [['--room', 'attic'], /^raftbox: --room: give one of raft, .*, not 'attic'\n$/],
  [['--seeds', '0'], /^raftbox: --seeds: give a whole number/],
  [['--record', 'no-such-folder/record.json'], /^raftbox: --record: .*record\.json cannot be written: .*\n$/],
])('bad input is refused in one line: mutants %j', async (args, line) => {
  const { code, stderr } = await run(['mutants', ...args])
  expect(code).toBe(2)
  if (typeof line === 'string') expect(stderr).toBe(line)
  else expect(stderr).toMatch(line)
})

test('an installed package has no mutants, and says so in one line', () => {
  const folder = temporaryFolder()
  const isCode = (path: string): boolean => !/\.(?:map|d\.ts|tsbuildinfo)$/.test(path)
  cpSync('dist/src', join(folder, 'dist/src'), { recursive: true, filter: isCode })
  cpSync('package.json', join(folder, 'package.json'))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  const program = join(folder, 'dist/src/cli/main.js')
  const { status, stderr } = spawnSync(process.execPath, [program, 'mutants'], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([
    2,
    'raftbox: mutants are made of the sources: run this in a checkout, after npm ci\n',
  ])
})
