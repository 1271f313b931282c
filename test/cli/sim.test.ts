import { expect, test } from 'vitest'
import { replay } from '../../src/jobs/index.js'
import { simulate } from '../../src/sim/index.js'
import { lastLine, run } from './raftbox.js'

test('sim --seed --trace prints every line of the run, in order, and then its result', async () => {
  const lines: string[] = []
  const { counts } = simulate({ seed: 1, trace: (line) => lines.push(line) })
  const { code, stdout, stderr } = await run(['sim', '--seed', '1', '--trace', '--json'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.trimEnd().split('\n').slice(0, -1)).toEqual(lines)
  expect(lastLine(stdout)).toMatchObject({ seeds: 1, violations: 0, messages: counts.messages })
})

test('sim --seed without a trace names the fingerprint of the run', async () => {
  const { fingerprint } = simulate({ seed: 2 })
  const { code, stdout } = await run(['sim', '--seed', '2'])
  expect(code).toBe(0)
  expect(stdout).toContain(`fingerprint ${fingerprint}\n1 seed, no violation\n`)
})

test('sim --seeds counts the seeds of a range', async () => {
  const { code, stdout } = await run(['sim', '--seeds', '3', '--from', '7', '--json'])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ seeds: 3, violations: 0 })
})

test('a replay gives all of its lines, also to a thread that was busy when it ended', async () => {
  const expected: string[] = []
  const lines: string[] = []
  const trace = (line: string): void => {
    lines.push(line)
    // As long as the run takes, and once more: the result then waits behind thousands of lines.
    if (lines.length === 1) {
      simulate({ seed: 3, trace: (each) => expected.push(each) })
      simulate({ seed: 3 })
    }
  }
  await replay({ seed: 3, trace, signal: new AbortController().signal })
  expect(lines).toEqual(expected)
})
