/** `npm run bench:peers` as a user runs it, but for npm. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startChild } from '../../bench/suite/child.js'
import { temporaryFolder } from '../cli/raftbox.js'

const program = fileURLToPath(new URL('../../bench/peers/main.js', import.meta.url))

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return startChild(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: '1', ...env } })
    .ended
}

test.each([
  ['an unknown flag', ['--fast'], "unknown option '--fast'; see npm run bench:peers -- --help"],
  ['a word too many', ['now'], 'too many arguments'],
  ['no rounds', ['--rounds', '0'], '--rounds: give a whole number from 1 to 100'],
  ['no time', ['--seconds', '0'], '--seconds: give a number from 0.1'],
  ['an unknown peer', ['--only', 'floor,paxos'], "not 'paxos'"],
  ['no peer', ['--only', ''], '--only: give one or more of raftbox, floor'],
  ['a record in no folder', ['--out', 'no/such/file.json'], '--out: there is no folder no/such'],
  ['a record that is a folder', ['--out', '.'], "--out: give the name of a file, not '.'"],
])('%s is refused in one line, with exit code 2', async (_, args, words) => {
  const { code, stdout, stderr } = await run(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
  expect(stderr).toContain(words)
})

test('without Go and etcd one line says so, and the rest runs', async () => {
  const folder = temporaryFolder()
  const out = join(temporaryFolder(), 'record.json')
  const only = 'durable-64-floor,durable-64-etcd-raft,durable-1000-etcd'
  const args = ['--only', only, '--rounds', '1', '--seconds', '0.5', '--out', out]
  const { code, stdout, stderr } = await run(args, { PATH: folder, TMPDIR: folder })
  expect(stderr.split('\n').filter((line) => line.startsWith('raftbox:'))).toEqual([
    expect.stringMatching(
      /without go, .*etcd there is no comparison with etcd-raft, etcd; .*apt-get install .*golang-go .*etcd-server$/,
    ),
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^durable-64-floor +[\d,]+ +[\d,]+ +[\d.]+/m)
  expect(stdout).not.toContain('etcd')
  // Nothing is left where temporary files go.
  expect(readdirSync(folder)).toEqual([])
  const record = JSON.parse(readFileSync(out, 'utf8'))
  expect(record.comparison.leftOut).toEqual(['etcd-raft', 'etcd'])
  expect(record.results.map(({ id }: { id: string }) => id)).toEqual(['peers/durable-64-floor'])
})

test('when nothing is left to compare with, the exit code is 1', async () => {
  const { code, stdout, stderr } = await run(['--only', 'etcd'], { PATH: temporaryFolder() })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('raftbox: nothing is left to compare with\n')
})

/** A stand-in that writes down what it was called with. */
function recordingAptGet(): { readonly folder: string; calls(): string } {
  const folder = temporaryFolder()
  const calls = join(folder, 'calls')
  writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\necho "$@" >> ${calls}\n`, { mode: 0o755 })
  return { folder, calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8') : '') }
}

test('nothing is installed unless it is asked for', async () => {
  const { folder, calls } = recordingAptGet()
  const { code } = await run(['--only', 'etcd'], { PATH: folder })
  expect([code, calls()]).toEqual([1, ''])
})

test.runIf(process.getuid?.() === 0)(
  '--install fetches what is missing, and says what still is',
  async () => {
    const { folder, calls } = recordingAptGet()
    const { code, stderr } = await run(['--only', 'etcd', '--install'], { PATH: folder })
    expect(code).toBe(1)
    expect(calls()).toMatch(/^update.*\ninstall .*--no-install-recommends golang-go .*etcd-server\n$/)
    expect(stderr).toMatch(/without go, .*apt-get install/)
  },
)

test.runIf(process.getuid?.() !== 0)('--install needs root, and says what to run', async () => {
  const { folder, calls } = recordingAptGet()
  const { code, stderr } = await run(['--only', 'etcd', '--install'], { PATH: folder })
  expect([code, calls()]).toEqual([2, ''])
  expect(stderr).toMatch(/^raftbox: --install: be root for it, .*sudo apt-get install [^\n]*\n$/)
})

test('Ctrl-C ends what is measured, and leaves neither files nor a record', async () => {
  const folder = temporaryFolder()
  const out = join(folder, 'record.json')
  const args = [program, '--only', 'durable-64-floor', '--seconds', '60', '--out', out]
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: folder } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exitCode = new Promise((resolve) => child.on('close', resolve))
  await vi.waitFor(() => expect(readdirSync(folder)).not.toEqual([]), 10_000)
  child.kill('SIGINT')
  expect(await exitCode).toBe(130)
  expect(readdirSync(folder)).toEqual([])
})
