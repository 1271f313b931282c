import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run, start, temporaryFolder } from './raftbox.js'

function script(lines: readonly string[], args: readonly string[] = []) {
  return run(['sandbox', ...args], `${lines.join('\n')}\n`)
}

test('a script kills the leader, goes on without it, and takes it back', async () => {
  const { code, stdout, stderr, left } = await script([
    ...['status', 'put a  one two', 'put b 2', 'get a', 'kill leader', 'put a three', 'get a', 'status'],
    ...['range', 'range b', 'delete b', 'get b', 'delete b', 'help', 'quit', 'put never done'],
  ])
  expect([code, stderr, left]).toEqual([0, '', []])
  // Every election is told with its reason.
  expect(stdout).toMatch(
    /node (\d) starts a pre-vote for term \d+: (?:no heartbeat for|its election timeout of) \d+ ms[\s\S]*node \1 leads term \d+: nodes \d and \d voted for it/,
  )
  expect(stdout).toContain(' one two (version 1, last put at revision 1)')
  expect(stdout).toContain('three (version 2, last put at revision 3)')
  const killed = /killed node (\d)/.exec(stdout)?.[1]
  expect(stdout).toMatch(new RegExp(`^${killed} +stopped +voter +- `, 'm'))
  expect(stdout.match(/^\d +running +voter +leader/gm)).toHaveLength(2)
  // Events are told between the answers.
  const answers = stdout.replace(/^ {2}.*\n/gm, '')
  expect(answers).toContain('a three\nb 2\n2 keys\n')
  expect(answers).toContain('\nb 2\n1 key\n')
  expect(answers).toMatch(/deleted at index \d+\nthere is no key b\nthere is no key b\n/)
  expect(stdout).not.toContain('never')
})

