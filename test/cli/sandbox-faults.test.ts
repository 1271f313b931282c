/** Faults at the prompt: begun, listed, told in `status`, healed by a word or by time, and refused in one line. */
import { expect, test } from 'vitest'
import { run, start } from './raftbox.js'

test('a frozen leader is told apart from a dead node, loses its lead, and goes on once it is resumed', async () => {
  // A machine that is busy for a second is no reason for an election.
  const { child, ended, said } = start(['sandbox', '--election-timeout', '1500'], null)
  child.stdin?.write('load 4\nkill follower\nstatus\n')
  await said(/^\d +stopped +voter +- .*$/m)
  child.stdin?.write('restart all\npause leader\nstatus\n')
  await said(/^#2 pause \d, for \d+\.\d s$[\s\S]* leads term (\d+)[\s\S]* holds its lease in term \1/m)
  child.stdin?.write('put a 1\nresume all\nfaults\nload off\n')
  await said(/without an answer/)
  child.stdin?.end('get a\n')
  const { code, stdout, stderr, left } = await ended
  expect([code, stderr, left]).toEqual([0, '', []])
  // Events are told between the answers.
  const answers = stdout.replace(/^ {2}.*\n/gm, '')
  const [, paused] = /#2 pause (\d)\n/.exec(stdout) ?? []
  expect(stdout).toMatch(new RegExp(`^${paused} +paused +voter +leader `, 'm'))
  expect(answers).toContain(`\nnode ${paused} runs again\nno fault stands\n4 clients: `)
  expect(stdout).toMatch(/\n4 clients: [1-9][\d,]* calls answered, /)
  expect(stdout).toMatch(/\n1 \(version 1, /)
})

test('a fault heals by itself when its time is over, and is told then', async () => {
  const { child, ended, said } = start(['sandbox'], null)
  child.stdin?.write('delay clients-leader 5ms jitter 5ms for 50ms\n')
  await said(/is healed.*: delay clients-\d 5ms jitter 5ms for 50ms$/m)
  child.stdin?.end('faults\n')
  const { code, stdout } = await ended
  expect(code).toBe(0)
  expect(stdout).toMatch(/^#1 delay clients-\d 5ms jitter 5ms for 50ms$/m)
  expect(stdout).toMatch(/^no fault stands$/m)
})

test('what does not fit is refused in one line, ends with 2, and has changed nothing', async () => {
  const lines = [
    ['cut 1->1', 'link 1->1: a link has two different ends'],
    ['cut 1->4', /^(?:target 4|cut 1->4): .*$/],
    ['drop 1->2 101%', /^drop 1->2 101%: .*not '101%' \(at most 100%\)$/],
    ['partition 1,2|2,3', 'partition 1,2|2,3: it names node 2 twice'],
    ['pause 3', 'node 3 is stopped: restart it first'],
    ['slow-disk 3 5ms', 'node 3 is stopped: restart it first'],
    ['skew 1 +2s', /^skew 1 \+2s: an offset outside of .* could break a lease, and let a read be stale$/],
    ['resume 1', 'no node stood still'],
    ['stall-disk 2', /^#2 stall-disk 2/],
    ['snapshot 2', 'target 2: the disk of the node is stalled: heal it first'],
    ['heal #2', /stall-disk 2/],
    ['heal #7', 'no such fault stands'],
    ['faults', /^#1 kill 3, for \d+\.\d s$/],
  ] as const
  const { code, stdout } = await run(
    ['sandbox'],
    `events off\nkill 3\n${lines.map(([line]) => line).join('\n')}\n`,
  )
  expect(code).toBe(2)
  const answers = stdout.trimEnd().split('\n').slice(-lines.length)
  for (const [at, [line, answer]] of lines.entries()) {
    const expected = typeof answer === 'string' ? answer : expect.stringMatching(answer)
    expect([line, answers[at]]).toEqual([line, expected])
  }
})
