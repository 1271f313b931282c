import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { RecordingFile } from '../../src/recording/index.js'
import { simulate } from '../../src/sim/index.js'
import { lastLine, run, temporaryFile, temporaryFolder } from './raftbox.js'

/** A recording of a short run, as `sim --record` writes it. */
function recorded(seed = 42): string {
  const path = join(temporaryFolder(), 'run.jsonl')
  const file = new RecordingFile(path)
  simulate({ seed, record: file.write })
  file.close()
  return path
}

test('sim --record writes what replay repeats, and both come to the same states', async () => {
  const file = join(temporaryFolder(), 'run.jsonl')
  expect(await run(['sim', '--seed', '42', '--record', file])).toMatchObject({
    ...{ code: 0, stderr: '' },
    stdout: expect.stringMatching(new RegExp(`\n${file} is written\n$`)),
  })
  expect(readFileSync(file)).toEqual(readFileSync(recorded()))
  const { code, stdout, stderr } = await run(['replay', file])
  expect([code, stderr]).toEqual([0, ''])
  const lines = stdout.trimEnd().split('\n')
  const last = lines.pop()
  expect(lines.length).toBeGreaterThanOrEqual(3)
  for (const [at, line] of lines.entries())
    expect(line).toMatch(
      new RegExp(
        `^node ${at + 1}: \\d+ (life|lives), then (leader|follower|preCandidate|candidate) in term \\d+, committed \\d+ of \\d+, state [0-9a-f]{16}, as recorded$`,
      ),
    )
  expect(last).toMatch(
    new RegExp(
      `^${lines.length} nodes, \\d+ lives, [\\d,]+ inputs: each that has a recorded end came to it$`,
    ),
  )
})

test.each([0.2, 0.5, 0.9])(
  'a recording that is cut at %d of its bytes runs up to there, and says so',
  async (part) => {
    const file = recorded()
    const bytes = readFileSync(file)
    // In the midst of a line, wherever the part ends.
    let end = Math.floor(bytes.length * part)
    while (bytes[end - 1] === 0x0a || bytes[end] === 0x0a) end--
    truncateSync(file, end)
    const cutAtLine = bytes.subarray(0, end).toString().split('\n').length
    const { code, stdout, stderr } = await run(['replay', file])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `line ${cutAtLine} is cut off in its middle: the run was repeated up to there`,
    )
    expect(lastLine((await run(['replay', file, '--json'])).stdout)).toMatchObject({ cutAtLine })
  },
)

test('a recording that is cut between two lines, and one that gzip packed, are whole as far as they go', async () => {
  const lines = readFileSync(recorded(), 'utf8').split('\n').slice(0, 500)
  for (const content of [lines.join('\n'), `${lines.join('\n')}\n`, gzipSync(lines.join('\n'))]) {
    const { code, stdout } = await run(['replay', temporaryFile('run.jsonl', content), '--json'])
    expect(code).toBe(0)
    const { lives, cutAtLine } = lastLine(stdout) as { lives: { inputs: number }[]; cutAtLine?: number }
    expect(cutAtLine).toBe(undefined)
    expect(lives.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThan(400)
  }
})

test('another end than was recorded is told of its life, and the exit code is 1', async () => {
  const file = recorded()
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"ends":"..../, '"ends":"0000'))
  const { code, stdout, stderr } = await run(['replay', file])
  expect([code, stderr]).toEqual([1, ''])
  expect(stdout).toMatch(
    /^node \d, life 1: it ends in the state [0-9a-f]{16}, and 0000[0-9a-f]{12} was recorded$/m,
  )
  expect(stdout).toContain(': 1 did not end as recorded')
})

test.each([
  ['', 'is empty, as the recording of a full disk is; record the run again, or give another recording'],
  ['key,value\na,b\n', 'line 1: it is not JSON; give a recording of raftbox'],
  ['{"recording":"raft', 'line 1: it is not JSON; give a recording of raftbox'],
  ['{"key":"a"}\n', 'line 1: it is not the head of a recording of raftbox; give a recording of raftbox'],
  [
    '{"recording":"raftbox","version":1}\n\n{"node":7,"told"\n{}\n',
    'line 3: it is not JSON; give a recording of raftbox',
  ],
  [
    '{"recording":"raftbox","version":1}\n{"node":7,"told":{"type":"tick"}}\n',
    'line 2: node 7 has not begun; give a recording of raftbox',
  ],
])('a damaged or foreign file is refused in one line: %j', async (content, why) => {
  const file = temporaryFile('run.jsonl', content)
  const { code, stdout, stderr } = await run(['replay', file])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr.trimEnd().split('\n').length).toBe(1)
  expect(stderr).toContain(why)
})

test('a line without an end is refused before it fills the memory', async () => {
  const file = temporaryFile('run.jsonl', '{"recording":"raftbox","version":1}\n')
  truncateSync(file, 200 << 20)
  const { code, stderr } = await run(['replay', file])
  expect(code).toBe(2)
  expect(stderr).toMatch(/line 2: the line has more than 134217728 bytes/)
})

test.each([
  [['sim', '--record', 'run.jsonl'], '--record: name one seed with --seed'],
  [['sim', '--seed', '1', '--record', ''], '--record: give the path of a file'],
  [
    ['sim', '--seed', '1', '--record', '/no/such/folder/run.jsonl'],
    '--record: /no/such/folder/run.jsonl cannot be written',
  ],
  [['replay', '/no/such/file'], '/no/such/file: there is no such file'],
])('%j is refused in one line', async (args, why) => {
  const { code, stderr } = await run(args)
  expect(code).toBe(2)
  expect(stderr).toContain(why)
  expect(stderr.trimEnd().split('\n').length).toBe(1)
})

test.runIf(existsSync('/dev/full')).each(['--record', '--story'])(
  'a full disk under sim %s is told with its reason, and changes no verdict',
  async (flag) => {
    const { code, stdout, stderr } = await run(['sim', '--seed', '2', flag, '/dev/full'])
    expect([code, stderr]).toEqual([
      0,
      `raftbox: warning: ${flag}: /dev/full could not be written to its end: ENOSPC: no space left on device, write\n`,
    ])
    expect(stdout).toContain('1 seed, no violation\n')
  },
)

test('a recording that could not be written is told as one, with the reason', async () => {
  const head = readFileSync(recorded(), 'utf8').split('\n')[0]
  const file = temporaryFile('run.jsonl', `${head}\n{"stops":"ENOSPC: no space left on device, write"}\n`)
  expect(await run(['replay', file])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `raftbox: ${file}: the recording could not be written: ENOSPC: no space left on device, write; record the run again where there is room\n`,
  })
})
