import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { lastLine, program, run, startProgram, temporaryFolder } from './raftbox.js'

const small = ['--terms', '1', '--entries', '0', '--crashes', '0', '--duplicates', '0', '--slow-writes', '0']
const smallest = [...small, '--heartbeats', '0', '--changes', '0', '--transfers', '0']

test('search tells how many worlds it saw, how deep it came, and what it did not cover', async () => {
  const { code, stdout, stderr } = await run(['search', ...smallest])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('no violation\n709 distinct worlds')
  expect(stdout).toContain(
    'nothing within the bounds is left: all worlds up to 15 steps from the start were seen',
  )
  expect(stdout).toContain('not covered:\n  more than 3 nodes, 1 term, 0 commands')
})

test('search --json prints one object', async () => {
  const { code, stdout } = await run(['search', ...smallest, '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ states: 709, depth: 15, isExhausted: true, bounds: { terms: 1 } })
})

test('search ends after --seconds, and says that worlds are left', async () => {
  const { code, stdout } = await run(['search', '--seconds', '1', '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ isExhausted: false })
})

/** The command line of a copy of the program with a mistake. */
function planted(file: string, right: string, wrong: string): string {
  const folder = temporaryFolder()
  const copied = join(folder, 'dist', 'src', 'cli', 'main.js')
  cpSync(dirname(dirname(program)), join(folder, 'dist', 'src'), { recursive: true })
  cpSync('package.json', join(folder, 'package.json'))
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, 'dist', 'src', 'raft', file)
  const text = readFileSync(path, 'utf8')
  expect(text).toContain(right)
  writeFileSync(path, text.replace(right, wrong))
  return copied
}

test('a violation is told by its steps, ends with code 1, and is repeated by replay', {
  timeout: 120_000,
}, async () => {
  const copied = planted('elections.js', 'if (state.votedFor !== undefined)', 'if (false)')
  const recording = join(temporaryFolder(), 'found.jsonl')
  const found = await startProgram(copied, ['search', ...smallest, '--record', recording]).ended
  expect([found.code, found.stderr]).toEqual([1, ''])
  expect(found.stdout).toContain(
    'the node stops itself: a vote is given once a term\na violation after 3 steps\n',
  )
  expect(found.stdout).toMatch(/^1\. node \d hears nobody for an election timeout$/m)
  expect(found.stdout).toMatch(/^3\. node \d takes requestVote of node \d in term 1: its log ends in 0@0$/m)

  const repeated = await startProgram(copied, ['replay', recording]).ended
  expect(repeated.code).toBe(1)
  expect(repeated.stdout).toContain(
    'the node stops itself: a vote is given once a term\n3 steps: a violation\n',
  )
})

test.each([
  {
    file: 'append-entries.js',
    right: 'if (isHardStateFlushed(state) && matchIndex <= log.flushedIndex)',
    wrong: 'if (true)',
    bounds: [],
    rule: 'a promise is on disk before it leaves',
    steps: 4,
  },
  {
    file: 'log.js',
    right: 'if (own.term !== run.term)',
    wrong: 'if (true)',
    bounds: ['--entries', '1', '--duplicates', '1'],
    rule: 'the node stops itself',
    steps: 8,
  },
])(
  'replay repeats $steps steps to: $rule',
  { timeout: 120_000 },
  async ({ bounds, rule, steps, ...mistake }) => {
    const copied = planted(mistake.file, mistake.right, mistake.wrong)
    const recording = join(temporaryFolder(), 'found.jsonl')
    const found = await startProgram(copied, ['search', ...smallest, ...bounds, '--record', recording]).ended
    expect(found.code).toBe(1)
    const told = found.stdout.split('\n').find((line) => line.startsWith(rule))
    expect(told).toBeDefined()
    const repeated = await startProgram(copied, ['replay', recording]).ended
    expect([repeated.code, repeated.stderr]).toEqual([1, ''])
    expect(repeated.stdout).toContain(`${told}\n${steps} steps: a violation\n`)
    expect(await run(['replay', recording])).toMatchObject({ code: 0 })
  },
)

test('a search without a violation leaves no file', async () => {
  const recording = join(temporaryFolder(), 'found.jsonl')
  expect(await run(['search', ...smallest, '--record', recording])).toMatchObject({ code: 0 })
  expect(existsSync(recording)).toBe(false)
})

test.each([
  [['--nodes', '9'], '--nodes: give a whole number from 1 to 5'],
  [['--slow-writes', '-1'], '--slow-writes: give a whole number from 0 to 15'],
  [['--record', 'no-such-folder/found.jsonl'], '--record: no-such-folder/found.jsonl cannot be written'],
])('search %j is bad input', async (args, words) => {
  const { code, stdout, stderr } = await run(['search', ...args])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(words)
  expect(existsSync('no-such-folder')).toBe(false)
})