test('nodes come back by number, and without a majority nothing is applied', async () => {
  const { child, ended, said } = start(['sandbox'], null)
  child.stdin?.write('put a 1\nkill 1\nkill 2\n')
  // A leader that is left alone answers reads for as long as its lease holds.
  await said(/killed node 2[\s\S]*node 3 (starts|waits)/)
  child.stdin?.end('get a\nrestart 1\nget a\nkill leader\n')
  const { code, stdout } = await ended
  expect(code).toBe(1)
  const after = stdout.slice(stdout.indexOf('killed node 2')).replace(/^ {2}.*\n/gm, '')
  expect(after).toMatch(
    /^killed node 2\nnot applied: the read was not confirmed within \d+ ms \(a read changes nothing: try again\)\nnode 1 runs again\n1 \(version 1/,
  )
  expect(after).toMatch(/killed node [13]\n$/)
})

test('what is not understood is told in one line each, and the script goes on', async () => {
  const lines = [
    ['pot a 1', "there is no verb 'pot' (did you mean put?); help lists all"],
    ['constructor', "there is no verb 'constructor'; help lists all"],
    ['put a', "put a: after 'put a' a value is expected"],
    [
      'get a b',
      "get a b: after 'get a' stale, or from and the id of a node, leader or any is expected, not 'b'",
    ],
    [
      'kill 4',
      'target 4: there are the nodes 1, 2 and 3, and the roles leader, followers, follower, minority, all and any',
    ],
    [
      'remove all',
      'removing node 1 and removing node 2 and removing node 3: a cluster keeps at least one voter',
    ],
    ['promote 1', 'promoting node 1: node 1 is a voter already'],
    ['replace 1,2', 'replacing: name one node at a time'],
    [
      'transfer 99',
      'target 99: there are the nodes 1, 2 and 3, and the roles leader, followers, follower, minority, all and any',
    ],
    ['add 3', "add 3: after 'add' learner is expected, not '3'"],
    [
      'snapshot 9',
      'target 9: there are the nodes 1, 2 and 3, and the roles leader, followers, follower, minority, all and any',
    ],
    ['snapshot all x', "snapshot: with a FILE, name one node, not 'all'"],
    ['explain 3', "explain 3: after 'explain' election, index, stall or last is expected, not '3'"],
    ['explain foo', "explain foo: after 'explain' election, index, stall or last is expected, not 'foo'"],
    ['snapshot 1 /none/x', '/none/x cannot be written: there is no folder for x; make it, or name another'],
    ['restart 1', 'restart 1: node 1 runs already'],
    ['restart 1 anew', "restart 1 anew: after 'restart 1' renew is expected, not 'anew'"],
    ['events maybe', "events maybe: after 'events' on or off is expected, not 'maybe'"],
    [`put ${'k'.repeat(1025)} v`, 'key: 1 to 1024 bytes, not 1025 bytes'],
    ['', ''],
    ['  delete   a  ', 'there is no key a'],
  ]
  const { code, stdout, stderr } = await script(['events off', ...lines.map(([line = '']) => line)])
  expect([code, stderr]).toEqual([2, ''])
  const answers = lines.map(([, answer]) => answer).filter((answer) => answer !== '')
  expect(stdout.trimEnd().split('\n').slice(-answers.length)).toEqual(answers)
})

test('with a directory, what was put is there the next time', async () => {
  const dir = temporaryFolder()
  expect(await script(['put a kept'], ['--dir', dir, '--nodes', '1'])).toMatchObject({ code: 0 })
  const { code, stdout } = await script(['get a'], ['--dir', dir])
  expect(code).toBe(0)
  expect(stdout).toContain(`1 node, logs kept in ${dir}`)
  expect(stdout).toContain('kept (version 1')
})

test('the log of a node is followed until the next line', async () => {
  const { child, ended, said } = start(['sandbox', '--nodes', '1'], null)
  child.stdin?.write('events off\nput a 1\nload 1\nlog 1 --follow\n')
  await said(/^index +term +bytes [\s\S]*\n4 [^\n]* put a 1\n[\s\S]*\n\d{2,} [^\n]* put key-\d{4} /m)
  child.stdin?.write('log 1,1 --follow\nload off\nput b 2\n')
  await said(/^applied at index \d+, revision \d+\n[\s\S]*^applied at /m)
  child.stdin?.end('log 1 4 4\n')
  const { code, stdout, left } = await ended
  expect([code, left]).toEqual([0, []])
  expect(stdout).toMatch(
    /without an answer; calls still on their way are not counted\napplied at [^\n]*\nnode 1: term 1, [^\n]*\nindex .*\n4 .* put a 1\n$/,
  )
})

test('two nodes are warned about', async () => {
  const { code, stderr } = await script(['put a 1'], ['--nodes', '2'])
  expect(code).toBe(0)
  expect(stderr).toMatch(/^raftbox: warning: two nodes tolerate no failure.*\n$/)
})

test.skipIf(process.platform === 'win32')('Ctrl-C ends it while a command still waits', async () => {
  const { child, ended, said } = start(['sandbox'], 'kill 1\nkill 2\nput a 1\n')
  await said(/killed node 2/)
  child.kill('SIGINT')
  expect(await ended).toMatchObject({ code: 130, stderr: '', left: [] })
})

test('a node that lost its disk is refused in one line, and begins anew where that is allowed', async () => {
  const dir = temporaryFolder()
  const kept = join(dir, 'kept')
  expect((await script(['put a 1'], ['--dir', kept])).code).toBe(0)
  rmSync(join(kept, 'node-2'), { recursive: true })
  const refused = await script(['get a'], ['--dir', kept])
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(/^raftbox: node 2 has lost its disk: .*--renew 2 at its start.*\n$/)
  const renewed = await script(['get a'], ['--dir', kept, '--renew', '2'])
  expect([renewed.code, renewed.stderr]).toEqual([0, ''])
  expect(renewed.stdout).toContain('1 (version 1')
  const wrong = await script(['get a'], ['--dir', kept, '--renew', 'two'])
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    "raftbox: --renew: give nodes by number, as in 2 or 1,3, not 'two'\n",
  ])
})
