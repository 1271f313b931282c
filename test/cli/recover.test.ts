import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { convergedHashes, flushedLogs, refusalOf, startedCluster } from '../cluster/support.js'
import { canInject, renames, runBroken } from './broken-run.js'
import { lastLine, run, temporaryFolder } from './raftbox.js'

/** A directory of three nodes, of which only node 2 has its disk left, and the hash of the state. */
async function lostDirectory(): Promise<{ readonly dir: string; readonly hash: string }> {
  const dir = temporaryFolder()
  // No time of the log is told, which would change the hash of the state.
  const cluster = await startedCluster({ dir, host: 'inline', sessionTimeoutMs: 3_600_000 })
  for (let key = 1; key <= 3; key++) await cluster.put(`key${key}`, 'value')
  const [hash = ''] = await convergedHashes(cluster)
  await flushedLogs(cluster)
  await cluster.close()
  for (const nodeId of [1, 3]) rmSync(join(dir, `node-${nodeId}`), { recursive: true })
  return { dir, hash }
}

test('a recovery tells what may be lost and waits for a word, and then the sandbox finds all that was left', async () => {
  const { dir, hash } = await lostDirectory()
  const before = readdirSync(dir)
  const told = await run(['recover', dir, '--from', '2'])
  expect([told.code, told.stderr]).toEqual([2, 'raftbox: nothing was changed: give --yes to do it\n'])
  expect(told.stdout).toMatch(/^node 1 is lost: its folder is missing or empty/)
  expect(told.stdout).toMatch(/\nWrites behind entry \d+ are lost, also if they were acknowledged; /)
  const json = await run(['recover', dir, '--from', '2', '--json'])
  expect(lastLine(json.stdout)).toMatchObject({ done: false, from: 2, heldMore: [], nodes: 3 })
  expect(readdirSync(dir)).toEqual(before)
  const done = await run(['recover', dir, '--from', '2', '--yes', '--json'])
  expect([done.code, done.stderr]).toEqual([0, ''])
  expect(lastLine(done.stdout)).toMatchObject({ done: true, hash, summary: { keys: 3 } })
  const sandbox = await run(['sandbox', '--dir', dir, '--json'], 'get key2\n')
  expect(lastLine(sandbox.stdout)).toMatchObject({ ok: true, value: 'value' })
})

test('what cannot be recovered is told in one line', async () => {
  const { dir } = await lostDirectory()
  const cases: [string[], string][] = [
    [[temporaryFolder(), '--from', '1'], 'holds no cluster: name a directory of raftbox'],
    [[dir], "required option '--from <id>' not specified; see raftbox help recover"],
    [[dir, '--from', '1'], '--from: a node whose disk can be used, not 1: its folder is missing or empty'],
    [[dir, '--from', '9'], '--from: one of 1, 2, 3, not 9'],
    [[dir, '--from', 'x'], '--from: give a whole number from 1'],
  ]
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await run(['recover', ...args, '--yes'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
    expect(stderr).toContain(words)
  }
})

test.runIf(canInject)(
  '[BR7] a recovery that is killed at any rename is finished by the next one, and no cluster starts before',
  async () => {
    const { dir: lost, hash } = await lostDirectory()
    const cutOff = new Set<boolean>()
    for (let number = 1, isDone = false; !isDone; number++) {
      const dir = join(temporaryFolder(), 'cluster')
      cpSync(lost, dir, { recursive: true })
      const words = ['recover', dir, '--from', '2', '--yes', '--json']
      isDone = runBroken(words, renames, 'signal=KILL', number).status === 0
      if (!isDone) {
        const { code, message } = await refusalOf({ dir, host: 'inline' })
        expect(['DISK_LOST', 'DIRECTORY_INCOMPATIBLE']).toContain(code)
        cutOff.add(message.includes('its recovery was cut off, so begin it again'))
        expect(lastLine((await run(words)).stdout)).toMatchObject({ done: true })
      }
      const cluster = await startedCluster({ dir, host: 'inline' })
      expect([...(await convergedHashes(cluster))]).toEqual([hash])
      await cluster.close()
      expect(readdirSync(dir).filter((name) => name.startsWith('recover'))).toEqual([])
      expect(number).toBeLessThan(40)
    }
    expect([...cutOff].sort()).toEqual([false, true])
  },
  600_000,
)
