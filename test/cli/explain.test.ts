import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { StoryReader, StoryWriter } from '../../src/explain/index.js'
import { links, MadeStory } from '../explain/made-story.js'
import { lastLine, run, start, temporaryFile, temporaryFolder } from './raftbox.js'

/** A story of an election, as `sandbox --record` writes it. */
function lines(): string[] {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  made.breaks(1990, { type: 'cut', line: 'cut 1-*', nodes: [1, 2, 3], ways: links(1, 2, 3) })
  return [...new StoryWriter().newIn(made.elects(2600, 2, 2, [3]).commits(2, 2620, 3000, 70).story)]
}

const whole = (): string => temporaryFile('run.story', `${lines().join('\n')}\n`)

test('a story is explained, in words and as JSON', async () => {
  const file = whole()
  const election = await run(['explain', file, 'election'])
  expect(election).toMatchObject({ code: 0, stderr: '' })
  expect(election.stdout).toMatch(/^Node 2 won the election of term 2 at 2\.600 s; node 1 had led term 1\.$/m)
  expect(election.stdout).toMatch(/^Why it began: .* \(cut 1-\*\)\.$/m)
  const json = await run(['explain', file, 'election', '2', '--json'])
  expect(lastLine(json.stdout)).toMatchObject({
    type: 'election',
    term: 2,
    cause: { type: 'link', faultLine: 'cut 1-*' },
  })
  expect((await run(['explain', file])).stdout).toMatch(/^Now node 2 leads; these faults stand: cut 1-\*\.$/m)
  expect((await run(['explain', file, 'stall'])).stdout).toMatch(/^What stood in the way: nobody led/m)
  expect((await run(['explain', file, 'index', '75'])).stdout).toMatch(
    /^Index 75, taken from a client by node 2/,
  )
})

test('what is not told of in a story is no error of the caller, and the exit code says so', async () => {
  const { code, stdout, stderr } = await run(['explain', whole(), 'index', '5000', '--json'])
  expect([code, stderr]).toEqual([1, ''])
  expect(lastLine(stdout)).toEqual({
    type: 'nothing',
    why: 'no node has come to index 5000 yet; the last one is 89',
  })
})

test('a story that is cut off anywhere after its head, or packed by gzip, is a story', async () => {
  const file = whole()
  const bytes = readFileSync(file)
  for (const part of [0.4, 0.7]) {
    let end = Math.floor(bytes.length * part)
    // In the midst of a line, wherever the part ends.
    while (bytes[end - 1] === 0x0a || bytes[end] === 0x0a) end--
    writeFileSync(file, bytes)
    truncateSync(file, end)
    expect(await run(['explain', file])).toMatchObject({ code: 0, stderr: '' })
  }
  const packed = await run(['explain', temporaryFile('run.story.gz', gzipSync(bytes)), 'election'])
  expect(packed).toMatchObject({ code: 0, stderr: '' })
})

test('a picture is written of the window that was asked for', async () => {
  const file = whole()
  const picture = join(temporaryFolder(), 'run.svg')
  expect(await run(['explain', file, '--svg', picture, '--from', '500', '--to', '800'])).toMatchObject({
    code: 0,
  })
  const svg = readFileSync(picture, 'utf8')
  expect(svg).toContain('From 500 ms to 800 ms of the story')
  expect(svg).toContain('node 1 leads term 1')
  expect(svg).not.toContain('node 2 leads term 2')
})

const head = lines()[0] ?? ''

test.each<[file: string, content: string, args: string[], message: RegExp]>([
  [
    'of another kind',
    '{"recording":"raftbox"}\n',
    [],
    /line 1: it is not the head of a story of raftbox; give a story/,
  ],
  ['that is cut in its head', head.slice(0, 30), [], /line 1: it is not JSON; give a story/],
  ['that is empty', '', [], /is empty; give a story that sandbox --record wrote$/],
  [
    'with a bad line',
    `${head}\n{"else":1}\n{}\n`,
    [],
    /line 2: it tells neither what happened, nor of a command/,
  ],
  ['with text in it', `${head}\nhello\n${head}\n`, [], /line 2: it is not JSON/],
  ['with a wrong question', `${head}\n`, ['why'], /after 'explain' election, index, stall or last/],
  ['without an index', `${head}\n`, ['index'], /explain index: give an index, as in explain index 42$/],
  [
    'with a number too many',
    `${head}\n`,
    ['stall', '3'],
    /explain stall: there is no number to give, not '3'$/,
  ],
  [
    'with a window but no picture',
    `${head}\n`,
    ['--to', '3'],
    /--from and --to are the window of a picture: give --svg FILE too$/,
  ],
  [
    'with an empty window',
    `${head}\n`,
    ['--svg', '/dev/null', '--from', '5', '--to', '5'],
    /--from, --to: the picture's window is empty/,
  ],
  [
    'with no place for a picture',
    `${lines().join('\n')}\n`,
    ['--svg', '/nowhere/a.svg'],
    /--svg: \/nowhere\/a\.svg cannot be written/,
  ],
])('a story %s is refused in one line', async (_, content, args, message) => {
  const { code, stdout, stderr } = await run(['explain', temporaryFile('run.story', content), ...args])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr.trimEnd()).toMatch(message)
  expect(stderr.trimEnd().split('\n').length).toBe(1)
})

test('a sandbox writes the story of its cluster, and answers why at its prompt', async () => {
  const file = join(temporaryFolder(), 'run.story')
  const sandbox = start(['sandbox', '--record', file], null)
  sandbox.child.stdin?.write('put a 1\nkill leader\n')
  const [, index] = await sandbox.said(/applied at index (\d+)/)
  await sandbox.said(/killed node \d/)
  // A put waits for the next leader.
  sandbox.child.stdin?.end(`put b 2\nexplain election\nexplain index ${index}\n`)
  const { code, stdout, stderr } = await sandbox.ended
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^Why it began: node \d was killed at \d+\.\d{3} s \(kill \d\)\.$/m)
  const way = new RegExp(
    `^Index ${index}, taken from a client by node \\d; times count from its first step`,
    'm',
  )
  expect(stdout).toMatch(way)
  const recorded = await run(['explain', file, 'election', '--json'])
  expect(lastLine(recorded.stdout)).toMatchObject({ type: 'election', cause: { type: 'killed' } })
  const reader = new StoryReader()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) reader.take(line)
  expect(reader.story?.nodeIds).toEqual([1, 2, 3])
})

test('a seed of the simulator tells its story', async () => {
  const file = join(temporaryFolder(), 'run.story')
  expect(await run(['sim', '--seed', '42', '--story', file])).toMatchObject({
    ...{ code: 0, stderr: '' },
    stdout: expect.stringMatching(new RegExp(`\n${file} is written\n$`)),
  })
  const { code, stdout } = await run(['explain', file, 'election'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Node \d won the election of term \d+ at \d+\.\d{3} s; node \d had led term \d+\.$/m,
  )
  const refused = await run(['sim', '--seeds', '1', '--story', file])
  expect([refused.code, refused.stderr]).toEqual([2, 'raftbox: --story: name one seed with --seed\n'])
})

test('a sandbox that cannot write its story does not start', async () => {
  const { code, stdout, stderr } = await run(['sandbox', '--record', '/nowhere/run.story'], 'status\n')
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^raftbox: --record: \/nowhere\/run\.story cannot be written: .*\n$/)
})
