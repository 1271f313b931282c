import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from './raftbox.js'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'raftbox-scenario-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(steps: string): string {
  const path = join(dir, 'mine.yaml')
  writeFileSync(path, `name: mine\nteaches: something\nsteps:\n${steps}`)
  return path
}

test('--list names the scenarios that ship, with what they teach', async () => {
  const { code, stdout, stderr } = await run(['scenario', '--list'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('leader-kill\n  A leader that dies is missed after an election timeout')
  expect(stdout).toContain('bridge\n')
  const listed = await run(['scenario', '--list', '--json'])
  expect(JSON.parse(listed.stdout)).toContainEqual(expect.objectContaining({ name: 'bridge', nodes: 5 }))
})

test('a scenario tells its story, what was expected, why the leader changed, and its verdict', async () => {
  const { code, stdout, stderr } = await run([
    'scenario',
    'leader-kill',
    '--host',
    'simulated',
    '--seed',
    '3',
  ])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^leader-kill on simulated, seed 3\n {2}A leader that dies/)
  expect(stdout).toMatch(/\d+\.\d\d s {2}kill old\n/)
  expect(stdout).toMatch(/\d+\.\d\d s {4}node \d leads term 2: nodes \d and \d voted for it\n/)
  expect(stdout).toMatch(/met {6}leader changed \(found: node \d led at first, and node \d leads now\)\n/)
  expect(stdout).toMatch(/\d+ writes acknowledged, 0 lost, /)
  expect(stdout).toMatch(/\npassed\n$/)
})

test('--json ends with one line that holds the verdict', async () => {
  const { code, stdout } = await run(['scenario', 'leader-kill', '--host', 'simulated', '--json'])
  expect(code).toBe(0)
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(result).toMatchObject({
    name: 'leader-kill',
    verdict: 'passed',
    lost: 0,
    host: 'simulated',
    seed: 1,
  })
  expect(result.expectations[0]).toMatchObject({ text: 'leader changed', met: true })
  expect(result.elections).toBeGreaterThanOrEqual(1)
  expect(result.unavailableMs).toBeGreaterThan(300)
  expect(result.acknowledged).toBeGreaterThan(50)
})

test('an expectation that is not met is exit code 1', async () => {
  const path = file('  - for: 1s\nexpect:\n  - elections at least 1\n')
  const { code, stdout } = await run(['scenario', path, '--host', 'simulated'])
  expect(code).toBe(1)
  expect(stdout).toContain('not met  elections at least 1 (found: 0)\n')
  expect(stdout).toMatch(/\nfailed\n$/)
})

test.each([
  [
    ['leader-kil'],
    /^raftbox: leader-kil is no scenario that ships \(did you mean leader-kill\?\), and cannot be read as a file: ENOENT.*\n$/,
  ],
  [[], /^raftbox: give the name of a scenario or a file; raftbox scenario --list names those that ship\n$/],
  [['bridge', '--host', 'moon'], /^raftbox: --host: give threads or simulated, not 'moon'\n$/],
  [['bridge', '--seed', '-1'], /^raftbox: --seed: give a whole number from 0 to 4294967295, not '-1'\n$/],
  [
    ['bridge', '--seconds', '9'],
    /^raftbox: --seconds: bridge has no step 'nemesis:', whose length it would set; leave it out\n$/,
  ],
  [
    ['overload', '--host', 'simulated'],
    /^raftbox: --host: overload runs on threads only, not on simulated\n$/,
  ],
])('%j is refused with one line', async (args, line) => {
  const { code, stdout, stderr } = await run(['scenario', ...args])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(line)
})

test('a mistake in a file is one line that names the line, and nothing is started', async () => {
  const path = file('  - for: 1s\n  - cut 1->1\n')
  const { code, stdout, stderr } = await run(['scenario', path, '--host', 'simulated'])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toBe(`raftbox: ${path}:5: link 1->1: a link has two different ends\n`)
})

test.each([
  [
    ['leader-kil'],
    /^raftbox: leader-kil is no scenario that ships \(did you mean leader-kill\?\), and cannot be read/,
  ],
  [['laeder-kill'], /\(did you mean leader-kill\?\)/],
  [
    ['leader-kill', '--host', 'thread'],
    /^raftbox: --host: give threads or simulated, not 'thread' \(did you mean threads\?\)$/m,
  ],
  [['nothing-like-it'], /^raftbox: nothing-like-it is no scenario that ships, and cannot be read/],
])('a wrong name is answered with the one that is near: %j', async (words, line) => {
  const { code, stderr } = await run(['scenario', ...words])
  expect(code).toBe(2)
  expect(stderr).toMatch(line)
})
