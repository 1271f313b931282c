/** What the system limits for the whole process: each limit ends a command in one line, and leaves nothing. */
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { program, temporaryFolder } from './raftbox.js'

const isLinux = process.platform === 'linux'

/** Runs the command line behind another command, such as one that sets a limit. */
function runBehind(before: readonly string[], ...args: readonly string[]) {
  const folder = temporaryFolder()
  chmodSync(folder, 0o777)
  const [command = '', ...rest] = [...before, process.execPath, program, ...args]
  const env = { ...process.env, TMPDIR: folder }
  const options = {
    encoding: 'utf8',
    input: 'put a b\n',
    env,
    timeout: 55_000,
    killSignal: 'SIGKILL',
  } as const
  const { status, signal, stdout, stderr } = spawnSync(command, rest, options)
  return { status, signal, stdout, stderr, left: readdirSync(folder) }
}

const limited = (limit: string): readonly string[] => ['sh', '-c', `ulimit ${limit}; exec "$@"`, 'sh']
const short = ['--clients', '8', '--seconds', '0.2', '--json']

const fewerOrInline = 'start fewer nodes, or run all in one thread with host inline'

test.skipIf(!isLinux).each([
  ['-v 3000000', 3, 'on', '3584 MiB of address space', fewerOrInline],
  ['-v 2000000', 7, 'off', '960 MiB of address space', 'or start fewer nodes'],
  ['-n 120', 3, 'on', '172 file descriptors', fewerOrInline],
] as const)(
  'ulimit %s is too little for %i nodes with threads %s, which the error says',
  (limit, nodes, threads, needed, remedy) => {
    const args = ['bench', '--nodes', String(nodes), '--threads', threads, ...short]
    const { status, stdout, stderr, left } = runBehind(limited(limit), ...args)
    expect([status, stdout, left]).toEqual([2, '', []])
    const raise = `(raise the limit with ulimit ${limit.slice(0, 2)}, ${remedy})`
    expect(stderr).toContain(`raftbox: --nodes: ${needed} for ${nodes} more ${raise}, not the `)
    expect(stderr).toMatch(/^.* not the \d+ that are left\n$/)
  },
)

test.skipIf(!isLinux).each([
  ['-v 8000000', ['sandbox', '--page', 'off']],
  ['-v 64000000', ['sandbox']],
])('ulimit %s is enough for three nodes with %j', (limit, args) => {
  const { status, stderr, stdout, left } = runBehind(limited(limit), ...args)
  expect([status, stderr, left]).toEqual([0, '', []])
  expect(stdout).toContain('applied at index')
})

test.skipIf(!isLinux)('ulimit -v 8000000 is too little for the page, which the error says', () => {
  const { status, stdout, stderr, left } = runBehind(limited('-v 8000000'), 'sandbox')
  expect([status, stdout, left]).toEqual([2, '', []])
  expect(stderr).toMatch(/^raftbox: --page: the page takes 11264 MiB of address space, .*give --page off\n$/)
})

test.skipIf(!isLinux)(
  'a simulation runs on the threads that there is address space for, and says when there is none',
  () => {
    const args = ['sim', '--seeds', '8', '--json']
    const few = runBehind(limited('-v 4000000'), ...args)
    expect([few.status, few.stderr]).toEqual([0, ''])
    const none = runBehind(limited('-v 2000000'), ...args)
    expect(none.status).toBe(2)
    const line =
      'raftbox: threads: 1536 MiB of address space for one (raise the limit with ulimit -v), not the N that are left\n'
    expect(none.stderr.replace(/\d+ that are left/, 'N that are left')).toBe(line)
  },
)

/** Root is bound by no number of threads. The limit counts all threads of a user, and this user has no others. */
const asStranger = ['setpriv', '--reuid', '61234', '--clear-groups', 'prlimit']
const [command = '', ...rest] = [...asStranger, '--nproc=1000', process.execPath, program, '--version']
const canBeStranger = isLinux && spawnSync(command, rest, { timeout: 55_000 }).status === 0

test.skipIf(!canBeStranger)('a system that gives no more threads is an error that says so', () => {
  // Seven nodes start with 20, and Node itself starts with 12.
  for (let threads = 20; threads > 0; threads -= 4) {
    const ended = runBehind([...asStranger, `--nproc=${threads}`], 'sandbox', '--nodes', '7')
    if (ended.status === 0) continue
    expect([ended.status, ended.signal, ended.left]).toEqual([1, null, []])
    expect(ended.stderr).toMatch(
      /^raftbox: node \d failed: its thread cannot be started \(.*\): raise the limit on threads \(ulimit -u\), .*\n$/,
    )
    return
  }
  throw new Error('no limit was too small')
})
