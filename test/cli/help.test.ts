import { spawnSync } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { program, run, start } from './raftbox.js'

const commands = [
  'bench',
  'card',
  'sandbox',
  'load',
  'scenario',
  'sim',
  'check',
  'search',
  'replay',
  'mutants',
  'report',
  'snapshot',
  'recover',
]

test.each([[[]], [['--help']], [['help']]])(
  'raftbox %j lists the commands and shows how to begin',
  async (args) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stderr]).toEqual([0, ''])
    for (const words of [...commands, 'metrics', 'Examples:', 'Exit codes:']) expect(stdout).toContain(words)
  },
)

test.each(commands)('help %s is the same as its --help', async (command) => {
  const [help, flag] = await Promise.all([run(['help', command]), run([command, '--help'])])
  expect([help.code, help.stderr, flag.code]).toEqual([0, '', 0])
  expect(flag.stdout).toBe(help.stdout)
  expect(help.stdout).toContain(`Usage: raftbox ${command}`)
})

test('help of bench names units, defaults and the fields that it prints', async () => {
  const { stdout } = await run(['help', 'bench'])
  for (const words of [
    '(default: 1024)',
    'bytes',
    '10,000 keys',
    'p999ms',
    'heartbeatLateP999ms',
    'milliseconds',
    'open loop',
  ]) {
    expect(stdout).toContain(words)
  }
})

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test.each([[[]], [['--help']], [['help', 'bench']]])(
  'raftbox %j ends without a word when nobody reads on',
  async (args) => {
    const { child, ended } = start(args)
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 141, stderr: '' })
  },
)

test.skipIf(!existsSync('/dev/full'))('what cannot be printed is a failure, told once', () => {
  const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const
  const { status, stderr } = spawnSync(process.execPath, [program, '--help'], {
    stdio: [...stdio],
    timeout: 55_000,
  })
  expect(String(stderr)).toMatch(/^raftbox: standard output cannot be written: ENOSPC: [^\n]*\n$/)
  expect(status).toBe(1)
})
